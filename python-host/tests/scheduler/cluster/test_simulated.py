"""What only the simulated cluster does: chance, virtual time, servers lost on demand, devices."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offermatch import InputError, Matcher, Task
from offermatch.errors import ClusterError
from offermatch.model import Offer
from offermatch.reference.standing import take_devices
from offermatch.sample import parse_sample
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.simulated import SimulatedCluster, talk_servers
from offermatch.tables.input import task_columns

CORE = {"cpu": 1000}


def cluster_of(count=2, **settings):
    return SimulatedCluster([Offer(f"s{row}", {"cpu": 4}) for row in range(count)], **settings)


def launch(key, server="s0", **payload):
    return Launch(key, key, server, CORE, payload=payload)


def outcomes(cluster, keys):
    return [one.outcome for one in cluster.reports(keys)]


def test_virtual_time_jumps_to_the_next_event():
    cluster = cluster_of(start=100.0)
    cluster.launch([launch("a", seconds=30), launch("b", seconds=20)])
    cluster.wait(1000)
    assert (cluster.now(), outcomes(cluster, "ab")) == (120.0, ["running", "done"])
    cluster.wait(3)
    assert (cluster.now(), outcomes(cluster, "ab")) == (123.0, ["running", "done"])
    cluster.wait(1000)
    assert (cluster.now(), outcomes(cluster, "ab")) == (130.0, ["done", "done"])
    assert [one.finished_at for one in cluster.reports("ab")] == [130.0, 120.0]
    cluster.wait(1000)
    assert cluster.now() == 1130.0


def test_a_cancelled_task_wakes_nobody():
    cluster = cluster_of()
    cluster.launch([launch("a", seconds=30)])
    cluster.cancel(["a"])
    cluster.wait(1000)
    assert cluster.now() == 1000.0


def test_a_lost_server_takes_its_tasks_along_and_comes_back_empty():
    cluster = cluster_of()
    cluster.launch([launch("a", seconds=30), launch("b", "s1", seconds=30)])
    cluster.lose("s0")
    assert outcomes(cluster, "ab") == ["lost", "running"]
    assert cluster.reports("a")[0].reason == "s0 was lost"
    assert cluster.offers().names == ["s1"]
    assert cluster.launch([launch("c")])[0].refusal == "offer-gone"
    cluster.restore("s0")
    assert cluster.offers().names == ["s0", "s1"]
    assert list(cluster.offers().available["cpu"]) == [4000, 3000]
    assert outcomes(cluster, "ab") == ["lost", "running"]


def test_an_unknown_server_cannot_be_lost():
    with pytest.raises(ClusterError) as caught:
        cluster_of().lose("s9")
    assert caught.value.code == "server-unknown"


def test_a_task_ends_when_told():
    cluster = cluster_of()
    cluster.launch([launch("a", seconds=30), launch("b", seconds=30)])
    cluster.fail("a", "told so")
    cluster.finish("b")
    assert [(one.outcome, one.reason) for one in cluster.reports("ab")] == [("failed", "told so"), ("done", "")]
    cluster.wait(60)
    assert [(one.outcome, one.reason) for one in cluster.reports("ab")] == [("failed", "told so"), ("done", "")]


def history(seed):
    cluster = cluster_of(
        50,
        seconds=lambda draw: draw.expovariate(1 / 600),
        failure_rate=0.3,
        losses_per_day=200,
        repair_seconds=900,
        seed=seed,
    )
    cluster.launch([launch(f"k{row}", f"s{row % 50}") for row in range(200)])
    away = 0
    while cluster.now() < 7200:
        cluster.wait(7200 - cluster.now())
        away = max(away, 50 - len(cluster.offers()))
    return cluster.reports([f"k{row}" for row in range(200)]), away


def test_chance_is_the_same_for_the_same_seed():
    reports, away = history(7)
    assert (reports, away) == history(7)
    assert reports != history(8)[0]
    found = [one.outcome for one in reports]
    # 30 % of 200 fail, less those whose server was lost before; 3 standard deviations are 20.
    assert 30 <= found.count("failed") <= 80
    assert found.count("lost") > 0
    assert found.count("done") > 90
    assert 0 < away < 25


def test_a_virtual_week_gives_everything_back():
    cluster = cluster_of(20, failure_rate=0.2, losses_per_day=50, seconds=lambda draw: draw.uniform(10, 5000))
    for hour in range(24 * 7):
        cluster.launch([launch(f"{hour}-{row}", f"s{row % 20}") for row in range(60)])
        while cluster.now() < 3600 * (hour + 1):
            cluster.wait(3600 * (hour + 1) - cluster.now())
        assert max(cluster.offers().available["cpu"]) <= 4000
    for server in range(20):
        cluster.restore(f"s{server}")
    cluster.cancel([f"{hour}-{row}" for hour in range(24 * 7) for row in range(60)])
    assert set(cluster.offers().available["cpu"]) == {4000}


@given(st.data())
def test_devices_are_taken_and_given_back_as_the_semantics_say(data):
    free = data.draw(st.lists(st.sampled_from([1000, 1000, 700, 500, 0]), max_size=5))
    cluster = SimulatedCluster([Offer("s0", {"cpu": 10**6}, devices=free)])
    expected = list(free)
    for row in range(data.draw(st.integers(0, 6))):
        whole = data.draw(st.integers(0, 3))
        share = 0 if whole else data.draw(st.sampled_from([0, 300, 500, 999]))
        taken = cluster.launch([Launch(f"k{row}", "t", "s0", CORE, whole, share)])[0].refusal is None
        assert taken == take_devices(expected, 1000 * whole or share)
        assert list(cluster.offers().devices.free) == expected
    cluster.cancel([f"k{row}" for row in range(6)])
    assert list(cluster.offers().devices.free) == free


@pytest.mark.parametrize("kind", ["constrained", "devices", "uniform"])
def test_every_assignment_of_the_matcher_finds_its_room(kind):
    tasks, offers = parse_sample(f"{kind}:600x150").rows()
    cluster = SimulatedCluster(offers)
    answer = Matcher.load().match(tasks, cluster.offers(), mode="shared")
    demand = task_columns(tasks).demand
    launches = [
        Launch(
            one.task,
            one.task,
            one.offer,
            {name: column[row] for name, column in demand.items()},
            tasks[row].devices,
            tasks[row].device_share,
        )
        for row, one in zip(answer.task_rows, answer.assignments, strict=True)
    ]
    assert len(launches) > 150
    assert {one.refusal for one in cluster.launch(launches)} == {None}
    # What the matcher could not place in this cycle, it cannot place on what is left, either.
    left = [task for task in tasks if task.name in set(answer.unplaced)]
    assert len(Matcher.load().match(left, cluster.offers(), mode="shared")) == 0


def test_the_cluster_of_the_talk():
    table = SimulatedCluster(talk_servers()).offers()
    assert len(table) == 2000
    assert sum(table.available["cpu"]) == 250_000_000
    assert round(sum(table.available["memory"]) / 2**50, 2) == 1.2
    assert len(Matcher.load().match([Task("t", {"cpu": "100 cores"})], table)) == 1


@pytest.mark.parametrize(("concurrency", "seconds"), [(1, 0.2), (3, 0.08), (10, 0.02), (50, 0.02)])
def test_inputs_are_fetched_at_once_up_to_the_bound(concurrency, seconds):
    cluster = cluster_of(inputs={f"i{row}": {"path": row} for row in range(9)}, fetch_seconds=0.02)
    slept = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("offermatch.scheduler.cluster.simulated.time.sleep", slept.append)
        found = cluster.fetch([f"i{row}" for row in range(10)], concurrency=concurrency)
    assert sum(slept) == pytest.approx(seconds)
    assert [one.value for one in found] == [*({"path": row} for row in range(9)), None]
    assert found[9].reason == "there is no such input"


def test_waiting_in_real_time_ends_when_something_happens():
    cluster = cluster_of(clock="real")
    cluster.launch([launch("a", seconds=3600)])
    threading.Timer(0.05, lambda: cluster.finish("a")).start()
    cluster.wait(600)
    assert outcomes(cluster, "a") == ["done"]
    assert abs(cluster.now() - time.time()) < 5


@pytest.mark.parametrize(
    ("setting", "value"),
    [("failure_rate", 1.5), ("losses_per_day", -1), ("repair_seconds", float("inf")), ("fetch_seconds", -1)],
)
def test_a_setting_out_of_range_is_refused(setting, value):
    with pytest.raises(InputError) as caught:
        cluster_of(**{setting: value})
    assert (caught.value.code, caught.value.place) == ("setting-malformed", setting)
