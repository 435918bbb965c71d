"""The odd tables of tests/cases/rows in the Rust host; the Python host answers likewise (python-host/tests/tables)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

FILES = sorted((Path(__file__).parent / "cases" / "rows").glob("*.json"))
CASES = [pytest.param(case, id=f"{file.stem}: {case['case']}") for file in FILES for case in json.loads(file.read_text())]


@pytest.mark.parametrize("case", CASES)
def test_odd_tables(hosts: Any, tmp_path: Path, case: dict[str, Any]) -> None:
    rust, _ = hosts
    arguments: list[str | Path] = ["match"]
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
