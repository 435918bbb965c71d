"""Files of other systems are read alike by both hosts, and mean what they mean there: tests/cases/formats."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "cases" / "formats"
CASES: list[dict[str, Any]] = [case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text())]


def _files(case: dict[str, Any], folder: Path) -> tuple[str | Path, ...]:
    paths = []
    for name in ("tasks", "offers"):
        path = folder / f"{name}.txt"
        path.write_text(case[name] if isinstance(case[name], str) else json.dumps(case[name]))
        paths += [f"--{name}", path]
    return ("--format", case["format"], *paths, "--mode", "shared")


@pytest.mark.parametrize("case", CASES, ids=[f"{case['format']}: {case['why']}" for case in CASES])
def test_a_file_of_another_system_means_what_it_means_there(
    hosts: Any, same_answer: Callable[..., dict[str, Any]], tmp_path: Path, case: dict[str, Any]
) -> None:
    arguments = _files(case, tmp_path)
    if "placed" in case:
        answer = same_answer(*arguments, "--explain")
        assert {one["task"]: one["offer"] for one in answer["assignments"]} == case["placed"]
        assert [one["task"] for one in answer["unplaced"]] == case["unplaced"]
        return
    for host in hosts:
        done = host.run("match", *arguments)
        assert (done.returncode, done.stdout) == (1, ""), f"{host.name}: {done.stdout}{done.stderr}"
        found = re.search(r"^error\[([a-z-]+)\]: (.+)\nhint: .+$", done.stderr, re.MULTILINE)
        assert found, f"{host.name}: {done.stderr}"
        assert found[1] == case["error"], f"{host.name}: {done.stderr}"
        assert case["says"] in done.stderr, f"{host.name}: {done.stderr}"

