"""Schedulers killed with SIGKILL at random points: nothing is lost, and nothing launched twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from journal import forgotten, starts
from offermatch.scheduler.store import Store

LIVES = int(os.environ.get("OFFERMATCH_LIVES", "50"))


def test_nothing_is_lost_and_nothing_launched_twice(store_url, tmp_path):
    journal = tmp_path / "journal.db"
    command = [
        sys.executable,
        str(Path(__file__).parents[1] / "support" / "lives.py"),
        store_url,
        str(journal),
        str(LIVES),
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    # Most lives end in the middle of something, and the work is not all done before the last of them.
    assert ended["failed"] == ended["last"] == 0, done.stderr
    assert ended["killed"] >= LIVES * 3 // 4
    with Store(store_url) as store:
        counts = store.counts()
    assert counts == {"done": 600}, "a task was lost"
    launched = starts(journal)
    assert len(launched) == 600
    assert {task: times for task, times in launched.items() if times != 1} == {}, "a task was launched twice"
    # All but what a scheduler was killed over before it could tell.
    assert forgotten(journal) > 300
    if ended["open"] == 0:
        pytest.fail("everything was done before the last life: give the lives more to do")
