"""What stands behind `>>>` in the documents is what it says."""

from __future__ import annotations

import doctest

import pytest

from conftest import ROOT

WITH_EXAMPLES = sorted(path for path in (ROOT / "docs").glob("*.md") if ">>> " in path.read_text())


def test_there_are_examples() -> None:
    assert ROOT / "docs" / "semantics.md" in WITH_EXAMPLES


@pytest.mark.parametrize("document", WITH_EXAMPLES, ids=lambda path: path.name)
def test_examples_hold(document) -> None:
    failed, tried = doctest.testfile(
        str(document), module_relative=False, encoding="utf-8", optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert tried > 0
    assert failed == 0
