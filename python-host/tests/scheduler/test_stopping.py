"""The scheduler obeys SIGTERM within two seconds, whatever an agent, a database, a matcher or a candidate does."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from hostile import component
from liars import liar
from offermatch import Matcher
from offermatch.policies import BUNDLED
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission
from parts import large

PROMISED = 2.0
"""Seconds."""


@contextmanager
def running(url, *arguments):
    """Run the scheduler; give what ends it and returns the seconds, its status and its log; the log; and the process."""
    command = [sys.executable, "-m", "offermatch", "run", "--store", url, "--interval", "0.1", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        log = []
        reader = threading.Thread(target=lambda: log.extend(process.stderr))
        reader.start()

        def end(again=None):
            assert process.poll() is None, "".join(log)
            begin = time.monotonic()
            process.send_signal(signal.SIGTERM)
            # Signals that come close together may be one, where the machine is busy.
            while again and process.poll() is None:
                time.sleep(again)
                process.send_signal(signal.SIGTERM)
            process.wait(60)
            seconds = time.monotonic() - begin
            reader.join()
            return seconds, process.returncode, "".join(log)

        try:
            yield end, log, process
        finally:
            process.kill()
            reader.join()


def wait_for(what, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def cpu_seconds(process):
    """Return the processor time that a process took, all its threads together."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def is_ended_as_it_is(ended):
    seconds, status, log = ended
    assert seconds < PROMISED, log
    assert status == 128 + signal.SIGTERM
    assert "still busy" in log


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'tasks.db'}"
    with Store(url) as store:
        store.submit([Submission("one", {"cpu": 1}, payload={"seconds": 0.01})])
    return url


def test_with_an_agent_that_never_answers(url):
    def never(handler, _):
        handler.server.released.wait()
        return 200, []

    with liar(never) as agent, running(url, "--cluster", agent.url) as (end, *_):
        wait_for(lambda: agent.asked)
        is_ended_as_it_is(end())


def test_with_a_table_of_postgresql_that_another_session_holds(postgresql):
    url = postgresql.database()
    with Store(url) as store:
        store.submit([Submission("one", {"cpu": 1})])
    holding = "BEGIN; LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)"
    waiting = "SELECT 1/count(*) FROM pg_locks WHERE NOT granted"
    holder = threading.Thread(target=lambda: asked_in_vain(postgresql, holding, "store"))
    holder.start()
    try:
        with running(url) as (end, *_):
            wait_for(lambda: not asked_in_vain(postgresql, waiting))
            is_ended_as_it_is(end())
    finally:
        postgresql.cut_off()
        holder.join()


def asked_in_vain(postgresql, sql, database="postgres"):
    """Return whether a statement fails, as one does that divides by a count of nothing."""
    try:
        postgresql.sql(sql, database)
    except AssertionError:
        return True
    return False


def test_with_a_file_of_sqlite_that_another_program_holds(url):
    with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as other, running(url) as (end, log, _):
        wait_for(lambda: log)
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(0.5)
        seconds, _, told = end()
        assert seconds < PROMISED, told
        other.execute("ROLLBACK")


def test_in_a_call_that_does_not_end(url, monkeypatch):
    # Named, so that loading makes no call.
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    with running(url, "--matcher", component("spin-assign")) as (end, log, process):
        # Starting takes less; the call has thirty seconds, and no cycle is over before.
        wait_for(lambda: cpu_seconds(process) > 4)
        assert not log
        is_ended_as_it_is(end())


def test_with_a_candidate_that_compiles_for_long(url, tmp_path):
    candidate = tmp_path / "large.wasm"
    candidate.write_bytes(large(BUNDLED.read_bytes(), 20_000_000))
    said = Matcher.load().description
    manifest = {
        "matcher": said.name,
        "version": said.version,
        "policy": said.policy,
        "path": candidate.name,
        "digest": "sha256:" + hashlib.sha256(candidate.read_bytes()).hexdigest(),
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with running(url, "--manifest", tmp_path / "manifest.json") as (end, log, _):
        wait_for(lambda: any("1 launched" in line for line in log))
        seconds, _, told = end()
        assert seconds < PROMISED, told
        assert "slot: promoted" not in told


def test_a_second_signal_ends_it_at_once(url):
    def never(handler, _):
        handler.server.released.wait()
        return 200, []

    with liar(never) as agent, running(url, "--cluster", agent.url) as (end, *_):
        wait_for(lambda: agent.asked)
        seconds, status, log = end(again=0.1)
        assert (status, "still busy" in log) == (128 + signal.SIGTERM, False)
        assert seconds < PROMISED
