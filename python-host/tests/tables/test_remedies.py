"""What would help a task is told in sentences, and never by a matcher that does not say it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from offermatch import Matcher, Offer, Task, is_in
from offermatch.cli.main import run
from offermatch.model import Check, Explanation
from offermatch.tables.remedies import remedies

COMPONENT = Path(__file__).parents[3] / "target" / "matcher.wasm"


def explained(capable=1, **checks):
    named = {name.replace("_", " "): check for name, check in checks.items()}
    return Explanation("t", 9, {"cpu": 0, "memory": 0, "licences": 0}, (), 0, 0, 0, named, capable)


@pytest.mark.parametrize(
    ("name", "check", "sentence"),
    [
        ("memory", Check(9, 4, 2**31), "4 offers lack only memory: 2 GiB more would be enough for the nearest"),
        ("memory", Check(9, 1, 2**20 + 1), "1 offer lacks only memory: 1.01 MiB more would be enough for the nearest"),
        ("memory", Check(9, 1, 7), "1 offer lacks only memory: 7 bytes more would be enough for the nearest"),
        ("memory", Check(9, 1, 2**64 - 1), "1 offer lacks only memory: 16777216 TiB more would be enough for the nearest"),
        ("cpu", Check(9, 2, 1500), "2 offers lack only cpu: 1.5 cores more would be enough for the nearest"),
        ("licences", Check(9, 2, 3), "2 offers lack only licences: 3 more would be enough for the nearest"),
        ("devices", Check(9, 2, 300), "2 offers lack only devices: 300 thousandths more would be enough for the nearest"),
        (
            "score",
            Check(2, 2, 0.25),
            "2 offers lack only a lower score: a limit more than 0.25 higher would admit the nearest",
        ),
        ("requirement_0", Check(3, 3), "3 offers lack only what is asked by requirement 0"),
        ("requirement_1", Check(3, 1, 24.5), "1 offer lacks only what is asked by requirement 1: the nearest is 24.5 away"),
        ("together", Check(3, 3), "3 offers lack only the value of the group's members"),
        ("limit_1", Check(3, 3), "3 offers lack only room under limit 1"),
    ],
)
def test_sentences(name, check, sentence):
    assert remedies(explained(**{name: check})) == [sentence]


def test_what_keeps_most_offers_away_comes_first():
    found = explained(0, cpu=Check(9, 1, 1000), memory=Check(9, 2, 2**30), devices=Check(9, 0, 0))
    assert [one.split(":")[0] for one in remedies(found)] == [
        "2 offers lack only memory",
        "1 offer lacks only cpu",
        "no offer in the list could hold it, even if it were empty",
    ]


def test_a_task_with_candidates_and_a_matcher_that_does_not_tell_need_none():
    found = explained(cpu=Check(9, 1, 1000))
    assert remedies(replace(found, candidates=1)) == []
    assert remedies(replace(found, checks=None, capable=None)) == []


def test_a_matcher_tells_what_would_help():
    offers = [Offer("a", {"memory": "4GiB"}), Offer("b", {"memory": "5GiB"}, attributes={"zone": "x"})]
    task = Task("t", {"memory": "6GiB"}, [is_in("zone", "x")])
    found = Matcher.load(COMPONENT).match([task], offers, explain=True).explanations[0]
    assert remedies(found) == [
        "1 offer lacks only memory: 1 GiB more would be enough for the nearest",
        "no offer in the list could hold it, even if it were empty",
    ]


def test_the_command_prints_them(tmp_path, capsys):
    for name, rows in (
        ("tasks", [{"name": "t", "demand": {"cpu": 3}}]),
        ("offers", [{"name": "a", "available": {"cpu": 2}, "capacity": {"cpu": 4}}]),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    files = [str(tmp_path / "tasks.json"), str(tmp_path / "offers.json")]
    assert run(["match", "--tasks", files[0], "--offers", files[1], "--matcher", str(COMPONENT), "--explain"]) == 0
    told = json.loads(capsys.readouterr().out)["unplaced"][0]
    assert told["capable"] == 1
    assert told["checks"]["cpu"] == {"fails": 1, "alone": 1, "missing": 1000}
    assert told["remedies"] == ["1 offer lacks only cpu: 1 core more would be enough for the nearest"]
