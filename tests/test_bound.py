"""Both programs know the same upper bound, and sort tasks alike."""

from __future__ import annotations

import json
from pathlib import Path
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


MEASURED = [{"measure": "p", "at_least": 2}]
BOUNDS: dict[str, tuple[Any, Any, str, dict[str, Any]]] = {
    "measures": (
        [{"name": "t", "requirements": MEASURED}, {"name": "u", "requirements": [{"measure": "p", "at_most": 2}]}],
        [{"name": "o", "available": {"cpu": 1}, "measures": {"p": 1}}, {"name": "unset", "available": {"cpu": 1}}],
        "shared",
        {"tasks": 1, "used": {"cpu": 0}},
    ),
    "a-measure-that-no-offer-has": (
        [{"name": "t", "requirements": MEASURED}],
        [{"name": "o", "available": {"cpu": 1}}],
        "shared",
        {"tasks": 0, "used": {"cpu": 0}},
    ),
    "a-preference-for-a-measure": (
        [{"name": "t", "preferences": [{**MEASURED[0], "weight": 1}]}],
        [{"name": "o", "available": {"cpu": 1}, "measures": {"p": 1}}],
        "shared",
        {"tasks": 1, "used": {"cpu": 0}},
    ),
    "nothing-is-asked": ([{"name": "t"}, {"name": "u"}], [{"name": "o"}], "exclusive", {"tasks": 1, "used": {}}),
    "nothing-is-asked-in-a-zone": (
        [{"name": name, "requirements": [{"attribute": "zone", "in": ["a"]}]} for name in "tuv"],
        [{"name": name, "attributes": {"zone": name}} for name in "ab"],
        "exclusive",
        {"tasks": 1, "used": {}},
    ),
    "the-order-of-dimensions": (
        [{"name": "t", "demand": {"gpu": 1}, "devices": 1}],
        [{"name": "o", "available": {"gpu": 2, "cpu": 1}, "devices": 1}],
        "exclusive",
        {"tasks": 1, "used": {"gpu": 1, "cpu": 0, "devices": 1000}},
    ),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_the_bound_of_both_programs(hosts: Any, tmp_path: Path, case: str) -> None:
    rows, offered, mode, bound = BOUNDS[case]
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text(json.dumps(rows))
    offers.write_text(json.dumps(offered))
    for host in hosts:
        answer = host.answer("match", "--tasks", tasks, "--offers", offers, "--mode", mode, "--bound")
        # The text, as the order of the keys counts.
        assert json.dumps(answer["bound"]) == json.dumps(bound), host.name
