"""Rows that cannot be used are left out alike by both hosts, and the others placed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TASKS = [
    {"name": "good", "demand": {"cpu": 1}},
    {"name": "negative", "demand": {"cpu": -1}},
    {"name": "good", "demand": {"cpu": 1}},
    {"demand": {"cpu": 1}},
    {"name": "unknown", "demand": {"gpus": 1}},
    {"name": "share", "demand": {"cpu": 1}, "device_share": 1000},
    {"name": "both", "demand": {"cpu": 1}, "device_share": 10, "devices": 1},
    {"name": "also good", "demand": {"cpu": 2}},
]
OFFERS = [
    {"name": "small", "available": {"cpu": 2}, "capacity": {"cpu": 1}},
    {"name": "large", "available": {"cpu": 8}},
    {"name": "large", "available": {"cpu": 8}},
]
LEFT_OUT = [
    ("tasks", 1, "negative", "quantity-negative"),
    ("tasks", 2, "good", "duplicate-name"),
    ("tasks", 3, "", "missing-column"),
    ("tasks", 4, "unknown", "unknown-dimension"),
    ("tasks", 5, "share", "devices-malformed"),
    ("tasks", 6, "both", "devices-malformed"),
    ("offers", 0, "small", "capacity-exceeded"),
    ("offers", 2, "large", "duplicate-name"),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str | Path, ...]:
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text(json.dumps(TASKS))
    offers.write_text(json.dumps(OFFERS))
    return ("match", "--tasks", tasks, "--offers", offers, "--mode", "shared")


def test_the_others_are_placed(hosts: Any, files: tuple[str | Path, ...]) -> None:
    for host in hosts:
        done = host.run(*files, "--bad-rows", "leave-out")
        assert done.returncode == 0, f"{host.name}: {done.stderr}"
        answer = json.loads(done.stdout)
        assert [one["task"] for one in answer["assignments"]] == ["good", "also good"], host.name
        found = [(Path(one["table"]).stem, one["row"], one["name"], one["code"]) for one in answer["left_out"]]
        assert found == LEFT_OUT, host.name
        lines = done.stderr.splitlines()
        assert [line.partition("]")[0] for line in lines] == [f"left out[{code}" for *_, code in LEFT_OUT], host.name


def test_all_bad_rows_are_named_where_they_are_refused(hosts: Any, files: tuple[str | Path, ...], tmp_path: Path) -> None:
    for host in hosts:
        done = host.run(*files)
        assert (done.returncode, done.stdout) == (1, ""), host.name
        assert done.stderr.startswith("error[quantity-negative]: "), f"{host.name}: {done.stderr}"
    many = tmp_path / "many.json"
    many.write_text(json.dumps([{"name": f"t{row}", "demand": {"cpu": -1}} for row in range(25)]))
    for host in hosts:
        done = host.run("match", "--tasks", many, "--offers", files[4])
        assert "25 rows cannot be used: this one; " in done.stderr, f"{host.name}: {done.stderr}"
        assert "; and 15 more" in done.stderr, f"{host.name}: {done.stderr}"
        assert "row 9 (t9)" in done.stderr, host.name
        assert "row 10 (t10)" not in done.stderr, host.name
