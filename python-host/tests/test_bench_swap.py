"""The benchmark of swapping counts what it says it counts."""

import json

from hostile import component
from offermatch._bench.swap import swap
from offermatch._cli import run
from offermatch.sample import Sample


def test_no_call_is_lost_and_every_answer_is_right():
    measured = swap(Sample("uniform", 40, 40), 1.0, callers=2, every_milliseconds=20)
    swapping = measured["phases"]["swapping"]
    assert {found["lost"] + found["wrong"] for found in measured["phases"].values()} == {0}
    assert measured["phases"]["quiet"]["swaps"] == 0
    assert swapping["swaps"] > 2
    assert sum(swapping["given"].values()) == swapping["calls"]
    assert len(swapping["given"]) == 2


def test_the_command(capsys):
    small = ["bench", "swap", "--sample", "uniform:40x40", "--seconds", "1", "--callers", "1"]
    assert run([*small, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["phases"]["swapping"]["calls"] > 0
    assert run([*small, "--other", str(component("first-fit"))]) == 0
    assert "beyond the quiet p99" in capsys.readouterr().out
