"""The scheduler and real agents of which one is broken, full or lost: processes of their own, over HTTP."""

import time
from contextlib import ExitStack, closing, contextmanager
from shutil import which

import pytest

from agents import agent, kill_server
from offermatch.cli.main import run
from offermatch.scheduler.cluster.adapters import Access, connect
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission
from schedulers import scheduler

SLEEP = which("sleep")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'tasks.db'}"


@pytest.fixture
def store(url):
    with Store(url) as opened:
        yield opened


@contextmanager
def scheduling(store, *urls, lost_after=None):
    """Run a scheduler on agents, in short cycles."""
    with (
        closing(connect(",".join(urls), Access(lost_after=lost_after))) as cluster,
        scheduler(store, cluster, interval=0.02) as loop,
    ):
        yield loop


def attempts(store, name):
    """Return where the attempts of a task ran."""
    return [change.offer for change in store.shown(name).history if change.state == "running"]


def test_the_smaller_of_two_agents_is_broken(store, url, tmp_path, capsys, caplog):
    """Best-fit takes the smaller one again and again, and there is no such program there."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "work").symlink_to(which("true"))
    payload = {"command": ["work"]}
    store.submit([Submission(f"t{at}", {"cpu": 1}, payload=payload) for at in range(6)])
    store.submit([Submission(f"after-t{at}", {"cpu": 1}, needs=[f"t{at}"], payload=payload) for at in range(6)])
    with (
        agent(tmp_path / "small", "2 cores", PATH="/nowhere") as (_, small),
        agent(tmp_path / "large", "16 cores", PATH=str(tmp_path / "bin")) as (_, large),
        scheduling(store, small, large) as loop,
    ):
        loop.run(until_idle=True)
    names = [row.name for row in store.listed()]
    assert store.counts() == {"done": len(names)} == {"done": 12}
    # No task has come back to where it failed.
    tried = [attempts(store, name) for name in names]
    assert all(where in (["small", "large"], ["large"]) for where in tried)
    # Three tasks failed there and none ended well, so it is left out, and that is said.
    assert len(tried) + 3 <= sum(map(len, tried)) < 2 * len(tried)
    assert "small is left out for 10 s: 3 different tasks failed there" in caplog.text
    assert run(["cluster", "list", "--store", url]) == 0
    assert capsys.readouterr().out.startswith("small  ")


def test_an_agent_that_always_says_that_it_is_full(store, tmp_path):
    """It runs one command at a time, and offers what its processors have left all the same."""
    store.submit([Submission("first", {"cpu": 1}, payload={"command": [SLEEP, "600"]})])
    with (
        agent(tmp_path / "small", "4 cores", "--most-running", "1") as (_, small),
        agent(tmp_path / "large", "16 cores") as (_, large),
        scheduling(store, small, large) as loop,
    ):
        loop.cycle()
        assert attempts(store, "first") == ["small"]
        store.submit([Submission("next", {"cpu": 1}, retries=0, payload={"command": ["true"]})])
        records = [loop.cycle() for _ in range(4)]
        assert [record.refusals.get("offer-full", 0) for record in records] == [1, 1, 1, 0]
        assert attempts(store, "next") == ["large"]
        store.cancel(["first"])
        loop.run(until_idle=True)
    assert store.counts() == {"done": 1, "cancelled": 1}


@pytest.mark.parametrize("then", ["it comes back", "it stays away", "it stays away and the scheduler starts again"])
def test_a_server_that_is_lost_uses_up_no_retry(store, tmp_path, then):
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    waits = {"command": ["sh", "-c", f"touch {begun}; while [ ! -e {gate} ]; do sleep 0.02; done"]}
    store.submit([Submission("a", {"cpu": 1}, retries=0, payload=waits)])
    store.submit([Submission("b", {"cpu": 1}, needs=["a"], payload={"command": ["true"]})])
    with ExitStack() as stack:
        process, small = stack.enter_context(agent(tmp_path / "small", "2 cores"))
        _, large = stack.enter_context(agent(tmp_path / "large", "16 cores"))
        lost_after = None if then == "it comes back" else 0.3
        first = stack.enter_context(ExitStack())
        loop = first.enter_context(scheduling(store, small, large, lost_after=lost_after))
        loop.cycle()
        assert attempts(store, "a") == ["small"]
        deadline = time.monotonic() + 60
        while not begun.exists():
            assert time.monotonic() < deadline, "its command does not begin"
            time.sleep(0.01)
        kill_server(process, tmp_path / "small")
        gate.touch()
        if then == "it comes back":
            address = small.removeprefix("http://")
            stack.enter_context(agent(tmp_path / "small", "2 cores", "--listen", address))
        elif then != "it stays away":
            first.close()
            loop = stack.enter_context(scheduling(store, small, large, lost_after=lost_after))
        loop.run(until_idle=True)
    assert store.counts() == {"done": 2}
    shown = store.shown("a")
    assert (shown.columns["attempt"], shown.columns["failures"]) == (2, 0)
    # Of a launch of another scheduler nobody knows that it was lost: it was never started, as far as can be said.
    assert shown.columns["losses"] == (0 if "again" in then else 1)
    assert then == "it comes back" or attempts(store, "a") == ["small", "large"]
