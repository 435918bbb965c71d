"""A scheduler of pods: all that wait and name it, matched at once to all nodes, and bound.

watch ──> view ──> batch ──> matcher ──> whole gangs ──> held in the view ──> bound, many at a time
                                └──> no node: the reason goes into the pod's condition and an event
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from types import TracebackType

from offermatch.errors import ClusterError, OffermatchError
from offermatch.fallback.fallback import FallbackMatcher
from offermatch.kubernetes.api import Api, RefusedError, path_of
from offermatch.kubernetes.election import Election
from offermatch.kubernetes.events import Events
from offermatch.kubernetes.reflector import Reflector, Span
from offermatch.kubernetes.rounds import Once, rounds_of
from offermatch.kubernetes.shapes import Gang
from offermatch.kubernetes.view import Batch, View, Waiting
from offermatch.matcher import BaseMatcher, Matcher
from offermatch.model import Settings
from offermatch.visible import visible

__all__ = ["Cycle", "KubernetesScheduler"]

_LOG = logging.getLogger(__name__)
_MOST_EVENTS = 200
_GANG_SECONDS = 10.0
_PAUSES = (1.0, 10.0)
"""Seconds before a pod without a node, and one that the server refused to bind, are tried again."""


@dataclass(slots=True)
class Cycle:
    """What a cycle did.

    Attributes:
        waiting: Pods that it looked at.
        nodes: Nodes.
        placed: Pods that were given a node.
        refused: Pods with rules that are not served.
        apart: Pods whose gang found too few nodes.
        seconds: How long it took, binding aside.
    """

    waiting: int = 0
    nodes: int = 0
    placed: int = 0
    refused: int = 0
    apart: int = 0
    seconds: float = 0.0


class KubernetesScheduler:
    """Schedules the pods that give its name as their ``schedulerName``. A context manager.

    Attributes:
        name: That name.
        view: What it knows of the cluster.
        nodes: The nodes, as the server has them.
        pods: All pods that have not ended, as the server has them.
        namespaces: The namespaces, as the server has them.
        cycles: How many cycles have ended.
        decided: How many pods were given a node.
        bound: How many of these were bound.
        refusals: How many were not, by the server's reason.
    """

    def __init__(
        self,
        api: Api,
        matcher: BaseMatcher | None = None,
        *,
        name: str = "offermatch",
        settings: Settings | None = None,
        namespace: str | None = None,
        elect: bool = True,
        lease_seconds: float = 15.0,
        interval: float = 0.05,
        most_pods: int = 100_000,
        concurrency: int = 32,
        timeout_seconds: float = 60.0,
        span: Span = nullcontext,
    ) -> None:
        """Put the parts together; nothing is asked yet.

        Args:
            api: The server.
            matcher: Who places pods; the bundled one with the reference as its fallback unless given.
            name: The scheduler's name.
            settings: How to rank nodes; shared mode unless given.
            namespace: Where the lease is; that of the context unless given.
            elect: Whether several of this name may run, of which one leads.
            lease_seconds: How long a silent leader leads.
            interval: Seconds from cycle to cycle at least, so that what comes together is matched together.
            most_pods: How many pods a cycle looks at.
            concurrency: How many bindings are under way at most.
            timeout_seconds: How long the first lists may take.
            span: Gives what is entered while a thread lists, reads, watches, matches or binds, for who measures it.
        """
        self.name = name
        self.cycles = self.decided = self.bound = 0
        self.refusals: dict[str, int] = {}
        self._api = api
        self._matcher = FallbackMatcher(matcher or Matcher.load())
        self._settings = (settings or Settings("shared")).checked()
        self.view = View(name)
        self.nodes = Reflector(api, path_of("Node"), self.view.node_changed, span=span)
        # What has ended holds nothing, and there may be very much of it.
        alive = "status.phase!=Succeeded,status.phase!=Failed"
        self.pods = Reflector(api, path_of("Pod"), self.view.pod_changed, field_selector=alive, span=span)
        self.namespaces = Reflector(api, path_of("Namespace"), self.view.namespace_changed, span=span)
        self._watched = {"namespaces": self.namespaces, "nodes": self.nodes, "pods": self.pods}
        self._events = Events(api, name)
        renew = lease_seconds * 2 / 3
        self._election = Election(api, namespace or api.namespace, name, lease_seconds=lease_seconds, renew_seconds=renew)
        self._elect = elect
        self._interval, self._most, self._timeout = interval, most_pods, timeout_seconds
        self._span = span
        self._to_bind: deque[tuple[Waiting, str]] = deque()
        self._concurrency = concurrency
        self._workers = ThreadPoolExecutor(concurrency, "bind")
        self._writers = ThreadPoolExecutor(4, "tell")
        self._lock = threading.Lock()
        self._groups: dict[str, tuple[int | None, float]] = {}
        self._ignored: set[int] = set()
        self._stopped = threading.Event()
        self._began = False

    def __enter__(self) -> KubernetesScheduler:
        """Return the scheduler."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    @property
    def leads(self) -> bool:
        """Whether it binds pods now."""
        return not self._elect or self._election.leads

    @property
    def problems(self) -> dict[str, str]:
        """What keeps it from knowing what there is."""
        return {name: one.problem for name, one in self._watched.items() if one.problem}

    def stop(self) -> None:
        """End the loop after the cycle under way; for any thread, and for signal handlers."""
        self._stopped.set()

    def close(self) -> None:
        """Stop, finish the bindings under way, and let another scheduler lead."""
        self._stopped.set()
        self._workers.shutdown()
        self._writers.shutdown(cancel_futures=True)
        if self._began:
            for one in self._watched.values():
                one.stop()
            if self._elect:
                self._election.stop()

    def start(self) -> None:
        """Begin to watch, and to stand for election.

        Raises:
            ClusterError: The server is away, or refuses.
        """
        if not self._began:
            self._began = True
            for one in self._watched.values():
                one.start()
            if self._elect:
                self._election.start()
        for one in self._watched.values():
            one.check(self._timeout)

    def run(self) -> None:
        """Run cycles until stopped, whatever happens to the server."""
        while not self._stopped.is_set():
            try:
                self.start()
                if self.leads:
                    self.view.arrived.clear()
                    cycle = self.cycle() if self.view.waiting else Cycle()
                    if cycle.waiting:
                        _LOG.info(
                            "%d pods, %d nodes: %d placed, %d of gangs apart, %d not served, %.3f s",
                            *(cycle.waiting, cycle.nodes, cycle.placed, cycle.apart, cycle.refused, cycle.seconds),
                        )
            except OffermatchError as error:
                _LOG.warning("%s", visible(str(error)))
                self._stopped.wait(1.0)
            except Exception:  # noqa: BLE001 - a bug in one cycle must not end those that follow
                _LOG.exception("a cycle ended by a bug")
                self._stopped.wait(1.0)
            self._stopped.wait(self._interval)
            if not self._stopped.is_set():
                self.view.arrived.wait(1.0)

    def cycle(self) -> Cycle:
        """Match what waits, and send what was placed to be bound.

        Raises:
            InputError: The nodes cannot be matched.
            MatcherError: The matcher and its fallback failed.
        """
        begin = time.perf_counter()
        with self._span("match"):
            batch = self.view.batch(self._most)
            cycle = Cycle(len(batch.pods) + len(batch.refused), len(batch.offers), refused=len(batch.refused))
            for pod, why in batch.refused:
                self._told(pod, "NotServed", f"{self.name} places it on no node: {why}")
                pod.not_before = time.monotonic() + _PAUSES[1]
            if batch.pods:
                self._place(batch, cycle)
        # It may have been closed meanwhile.
        with suppress(RuntimeError):
            for _ in range(min(cycle.placed, self._concurrency)):
                self._workers.submit(self._bind_all)
        cycle.seconds = time.perf_counter() - begin
        self.cycles += 1
        return cycle

    def _place(self, batch: Batch, cycle: Cycle) -> None:
        needed = self._needed(batch)
        part = batch.asked(needed)
        pairs: list[tuple[Waiting, str]] = []
        whole = {name for name, least in needed.items() if not least}
        if part.pods:
            with rounds_of(self._matcher, self._settings, part, needed) as rounds:
                rounds.run()
                pairs = rounds.pairs
                whole |= {pod.gang.name for pod, _ in pairs if pod.gang is not None}
                alone = [row for row in rounds.unplaced if (gang := part.pods[row].gang) is None or gang.name in whole]
                self._tell(part, rounds, alone)
                if rounds.delayed:
                    self.view.arrived.set()
        left = {pod.name: pod for pod in batch.pods if pod.gang is not None and pod.gang.name not in whole}
        cycle.apart = len(left)
        for pod in left.values():
            least = self._least(pod.gang) if pod.gang else None
            asked = (
                f"{least} of its members" if least is not None else "a number that neither its labels nor a PodGroup says"
            )
            self._told(
                pod, "FailedScheduling", f"its group {pod.gang.name if pod.gang else ''} needs nodes for {asked} at once"
            )
            pod.not_before = time.monotonic() + _PAUSES[0]
        # All are counted before the first is bound: bindings share the interpreter with this.
        with self.view.lock:
            held = [(pod, node) for pod, node in pairs if self.view.assume(pod, node)]
        cycle.placed = len(held)
        self.decided += cycle.placed
        self._to_bind += held

    def _needed(self, batch: Batch) -> dict[str, int]:
        """Return how many members of each gang have to get nodes at once, beside those that run, where so many wait."""
        waiting: dict[str, int] = {}
        gangs: dict[str, Gang] = {}
        for pod in batch.pods:
            if pod.gang is not None:
                waiting[pod.gang.name] = waiting.get(pod.gang.name, 0) + 1
                gangs[pod.gang.name] = pod.gang
        if gangs and "groups" not in self._matcher.description.rules:
            _LOG.warning("%s serves no groups, so that no gang is placed", self._matcher.description.name)
            return {}
        found = {}
        for name, gang in gangs.items():
            least = self._least(gang)
            missing = None if least is None else max(0, least - batch.running.get(name, 0))
            if missing is not None and missing <= waiting[name]:
                found[name] = missing
        return found

    def _least(self, gang: Gang) -> int | None:
        """Return how many members of a gang must run; None where nothing says it."""
        if gang.least is not None:
            return gang.least
        least, at = self._groups.get(gang.name, (None, -_GANG_SECONDS))
        if time.monotonic() > at + _GANG_SECONDS:
            namespace, _, name = gang.name.partition("/")
            least = None
            with suppress(ClusterError, KeyError, TypeError, ValueError):
                found = self._api.found(path_of("PodGroup", namespace, name))
                least = int(found["spec"]["minMember"]) if found is not None else None
            self._groups[gang.name] = (least, time.monotonic())
        return least

    def _tell(self, part: Batch, rounds: Once, rows: Sequence[int]) -> None:
        """Say of the pods of these rows why they found no node."""
        now = time.monotonic()
        due: list[int] = []
        for row in rows:
            part.pods[row].not_before, part.pods[row].tried = now + _PAUSES[0], True
            if len(due) < _MOST_EVENTS and self._events.is_due(part.pods[row], "FailedScheduling"):
                due.append(row)
        if not due:
            return
        for row, reason in zip(due, rounds.explain(due), strict=True):
            self._submit(part.pods[row], "FailedScheduling", reason)

    def _told(self, pod: Waiting, event: str, message: str) -> None:
        if self._events.is_due(pod, f"{event} {message}"):
            self._submit(pod, event, message)

    def _submit(self, pod: Waiting, event: str, message: str) -> None:
        with suppress(RuntimeError):
            self._writers.submit(self._events.waits, pod, event, message)

    def _bind_all(self) -> None:
        while True:
            try:
                pod, node = self._to_bind.popleft()
            except IndexError:
                return
            try:
                with self._span("bind"):
                    self._bind(pod, node)
            except Exception:  # noqa: BLE001 - a bug in one binding must not end those that follow
                _LOG.exception("a binding of %s ended by a bug", visible(pod.name))

    def _bind(self, pod: Waiting, node: str) -> None:
        metadata = pod.item["metadata"]
        path = path_of("Pod", metadata["namespace"], metadata["name"])
        if self._stopped.is_set() or not self.leads or not self.view.has_node(node):
            self.view.give_back(pod, 0.0)
            return
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        identity = {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}
        body = {"apiVersion": "v1", "kind": "Binding", "metadata": identity, "target": target}
        try:
            self._api.create(f"{path}/binding", body)
        except RefusedError as error:
            self._not_bound(pod, path, error.reason or str(error.status))
            if error.status not in (404, 409):
                self._told(pod, "FailedBinding", f"{node} was chosen, and the server refused: {error.message}")
        except ClusterError:
            # The answer is lost, perhaps, and the pod bound: the server knows.
            self._not_bound(pod, path, "unreachable")
        else:
            with self._lock:
                self.bound += 1
            self._wishes(pod)

    def _not_bound(self, pod: Waiting, path: str, reason: str) -> None:
        with self._lock:
            self.refusals[reason] = self.refusals.get(reason, 0) + 1
        with suppress(ClusterError):
            found = self._api.found(path)
            if found is None:
                self.pods.drop(pod.item)
            elif found["metadata"].get("uid") == pod.item["metadata"].get("uid"):
                self.pods.put(found)
        # Bound twice it cannot be, as the server refuses the second; so it is tried again unless it is seen to be bound.
        self.view.give_back(pod, _PAUSES[1] if reason not in ("Conflict", "unreachable") else _PAUSES[0])

    def _wishes(self, pod: Waiting) -> None:
        """Say once of each shape which wishes of its pods were not looked at."""
        if pod.shape.ignored:
            with self._lock:
                if id(pod.shape) in self._ignored:
                    return
                self._ignored.add(id(pod.shape))
            with suppress(ClusterError, RuntimeError):
                self._events.event(
                    pod, "Normal", "WishesIgnored", f"{self.name} does not look at: {', '.join(pod.shape.ignored)}"
                )
