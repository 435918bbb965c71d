"""Preemption: off unless a queue allows it, planned by the matcher, noted in the store, and free of retries for victims."""

import json

import pytest

from offermatch import FallbackMatcher, Group, InputError, Matcher, Offer, ReferenceMatcher, Running, Settings, Task, is_in
from offermatch.cli.main import run
from offermatch.errors import StoreError
from offermatch.model import Move
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.queues import Queue, read_queues
from offermatch.scheduler.submission import Submission
from offermatch.scheduler.why import why
from schedulers import scheduler


def allow(store, *victims):
    store.set_queues([Queue("low"), Queue("mid"), Queue("high", preempts=victims or ("low",))])


def low(number, *, cpu=1, queue="low", name="low", **columns):
    return [
        Submission(f"{name}{at}", {"cpu": cpu}, queue=queue, payload={"seconds": 1000}, **columns) for at in range(number)
    ]


def state(store, name):
    return store.shown(name).state


def reasons(store, name):
    return [change.reason for change in store.shown(name).history if change.reason]


def rounds(loop, cluster, number=4):
    for _ in range(number):
        cycle = loop.cycle()
        assert not cycle.error, cycle.message
        cluster.wait(1)


def test_nothing_ends_unless_a_queue_allows_it(store):
    store.set_queues([Queue("low"), Queue("high")])
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    store.submit(low(2), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([Submission("urgent", {"cpu": 2}, priority=9, queue="high")], at=cluster.now())
        rounds(loop, cluster)
    assert store.counts() == {"running": 2, "ready": 1}


def test_the_plan_is_cancel_settle_launch_with_reasons_on_both_sides_and_no_retry_used(store):
    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 3}), Offer("two", {"cpu": 1})])
    store.submit(low(4, retries=0), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        cluster.wait(1)
        store.submit([Submission("urgent", {"cpu": 2}, priority=9, queue="high", payload={"seconds": 3})], at=cluster.now())
        assert loop.cycle().preempted == 2
        assert reasons(store, "urgent")[0].startswith("it preempts low")
        assert any("it waits for the end of low" in line for line in why(store, "urgent", cluster.now()))
        victim = next(name for name in ("low0", "low1", "low2", "low3") if store.shown(name).columns["evict_reason"])
        assert "preempted by urgent (priority 9, queue high)" in why(store, victim, cluster.now())[1]
        cycle = loop.cycle()
        assert (cycle.launched, cycle.preempted) == (1, 0)
        assert state(store, "urgent") == "running"
        shown = store.shown(victim)
        assert (shown.state, shown.columns["failures"], shown.columns["losses"]) == ("ready", 0, 0)
        assert reasons(store, victim) == ["preempted by urgent (priority 9, queue high)"]
        assert shown.columns["evicted_for"] is None
        rounds(loop, cluster, 6)
    assert store.counts() == {"running": 4, "done": 1}
    assert store.reservations() == {}


def test_no_task_of_equal_priority_or_of_another_queue_ends(store):
    allow(store, "low")
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    rows = [*low(1, queue="mid", name="mid"), *low(1, priority=9)]
    store.submit(rows, at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([Submission("urgent", {"cpu": 1}, priority=9, queue="high")], at=cluster.now())
        rounds(loop, cluster)
        assert state(store, "urgent") == "ready"
        allow(store, "low", "mid")
        rounds(loop, cluster)
    assert state(store, "urgent") == "running" or state(store, "urgent") == "done"
    assert state(store, "low0") == "running"
    assert reasons(store, "mid0") == ["preempted by urgent (priority 9, queue high)"]


def test_a_gang_preempts_as_one_or_not_at_all(store):
    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2}), Offer("two", {"cpu": 2})])
    store.submit(low(4), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        large = [Submission(f"large{at}", {"cpu": 1}, priority=9, queue="high", group=Group("large", 5)) for at in range(5)]
        store.submit(large, at=cluster.now())
        rounds(loop, cluster)
        assert store.counts() == {"running": 4, "ready": 5}, "nobody ends in vain"
        rows = [Submission(f"g{at}", {"cpu": 1}, priority=9, queue="high", group=Group("g", 3)) for at in range(3)]
        store.submit(rows, at=cluster.now())
        assert loop.cycle().preempted == 3
        cluster.wait(1)
        assert loop.cycle().launched == 3
    assert [state(store, f"g{at}") for at in range(3)] == ["running"] * 3


def test_a_member_of_a_gang_is_no_victim(store):
    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    group = Group("gang", 2)
    store.submit(low(2, group=group), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([Submission("urgent", {"cpu": 1}, priority=9, queue="high")], at=cluster.now())
        rounds(loop, cluster)
    assert store.counts() == {"running": 2, "ready": 1}
    assert (
        "its queue preempts tasks of low: of 2 that run with a priority below 9, 0 may end: members of gangs do not, nor "
        "what is to end anyhow"
    ) in why(store, "urgent", cluster.now())


def test_a_member_of_a_group_of_which_any_number_may_run_is_a_victim_as_others_are(store):
    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2}, attributes={"rack": "r"})])
    store.submit(low(2, group=Group("loose", together="rack", at_most={"offer": 2})), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        assert store.running_below(["low"], 9) == (2, 2)
        store.submit([Submission("urgent", {"cpu": 1}, priority=9, queue="high", payload={"seconds": 99})], at=cluster.now())
        rounds(loop, cluster)
    assert state(store, "urgent") == "running"
    assert sorted(state(store, f"low{at}") for at in range(2)) == ["ready", "running"]


@pytest.mark.parametrize("rule", [{"together": "rack"}, {"at_most": {"offer": 2}}, {"least": 2, "together": "rack"}])
def test_a_group_whose_rule_a_plan_could_break_preempts_nobody_and_is_told(store, rule):
    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2}, attributes={"rack": "r"})])
    store.submit(low(2), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        rows = [Submission(f"g{at}", {"cpu": 1}, priority=9, queue="high", group=Group("g", **rule)) for at in range(2)]
        store.submit(rows, at=cluster.now())
        rounds(loop, cluster)
    assert store.counts() == {"running": 2, "ready": 2}
    told = "its queue preempts tasks of low, but none ends for a member of a group with together or at most"
    assert told in why(store, "g0", cluster.now())


class Deaf(SimulatedCluster):
    """Ends nothing that is cancelled, until it hears."""

    hears = False

    def cancel(self, keys):
        if self.hears:
            super().cancel(keys)


def test_a_gang_that_waits_for_one_end_has_no_other_task_ended(store):
    allow(store)
    cluster = Deaf([Offer(f"s{at}", {"cpu": 1}) for at in range(5)])
    store.submit(low(4), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        columns = {"priority": 9, "queue": "high", "payload": {"seconds": 99}}
        rows = [Submission(f"g{at}", {"cpu": 1}, group=Group("g", 2), **columns) for at in range(2)]
        store.submit(rows, at=cluster.now())
        # One server is free, so that one end is enough for both.
        assert loop.cycle().preempted == 1
        room = store.reservations()
        assert len(room) == 2
        for _ in range(3):
            cluster.wait(1)
            assert loop.cycle().preempted == 0
            assert store.reservations() == room
        cluster.hears = True
        rounds(loop, cluster)
    assert [state(store, f"g{at}") for at in range(2)] == ["running"] * 2
    assert store.counts() == {"running": 5, "ready": 1}


def test_whole_devices_are_freed_and_shares_are_left_alone(store):
    allow(store)
    kinds = {"whole": [is_in("kind", "whole")], "shared": [is_in("kind", "shared")]}
    offers = [Offer(name, {"cpu": 9}, devices=2, attributes={"kind": name}) for name in kinds]
    cluster = SimulatedCluster(offers)
    columns = {"queue": "low", "payload": {"seconds": 1000}}
    rows = [Submission(f"d{at}", {"cpu": 1}, kinds["whole"], devices=1, **columns) for at in range(2)]
    rows += [Submission(f"s{at}", {"cpu": 1}, kinds["shared"], device_share=600, **columns) for at in range(2)]
    store.submit(rows, at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        assert store.counts() == {"running": 4}
        store.submit([Submission("urgent", {"cpu": 1}, devices=2, priority=9, queue="high")], at=cluster.now())
        rounds(loop, cluster)
    assert state(store, "urgent") in ("running", "done")
    assert store.shown("urgent").history[-1].offer == "whole"
    assert [state(store, f"s{at}") for at in range(2)] == ["running"] * 2


def test_a_queue_over_its_quota_preempts_nobody(store):
    store.set_queues([Queue("low"), Queue("high", quota={"cpu": 1000}, preempts=("low",))])
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    store.submit(low(2), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        rows = [Submission(f"u{at}", {"cpu": 1}, priority=9, queue="high", payload={"seconds": 99}) for at in range(2)]
        store.submit(rows, at=cluster.now())
        rounds(loop, cluster)
    assert store.counts() == {"running": 2, "ready": 2}
    assert len(reasons(store, "low0") + reasons(store, "low1")) == 1


@pytest.mark.parametrize("dies", ["noted", "ended", "settled"])
def test_a_scheduler_that_dies_between_two_steps_leaves_all_to_the_next(store, dies):
    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    store.submit(low(2, retries=0), at=cluster.now())
    loop = scheduler(store, cluster)
    loop.cycle()
    store.submit([Submission("urgent", {"cpu": 2}, priority=9, queue="high", payload={"seconds": 2})], at=cluster.now())
    assert loop.cycle().preempted == 2
    if dies == "ended":
        held = store.underway(loop._lease)
        cluster.cancel([one.key for one in held])
    elif dies == "settled":
        from offermatch.scheduler.reports import collect_reports

        collect_reports(store, loop._lease, cluster)
    # It is gone, and its lease with it.
    loop.close()
    with scheduler(store, cluster) as after:
        after.cycle()
        assert state(store, "urgent") == "running"
        cluster.wait(5)
        rounds(after, cluster)
    assert state(store, "urgent") == "done"
    assert [state(store, f"low{at}") for at in range(2)] == ["running"] * 2
    assert {store.shown(f"low{at}").columns["failures"] for at in range(2)} == {0}


def test_what_has_changed_since_takes_the_plan_with_it(store):
    from offermatch.scheduler.store.records import Preemption

    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    store.submit(low(2), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        (first, second) = (store.shown(f"low{at}").columns["id"] for at in range(2))
        (urgent,) = store.submit([Submission("urgent", {"cpu": 1}, priority=9, queue="high")])
        store.cancel(["low0"])
        assert store.preempt([[Preemption(urgent, "one", [first])]]) == []
        assert store.preempt([[Preemption(urgent, "elsewhere", [second])]]) == []
        # What begins with a task whose plan has changed has none either.
        (mate,) = store.submit([Submission("mate", {"cpu": 1}, priority=9, queue="high")])
        plan = [Preemption(urgent, "one", [first]), Preemption(mate, "one", [second])]
        assert store.preempt([plan]) == []
        assert store.reservations() == {}
        assert store.preempt([[plan[0]], [Preemption(urgent, "one", [second])]]) == [second]
        assert store.ending_for() == {urgent: ["low1"]}
        store.cancel(["urgent"])
        assert store.preempt([[Preemption(urgent, "one", [second])]]) == []


def test_what_has_become_a_member_of_a_gang_since_the_plan_stays(store):
    from offermatch.scheduler.store.records import Preemption

    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    store.submit(low(2, group=Group("later")), at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        (victim,) = (one.id for one in store.running() if one.name == "low0" and one.may_end)
        (urgent,) = store.submit([Submission("urgent", {"cpu": 1}, priority=9, queue="high")])
        store.submit(low(1, name="more", group=Group("later", 2)))
        assert store.preempt([[Preemption(urgent, "one", [victim])]]) == []
    assert store.counts() == {"running": 2, "ready": 2}


@pytest.mark.parametrize("matcher", ["bundled", "fallback", "reference"])
def test_pools_plan_by_names(matcher):
    made = {"bundled": Matcher.load, "reference": ReferenceMatcher}.get(matcher, lambda: FallbackMatcher(Matcher.load()))()
    with made.open([Offer("a", {"cpu": 0}, {"cpu": 4}), Offer("b", {"cpu": 1})], mode="shared") as pool:
        running = [Running("a", 1, 5, {"cpu": 2000}), Running("a", 1, 3, {"cpu": 2000})]
        assert pool.preempt([Task("t", {"cpu": 2})], [2], running) == [Move(0, "a", 0.0, (0,))]
        assert pool.preempt([Task("t", {"cpu": 2})], [1], running) == []
    with made.open([Offer("a", {"cpu": 4})]) as pool, pytest.raises(InputError) as caught:
        pool.preempt([Task("t", {"cpu": 2})], [2], [])
    assert caught.value.code == "setting-malformed"


NO_PLAN = {
    "an offer of another pool": ([2], [Running("c", 1)], "row-unknown", "running, row 0"),
    "no name": ([2], [Running(None, 1)], "row-unknown", "running, row 0"),
    "no running task": ([2], [None], "file-malformed", "running, row 0"),
    "no list": ([2], None, "file-malformed", "running"),
    "a priority above 32 bits": ([2], [Running("a", 2**31)], "setting-malformed", "running, row 0, priority"),
    "a priority as text": ([2], [Running("a", 1), Running("a", "1")], "setting-malformed", "running, row 1, priority"),
    "a start below 0": ([2], [Running("a", 1, -1)], "setting-malformed", "running, row 0, start"),
    "half a start": ([2], [Running("a", 1, 1.5)], "setting-malformed", "running, row 0, start"),
    "another dimension": ([2], [Running("a", 1, 0, {"disk": 1})], "unknown-dimension", "running, row 0, disk"),
    "no demand": ([2], [Running("a", 1, 0, None)], "file-malformed", "running, row 0, demand"),
    "half a demand": ([2], [Running("a", 1, 0, {"cpu": 1.5})], "quantity-fractional", "running, row 0, demand.cpu"),
    "too much": ([2], [Running("a", 1, 0, {"cpu": 5000})], "capacity-exceeded", "running, row 0"),
    "another device": ([2], [Running("a", 1, devices={1: 5})], "devices-malformed", "running, row 0, devices"),
    "devices by name": ([2], [Running("a", 1, devices={"0": 5})], "setting-malformed", "running, row 0, devices"),
    "more of a device": (
        [2],
        [Running("a", 1, devices={0: 400}), Running("a", 1, devices={0: 400})],
        "capacity-exceeded",
        "running, row 1, devices",
    ),
    "task priorities above 32 bits": ([2**31], [], "setting-malformed", "priorities, row 0"),
    "task priorities that wrap around": ([2**32 + 1], [], "setting-malformed", "priorities, row 0"),
    "task priorities below 32 bits": ([-(2**31) - 1], [], "setting-malformed", "priorities, row 0"),
    "task priorities above 64 bits": ([2**63], [], "setting-malformed", "priorities, row 0"),
    "task priorities as text": (["2"], [], "setting-malformed", "priorities, row 0"),
    "too few task priorities": ([], [], "column-length", "priorities"),
    "too many task priorities": ([2, 2], [], "column-length", "priorities"),
    "no task priorities": (None, [], "column-length", "priorities"),
}


@pytest.mark.parametrize("matcher", [Matcher.load, ReferenceMatcher])
def test_what_cannot_be_planned_is_refused_by_its_place_and_the_pool_goes_on(matcher):
    with matcher().open([Offer("a", {"cpu": 0}, {"cpu": 4}, devices=[500])], mode="shared") as pool:
        for what, (priorities, running, code, place) in NO_PLAN.items():
            with pytest.raises(InputError) as caught:
                pool.preempt([Task("t", {"cpu": 2})], priorities, running)
            assert (caught.value.code, caught.value.place) == (code, place), what
        highest, lowest = 2**31 - 1, -(2**31)
        found = pool.preempt([Task("t", {"cpu": 2})], [highest], [Running("a", lowest, 0, {"cpu": 4000}, {0: 500})])
        assert found == [Move(0, "a", 1.5, (0,))]


def test_exclusive_mode_preempts_nobody(store):
    allow(store)
    cluster = SimulatedCluster([Offer("one", {"cpu": 2})])
    store.submit(low(2), at=cluster.now())
    with scheduler(store, cluster) as loop:
        rounds(loop, cluster)
    store.submit([Submission("urgent", {"cpu": 2}, priority=9, queue="high")], at=cluster.now())
    with scheduler(store, cluster, settings=Settings("exclusive")) as loop:
        rounds(loop, cluster)
    assert store.counts() == {"running": 2, "ready": 1}


def test_queues_say_whom_they_preempt(store, store_url, tmp_path, capsys):
    file = tmp_path / "queues.json"
    file.write_text(json.dumps({"queues": [{"name": "low"}, {"name": "high", "preempts": ["low", "high"]}]}))
    assert read_queues(file)[1].preempts == ("low", "high")
    assert run(["queues", "load", str(file), "--store", store_url]) == 0
    assert "preempts tasks of low, high" in capsys.readouterr().out
    assert run(["queues", "set", "high", "--preempts", "", "--store", store_url]) == 0
    assert {queue.name: queue.preempts for queue in store.queues()}["high"] == ()
    assert run(["queues", "set", "high", "--preempts", "low", "--store", store_url]) == 0
    with pytest.raises(StoreError) as caught:
        store.remove_queue("low")
    assert caught.value.code == "queue-busy"
    with pytest.raises(InputError) as refused:
        store.set_queues([Queue("high", preempts=("nobody",))])
    assert refused.value.code == "queue-unknown"
