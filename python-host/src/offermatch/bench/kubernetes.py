"""Measures the Kubernetes scheduler on an API server that is nobody's, from its start to the last binding of pods that wait.

Three times are taken from the moment at which the scheduler starts to list:

    decided   every pod that fits has a node: lists of pods and nodes, reading them, matching, verifying, counting
    bound     every binding was answered by the server
    watched   the scheduler's own watch has told it of every binding

Beside each stands the processor time of the scheduler's own process, of which the server is none: on a busy machine it tells
more than the clock. So it does of each stage, which may run beside others:

    list      requests for lists, and their JSON
    read      pods and nodes of the lists
    match     who is asked about what, matching, verifying, counting
    bind      requests for bindings
    watch     changes that the watches tell of

The nodes and pods are made before, and removed after, one by one: to remove 30,000 at once takes a busy server longer than a
request may take. A server that has nodes already is refused.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from offermatch.errors import InputError, LyingMatcherError
from offermatch.kubernetes.api import Api, Object, path_of
from offermatch.kubernetes.scheduler import KubernetesScheduler
from offermatch.kubernetes.view import View
from offermatch.matcher import BaseMatcher

__all__ = ["kubernetes", "table"]

_NAMESPACE = "default"
_ZONES = 3
_MACHINES = (("16", "64Gi"), ("32", "128Gi"), ("64", "256Gi"))
_REQUESTS = (("250m", "512Mi"), ("500m", "1Gi"), ("1", "2Gi"), ("2", "8Gi"), ("4", "8Gi"), ("8", "32Gi"))
_SCHEDULER = "offermatch-bench"
_STAGES = ("list", "read", "match", "bind", "watch")


def kubernetes(
    kubeconfig: str,
    nodes: int,
    pods: int,
    seed: int,
    matcher: BaseMatcher,
    progress: Callable[[str], None],
    *,
    concurrency: int = 32,
) -> dict[str, Any]:
    """Return seconds and rates.

    Args:
        kubeconfig: The file that names the server.
        nodes: How many.
        pods: How many wait.
        seed: Draws their sizes.
        matcher: Who places them.
        progress: Hears what is done next.
        concurrency: How many bindings are under way at most.

    Raises:
        InputError: ``setting-malformed`` where the server has nodes.
        LyingMatcherError: A node holds more than it has.
    """
    api = Api(kubeconfig=kubeconfig, connections=concurrency + 8, timeout_seconds=60.0)
    if api.get(path_of("Node"), limit=1).get("items"):
        hint = "give a server of your own, such as that of 'make bench-kubernetes'"
        raise InputError("setting-malformed", "the server has nodes", hint, kubeconfig)
    version = str(api.get("/version").get("gitVersion", "the tests' double"))
    draw = random.Random(seed)  # noqa: S311
    made: list[str] = []
    try:
        progress(f"{nodes:,} nodes")
        _each(lambda one: _add_node(api, one, made), [_node(at, draw) for at in range(nodes)])
        progress(f"{pods:,} pods")
        _each(lambda one: _add_pod(api, one, made), [_pod(at, draw) for at in range(pods)])
        progress("the scheduler")
        found = _schedule(api, pods, matcher, concurrency)
    finally:
        progress("the removal of all")
        _each(lambda path: api.delete(path, grace_seconds=0), made)
        api.close()
    return {"server": version, "nodes": nodes, "pods": pods, "seed": seed, "concurrency": concurrency, **found}


@dataclass
class _Stage:
    """When a stage began first and ended last, and the processor time of all threads in it."""

    begin: float
    end: float = 0.0
    processor: float = 0.0


class _Stages:
    """The stages of a scheduler, timed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begin, self._used = time.perf_counter(), time.process_time()
        self.found: dict[str, _Stage] = {}

    def now(self) -> dict[str, float]:
        """Return the seconds since this was made, of the clock and of the process on processors."""
        return {"seconds": time.perf_counter() - self._begin, "processor": time.process_time() - self._used}

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Time what a thread does meanwhile."""
        begin, used = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            end, used = time.perf_counter(), time.thread_time() - used
            with self._lock:
                stage = self.found.setdefault(name, _Stage(begin - self._begin))
                stage.end = end - self._begin
                stage.processor += used


def _schedule(api: Api, pods: int, matcher: BaseMatcher, concurrency: int) -> dict[str, Any]:
    stages = _Stages()
    scheduler = KubernetesScheduler(api, matcher, name=_SCHEDULER, elect=False, concurrency=concurrency, span=stages.span)
    thread = threading.Thread(target=scheduler.run)
    times: dict[str, dict[str, float]] = {}
    with scheduler:
        thread.start()
        while True:
            view: View = scheduler.view
            if "decided" not in times and scheduler.cycles and scheduler.decided + view.waiting >= pods:
                times["decided"] = stages.now()
            if times and scheduler.bound + sum(scheduler.refusals.values()) >= scheduler.decided:
                times.setdefault("bound", stages.now())
                if not view.assumed:
                    break
            time.sleep(0.005)
        times["watched"] = stages.now()
        _check(scheduler.nodes.items.values(), scheduler.pods.items.values())
    thread.join()
    done = scheduler.decided
    for name, number in (("decided", pods), ("bound", done), ("watched", done)):
        times[name]["rate"] = number / times[name]["seconds"]
    stages_found = {name: asdict(stages.found[name]) for name in _STAGES if name in stages.found}
    return {"placed": done, "refused": scheduler.refusals, "times": times, "stages": stages_found}


def _check(nodes: Iterable[Object], pods: Iterable[Object]) -> None:
    """See that no node holds more than it has, by the server's own objects and a sum of their own."""
    held: dict[str, int] = {}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node:
            asked = pod["spec"]["containers"][0]["resources"]["requests"]["cpu"]
            held[node] = held.get(node, 0) + (int(asked[:-1]) if asked.endswith("m") else 1000 * int(asked))
    for node in nodes:
        name, most = node["metadata"]["name"], 1000 * int(node["status"]["allocatable"]["cpu"])
        if held.get(name, 0) > most:
            raise LyingMatcherError("capacity-exceeded", f"{held[name]} of {most} millicores are held", "", name)


def _each(call: Callable[[Any], None], values: Iterable[Any]) -> None:
    """Do it for each, many at a time; where one fails, what is under way ends before the error comes."""
    with ThreadPoolExecutor(16) as workers:
        list(workers.map(call, values))


def _add_node(api: Api, item: Object, made: list[str]) -> None:
    path = path_of("Node", None, item["metadata"]["name"])
    api.create(path_of("Node"), item)
    made.append(path)
    api.patch(f"{path}/status", {"status": item["status"]})
    # A node that nobody has seen alive is kept free by a taint.
    api.patch(path, {"spec": {"taints": None}})


def _add_pod(api: Api, item: Object, made: list[str]) -> None:
    api.create(path_of("Pod", _NAMESPACE), item)
    made.append(path_of("Pod", _NAMESPACE, item["metadata"]["name"]))


def _node(at: int, draw: random.Random) -> Object:
    cpu, memory = draw.choice(_MACHINES)
    has = {"cpu": cpu, "memory": memory, "pods": "110"}
    labels = {"topology.kubernetes.io/zone": f"zone-{at % _ZONES}"}
    return {
        "kind": "Node",
        "metadata": {"name": f"bench-{at}", "labels": labels},
        "status": {"allocatable": has, "capacity": has},
    }


def _pod(at: int, draw: random.Random) -> Object:
    cpu, memory = draw.choice(_REQUESTS)
    main = {"name": "main", "image": "bench", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    spec: Object = {"schedulerName": _SCHEDULER, "containers": [main], "automountServiceAccountToken": False}
    if at % 4 == 0:
        spec["nodeSelector"] = {"topology.kubernetes.io/zone": f"zone-{draw.randrange(_ZONES)}"}
    return {"kind": "Pod", "metadata": {"name": f"bench-{at}"}, "spec": spec}


def table(found: dict[str, Any]) -> str:
    """Return the measurement for people."""
    head = f"{found['pods']:,} pods on {found['nodes']:,} nodes, API server {found['server']}: {found['placed']:,} placed\n"
    lines = [
        f"{name:<8} {at['seconds']:8.2f} s  {at['processor']:8.2f} s of processors  {at['rate']:10,.0f} a second\n"
        for name, at in found["times"].items()
    ]
    lines += [
        f"  {name:<6} {stage['begin']:8.2f} s to {stage['end']:.2f} s  {stage['processor']:8.2f} s of processors\n"
        for name, stage in found["stages"].items()
    ]
    return head + "".join(lines) + f"refused bindings: {found['refused'] or 'none'}\n"
