"""The order before matching: its axioms on thousands of drawn cases, and queues in the store and in whole runs."""

import json
import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NoOpTracerProvider

from offermatch import InputError, Offer, ReferenceMatcher
from offermatch.cli.main import run
from offermatch.errors import StoreError
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.order import Waiting, order_tasks
from offermatch.scheduler.queues import Queue, checked_queues, read_queues
from offermatch.scheduler.submission import Submission
from offermatch.scheduler.watching.telemetry import Telemetry
from offermatch.scheduler.why import why
from offermatch.tables.tasks import TaskColumns

CAPACITY = {"cpu": 100, "memory": 60}
QUEUES = ("a", "b", "c")


def waiting(rows):
    """Rows of queue, cpu, memory, priority and since."""
    names = [f"t{at}" for at in range(len(rows))]
    demand = {"cpu": array("Q", [row[1] for row in rows]), "memory": array("Q", [row[2] for row in rows])}
    queues, priorities, since = [row[0] for row in rows], [row[3] for row in rows], [float(row[4]) for row in rows]
    return Waiting(TaskColumns(names, demand), list(range(1, len(rows) + 1)), queues, priorities, since)


ROW = st.tuples(st.sampled_from(QUEUES), st.integers(0, 9), st.integers(0, 9), st.integers(-2, 2), st.integers(0, 50))
ROWS = st.lists(ROW, max_size=40)
WEIGHTS = st.tuples(*[st.sampled_from([0.5, 1.0, 2.0, 3.0])] * len(QUEUES))
HELD = st.fixed_dictionaries(
    {name: st.fixed_dictionaries({"cpu": st.integers(0, 30), "memory": st.integers(0, 20)}) for name in QUEUES}
)

SIZES = st.tuples(*[st.tuples(st.integers(1, 5), st.integers(1, 5))] * len(QUEUES))
"""What a task of each queue asks."""


def made(weights):
    return [Queue(name, weight) for name, weight in zip(QUEUES, weights, strict=True)]


def share(used, weight):
    return max(used[name] / there for name, there in CAPACITY.items()) / weight


@settings(max_examples=400, deadline=None)
@given(ROWS, WEIGHTS, HELD)
def test_each_next_task_is_of_the_queue_that_has_least(rows, weights, held):
    """The definition of dominant resource fairness, replayed over the order."""
    ordered = order_tasks(waiting(rows), made(weights), held, CAPACITY)
    assert sorted(ordered.rows) == list(range(len(rows)))
    weight = dict(zip(QUEUES, weights, strict=True))
    used = {name: dict(held[name]) for name in QUEUES}
    left = {name: [row for row in range(len(rows)) if rows[row][0] == name] for name in QUEUES}
    for row in ordered.rows:
        name = rows[row][0]
        waits = [one for one in QUEUES if left[one]]
        assert share(used[name], weight[name]) == min(share(used[one], weight[one]) for one in waits)
        left[name].remove(row)
        used[name]["cpu"] += rows[row][1]
        used[name]["memory"] += rows[row][2]


@settings(max_examples=400, deadline=None)
@given(ROWS, WEIGHTS, HELD, st.sampled_from([0.0, 5.0, 1000.0]))
def test_within_a_queue_priority_and_age_decide(rows, weights, held, ageing):
    ordered = order_tasks(waiting(rows), made(weights), held, CAPACITY, ageing=ageing)

    def key(row):
        _, _, _, priority, since = rows[row]
        return (since - ageing * priority, row) if ageing else (-priority, row)

    for name in QUEUES:
        mine = [row for row in ordered.rows if rows[row][0] == name]
        assert mine == sorted(mine, key=key)


@settings(max_examples=500, deadline=None)
@given(ROWS, WEIGHTS, HELD, st.floats(0, 1e6))
def test_the_order_does_not_change_by_waiting_and_is_the_same_every_time(rows, weights, held, later):
    first = order_tasks(waiting(rows), made(weights), held, CAPACITY, ageing=7.0, now=0.0)
    assert order_tasks(waiting(rows), list(reversed(made(weights))), held, CAPACITY, ageing=7.0, now=later) == first


@settings(max_examples=400, deadline=None)
@given(ROWS, WEIGHTS, HELD, st.sets(st.integers(0, 39)))
def test_a_queue_is_charged_with_held_room_as_with_what_runs(rows, weights, held, reserved):
    """The others stand as if the tasks that room is held for ran already."""
    reserved = {row for row in reserved if row < len(rows)}
    ordered = order_tasks(waiting(rows), made(weights), held, CAPACITY, held=reserved)
    assert sorted(ordered.rows) == list(range(len(rows)))
    used = {name: dict(held[name]) for name in QUEUES}
    for row in reserved:
        used[rows[row][0]]["cpu"] += rows[row][1]
        used[rows[row][0]]["memory"] += rows[row][2]
    kept = [row for row in range(len(rows)) if row not in reserved]
    others = order_tasks(waiting([rows[row] for row in kept]), made(weights), used, CAPACITY)
    assert [row for row in ordered.rows if row not in reserved] == [kept[row] for row in others.rows]


@settings(max_examples=400, deadline=None)
@given(ROWS, WEIGHTS, HELD, st.sets(st.integers(0, 39)))
def test_a_queue_is_charged_no_share_for_tasks_that_found_no_offer(rows, weights, held, stuck):
    """The others stand as if those tasks were not there; they themselves stand in the order of their queue."""
    stuck = {row for row in stuck if row < len(rows)}
    ordered = order_tasks(waiting(rows), made(weights), held, CAPACITY, stuck=stuck)
    assert sorted(ordered.rows) == list(range(len(rows)))
    kept = [row for row in range(len(rows)) if row not in stuck]
    others = order_tasks(waiting([rows[row] for row in kept]), made(weights), held, CAPACITY)
    assert [row for row in ordered.rows if row not in stuck] == [kept[row] for row in others.rows]
    for name in QUEUES:
        mine = [row for row in ordered.rows if rows[row][0] == name]
        assert mine == sorted(mine, key=lambda row: (-rows[row][3], row))


def test_a_quota_counts_tasks_that_found_no_offer_and_held_room():
    rows = [("a", 4, 0, 0, 0), ("a", 4, 0, 0, 0), ("b", 4, 0, 0, 0)]
    queues = [Queue("a", 1.0, {"cpu": 6}), Queue("b")]
    for more in ({"stuck": {0}}, {"held": {0}}):
        ordered = order_tasks(waiting(rows), queues, {}, CAPACITY, **more)
        assert (sorted(ordered.rows), dict(ordered.over_quota)) == ([0, 2], {1: "a"})
    ordered = order_tasks(waiting(rows), queues, {"a": {"cpu": 3}}, CAPACITY, held={0})
    assert (ordered.rows, dict(ordered.over_quota)) == ([2], {0: "a", 1: "a"})


def test_tasks_for_which_there_is_no_room_do_not_cost_their_queue_its_share(store):
    """Many tasks of 2 CPUs stand before those of 1, and one offer has room for one of them."""
    cluster = SimulatedCluster([Offer("large", {"cpu": 2}), *(Offer(f"small-{at}", {"cpu": 1}) for at in range(10))])
    store.set_queues([Queue("a", 3.0), Queue("b", 1.0)])
    large = [Submission(f"large{at}", {"cpu": 2}, queue="a", payload={"seconds": 100}) for at in range(20)]
    small = [
        Submission(f"{name}{at}", {"cpu": 1}, queue=name, payload={"seconds": 100}) for name in "ab" for at in range(20)
    ]
    store.submit([*large, *small], at=0.0)
    with Scheduler(store, cluster, ReferenceMatcher()) as loop:
        assert loop.cycle().placed == 11
        assert store.holding()[1] == {"a": {"cpu": 9000}, "b": {"cpu": 3000}}


def begun(rows, queues, capacity):
    """What of each queue begins on one server that has all there is, in whole tasks, until the next one does not fit."""
    table = waiting(rows)
    used = dict.fromkeys(capacity, 0)
    got = {}
    for row in order_tasks(table, queues, {}, capacity).rows:
        asked = {name: column[row] for name, column in table.columns.demand.items()}
        if any(used[name] + asked[name] > there for name, there in capacity.items()):
            break
        for name, number in asked.items():
            used[name] += number
        got[table.queues[row]] = got.get(table.queues[row], 0) + 1
    return got


def more_than_fit(sizes, capacity):
    """Return tasks of which each queue has one more than would fit if the cluster were its own."""
    return [(name, *size, 0, 0) for name, size in zip(QUEUES, sizes, strict=True) for _ in range(capacity // max(size) + 1)]


@settings(max_examples=60, deadline=None)
@given(WEIGHTS, SIZES)
def test_sharing_is_worth_it(weights, sizes):
    """A queue with enough to do gets at least its part of the cluster, but for the tasks that the last steps are made of."""
    capacity = {"cpu": 2000, "memory": 2000}
    got = begun(more_than_fit(sizes, 2000), made(weights), capacity)
    for name, weight, size in zip(QUEUES, weights, sizes, strict=True):
        alone = weight / sum(weights) * 2000 / max(size)
        assert got.get(name, 0) >= math.floor(alone) - 1 - weight * 10 / max(size)


@settings(max_examples=500, deadline=None)
@given(
    WEIGHTS,
    st.tuples(*[st.tuples(st.integers(1, 5), st.integers(1, 5))] * len(QUEUES)),
    st.integers(1, 3),
    st.integers(0, 3),
)
def test_no_queue_gains_by_asking_for_more(weights, sizes, cpu, memory):
    """A queue whose tasks pretend to need more has no more of them begun."""
    capacity = {"cpu": 600, "memory": 600}

    honest = begun(more_than_fit(sizes, 600), made(weights), capacity).get("a", 0)
    asked = [(sizes[0][0] + cpu, sizes[0][1] + memory), *sizes[1:]]
    lying = begun(more_than_fit(asked, 600), made(weights), capacity).get("a", 0)
    # Whole tasks: the last one may fall on either side.
    assert lying <= honest + 1 + max(weights) / min(weights)


def test_a_task_that_can_begin_nowhere_costs_its_queue_no_share():
    rows = [("a", 50, 0, 9, 0), ("a", 1, 0, 0, 0), ("a", 1, 0, 0, 0), ("b", 1, 0, 0, 0), ("b", 1, 0, 0, 0)]
    free = {"cpu": 4, "memory": 4}
    assert list(order_tasks(waiting(rows), made((1, 1, 1)), {}, CAPACITY, free).rows) == [0, 1, 3, 2, 4]
    assert list(order_tasks(waiting(rows), made((1, 1, 1)), {}, CAPACITY).rows) == [0, 3, 4, 1, 2]


def test_children_share_what_their_parent_gets():
    queues = [Queue("org"), Queue("a", 3, parent="org"), Queue("b", 1, parent="org"), Queue("c")]
    rows = [(name, 1, 0, 0, 0) for name in QUEUES for _ in range(80)]
    got = begun(rows, queues, {"cpu": 80, "memory": 80})
    assert got == {"a": 30, "b": 10, "c": 40}


def test_a_parent_may_have_tasks_of_its_own():
    queues = [Queue("a"), Queue("b", parent="a"), Queue("c")]
    rows = [(name, 1, 0, 0, 0) for name in QUEUES for _ in range(80)]
    assert begun(rows, queues, {"cpu": 80, "memory": 80}) == {"a": 20, "b": 20, "c": 40}


def test_a_quota_holds_back_and_is_kept_for_those_that_waited_long():
    queues = [Queue("a", quota={"cpu": 10}), Queue("b")]
    rows = [("a", 8, 0, 1, 0), ("a", 2, 0, 0, 90), ("a", 2, 0, 0, 90), ("b", 9, 0, 0, 90)]
    held = {"a": {"cpu": 6}}
    ordered = order_tasks(waiting(rows), queues, held, CAPACITY, now=100.0)
    assert sorted(ordered.rows) == [1, 2, 3]
    assert ordered.over_quota == {0: "a"}
    kept = order_tasks(waiting(rows), queues, held, CAPACITY, now=100.0, kept_after=60.0)
    assert list(kept.rows) == [3]
    assert kept.over_quota == {0: "a", 1: "a", 2: "a"}


def test_the_quota_of_a_parent_holds_for_all_below_it():
    queues = [Queue("a", quota={"cpu": 3}), Queue("b", parent="a"), Queue("c", parent="a")]
    rows = [("b", 2, 0, 0, 0), ("c", 2, 0, 0, 0)]
    ordered = order_tasks(waiting(rows), queues, {}, CAPACITY)
    assert list(ordered.rows) == [0]
    assert ordered.over_quota == {1: "a"}


@pytest.mark.parametrize(
    ("queues", "code"),
    [
        ([Queue("a", 0.0)], "setting-malformed"),
        ([Queue("a", -1)], "setting-malformed"),
        ([Queue("a", math.nan)], "setting-malformed"),
        ([Queue("a", 10**400)], "setting-malformed"),
        ([Queue("a", 5e-324)], "setting-malformed"),
        ([Queue("a", "3")], "setting-malformed"),
        ([Queue("a", quota={"cpu": -1})], "setting-malformed"),
        ([Queue("a", quota={"cpu": 1.5})], "setting-malformed"),
        ([Queue("a", quota={"cpu": "2 cores"})], "setting-malformed"),
        ([Queue("a", quota={"cpu": 2**64})], "setting-malformed"),
        ([Queue("a", quota={"": 1})], "setting-malformed"),
        ([Queue("a", quota=5)], "setting-malformed"),
        ([Queue("a", parent=[])], "setting-malformed"),
        ([Queue("a", preempts="a")], "setting-malformed"),
        ([Queue("a", preempts=[["a"]])], "setting-malformed"),
        ([Queue("a", preempts=None)], "setting-malformed"),
        ([Queue("")], "setting-malformed"),
        ([Queue("a\n")], "setting-malformed"),
        ([Queue("a"), Queue("a")], "duplicate-name"),
        ([Queue("a", parent="b")], "queue-unknown"),
        ([Queue("a", parent="a")], "queue-cycle"),
        ([Queue("a", parent="b"), Queue("b", parent="c"), Queue("c", parent="a")], "queue-cycle"),
    ],
)
def test_queues_that_make_no_sense_are_refused(store, queues, code):
    with pytest.raises(InputError) as caught:
        store.set_queues(queues)
    assert caught.value.code == code
    assert [queue.name for queue in store.queues()] == ["default"]


def test_a_cycle_with_a_queue_that_is_there_is_refused():
    with pytest.raises(InputError) as caught:
        checked_queues([Queue("a", parent="b")], known=[Queue("a"), Queue("b", parent="a")])
    assert caught.value.code == "queue-cycle"


def test_submissions_that_no_queue_could_run_are_refused(store):
    store.set_queues([Queue("org", quota={"cpu": 4000, "devices": 2000}), Queue("a", parent="org")])
    for submission, code in (
        (Submission("x", queue="nobody"), "queue-unknown"),
        (Submission("x", queue=""), "queue-unknown"),
        (Submission("x", queue=["a"]), "queue-unknown"),
        (Submission("x", {"cpu": 5}, queue="a"), "over-quota"),
        (Submission("x", devices=3, queue="a"), "over-quota"),
        (Submission("x", time_limit=0), "setting-malformed"),
        (Submission("x", time_limit=True), "setting-malformed"),
    ):
        with pytest.raises(InputError) as caught:
            store.submit([submission])
        assert caught.value.code == code
        assert caught.value.hint
    store.submit([Submission("x", {"cpu": 4}, queue="a", devices=2)])
    with pytest.raises(StoreError) as busy:
        store.remove_queue("a")
    assert busy.value.code == "queue-busy"
    store.cancel(["x"])
    store.remove_queue("a")
    assert [queue.name for queue in store.queues()] == ["default", "org"]


def test_queues_of_a_file_and_options(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/tasks.db"
    path = tmp_path / "queues.json"
    path.write_text('{"queues": [{"name": "a", "weight": 3, "quota": {"cpu": "2 cores", "devices": 1}}]}', encoding="utf-8")
    assert read_queues(path) == [Queue("a", 3, {"cpu": 2000, "devices": 1000})]
    assert run(["queues", "load", "--store", url, str(path)]) == 0
    assert run(["queues", "set", "--store", url, "b", "--parent", "a", "--quota", "memory=1GiB", "--weight", "2"]) == 0
    assert run(["queues", "set", "--store", url, "a", "--quota", "devices="]) == 0
    rows = tmp_path / "tasks.json"
    rows.write_text('[{"name": "x", "demand": {"cpu": 1}}, {"name": "y", "queue": "default"}]', encoding="utf-8")
    assert run(["submit", "--store", url, "--queue", "b", str(rows)]) == 0
    capsys.readouterr()
    assert run(["queues", "list", "--store", url, "--json"]) == 0
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)["queues"]}
    assert found["a"]["quota"] == {"cpu": 2000}
    assert (found["b"]["parent"], found["b"]["weight"], found["b"]["ready"]) == ("a", 2.0, 1)
    assert found["default"]["ready"] == 1
    assert run(["submit", "--store", url, "--queue", "", str(rows)]) == 1
    assert "queue-unknown" in capsys.readouterr().err
    path.write_text('{"queues": [{"name": "z", "parent": []}]}', encoding="utf-8")
    assert run(["queues", "load", "--store", url, str(path)]) == 1
    assert "setting-malformed" in capsys.readouterr().err
    path.write_text('{"queues": [{"name": "z", "wieght": 3}]}', encoding="utf-8")
    assert run(["queues", "load", "--store", url, str(path)]) == 1
    assert "file-malformed" in capsys.readouterr().err
    assert run(["queues", "remove", "--store", url, "a"]) == 1
    assert "queue-busy" in capsys.readouterr().err


def test_a_quota_below_what_runs_lets_nothing_begin_and_says_so(store, store_url, capsys):
    cluster = SimulatedCluster([Offer("one", {"cpu": 10})], seconds=10.0)
    store.set_queues([Queue("a")])
    store.submit([Submission(f"t{at}", {"cpu": 2}, queue="a") for at in range(8)])
    with Scheduler(store, cluster, ReferenceMatcher()) as loop:
        assert loop.cycle().launched == 5
        store.set_queues([Queue("a", quota={"cpu": 4000})])
        store.submit([Submission("other", {"cpu": 1})])
        cluster.wait(1)
        cycle = loop.cycle()
        assert cycle.refusals == {"over-quota": 3, "no-offer": 1}
        assert cycle.shares["a"] == 1.0
        assert run(["queues", "list", "--store", store_url]) == 0
        assert "holds 10000m of 4000m cpu: nothing more of it begins until it holds less" in capsys.readouterr().out
        assert (
            why(store, "t7", cluster.now())[0] == "the quota of the queue a is 4000m cpu: 10000m are held, and it asks 2000m"
        )
        cluster.wait(20)
        for _ in range(2):
            loop.cycle()
        assert store.holding()[1] == {"a": {"cpu": 4000}, "default": {"cpu": 1000}}


def test_a_quota_on_a_dimension_that_no_offer_has_is_said_everywhere(store, store_url, capsys, caplog):
    store.set_queues([Queue("a", quota={"ccpu": 4000, "devices": 1000}), Queue("b", parent="a")])
    store.submit([Submission("x", {"cpu": 1}, queue="b")])
    cluster, reader = SimulatedCluster([Offer("one", {"cpu": 10})], seconds=10.0), InMemoryMetricReader()
    telemetry = Telemetry(NoOpTracerProvider(), MeterProvider([reader]))
    with Scheduler(store, cluster, ReferenceMatcher(), observers=[telemetry]) as loop:
        cycles = [loop.cycle(), loop.cycle()]
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    [gauge] = [one for one in metrics if one.name == "offermatch.quotas.unknown"]
    assert [(dict(one.attributes), one.value) for one in gauge.data.data_points] == [
        ({"queue": "a", "dimension": "ccpu"}, 1)
    ]
    assert [cycle.unknown_quotas for cycle in cycles] == [[("a", "ccpu")]] * 2
    assert [one.getMessage() for one in caplog.records if "quota" in one.getMessage()] == [
        "the quota of the queue a limits nothing: no offer has the dimension ccpu"
    ]
    told = "the quota of the queue a on ccpu limits nothing: no offer has that dimension"
    assert told in why(store, "x", loop.cluster.now())
    assert run(["queues", "list", "--store", store_url]) == 0
    assert "of 4000 ccpu: no offer has this dimension, so it limits nothing" in capsys.readouterr().out
    assert run(["queues", "list", "--store", store_url, "--json"]) == 0
    assert {row["name"]: row["unknown"] for row in json.loads(capsys.readouterr().out)["queues"]} == {
        "a": ["ccpu"],
        "b": [],
        "default": [],
    }


def test_a_task_of_a_queue_that_was_removed_is_not_tried_again(store):
    store.set_queues([Queue("a")])
    store.submit([Submission("x", queue="a")])
    store.cancel(["x"])
    store.remove_queue("a")
    with pytest.raises(InputError) as caught:
        store.retry(["x"])
    assert (caught.value.code, caught.value.place) == ("queue-unknown", "x, queue")
    store.set_queues([Queue("a")])
    assert store.retry(["x"]) == {"x": "ready"}


def test_shares_follow_the_weights_while_all_queues_wait(store):
    """Tasks of other sizes in each queue, for a while of which all have enough."""
    servers = [Offer(f"s{at}", {"cpu": 16, "memory": 16}) for at in range(30)]
    cluster = SimulatedCluster(servers, seconds=lambda chance: 5 + 5 * chance.random())
    weights = {"a": 3, "b": 2, "c": 1}
    store.set_queues([Queue(name, weight) for name, weight in weights.items()])
    sizes = {"a": (1, 1), "b": (2, 1), "c": (1, 2)}
    store.submit(
        [
            Submission(f"{name}{at}", {"cpu": cpu, "memory": memory}, queue=name)
            for name, (cpu, memory) in sizes.items()
            for at in range(3000)
        ]
    )
    seen = dict.fromkeys(weights, 0.0)
    with Scheduler(store, cluster, ReferenceMatcher(), most_tasks=1500) as loop:
        for at in range(30):
            loop.cycle()
            cluster.wait(1)
            if at >= 10:
                for name, held in store.holding()[1].items():
                    seen[name] += max(held["cpu"] / 480_000, held["memory"] / 480)
    shares = {name: seen[name] / weight for name, weight in weights.items()}
    assert max(shares.values()) <= 1.05 * min(shares.values())
