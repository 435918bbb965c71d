"""Odd tables and rules in tables (tests/cases/rows and rules) in the Rust host; the Python host answers likewise."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def cases(folder: str) -> list[Any]:
    """Return the cases of a folder."""
    files = sorted((ROOT / "tests" / "cases" / folder).glob("*.json"))
    return [pytest.param(case, id=f"{file.stem}: {case['case']}") for file in files for case in json.loads(file.read_text())]


@pytest.mark.parametrize("case", cases("rows"))
def test_odd_tables(hosts: Any, tmp_path: Path, case: dict[str, Any]) -> None:
    answered(hosts[0], tmp_path, case)


@pytest.mark.parametrize("case", cases("rules"))
def test_rules_in_tables(hosts: Any, tmp_path: Path, case: dict[str, Any]) -> None:
    answered(hosts[0], tmp_path, case, "--mode", "shared", "--matcher", ROOT / "target" / "matcher.wasm")


def answered(rust: Any, tmp_path: Path, case: dict[str, Any], *options: str | Path) -> None:
    """Ask for an answer, and hold it to what the case says."""
    arguments: list[str | Path] = ["match", *options]
    for what in ("tasks", "offers"):
        path = tmp_path / f"{what}.{'csv' if f'{what}_csv' in case else 'json'}"
        path.write_bytes(case[f"{what}_csv"].encode() if path.suffix == ".csv" else json.dumps(case[what]).encode())
        arguments += [f"--{what}", path]
    if "placed" in case["outcome"]:
        found = rust.answer(*arguments)["assignments"]
        assert {one["task"]: one["offer"] for one in found} == case["outcome"]["placed"]
        return
    done = rust.run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    error = re.search(r"^error\[([a-z-]+)\]: .+$", done.stderr, re.MULTILINE)
    assert error, done.stderr
    assert error[1] == case["outcome"]["code"]
    assert re.search(r"^hint: .+$", done.stderr, re.MULTILINE), done.stderr
