"""Both programs find the same packing after the same number of rounds."""

from __future__ import annotations

import json
from typing import Any

import pytest


def packed(host: Any, *options: Any) -> dict[str, Any]:
    done = host.run("pack", *options)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("rounds", [0, 1, 300])
@pytest.mark.parametrize(
    "sample", ["uniform:150x150:1", "realistic:200x40:2", "constrained:150x60:3", "ties:60x9:4", "nothing-fits:9x9"]
)
def test_both_programs_find_the_same(hosts: Any, sample: str, rounds: int) -> None:
    for more in ([], ["--unlimited"], ["--seed", "7"]):
        rust, python = (packed(host, "--sample", sample, "--rounds", str(rounds), *more) for host in hosts)
        assert rust == python
        assert rust["at_least"] <= rust["offers"] <= rust["at_once"]
        assert len(rust["assignments"]) + len(rust["unplaced"]) == rust["tasks"]


def test_devices_and_bad_input(hosts: Any, tmp_path: Any) -> None:
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    offers.write_text(json.dumps([{"name": "o", "available": {"cpu": 8}, "devices": 4}]))
    tasks.write_text(json.dumps([{"name": f"t{at}", "demand": {"cpu": 1}, "devices": 2} for at in range(5)]))
    files = ("--tasks", tasks, "--offers", offers)
    for host in hosts:
        found = packed(host, *files, "--unlimited", "--seconds", "0")
        assert (found["offers"], found["at_least"], found["rounds"]) == (3, 3, 0)
        assert {one["offer"] for one in found["assignments"]} == {"o#1", "o#2", "o#3"}
        assert len(packed(host, *files, "--rounds", "3")["unplaced"]) == 3
    one = {"name": "t", "demand": {"cpu": 1}}
    refused = {
        f"error[devices-malformed]: {tasks}, row 1 (t), device_share: shares of a device are not packed offline\n"
        "hint: leave tasks that share a device to a matcher, or ask for a whole one\n": {**one, "device_share": 400},
        f"error[rule-unserved]: {tasks}, row 1 (t), group: groups are not packed offline\n"
        "hint: leave groups to a matcher\n": {**one, "group": {"name": "g"}, "device_share": 400},
    }
    for told, row in refused.items():
        tasks.write_text(json.dumps([{**one, "name": "first"}, row]))
        for host in hosts:
            done = host.run("pack", *files)
            assert (done.returncode, done.stderr) == (1, told)
    outputs = [host.run("pack", "--sample", "uniform:9x9", "--rounds", "5", "--output", "csv").stdout for host in hosts]
    assert outputs[0].splitlines()[0] == "task,offer"
    assert outputs[0] == outputs[1]
