"""The cost of launches, on a small number of them."""

import json

from offermatch.cli.main import run


def test_every_launch_is_taken_and_reported(capsys):
    assert run(["bench", "launches", "--launches", "200", "--offers", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["launches"], found["offers"]) == (200, 20)
    assert found["launch_processor_ms"] > 0
