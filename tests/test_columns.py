"""How many files a column of the contract is named in: those of free devices stand for any."""

from __future__ import annotations

import re

from conftest import ROOT

NAMED = {
    "wit/matcher.wit",
    "guest/core/src/devices.rs",
    "guest/kit/src/conversion.rs",
    "guest/kit/src/packed.rs",
    "host/library/src/recording/tables.rs",
    "host/library/src/table/columns.rs",
    "host/library/src/wasm/current.rs",
    "python-host/src/offermatch/recording/columns.py",
    "python-host/src/offermatch/recording/format.py",
    "python-host/src/offermatch/wasm/conversion.py",
    "python-host/src/offermatch/wasm/signature.py",
}
"""The contract, the core, the kit and both hosts: a new column is named in as many files."""

ELSEWHERE = {
    *(f"guest/{name}" for name in ("c/checks.c", "c/matching.c", "javascript/checks.js", "javascript/rows.js")),
    *(f"guest/python/{name}.py" for name in ("checks", "rows")),
}
"""The matchers in other languages, which may leave a column alone."""

BEFORE = {
    "wit/since-0.2.0/matcher.wit",
    "guest/kit/src/since_0_2_0/conversion.rs",
    "guest/kit/src/since_0_2_0/packed.rs",
    "host/library/src/wasm/since_0_2_0.rs",
}
"""The contract before, which gets no column any more."""

SOURCES = {".c", ".h", ".js", ".py", ".rs", ".toml", ".wit"}


def test_a_column_is_named_in_few_files() -> None:
    assert len(NAMED) <= 12
    named = {
        str(path.relative_to(ROOT))
        for folder in ("wit", "guest", "host", "python-host/src")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SOURCES and "tests" not in path.relative_to(ROOT).parts
        if re.search(r"device[-_]free|deviceFree", path.read_text())
    }
    assert named == NAMED | ELSEWHERE | BEFORE
