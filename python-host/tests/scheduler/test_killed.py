"""Schedulers killed with SIGKILL at random points: nothing is lost, and nothing launched twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engines import IMAGE
from journal import doubled, forgotten, starts
from kubelet import Kubelet
from offermatch.kubernetes.api import Api, path_of
from offermatch.scheduler.cluster.kubernetes.pod import LAUNCH
from offermatch.scheduler.store import Store
from sites import add_node, clear, node

LIVES = int(os.environ.get("OFFERMATCH_LIVES", "50"))
CLUSTER_LIVES = int(os.environ.get("OFFERMATCH_CLUSTER_LIVES", "6"))
"""On real container engines and on Kubernetes a life takes seconds: ``make test-killed`` gives them 50."""


def test_nothing_is_lost_and_nothing_launched_twice(store_url, tmp_path):
    journal = tmp_path / "journal.db"
    command = [
        sys.executable,
        str(Path(__file__).parents[1] / "support" / "lives.py"),
        store_url,
        str(journal),
        str(LIVES),
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    # Most lives end in the middle of something, and the work is not all done before the last of them.
    assert ended["failed"] == ended["last"] == 0, done.stderr
    assert ended["killed"] >= LIVES * 3 // 4
    with Store(store_url) as store:
        counts = store.counts()
    assert counts == {"done": 600}, "a task was lost"
    launched = starts(journal)
    assert len(launched) == 600
    assert {task: times for task, times in launched.items() if times != 1} == {}, "a task was launched twice"
    # All but what a scheduler was killed over before it could tell.
    assert forgotten(journal) > 300
    if ended["open"] == 0:
        pytest.fail("everything was done before the last life: give the lives more to do")


def test_gangs_and_victims_survive_it_too(store_url, tmp_path):
    """Victims run again, so that a task may start more than once: no attempt does, and no two of a task run at a time."""
    journal = tmp_path / "journal.db"
    script, tasks, lives = str(Path(__file__).parents[1] / "support" / "lives.py"), 90, LIVES // 2
    command = [sys.executable, script, store_url, str(journal), str(lives), "1", str(tasks), "preempting"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert ended["failed"] == ended["last"] == 0, done.stderr
    assert ended["killed"] >= lives * 3 // 4
    assert doubled(journal) == ([], [])
    names = [f"t{at}" for at in range(tasks)] + [f"u{life}-{at}" for life in range(lives) for at in range(3)]
    assert set(starts(journal)) == set(names)
    with Store(store_url) as store:
        assert store.counts() == {"done": len(names)}, "a task was lost"
        shown = [store.shown(name) for name in names]
    assert {one.columns["failures"] for one in shown} == {0}, "a victim was charged a retry"
    reasons = [change.reason or "" for one in shown for change in one.history]
    assert any(reason.startswith("preempted by u") for reason in reasons), "nobody was preempted"
    assert any(reason.startswith("it preempts t") for reason in reasons)


def killed(url, cluster, tasks, payload):
    """Let schedulers be killed, and see that all is done in the end."""
    script = str(Path(__file__).parents[1] / "support" / "lives.py")
    arguments = [url, cluster, str(CLUSTER_LIVES), "1", str(tasks), json.dumps(payload)]
    done = subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert ended["failed"] == ended["last"] == 0, done.stderr
    assert ended["killed"] >= CLUSTER_LIVES * 3 // 4
    assert ended["open"] > 0, "everything was done before the last life"
    with Store(url) as store:
        assert store.counts() == {"done": tasks}, "a task was lost"


def test_no_container_is_started_twice_and_none_is_lost(tmp_path, engines):
    journal = tmp_path / "starts"
    journal.touch()
    command = ["sh", "-c", "echo @ >> /out/starts"]
    mounts = [{"source": str(tmp_path), "target": "/out", "read_only": False}]
    payload = {"image": IMAGE, "command": command, "network": "none", "mounts": mounts}
    named = [f"docker:{one.address}?cpu=4&memory=4GiB&name=n{at}&folder={tmp_path}" for at, one in enumerate(engines)]
    tasks = 2 * CLUSTER_LIVES
    try:
        killed(f"sqlite:///{tmp_path / 'tasks.db'}", ",".join(named), tasks, payload)
    finally:
        for one in engines:
            one.clear()
    started = sorted(journal.read_text().split())
    assert started == sorted(f"t{at}" for at in range(tasks))


def test_no_pod_is_started_twice_and_none_is_lost(tmp_path, kubeconfig):
    kubelet = Kubelet(kubeconfig)
    clear(kubelet.api)
    for name in ("one", "two"):
        add_node(kubelet.api, node(name))
    tasks = 10 * CLUSTER_LIVES
    try:
        url = f"sqlite:///{tmp_path / 'tasks.db'}"
        killed(url, f"kubernetes:?kubeconfig={kubeconfig}", tasks, {"image": "task", "command": ["true"]})
        found, _ = kubelet.api.pages(path_of("Pod", "default"))
        ran = [one["metadata"]["annotations"][LAUNCH] for one in found if one["spec"].get("nodeName")]
        assert sorted(ran) == sorted(f"t{at}" for at in range(tasks)), "a task has two pods that ran"
        assert set(kubelet.names.values()) == {1}, "a pod was started twice"
        assert len(kubelet.names) == tasks
    finally:
        kubelet.close()
        clear(kubelet.api)


def test_a_killed_scheduler_of_pods_leaves_each_bound_once_and_no_node_too_full(doubled_kubernetes):
    api, server = doubled_kubernetes
    for at in range(10):
        add_node(api, node(f"n{at}"))
    container = {"name": "main", "image": "task", "resources": {"requests": {"cpu": "1"}}}
    spec = {"schedulerName": "offermatch", "containers": [container]}
    path = path_of("Pod", "default")
    script = str(Path(__file__).parents[1] / "support" / "binders.py")
    draw, killed, latest = random.Random(1), 0, 60
    for life in range(4 * CLUSTER_LIVES):
        # More are asked for than there is room: a decision that is taken twice would show.
        for at in range(-(-60 // CLUSTER_LIVES) if life < CLUSTER_LIVES else 0):
            api.create(path, {"kind": "Pod", "metadata": {"name": f"p{life}-{at}"}, "spec": spec})
        command = [sys.executable, script, str(server.kubeconfig), str(draw.randint(1, latest))]
        alive = subprocess.Popen(command)
        try:
            killed += alive.wait(5) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            # It has done all that there was to do, or is slow: another one is killed sooner in its place.
            alive.kill()
            alive.wait()
            latest = max(1, latest // 2)
        if life + 1 >= CLUSTER_LIVES and killed >= CLUSTER_LIVES // 2:
            break
    assert killed >= CLUSTER_LIVES // 2
    last = subprocess.Popen([sys.executable, script, str(server.kubeconfig), "0"])
    try:
        deadline = time.monotonic() + 60
        while sum(bool(one["spec"].get("nodeName")) for one in api.pages(path)[0]) < 40:
            assert time.monotonic() < deadline, "a pod was lost"
            time.sleep(0.1)
        time.sleep(1.0)
    finally:
        last.kill()
        last.wait()
    nodes = [one["spec"].get("nodeName") for one in api.pages(path)[0]]
    assert {name: nodes.count(name) for name in set(nodes) - {None}} == {f"n{at}": 4 for at in range(10)}


@pytest.fixture
def doubled_kubernetes(apiserver):
    api = Api(kubeconfig=str(apiserver.kubeconfig))
    clear(api)
    yield api, apiserver
    clear(api)
    api.close()
