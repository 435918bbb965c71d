"""Both programs know the same upper bound, and sort tasks alike."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize(
    "sample", ["uniform:300x60:1", "realistic:400x20:2", "constrained:300x40:3", "devices:300x30:4", "ties:90x20:5"]
)
def test_both_programs_know_the_same_bound(same_answer: Any, sample: str, mode: str) -> None:
    answer = same_answer("--sample", sample, "--mode", mode, "--bound")
    assert answer["placed"] <= answer["bound"]["tasks"] <= answer["tasks"]
    assert all(used > 0 for used in answer["bound"]["used"].values())


@pytest.mark.parametrize("sample", ["uniform:300x200:1", "devices:300x100:4", "constrained:200x200:2"])
def test_both_programs_sort_alike(same_answer: Any, sample: str) -> None:
    given, sized = (
        same_answer("--sample", sample, "--mode", "shared", "--matcher", "first-fit", "--order", order)
        for order in ("given", "size")
    )
    assert given["answer_digest"] != sized["answer_digest"]
