"""Measures, preferences and groups by their names in both programs: explanations to the letter, parameters, workloads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from offermatch import policies as shipped

ROOT = Path(__file__).parents[1]
BUILT = ROOT / "target" / "matcher.wasm"
RULES = ("--mode", "shared", "--matcher", BUILT)
FILES = sorted((ROOT / "tests" / "cases" / "rules").glob("*.json"))
PLACED = [
    pytest.param(case, id=f"{file.stem}: {case['case']}")
    for file in FILES
    for case in json.loads(file.read_text())
    if "tasks" in case and len(case["outcome"].get("placed", case["tasks"])) < len(case["tasks"])
]


def files(folder: Path, **tables: Any) -> list[str | Path]:
    """Return the arguments for tables that were written as JSON."""
    arguments: list[str | Path] = []
    for name, rows in tables.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(rows))
        arguments += [f"--{name}", path]
    return arguments


def test_there_are_cases_with_unplaced_tasks() -> None:
    assert len(PLACED) > 10


@pytest.mark.parametrize("case", PLACED)
def test_both_hosts_explain_rules_to_the_letter(hosts: Any, tmp_path: Path, case: dict[str, Any]) -> None:
    arguments = files(tmp_path, tasks=case["tasks"], offers=case["offers"])
    rust, python = (host.answer("match", *RULES, "--explain", *arguments)["unplaced"] for host in hosts)
    assert rust == python
    assert len(python) == len(case["tasks"]) - len(case["outcome"]["placed"])


def test_a_short_gang_a_full_zone_and_a_small_gpu_are_told_in_sentences(hosts: Any, tmp_path: Path) -> None:
    offers = [
        {"name": f"o{at}", "available": {"cpu": 2}, "attributes": {"zone": "a"}, "measures": {"gpu": 16e9}}
        for at in range(2)
    ]
    tasks = [
        *({"name": f"g{at}", "demand": {"cpu": 2}, "group": {"name": "gang", "least": 3}} for at in range(3)),
        {"name": "large", "requirements": [{"measure": "gpu", "at_least": 40e9}]},
        *({"name": f"w{at}", "group": {"name": "web", "at_most": {"zone": 1}}} for at in range(2)),
    ]
    arguments = files(tmp_path, tasks=tasks, offers=offers)
    for host in hosts:
        found = {one["task"]: one for one in host.answer("match", *RULES, "--explain", *arguments)["unplaced"]}
        assert found["g0"]["members"] == {"placed": 2, "running": 0, "least": 3}, host.name
        assert found["g0"]["remedies"] == ["2 of the 3 members that group gang needs find an offer"], host.name
        assert found["large"]["remedies"] == [
            "2 offers lack only gpu at least 4e+10: the nearest is 2.4e+10 away",
            "no offer in the list could hold it, even if it were empty",
        ], host.name
        assert found["w1"]["remedies"] == ["2 offers lack only room under at most 1 a zone"], host.name
        shown = host.run("match", *RULES, "--explain", "--output", "summary", *arguments).stdout
        for sentence in ("2 of the 3 members that group gang needs", "too few members of its group", "a rule of its group"):
            assert sentence in shown, host.name


def test_a_value_that_is_given_twice_is_said_once(hosts: Any, tmp_path: Path) -> None:
    offers = [{"name": "o", "available": {"cpu": 1}, "attributes": {"zone": "z", "model": "T4"}}]
    models = ["V100M16", "V100M32", "V100M32", "P100", "P100", "A10"]
    tasks = [
        {"name": "in", "requirements": [{"attribute": "model", "in": models}]},
        {"name": "out", "requirements": [{"attribute": "zone", "not_in": ["z", "z"]}]},
        {"name": "many", "requirements": [{"attribute": "model", "in": [*models, "G2", "G3"]}]},
    ]
    arguments = files(tmp_path, tasks=tasks, offers=offers)
    rust, python = (host.answer("match", *RULES, "--explain", *arguments)["unplaced"] for host in hosts)
    assert rust == python
    assert [one["remedies"][0].removeprefix("1 offer lacks only ") for one in python] == [
        "model in V100M16, V100M32, P100, A10",
        "zone not in z",
        "model in V100M16, V100M32, P100 and 3 more",
    ]


def test_parameters_and_workloads_are_given_by_name(hosts: Any, tmp_path: Path) -> None:
    task, offer = {"name": "t", "demand": {"cpu": 1}}, {"name": "o", "available": {"cpu": 1}}
    arguments = files(tmp_path, tasks=[task], offers=[offer])
    typical = tmp_path / "typical.csv"

    def refused(*options: str | Path) -> set[str]:
        done = [host.run("match", *RULES, *arguments, *options) for host in hosts]
        assert [one.returncode for one in done] == [1, 1], done[0].stderr + done[1].stderr
        return {one.stderr.partition("]")[0].removeprefix("error[") for one in done}

    assert refused("--parameter", "nobody=1") == {"parameter-unknown"}
    for text, code in (
        ("name,demand.cpu,share\nt,1,-1\n", "workload-malformed"),
        ("name,demand.cpu,share\nt,1,0\n", "workload-malformed"),
        ("name,demand.cpu,share\nt,1,often\n", "workload-malformed"),
        ("name,demand.cpu,share\nt,1,\n", "missing-column"),
        ("name,demand.cpu,share,group\nt,1,1,g\n", "workload-malformed"),
    ):
        typical.write_text(text)
        assert refused("--workload", typical) == {code}, text


def test_used_offers_come_first_where_that_is_asked(hosts: Any, tmp_path: Path) -> None:
    """Of worst-fit's: the untouched offer is emptier, so that it is taken unless the used one comes first."""
    offers = [{"name": "untouched", "available": {"cpu": 8}}]
    offers += [{"name": "used", "available": {"cpu": 8}, "capacity": {"cpu": 16}}]
    tasks = [{"name": name, "demand": {"cpu": cpu}} for name, cpu in (("one", 4), ("two", 4), ("three", 1), ("four", 8))]
    arguments = ("match", "--matcher", "worst-fit", "--mode", "shared", *files(tmp_path, tasks=tasks, offers=offers))
    for parameters, expected in (
        ((), {"one": "untouched", "two": "used", "three": "untouched"}),
        (("--parameter", "used-first=0"), {"one": "untouched", "two": "used", "three": "untouched"}),
        (("--parameter", "used-first=1"), {"one": "used", "two": "used", "three": "untouched"}),
    ):
        for host in hosts:
            answer = host.answer(*arguments, *parameters)
            assert {one["task"]: one["offer"] for one in answer["assignments"]} == expected, (host.name, parameters)
    for host in hosts:
        done = host.run(*arguments, "--parameter", "used-first=2")
        assert (done.returncode, done.stderr.startswith("error[parameter-malformed]")) == (1, True), host.name


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("policy", [*shipped.names(), "reference"])
def test_used_offers_come_first_alike_in_both_hosts(hosts: Any, policy: str, mode: str) -> None:
    """By policies with an index, by those without one, and by the two references."""
    which = ("--matcher", policy, "--sample", "devices:400x300:7", "--mode", mode, "--parameter", "used-first=1")
    rust, python = (host.answer("match", *which) for host in hosts)
    assert rust["answer_digest"] == python["answer_digest"]
    assert rust["assignments"] == python["assignments"]


def test_what_a_matcher_takes_is_listed(hosts: Any) -> None:
    strand = ROOT / "target" / "policies" / "strand.wasm"
    taken = {"fragmentation": (0.5, 1000), "price": (0.5, 1000), "used-first": (0, 1)}
    expected = [{"name": name, "default": at, "minimum": 0, "maximum": most} for name, (at, most) in taken.items()]
    for host in hosts:
        assert host.answer("inspect", "--json", strand)["description"]["parameters"] == expected, host.name
        shown = host.run("inspect", strand).stdout
        assert "takes     fragmentation 0.5 (0 to 1000)\n" in shown, host.name
        assert "          used-first 0 (0 to 1)\n" in shown, host.name


def test_a_workload_is_taken_alike_by_both_hosts(hosts: Any, tmp_path: Path) -> None:
    """This matcher's policy does not look ahead, so the answer is the one without."""
    typical = tmp_path / "typical.json"
    shares = [{"name": "large", "demand": {"cpu": 4}, "share": 0.75}, {"name": "small", "share": "0.25"}]
    typical.write_text(json.dumps(shares))
    plain = ("match", "--sample", "devices:200x50:3", *RULES)
    answers = {host.answer(*plain, *more)["answer_digest"] for host in hosts for more in ((), ("--workload", typical))}
    assert len(answers) == 1
