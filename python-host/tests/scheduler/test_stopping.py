"""The scheduler obeys SIGTERM within two seconds, whatever an agent, a database, a matcher or a candidate does."""

import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

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
    """Run the scheduler, and give what sends it a signal and returns the seconds it took to end, its status and its log."""
    command = [sys.executable, "-m", "offermatch", "run", "--store", url, "--interval", "0.1", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        log = []
        reader = threading.Thread(target=lambda: log.extend(process.stderr))
        reader.start()

        def end(number=signal.SIGTERM):
            assert process.poll() is None, "".join(log)
            begin = time.monotonic()
            process.send_signal(number)
            process.wait(60)
            seconds = time.monotonic() - begin
            reader.join()
            return seconds, process.returncode, "".join(log)

        try:
            yield end, log
        finally:
            process.kill()
            reader.join()


def wait_for(what, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


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

    with liar(never) as agent, running(url, "--cluster", agent.url) as (end, _):
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
        with running(url) as (end, _):
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
    with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as other, running(url) as (end, log):
        wait_for(lambda: log)
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(0.5)
        seconds, _, told = end()
        assert seconds < PROMISED, told
        other.execute("ROLLBACK")


def test_in_a_call_that_does_not_end(url, monkeypatch):
    # Named, so that loading makes no call.
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    with running(url, "--matcher", component("spin-assign")) as (end, log):
        # The call has thirty seconds, and no cycle is over before.
        time.sleep(5)
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
    with running(url, "--manifest", tmp_path / "manifest.json") as (end, log):
        wait_for(lambda: any("1 launched" in line for line in log))
        seconds, _, told = end()
        assert seconds < PROMISED, told
        assert "slot: promoted" not in told


def test_a_second_signal_ends_it_at_once(url):
    def never(handler, _):
        handler.server.released.wait()
        return 200, []

    with liar(never) as agent, running(url, "--cluster", agent.url) as (end, _):
        wait_for(lambda: agent.asked)
        seconds, status, log = end_twice(end)
        assert (status, "still busy" in log) == (128 + signal.SIGTERM, False)
        assert seconds < PROMISED


def end_twice(end):
    found = []
    first = threading.Thread(target=lambda: found.append(end()))
    first.start()
    time.sleep(0.1)
    end()
    first.join()
    return found[0]
