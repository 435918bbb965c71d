"""The benchmark of swapping counts what it says it counts."""

import json
import sys

import pytest

from hostile import component
from offermatch.bench.swap import _Turns, swap, table
from offermatch.cli.main import run
from offermatch.errors import LyingMatcherError
from offermatch.matcher import Matcher
from offermatch.sample import Sample


def test_four_phases_take_turns_and_every_answer_is_right():
    before = sys.getswitchinterval()
    measured = swap(Sample("uniform", 40, 40), 1.0, callers=2, every_milliseconds=20, switch_interval_milliseconds=1)
    spinning, alone, judged, swapped = measured["rows"]
    assert [row["name"] for row in measured["rows"]] == ["no matcher", "alone", "judged", "swapped"]
    assert (spinning["first"], spinning["acts"], alone["acts"]) == (0, 0, 0)
    assert judged["acts"] > 2
    assert swapped["acts"] > 2
    assert swapped["first"] + swapped["second"] == swapped["calls"]
    assert swapped["first"] * swapped["second"] > 0
    assert measured["switch_interval_ms"] == 1
    assert sys.getswitchinterval() == before
    assert "worst, running" in table(measured)


def test_an_answer_of_another_matcher_ends_the_benchmark(tmp_path):
    turns = _Turns(tmp_path, Sample("uniform", 40, 40), [Matcher.load()] * 2)
    turns.expected = ["sha256:another"] * 2
    with pytest.raises(LyingMatcherError):
        turns.called("alone", 2, 5.0, 0.01)


def test_the_command(capsys):
    small = ["bench", "swap", "--sample", "uniform:40x40", "--seconds", "1", "--callers", "1"]
    assert run([*small, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][3]["calls"] > 0
    assert run([*small, "--other", str(component("first-fit"))]) == 0
    assert "beyond the normal p99" in capsys.readouterr().out
