"""Broken places, pauses and reasons: a scheduler that people can leave alone."""

import time
from collections import Counter
from itertools import pairwise

import pytest

from offermatch import Offer, is_in
from offermatch.cli.main import run
from offermatch.scheduler.cluster.abc import Launched
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.stages import _level
from offermatch.scheduler.store import Store
from offermatch.scheduler.store.changes import LONGEST_PAUSE, MOST_LOSSES
from offermatch.scheduler.submission import Submission
from offermatch.scheduler.why import why
from schedulers import scheduler


def offers(*names, cpu=4):
    return [Offer(name, {"cpu": cpu}) for name in names]


class Broken(SimulatedCluster):
    """Whatever starts on a broken server fails at once."""

    broken = frozenset(["bad"])

    def __init__(self, servers, **settings):
        super().__init__(servers, seconds=5.0, **settings)
        self.started = []

    def launch(self, launches):
        answers = super().launch(launches)
        for launch, answer in zip(launches, answers, strict=True):
            if answer.refusal is None:
                self.started.append((launch.task, launch.offer, self.now()))
                if launch.offer in self.broken:
                    self.fail(launch.key, "no such library")
        return answers


def test_a_task_goes_on_elsewhere_when_the_smaller_of_two_servers_is_broken(store):
    """The fullest offer is the broken one, so that best-fit chooses it again and again."""
    store.submit([Submission("a", {"cpu": 1}), Submission("b", {"cpu": 1}, needs=["a"])])
    cluster = Broken([Offer("bad", {"cpu": 1}), Offer("good", {"cpu": 8})])
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"done": 2}
    tried = [offer for task, offer, _ in cluster.started if task == "a"]
    assert tried == ["bad", "good"]


def test_pauses_grow_and_end(store):
    store.submit([Submission("a", {"cpu": 1}, retries=5)])
    cluster = Broken(offers("bad"))
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"failed": 1}
    times = [at for _, _, at in cluster.started]
    pauses = [after - before for before, after in pairwise(times)]
    assert len(times) == 6
    # A cycle finds the end a second later, and another begins after the pause.
    for pause, least in zip(pauses, (1, 2, 4, 8, 16), strict=True):
        assert least <= pause <= least + 3


def test_losses_have_a_budget_of_their_own(store):
    store.submit([Submission("a", {"cpu": 1}, retries=0)])
    cluster = SimulatedCluster(offers("one"), seconds=1e6, repair_seconds=1.0)
    with scheduler(store, cluster) as loop:
        for _ in range(5000):
            loop.cycle()
            if store.counts().get("running"):
                cluster.lose("one")
                cluster.restore("one")
            cluster.wait(1.0)
            if store.counts().get("failed"):
                break
    shown = store.shown("a")
    assert (shown.state, shown.columns["failures"], shown.columns["losses"]) == ("failed", 0, MOST_LOSSES + 1)


def test_a_place_where_different_tasks_fail_is_left_out_for_a_while_and_said_so(store, caplog):
    store.submit([Submission(f"t{at}", {"cpu": 1}, retries=9) for at in range(12)])
    cluster = Broken([Offer("bad", {"cpu": 4}), Offer("good", {"cpu": 4})])
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"done": 12}
    assert "bad is left out for 10 s: " in caplog.text
    # Without that, every free place there is filled in every cycle.
    assert sum(offer == "bad" for _, offer, _ in cluster.started) <= 12


@pytest.mark.parametrize("seconds", [[1] * 6, [1, 2, 3, 4, 5, 6]])
def test_what_ran_on_a_place_when_it_was_left_out_does_not_lengthen_that(store, seconds, caplog):
    """It failed at one time or one by one: there was no trial yet."""
    rows = [{"seconds": one, "fails": "no such library"} for one in seconds]
    store.submit([Submission(f"t{at}", {"cpu": 1}, retries=0, payload=row) for at, row in enumerate(rows)])
    with scheduler(store, SimulatedCluster(offers("bad", cpu=6))) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"failed": 6}
    assert store.places()[0].strikes == 1
    assert caplog.text.count("bad is left out for 10 s: ") == caplog.text.count("is left out") == 1


def test_a_place_that_was_left_out_is_tried_with_one_task_that_has_not_failed(store):
    store.submit([Submission(f"t{at}", {"cpu": 1}, retries=1) for at in range(60)])
    cluster = Broken([Offer("bad", {"cpu": 4}), Offer("good", {"cpu": 4})])
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    # A second failure would have been the end of a task.
    assert store.counts() == {"done": 60}
    tried = [(task, at) for task, offer, at in cluster.started if offer == "bad"]
    first = min(at for _, at in tried)
    trials = [at for _, at in tried if at > first]
    assert trials
    assert len(set(trials)) == len(trials)
    assert all(after - before >= 20 for before, after in pairwise(trials))


def test_a_failure_on_a_place_on_trial_costs_no_retry_and_the_reason_says_so(store):
    cluster = Broken(offers("bad", "good-1", "good-2", cpu=2))
    store.submit([Submission(f"first{at}", {"cpu": 1}, retries=9) for at in range(12)])
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
        # There is no retry, and one of these is sent where all have failed.
        store.submit([Submission(f"t{at}", {"cpu": 1}, retries=0) for at in range(60)])
        loop.run(until_idle=True)
    assert store.counts() == {"done": 72}
    tried = {task for task, offer, _ in cluster.started if offer == "bad" and task.startswith("t")}
    assert tried
    for name in tried:
        shown = store.shown(name)
        assert (shown.columns["failures"], shown.columns["losses"]) == (0, 1)
        assert any(change.reason == "no such library (on bad, which is on trial)" for change in shown.history)


def test_where_half_of_the_places_are_on_trial_a_failure_costs_a_retry(store):
    """Then it is likely that the tasks are what is wrong."""
    cluster = Broken(offers("bad", "good", cpu=2))
    store.submit([Submission(f"t{at}", {"cpu": 1}, retries=9) for at in range(30)])
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    shown = [store.shown(f"t{at}") for at in range(30)]
    assert sum(one.columns["losses"] for one in shown) == 0
    assert sum(one.columns["failures"] for one in shown) == sum(offer == "bad" for _, offer, _ in cluster.started) > 3


def test_a_place_that_works_again_is_in_full_use_after_its_trial(store):
    store.submit([Submission(f"t{at}", {"cpu": 1}, retries=1) for at in range(60)])
    cluster = Broken([Offer("bad", {"cpu": 4}), Offer("good", {"cpu": 4})])
    with scheduler(store, cluster) as loop:
        loop.cycle()
        cluster.wait(1)
        loop.cycle()
        cluster.broken = frozenset()
        loop.run(until_idle=True)
    assert store.counts() == {"done": 60}
    assert sum(offer == "bad" for _, offer, _ in cluster.started) >= 20
    assert store.places()[0].strikes == 0


def test_where_every_place_is_bad_none_is_left_out(store):
    store.submit([Submission(f"t{at}", {"cpu": 1}, retries=1) for at in range(8)])
    cluster = Broken(offers("bad"))
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"failed": 8}


def test_an_offer_that_always_says_full_is_left_out_and_another_is_taken(store):
    class Full(SimulatedCluster):
        asked = 0

        def launch(self, launches):
            full = [one for one in launches if one.offer == "liar"]
            self.asked += len(full)
            others = iter(super().launch([one for one in launches if one.offer != "liar"]))
            return [Launched(one.key, "offer-full", "never") if one.offer == "liar" else next(others) for one in launches]

    store.submit([Submission("a", {"cpu": 1})])
    cluster = Full([Offer("liar", {"cpu": 1}), Offer("good", {"cpu": 8})])
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"done": 1}
    assert cluster.asked == 3
    assert store.places()[0].name == "liar"


def test_a_cordoned_place_gets_nothing_new_and_a_drained_one_lets_go(store):
    store.submit([Submission(f"t{at}", {"cpu": 4}, payload={"seconds": 1e5}) for at in range(2)])
    cluster = Broken(offers("one", "two"))
    with scheduler(store, cluster) as loop:
        loop.cycle()
        assert store.counts() == {"running": 2}
        moved = next(task for task, offer, _ in cluster.started if offer == "one")
        store.cordon(["one"], "for now")
        store.submit([Submission("new", {"cpu": 1})])
        cluster.wait(1.0)
        loop.cycle()
        assert store.counts() == {"running": 2, "ready": 1}
        store.cordon(["one"], "new memory", drain=True)
        cluster.wait(1.0)
        loop.cycle()
        shown = store.shown(moved)
        assert (shown.state, shown.columns["failures"], shown.columns["reason"]) == ("ready", 0, "one is drained")
        assert "one gets nothing new: drained: new memory" in why(store, "new", cluster.now())
        store.uncordon(["one"])
        cluster.wait(1.0)
        loop.cycle()
        assert store.shown(moved).state == "running"


# ---- tasks that ask nothing ----------------------------------------------------------------------------------------


def on_each(store, names):
    return Counter(store.shown(name).columns["offer"] for name in names)


def test_tasks_that_ask_nothing_are_spread_and_drained_places_get_none(store):
    """Each server of another size, so that best-fit would choose one for all."""
    cluster = SimulatedCluster([Offer(f"s{at}", {"cpu": 4 + at}) for at in range(5)], seconds=1000.0)
    store.cordon(["s0"], drain=True)
    names = [f"t{at}" for at in range(42)]
    with scheduler(store, cluster) as loop:
        store.submit([Submission(name) for name in names[:38]])
        loop.cycle()
        assert sorted(on_each(store, names[:38]).values()) == [8, 10, 10, 10]
        # They come one by one, and go where fewest are.
        for name in names[38:40]:
            store.submit([Submission(name)])
            assert loop.cycle().launched == 1
        assert sorted(on_each(store, names[:40]).values()) == [10] * 4
        store.submit([Submission("large", {"cpu": 5}), *map(Submission, names[40:])])
        assert loop.cycle().launched == 3
    assert sorted(on_each(store, names).values()) == [10, 10, 11, 11]
    assert store.shown("large").columns["offer"] == "s1", "their number is no quantity that ranks offers"


def test_tasks_that_ask_nothing_but_a_place_go_there_all_the_same(store):
    cluster = SimulatedCluster([Offer(f"s{at}", {"cpu": 4}, attributes={"zone": "ab"[at % 2]}) for at in range(4)])
    there = [f"there{at}" for at in range(9)]
    store.submit([*(Submission(name, requirements=[is_in("zone", "b")]) for name in there), Submission("any")])
    with scheduler(store, cluster) as loop:
        assert loop.cycle().launched == 10
    assert set(on_each(store, there)) == {"s1", "s3"}


@pytest.mark.parametrize(
    ("counts", "more", "level"),
    [([0, 0, 0], 7, 3), ([0, 0, 5], 4, 2), ([1, 3], 1, 2), ([1, 3], 2, 3), ([1, 3], 3, 4), ([2], 5, 7)],
)
def test_the_emptiest_places_are_filled_up_first(counts, more, level):
    assert _level(counts, more) == level


# ---- why -----------------------------------------------------------------------------------------------------------


def test_why(store):
    cluster = Broken([Offer("one", {"cpu": 4}, attributes={"zone": "north"}), Offer("bad", {"cpu": 2})])
    rows = {
        "large": ({"cpu": 400}, (), "it asks 400000m cpu, and the largest of 2 offers has 4000m: it can never run there"),
        "strange": ({"licences": 1}, (), "had no offer with licences: it can never run there"),
        "unknown": ({"cpu": 1}, (is_in("rack", "7"),), "no offer has the attribute rack that it requires"),
        "elsewhere": (
            {"cpu": 1},
            (is_in("zone", "south"),),
            "even with nothing running, had 2 offers, of which 2 do not meet",
        ),
    }
    store.submit([Submission(name, demand, requirements) for name, (demand, requirements, _) in rows.items()])
    store.submit(
        [Submission("first", {"cpu": 4}, priority=9, payload={"seconds": 1e6}), Submission("after", needs=["first"])]
    )
    store.submit([Submission("waits", {"cpu": 4})])
    with scheduler(store, cluster) as loop:
        loop.cycle()
        cluster.wait(1.0)
        loop._seen = -100.0
        loop.cycle()
    now = cluster.now()
    for name, (_, _, told) in rows.items():
        assert told in "\n".join(why(store, name, now)), name
    queue = "it is in the queue default, with priority 0"
    assert why(store, "after", now) == ["it needs first (running)", queue]
    assert why(store, "first", now) == ["it is running on one, attempt 1", queue.replace("0", "9")]
    *_, lacks, helps, last = why(store, "waits", now)
    assert "2 have too little cpu free" in lacks
    assert helps.startswith("what would help: 2 offers lack only cpu: ")
    assert last == queue


def test_why_a_task_pauses_and_what_it_avoids(store):
    store.submit([Submission("a", {"cpu": 1}, retries=9)])
    with scheduler(store, Broken(offers("bad"))) as loop:
        loop.cycle()
        loop.cluster.wait(1.0)
        loop.cycle()
        found = why(store, "a", loop.cluster.now())
    assert found[0].startswith("it pauses for 1 s more after 1 attempts: no such library")
    assert found[1].startswith("it avoids bad, where attempts failed, for 6")
    # What was written while the clock was ahead holds nobody up.
    assert store.processable(10, at=loop.cluster.now() - 10 * LONGEST_PAUSE).ids == [1]


def test_the_commands(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/tasks.db"
    with Store(url) as store:
        store.submit([Submission("a", {"cpu": 1}), Submission("b", needs=["a"])])
        table = Broken(offers("one", "two")).offers()
        store.see(table, time.time())

    def said(*arguments):
        assert run([*arguments, "--store", url]) == 0
        return capsys.readouterr().out

    assert said("cluster", "list") == "every place gets tasks\n"
    assert said("cluster", "drain", "one", "three", "--reason", "new memory") == (
        "one: drained\nthree: drained (the cluster was not seen to offer it)\n"
    )
    assert said("cluster", "list") == "one  drained: new memory\nthree  drained: new memory\n"
    assert "one gets nothing new: drained: new memory\n" in said("tasks", "why", "a")
    assert "had room for it on two" in said("tasks", "why", "a")
    assert said("tasks", "why", "b") == "it needs a (ready)\nit is in the queue default, with priority 0\n"
    assert said("cluster", "uncordon", "one", "three").startswith("one: gets tasks\n")
    assert said("cluster", "list") == "every place gets tasks\n"
    assert run(["tasks", "why", "nobody", "--store", url]) == 1
