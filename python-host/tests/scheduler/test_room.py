"""Large tasks are not starved: room is held for them, and what ends in time runs in it meanwhile."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offermatch import Offer, ReferenceMatcher, is_in
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.room import hold_room
from offermatch.scheduler.store.records import GroupState, Processable, Reservation
from offermatch.scheduler.submission import Submission
from offermatch.scheduler.why import why
from offermatch.tables.input import offer_columns
from offermatch.tables.tasks import TaskColumns


def scheduler(store, cluster, **settings):
    return Scheduler(store, cluster, ReferenceMatcher(), **{"interval": 1.0, "reserve_after": 10.0, **settings})


def begins(store, name):
    """When an attempt at a task began to run."""
    return next(change.at for change in store.shown(name).history if change.state == "running")


def stream(store, number, *, at, seconds=8, cpu=1, limit=None, name="small"):
    rows = [
        Submission(f"{name}{row}", {"cpu": cpu}, payload={"seconds": seconds}, time_limit=limit) for row in range(number)
    ]
    store.submit(rows, at=at)


def test_a_large_task_begins_although_small_ones_never_end(store):
    """Row C4 of what was found in use: the large one waits for ever without, and begins soon after its wait with it."""
    cluster = SimulatedCluster([Offer("one", {"cpu": 8})])
    small = [Submission(f"small{at}", {"cpu": 1}, priority=-5, payload={"seconds": 5 + at * 7 % 4}) for at in range(400)]
    store.submit(small, at=cluster.now())
    with scheduler(store, cluster, reserve_after=1e9) as loop:
        for _ in range(8):
            loop.cycle()
            cluster.wait(1)
        store.submit([Submission("large", {"cpu": 8}, priority=1000, payload={"seconds": 1})], at=cluster.now())
        for _ in range(60):
            loop.cycle()
            cluster.wait(1)
        assert store.shown("large").state == "ready"
    submitted = cluster.now()
    with scheduler(store, cluster) as loop:
        for _ in range(60):
            if store.shown("large").state != "ready":
                break
            loop.cycle()
            cluster.wait(1)
    assert store.shown("large").state in ("running", "done")
    assert begins(store, "large") <= submitted + 20
    assert store.reservations() == {}


def test_the_room_is_the_large_tasks_alone_and_why_says_so(store):
    cluster = SimulatedCluster([Offer("one", {"cpu": 4}), Offer("two", {"cpu": 2})])
    store.submit([Submission("long", {"cpu": 3}, payload={"seconds": 100})], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([Submission("large", {"cpu": 4})], at=cluster.now())
        for _ in range(14):
            loop.cycle()
            cluster.wait(1)
        assert {one.offer for one in store.reservations().values()} == {"one"}
        stream(store, 3, at=cluster.now())
        assert loop.cycle().placed == 2
        assert {store.shown(f"small{row}").columns["offer"] for row in range(3)} == {"two", None}
        assert any("room is held for it on one" in line for line in why(store, "large", cluster.now()))
        assert any("room on one is held" in line for line in why(store, "small2", cluster.now()))
        store.cancel(["large"])
        cluster.wait(1)
        loop.cycle()
        assert store.reservations() == {}
        assert store.shown("small2").state == "running"


def test_what_ends_in_time_runs_in_held_room_and_delays_nothing(store):
    cluster = SimulatedCluster([Offer("one", {"cpu": 4})])
    store.submit([Submission("long", {"cpu": 3}, payload={"seconds": 60}, time_limit=60)], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        begin = cluster.now()
        store.submit([Submission("large", {"cpu": 4}, payload={"seconds": 1})], at=begin)
        for _ in range(14):
            loop.cycle()
            cluster.wait(1)
        (reservation,) = store.reservations().values()
        assert reservation.until == pytest.approx(begin + 60, abs=1)
        stream(store, 1, at=cluster.now(), seconds=10, limit=20, name="short")
        stream(store, 1, at=cluster.now(), seconds=10, limit=70, name="late")
        stream(store, 1, at=cluster.now(), seconds=10, name="unlimited")
        cycle = loop.cycle()
        assert (cycle.placed, cycle.reserved, cycle.backfilled) == (1, 1, 1)
        assert store.shown("short0").state == "running"
        for _ in range(60):
            cluster.wait(1)
            loop.cycle()
        assert begins(store, "large") <= begin + 62
        assert begins(store, "late0") >= begins(store, "large")


def test_a_task_that_runs_beyond_its_limit_is_ended_and_the_reason_says_both(store):
    cluster = SimulatedCluster([Offer("one", {"cpu": 4})])
    store.submit([Submission("a", {"cpu": 1}, payload={"seconds": 100}, time_limit=5, retries=0)], at=cluster.now())
    store.submit([Submission("b", {"cpu": 1}, payload={"seconds": 3}, time_limit=5, retries=0)], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"done": 1, "failed": 1}
    reason = store.shown("a").columns["reason"]
    assert "its time limit is 5 s, and it ran " in reason
    assert any("its time limit is 5 s" in line for line in why(store, "a", cluster.now()))
    assert store.places() == []


def test_a_reservation_of_a_scheduler_that_died_is_kept_by_the_next(store):
    cluster = SimulatedCluster([Offer("one", {"cpu": 4}), Offer("two", {"cpu": 4})])
    store.submit([Submission(name, {"cpu": 3}, payload={"seconds": 40}) for name in "ab"], at=cluster.now())
    with scheduler(store, cluster) as loop:
        loop.cycle()
        store.submit([Submission("large", {"cpu": 4})], at=cluster.now())
        for _ in range(13):
            loop.cycle()
            cluster.wait(1)
        before = store.reservations()
        assert len(before) == 1
    with scheduler(store, cluster) as loop:
        loop.cycle()
        assert store.reservations() == before


def test_the_queue_for_which_least_is_held_has_room_held_first():
    table = offer_columns([Offer(f"o{at}", {"cpu": 1}, capacity={"cpu": 8}) for at in range(40)])
    columns = TaskColumns.build([f"t{at}" for at in range(6)], {"cpu": [8] * 6})
    found = Processable(list(range(100, 106)), columns, queues=["busy"] * 4 + ["small"] * 2)
    room = hold_room(found, table, {}, range(6), {}, 10.0)
    assert set(room.reservations) == {100, 104}
    later = hold_room(found, table, {100: room.reservations[100]}, range(1, 6), {}, 20.0)
    assert set(later.reservations) == {100, 104}
    few = offer_columns([Offer(f"o{at}", {"cpu": 1}, capacity={"cpu": 8}) for at in range(3)])
    assert set(hold_room(found, few, {}, range(6), {}, 10.0).reservations) == {100, 104}


def full(offers):
    return offer_columns([Offer(f"o{at}", {"cpu": 1}, capacity={"cpu": 8}) for at in range(offers)])


def asking(cpus, queues=None):
    columns = TaskColumns.build([f"t{at}" for at in range(len(cpus))], {"cpu": cpus})
    return Processable(list(range(100, 100 + len(cpus))), columns, queues=queues)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=60),
    st.dictionaries(st.sampled_from("abc"), st.sampled_from([1.0, 2.0, 5.0]), min_size=3),
    st.integers(1, 300),
    st.integers(0, 3),
)
def test_within_a_queue_room_is_held_for_the_first_and_among_queues_by_weight(queues, parts, offers, known):
    table, found = full(offers), asking([8] * len(queues), queues)
    before = hold_room(found, table, {}, range(min(known, len(queues))), {}, 1.0, parts).reservations
    room = hold_room(found, table, before, range(len(queues)), {}, 10.0, parts)
    counts = {}
    for name in set(queues):
        mine = [number for number, queue in zip(found.ids, queues, strict=True) if queue == name]
        counts[name] = sum(number in room.reservations for number in mine)
        assert {number for number in mine if number in room.reservations} == set(mine[: counts[name]])
    # No seat is left while somebody waits, and of two queues the one with less for its weight was asked first.
    assert len(room.reservations) == min(len(queues), offers, max(len(set(queues)), offers // 20))
    waits = [name for name in counts if counts[name] < queues.count(name)]
    for name, count in counts.items():
        mine = {number for number, queue in zip(found.ids, queues, strict=True) if queue == name}
        if count > len(mine & set(before)):
            assert all((count - 1) / parts[name] <= counts[one] / parts[one] for one in waits)


def test_tasks_that_no_offer_can_hold_hide_nobody():
    cpus = [*([9] * 100), *range(10, 40), 8]
    room = hold_room(asking(cpus), full(20), {}, range(len(cpus)), {}, 10.0)
    assert set(room.reservations) == {100 + len(cpus) - 1}


def test_a_gang_for_which_too_little_is_left_is_not_passed_by_those_behind_it():
    """Otherwise what ends would always be held for one more task that needs a single offer."""
    group = GroupState(1, "gang", 3, None, {}, fails_together=False, started=False, claims=0, counts={"ready": 3})
    cpus = [8] * 5
    found = asking(cpus)
    found = Processable(found.ids, found.columns, group_of=[0, 1, 1, 1, 0], groups={1: group})
    table = full(60)
    before = {100: Reservation("o0", 1.0, None)}
    room = hold_room(found, table, before, range(1, 5), {}, 10.0)
    assert set(room.reservations) == {100}
    later = Processable(found.ids[1:], found.columns.picked(range(1, 5)), group_of=[1, 1, 1, 0], groups={1: group})
    assert set(hold_room(later, table, before, range(4), {}, 20.0).reservations) == {101, 102, 103}


TASK = st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from([0, 300, 1000, 2000]), st.booleans())
OFFER = st.tuples(st.integers(0, 6), st.integers(0, 6), st.lists(st.sampled_from([0, 400, 1000]), max_size=3), st.booleans())


@settings(max_examples=400, deadline=None)
@given(
    st.lists(TASK, min_size=1, max_size=6),
    st.lists(OFFER, min_size=1, max_size=50),
    st.dictionaries(st.integers(0, 49), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 8)), max_size=3)),
    st.integers(0, 6),
)
def test_what_is_held_is_right(tasks, offers, endings, before):
    rows = [
        Offer(
            f"o{at}", {"cpu": cpu, "disk": disk}, capacity={"cpu": 8, "disk": 8}, devices=devices, attributes={"zone": "z"}
        )
        if zone
        else Offer(f"o{at}", {"cpu": cpu, "disk": disk}, capacity={"cpu": 8, "disk": 8}, devices=devices)
        for at, (cpu, disk, devices, zone) in enumerate(offers)
    ]
    table = offer_columns(rows)
    demand = {"cpu": [task[0] for task in tasks], "disk": [task[1] for task in tasks]}
    columns = TaskColumns.build([f"t{at}" for at in range(len(tasks))], demand)
    columns.requirements = [(is_in("zone", ["z"]),) if task[3] else () for task in tasks]
    columns.devices = array("Q", [task[2] for task in tasks])
    found = Processable(list(range(100, 100 + len(tasks))), columns)
    known = {100: Reservation(f"o{before}", 1.0, None)} if before < len(offers) else {}
    ends = {f"o{at}": [(float(end), {"cpu": 1000 * number}) for end, number in given] for at, given in endings.items()}
    room = hold_room(found, table, known, range(len(tasks)), ends, 10.0)
    assert room == hold_room(found, table, known, range(len(tasks)), ends, 10.0)
    assert len(room.reservations) <= max(1, len(offers) // 20)
    places = [one.offer for one in room.reservations.values()]
    assert len(set(places)) == len(places)
    assert known.items() <= {number: one._replace(until=None) for number, one in room.reservations.items()}.items()
    for number, one in room.reservations.items():
        task, offer = tasks[number - 100], offers[int(one.offer[1:])]
        fits = (
            task[0] <= offer[0]
            and task[1] <= offer[1]
            and (max(offer[2], default=0) >= task[2] if task[2] < 1000 else offer[2].count(1000) * 1000 >= task[2])
        )
        assert fits == (room.fitting.get(number) == one.offer)
        if number not in known:
            assert offer[3] or not task[3]
            assert 1000 * len(offer[2]) >= task[2]
    for name, column in table.available.items():
        for at, free in enumerate(column):
            assert room.offers.available[name][at] == free - room.held.get(f"o{at}", {}).get(name, 0) >= 0
