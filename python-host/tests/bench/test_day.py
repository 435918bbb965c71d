"""A day of the scheduler with broken servers, on a small cluster: what it must reach, and that missing it is said."""

import copy
import json

import pytest

from offermatch.bench.day import day, missed, table
from offermatch.cli.main import run


@pytest.fixture(scope="module")
def measured():
    # So small a day has a dozen cycles in which all wait, and chance alone has a queue a tenth off in some of them.
    return day(3400, 40, hours=10.0, interval=450.0, load=1.5, seed=2)


def test_a_small_day_reaches_what_it_must(measured):
    assert missed(measured) == []
    calm, rough = measured["days"].values()
    assert (measured["broken"], calm["wasted"], rough["left_out"]) == (4, 0, 4)
    assert rough["wasted"] > 50
    # It is a day in which something happens: all queues wait, and room is held for large tasks and gangs.
    assert min(measured["large"], measured["gangs"], calm["held"], rough["held"]) >= 5
    assert min(calm["cycles_all_waited"], rough["cycles_all_waited"]) >= 5
    assert "MISSED" not in table(measured)
    assert "reached: no task starved, shares within 5% of their weights, failures cost 2% at most\n" in table(measured)


def test_each_thing_that_is_missed_is_said(measured):
    title = "a tenth of the servers broken"
    changes = {
        "there when": {"late": 2},
        "no room was held for 3 tasks": {"passed": 3},
        "no time when all queues waited": {"cycles_all_waited": 0},
        "batch has 30.0%": {"shares": {"batch": (0.3, 1 / 6)}},
        "failed for good": {"counts": {"failed": 1}},
    }
    for sentence, change in changes.items():
        other = copy.deepcopy(measured)
        other["days"][title].update(change)
        (found,) = missed(other)
        assert found.startswith(f"{title}: ")
        assert sentence in found
        assert f"MISSED: {found}\n" in table(other)
        assert "reached: " not in table(other)
    (found,) = missed({**measured, "lost_to_failures": 0.03})
    assert found == "failures cost 3.0% of the servers that work, of 2% at most"


def test_the_exit_code_says_that_something_was_missed(capsys):
    """An hour is too short for all queues to wait as long as a task runs."""
    command = ["bench", "day", "--tasks", "200", "--servers", "10", "--hours", "1", "--interval", "600"]
    assert run([*command, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["cycles_all_waited"] for one in found["days"].values()] == [0, 0]
    assert run(command) == 1
    assert "MISSED: without failures: there was no time when all queues waited" in capsys.readouterr().out
