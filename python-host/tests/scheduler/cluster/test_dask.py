"""What only Dask does: workers that die, launches that outlive their launcher, functions, partitions."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from distributed import Client

from offermatch import InputError, Matcher, Settings
from offermatch.errors import ClusterError
from offermatch.partitions import Partition
from offermatch.sample import parse_sample
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.dask.dask import DaskCluster
from offermatch.scheduler.cluster.partitions import match_partitions
from offermatch.tables.input import offer_columns
from sites import dask, tasks_of_dask


@pytest.fixture
def site(dask_workers):
    with dask(dask_workers) as made:
        yield made


@pytest.fixture
def client(dask_workers):
    with Client(dask_workers, set_as_default=False) as made:
        made.wait_for_workers(2, timeout=60)
        yield made


def until(true, patience=60.0):
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


def pid_of(worker, dask_workers):
    """Return the process of a worker; None where it is not there."""
    with Client(dask_workers, set_as_default=False) as client:
        address = client.run_on_scheduler(address_of, worker)
        return client.run(os.getpid, workers=[address], on_error="ignore").get(address) if address else None


def address_of(worker, dask_scheduler=None):
    # What the client has been told of the workers may be some seconds old.
    return next((address for address, state in dask_scheduler.workers.items() if str(state.name) == worker), None)


def test_a_worker_that_dies_loses_its_tasks_and_nothing_runs_again(site, dask_workers, tmp_path):
    starts = tmp_path / "starts"
    payload = {"command": ["sh", "-c", f"echo $$ >> {starts}; exec sleep 600"]}
    for row in range(3):
        assert site.launch(f"k{row}", payload).refusal is None
    assert site.launch("other", site.lasts, server=1).refusal is None
    until(lambda: starts.exists() and len(starts.read_text().split()) == 3)
    os.kill(pid_of("0", dask_workers), signal.SIGKILL)
    reports = [site.ended(f"k{row}") for row in range(3)]
    assert {one.outcome for one in reports} == {"lost"}
    assert {one.reason for one in reports} == {"the worker 0 is gone"}
    assert site.report("other").outcome == "running"
    # The commands die with their worker, and the worker that takes its place does not start them.
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in starts.read_text().split()))
    until(lambda: site.free_cores(0) == 4)
    assert site.launch("again", site.works).refusal is None
    assert site.ended("again").outcome == "done"
    assert len(starts.read_text().split()) == 3


def test_a_launcher_that_dies_leaves_its_tasks_running(site, tmp_path):
    address = site.cluster._client.scheduler.address
    go = tmp_path / "go"
    program = f"""
import json
import os
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.dask.dask import DaskCluster
def begun(dask_scheduler):
    return [run.begun for run in dask_scheduler.plugins["offermatch"]._runs.values()]
cluster = DaskCluster({address!r})
wait = {{"command": ["sh", "-c", "while [ ! -e {go} ]; do sleep 0.05; done"]}}
launches = [Launch(key, key, "0", {{"cpu": 1000}}, payload=wait) for key in ("k1", "k2")]
assert [one.refusal for one in cluster.launch(launches)] == [None, None]
while True:
    if all(cluster._client.run_on_scheduler(begun)):
        os._exit(9)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 9, done.stderr
    assert [one.outcome for one in site.cluster.reports(["k1", "k2"])] == ["running", "running"]
    # The next scheduler asks again with the same key, as it cannot know.
    assert site.launch("k1", site.lasts).refusal is None
    assert site.free_cores(0) == 2
    go.touch()
    assert (site.ended("k1").outcome, site.ended("k2").outcome) == ("done", "done")
    assert site.free_cores(0) == 4


def test_a_key_that_is_forgotten_before_dask_hears_of_its_end_leaves_no_task(site, client):
    worker = client.run_on_scheduler(address_of, "0")
    # A launch that ends well and holds the lock that its worker takes between telling the ledger and telling Dask.
    holds = {"function": "offermatch.scheduler.cluster.dask.work:_LOCK.acquire"}
    site.launch("k1", holds, sent_at=site.cluster.now() - 7 * 86400.0)
    try:
        assert site.ended("k1").outcome == "done"
        assert client.run_on_scheduler(tasks_of_dask) == ["k1"]
        site.cluster.forget(["k1"])
        assert site.report("k1").outcome == "unknown"
    finally:
        client.run(let_go_of_lock, workers=[worker])
    until(lambda: not client.run_on_scheduler(tasks_of_dask))
    # The worker is as it was.
    assert site.launch("k2", site.works).refusal is None
    assert site.ended("k2").outcome == "done"


def let_go_of_lock():
    from offermatch.scheduler.cluster.dask import work

    work._LOCK.release()


def test_what_was_taken_and_never_sent_is_lost(site, dask_workers):
    with Client(dask_workers, set_as_default=False) as other:
        cluster = DaskCluster(other)
        other.submit = lambda *_, **__: pytest.fail("it is not to be sent")
        with pytest.raises(pytest.fail.Exception):
            cluster.launch([Launch("k1", "t", "0", {"cpu": 1000}, payload=site.lasts)])
        assert site.report("k1").outcome == "running"
    report = site.ended("k1")
    assert (report.outcome, site.free_cores(0)) == ("lost", 4)


def test_a_dask_scheduler_that_was_started_anew_is_told(site, client):
    client.unregister_scheduler_plugin("offermatch")
    with pytest.raises(ClusterError) as caught:
        site.cluster.offers()
    assert caught.value.code == "cluster-forgot"
    assert "has forgotten what it ran" in caught.value.message


def test_a_launch_that_cannot_be_sent_is_refused_alone(site, monkeypatch):
    client = site.cluster._client
    submit = client.submit

    def picky(function, launch, **options):
        if launch.key == "k2":
            raise TypeError("not this one")
        return submit(function, launch, **options)

    monkeypatch.setattr(client, "submit", picky)
    launches = [Launch(key, "t", "0", {"cpu": 1000}, payload=site.works) for key in ("k\ud800", "k2", "k3")]
    assert [one.refusal for one in site.cluster.launch(launches)] == ["payload-refused", "payload-refused", None]
    assert site.ended("k3").outcome == "done"
    assert site.report("k2").outcome == "unknown"
    assert site.free_cores(0) == 4


def test_more_tasks_than_threads_run_at_once_where_they_are_small(site):
    launches = [Launch(f"k{row}", "t", "0", {"cpu": 250}, payload=site.lasts) for row in range(9)]
    assert [one.refusal for one in site.cluster.launch(launches)].count(None) == 9
    assert site.launch("one-more", site.works).refusal is None
    assert site.ended("one-more").outcome == "done"


def test_a_function_runs_with_its_arguments(site, tmp_path):
    target = tmp_path / "made"
    assert site.launch("k1", {"function": "os:mkdir", "arguments": {"path": str(target)}}).refusal is None
    assert site.ended("k1").outcome == "done"
    assert target.is_dir()
    site.launch("k2", {"function": "os:mkdir", "arguments": {"path": str(target)}})
    report = site.ended("k2")
    assert report.outcome == "failed"
    assert "FileExistsError" in report.reason
    site.launch("k3", {"function": "no_such_module:run"})
    assert "ModuleNotFoundError" in site.ended("k3").reason


@pytest.mark.parametrize(
    "payload",
    [
        {"function": "os.mkdir"},
        {"function": "os:mkdir", "command": ["true"]},
        {"function": "os:mkdir", "arguments": ["a"]},
        {"command": []},
        {"command": ["a\0b"]},
        {"command": ["true"], "limits": {"memory": 0}},
        {"command": ["true"], "timeout_seconds": float("nan")},
        {"command": ["true"], "environment": {"A=B": "c"}},
        {},
    ],
)
def test_a_malformed_payload_is_refused(site, payload):
    assert site.launch("k1", payload).refusal == "payload-refused"


def test_no_scheduler_is_told():
    with pytest.raises(ClusterError) as caught:
        DaskCluster("tcp://127.0.0.1:9", timeout_seconds=1)
    assert caught.value.code == "cluster-unreachable"


def partitions(kind, count, mode_rows=(300, 120)):
    tasks, offers = parse_sample(f"{kind}:{mode_rows[0] * count}x{mode_rows[1] * count}").rows()
    return [Partition(tasks[part::count], offers[part::count]) for part in range(count)]


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("kind", ["constrained", "devices", "realistic"])
def test_partitions_are_answered_as_each_alone(client, kind, mode):
    parts = partitions(kind, 5)
    settings = Settings(mode, weights={"cpu": 2.0})
    matcher = Matcher.load()
    found = match_partitions(client, parts, settings, matcher=matcher)
    alone = [matcher.match(one.tasks, one.offers, mode=mode, weights={"cpu": 2.0}) for one in parts]
    assert [one.digest for one in found] == [one.digest for one in alone]
    assert [one.assignments for one in found] == [one.assignments for one in alone]
    assert all(len(one) > 20 for one in found)
    assert {one.matcher_digest for one in found} == {matcher.digest}


def test_empty_partitions_are_answered_too(client):
    found = match_partitions(client, [Partition([], []), *partitions("uniform", 1)])
    assert [len(one) > 0 for one in found] == [False, True]
    assert match_partitions(client, []) == []


def test_a_partition_is_matched_again_when_its_worker_dies(client, dask_workers, tmp_path):
    parts = partitions("realistic", 8, (12000, 1500))
    alone = [Matcher.load().match(one.tasks, one.offers, mode="shared").digest for one in parts]
    columns = [Partition(one.tasks, offer_columns(one.offers)) for one in parts]
    died = tmp_path / "died"
    client.run(kill_the_first_that_is_busy, str(died))
    found = match_partitions(client, columns, Settings("shared"))
    assert [one.digest for one in found] == alone
    assert died.exists()
    until(lambda: None not in (pid_of("0", dask_workers), pid_of("1", dask_workers)))


def kill_the_first_that_is_busy(died):
    """Kill this worker as soon as it has loaded a matcher, unless another one was first."""
    import threading

    from offermatch.scheduler.cluster import partitions as module

    module._LOADED.clear()

    def kill():
        while not module._LOADED:
            time.sleep(0.001)
        # Refused where it exists.
        os.close(os.open(died, os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()


def test_partitions_share_neither_tasks_nor_offers(client):
    one, two = partitions("uniform", 2, (4, 4))
    for parts, where in (
        ([one, Partition(one.tasks, two.offers)], "tasks"),
        ([one, Partition(two.tasks, one.offers)], "offers"),
    ):
        with pytest.raises(InputError) as caught:
            match_partitions(client, parts)
        assert (caught.value.code, caught.value.place) == ("duplicate-name", f"partition 1, {where}")


def test_a_mistake_in_a_partition_is_told_as_at_home(client):
    (part,) = partitions("uniform", 1, (4, 4))
    with pytest.raises(InputError) as caught:
        match_partitions(client, [part], Settings(weights={"licences": 1.0}))
    assert caught.value.code == "setting-malformed"


def test_the_scheduler_runs_tasks_on_dask(site, tmp_path):
    tasks = [
        {"name": f"t{row}", "demand": {"cpu": "1 core"}, "payload": {"command": ["touch", str(tmp_path / f"made-{row}")]}}
        for row in range(10)
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    store, address = f"sqlite:///{tmp_path}/tasks.db", site.cluster._client.scheduler.address
    for arguments in (
        ["submit", "--store", store, str(tmp_path / "tasks.json")],
        ["run", "--store", store, "--cluster", f"dask:{address}", "--drain", "--interval", "0.05"],
    ):
        command = [sys.executable, "-m", "offermatch", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("made-*"))) == 10


@pytest.fixture
def own_workers():
    """A Dask cluster that a test may change: two workers with 4 threads each."""
    from distributed import LocalCluster

    settings = {"processes": True, "memory_limit": "2GiB", "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=2, threads_per_worker=4, **settings) as cluster:
        yield cluster


def names_of(cluster):
    return offer_columns(cluster.offers(), None).names


def test_a_worker_that_is_retired_gets_nothing_new_and_what_it_runs_is_lost_with_it(own_workers):
    with dask(own_workers) as site, Client(own_workers, set_as_default=False) as client:
        assert site.launch("runs", site.lasts).refusal is None
        address = client.run_on_scheduler(address_of, "0")
        client.sync(client.scheduler.retire_workers, workers=[address], close_workers=False, remove=False)
        assert names_of(site.cluster) == ["1"]
        assert "closing" in site.cluster.problems[address]
        assert site.launch("new", site.works).refusal == "offer-gone"
        assert site.report("runs").outcome == "running"
        client.retire_workers([address])
        assert site.ended("runs").outcome == "lost"
        assert site.launch("new", site.works, server=1).refusal is None
        assert site.ended("new").outcome == "done"


def test_an_adaptive_cluster_keeps_the_worker_that_runs_something(own_workers):
    with dask(own_workers) as site:
        assert site.launch("runs", site.lasts, server=1).refusal is None
        own_workers.adapt(minimum=1, maximum=2, interval="50ms", wait_count=2)
        until(lambda: names_of(site.cluster) == ["1"])
        time.sleep(1.0)
        assert site.report("runs").outcome == "running"
        assert names_of(site.cluster) == ["1"]
