"""The scheduler over HTTP: agents that hang, lie, fail and go away, and schedulers that start again."""

from contextlib import ExitStack

import pytest

from liars import PATIENCE, beside, drip, hang, offering
from offermatch import ClusterError, Offer, ReferenceMatcher
from offermatch.scheduler.cluster.http.http import HttpCluster
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission
from sites import served


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path / 'tasks.db'}") as opened:
        yield opened


class Remembering(SimulatedCluster):
    """Remembers what it was sent, and what of it started."""

    def __init__(self, name, **settings):
        super().__init__([Offer(name, {"cpu": 4})], clock="real", **settings)
        self.sent, self.started = [], []

    def launch(self, launches):
        known = [report.outcome != "unknown" for report in self.reports([one.key for one in launches])]
        answers = super().launch(launches)
        for launch, was_known, answer in zip(launches, known, answers, strict=True):
            self.sent.append((launch.key, launch.offer))
            if not was_known and answer.refusal is None:
                self.started.append(launch.task)
        return answers


def connected(*urls, kind=HttpCluster):
    return kind(urls, timeout_seconds=30.0, attempts=1)


def scheduler(store, cluster):
    return Scheduler(store, cluster, ReferenceMatcher(), interval=0.02, lease_seconds=20)


LIES = {
    "fails": lambda handler, body: (500, {}),
    "is no JSON": lambda handler, body: (200, b"<html>"),
    "hangs": hang,
    "drips": drip,
    "takes a launch and tells nonsense": lambda handler, body: (
        offering({"name": "bad", "available": {"cpu": 1}})(handler, body)
        if handler.path == "/v2/offers"
        else (200, {"x": 1})
    ),
}


@pytest.mark.parametrize("kind", LIES)
def test_a_bad_agent_does_not_hold_up_what_others_can_do(store, kind, caplog):
    store.submit([Submission(f"t{at}", {"cpu": 1}) for at in range(6)] + [Submission("small", {"cpu": "1m"})])
    with beside(LIES[kind], timeout_seconds=PATIENCE, attempts=2) as (cluster, bad), scheduler(store, cluster) as loop:
        records = [loop.cycle() for _ in range(2)]
        assert [record.error for record in records] == ["", ""]
        assert f"agent {bad.url}: it " in caplog.text
        # The good agent has room for four; what the bad one may have runs, as far as anybody knows.
        sent = sum(path == "/v2/launches" for path, _, _ in bad.asked) > 0
        assert sent == kind.startswith("takes")
        assert store.counts() == {"running": 4 + sent, "ready": 3 - sent}


@pytest.mark.parametrize("arrives", ["before", "late"])
def test_a_key_stays_with_its_offer_though_the_scheduler_starts_again(store, arrives):
    """It dies in the middle of a launch; the one that follows has never heard of key or agent."""
    late = []

    class Dying(HttpCluster):
        def launch(self, launches):
            late.extend(launches)
            if arrives == "before":
                super().launch(launches)
            raise ClusterError("cluster-unreachable", "it died before it heard the answer")

    store.submit([Submission(f"t{at}", {"cpu": 1}, payload={"seconds": 0.05}) for at in range(6)])
    with ExitStack() as stack:
        agents = [Remembering("one"), Remembering("two")]
        urls = [stack.enter_context(served(agent)).url for agent in agents]
        dying = connected(*urls, kind=Dying)
        stack.callback(dying.close)
        with scheduler(store, dying) as loop:
            assert loop.cycle().error == "cluster-unreachable"
        assert store.counts() == {"claimed": 6}
        other = connected(*reversed(urls))
        stack.callback(other.close)
        with scheduler(store, other) as loop:
            loop.run(until_idle=True)
        assert HttpCluster.launch(dying, late)
        sent = {pair for agent in agents for pair in agent.sent}
        assert len({key for key, _ in sent}) == len(sent), "a key was sent to two offers"
        assert sorted(task for agent in agents for task in agent.started) == [f"t{at}" for at in range(6)]
    assert store.counts() == {"done": 6}


def test_cancelling_what_runs_on_an_agent_that_is_away_does_not_hold_up_the_others(store):
    store.submit([Submission("t0", {"cpu": 4}), Submission("t1", {"cpu": 4})])
    with ExitStack() as stack:
        agents = {name: Remembering(name, seconds=3600) for name in ("one", "two")}
        gone = stack.enter_context(ExitStack())
        first = gone.enter_context(served(agents["one"]))
        second = stack.enter_context(served(agents["two"]))
        cluster = connected(first.url, second.url)
        stack.callback(cluster.close)
        loop = stack.enter_context(scheduler(store, cluster))
        assert loop.cycle().launched == 2
        away = agents["one"].started[0]
        gone.close()
        store.cancel([away])
        agents["two"].finish(agents["two"].sent[0][0])
        store.submit([Submission("next", {"cpu": 1})])
        record = loop.cycle()
        assert (record.error, record.launched) == ("", 1)
        assert store.shown(away).state == "running"
        stack.enter_context(served(agents["one"], port=int(first.url.rpartition(":")[2])))
        loop.cycle()
        assert store.shown(away).state == "cancelled"
        assert agents["two"].started[-1] == "next"
