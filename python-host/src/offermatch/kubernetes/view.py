"""What the scheduler knows: nodes, what is held of them, and the pods that wait for it.

watch of nodes      ──> offers                                   decided ──> held at once, before the watch tells of it
watch of pods       ──> held of each node, and those that wait   not bound after all ──> given back
watch of namespaces ──> their labels, which rules may select
"""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offermatch.errors import InputError
from offermatch.formats.kubernetes import Node
from offermatch.formats.ports import room_of
from offermatch.kubernetes.api import Object
from offermatch.kubernetes.reflector import name_of
from offermatch.kubernetes.rules import Labels, Namespaces
from offermatch.kubernetes.shapes import Gang, Shape, Shapes, gang_of
from offermatch.kubernetes.topology import Topology
from offermatch.model import Group, Requirement
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["Batch", "View", "Waiting"]


@dataclass(slots=True)
class Waiting:
    """A pod that waits.

    Attributes:
        name: Its namespace and name.
        item: The pod.
        shape: What it asks for.
        gang: The pods that it runs together with; None where it runs alone.
        priority: Its priority.
        since: When it was made, as the server writes it.
        not_before: It is not tried before this, on the steady clock.
        tried: Whether there was no node for it when it was tried before.
    """

    name: str
    item: Object
    shape: Shape
    gang: Gang | None
    priority: int
    since: str
    not_before: float = 0.0
    tried: bool = False


@dataclass(slots=True)
class Batch:
    """The pods of a cycle, and the nodes.

    Attributes:
        pods: Those that can be matched, in the order in which they are to be placed.
        tasks: The same, as a table.
        offers: The nodes.
        refused: Those that cannot be matched, and why.
        running: How many members of each gang are bound already.
        topology: What rules about other pods say of each row; None where there are no such rules.
    """

    pods: Sequence[Waiting]
    tasks: TaskColumns
    offers: OfferColumns
    refused: Sequence[tuple[Waiting, str]] = ()
    running: Mapping[str, int] = field(default_factory=dict)
    topology: Topology | None = None

    def asked(self, needed: Mapping[str, int]) -> Batch:
        """Return the batch without the pods of other gangs than these, of which so many have to get nodes at once."""
        rows = [row for row, pod in enumerate(self.pods) if pod.gang is None or pod.gang.name in needed]
        if len(rows) == len(self.pods) and not needed:
            return self
        pods, tasks = [self.pods[row] for row in rows], self.tasks.picked(rows)
        groups = {name: Group(name, least) for name, least in needed.items()}
        if groups:
            tasks.groups = [None if pod.gang is None else groups[pod.gang.name] for pod in pods]
        topology = self.topology.picked(rows) if self.topology is not None else None
        return Batch(pods, tasks, self.offers, self.refused, self.running, topology)


class View:
    """The state of the cluster, fed by three watches; any thread may use it."""

    def __init__(self, scheduler: str) -> None:
        """Take the name that pods give as their scheduler's."""
        self.lock = threading.RLock()
        self.arrived = threading.Event()
        self._scheduler = scheduler
        self._shapes = Shapes()
        self._nodes: dict[str, Node] = {}
        self._attributes: dict[str, Mapping[str, str | None]] = {}
        self._epoch = 0
        self._held: dict[str, dict[str, int]] = {}
        self._places: dict[str, tuple[str, Object, Shape, Gang | None]] = {}
        self._keeping_apart = 0
        self._assumed: dict[str, str] = {}
        self._waiting: dict[str, Waiting] = {}
        self._members: dict[str, int] = {}
        self._namespaces: dict[str, Labels] = {}

    def namespace_changed(self, before: Object | None, now: Object | None) -> None:
        """Take a namespace as it is now: rules about other pods may select it by its labels."""
        with self.lock:
            name = name_of(now or before or {})
            if now is None:
                self._namespaces.pop(name, None)
            else:
                self._namespaces[name] = now["metadata"].get("labels") or {}
            self.arrived.set()

    def node_changed(self, before: Object | None, now: Object | None) -> None:
        """Take a node as it is now; one that cannot be read takes no pods."""
        with self.lock:
            name = name_of(now or before or {})
            known = self._nodes.pop(name, None)
            if now is not None:
                try:
                    self._nodes[name] = Node(now, "node")
                    attributes = self._nodes[name].attributes()
                    self._epoch += known is None or self._attributes.get(name) != attributes
                    self._attributes[name] = attributes
                except InputError:
                    self._epoch += 1
            else:
                self._epoch += 1
            self.arrived.set()

    def pod_changed(self, before: Object | None, now: Object | None) -> None:
        """Take a pod as it is now."""
        with self.lock:
            name = name_of(now or before or {})
            waited = self._waiting.pop(name, None)
            if now is None or (now.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
                self._leave(name)
                return
            spec, metadata = now["spec"], now["metadata"]
            node = spec.get("nodeName")
            if node:
                self._assumed.pop(name, None)
                known = self._places.get(name)
                if known is not None and known[0] == node:
                    # Its labels may be others now, or it ends.
                    self._places[name] = (node, now, *known[2:])
                else:
                    self._leave(name)
                    self._enter(name, node, now, self._shapes.of(now), gang_of(now))
            elif before is not None and before["metadata"].get("uid") != metadata.get("uid"):
                self._leave(name)
            if node or name in self._assumed or spec.get("schedulerName") != self._scheduler:
                return
            if metadata.get("deletionTimestamp") or spec.get("schedulingGates"):
                return
            since, shape = str(metadata.get("creationTimestamp", "")), waited.shape if waited else self._shapes.of(now)
            waiting = Waiting(name, now, shape, gang_of(now), int(spec.get("priority") or 0), since)
            if waited is not None:
                waiting.not_before, waiting.tried = waited.not_before, waited.tried
            self._waiting[name] = waiting
            if waited is None:
                self.arrived.set()

    def _enter(self, name: str, node: str, item: Object, shape: Shape, gang: Gang | None) -> None:
        self._places[name] = (node, item, shape, gang)
        self._keeping_apart += shape.keeps_apart
        held = self._held.setdefault(node, {})
        for resource, amount in shape.asked.items():
            held[resource] = held.get(resource, 0) + amount
        if gang is not None:
            self._members[gang.name] = self._members.get(gang.name, 0) + 1

    def _leave(self, name: str) -> None:
        self._assumed.pop(name, None)
        place = self._places.pop(name, None)
        if place is None:
            return
        node, _, shape, gang = place
        self._keeping_apart -= shape.keeps_apart
        held = self._held[node]
        for resource, amount in shape.asked.items():
            held[resource] -= amount
        if gang is not None:
            self._members[gang.name] -= 1
        self.arrived.set()

    def has_node(self, name: str) -> bool:
        """Return whether a node is there and can be used."""
        return name in self._nodes

    def assume(self, pod: Waiting, node: str) -> bool:
        """Count a pod on a node before it is bound; return whether it still waits and the node is there."""
        with self.lock:
            known = self._waiting.get(pod.name)
            if (
                known is None
                or known.item["metadata"].get("uid") != pod.item["metadata"].get("uid")
                or node not in self._nodes
            ):
                return False
            del self._waiting[pod.name]
            self._assumed[pod.name] = str(pod.item["metadata"].get("uid"))
            self._enter(pod.name, node, pod.item, pod.shape, pod.gang)
            return True

    def give_back(self, pod: Waiting, pause: float) -> None:
        """Take a pod that was not bound off its node again; it waits so many seconds before it is tried again."""
        with self.lock:
            if self._assumed.get(pod.name) == pod.item["metadata"].get("uid"):
                self._leave(pod.name)
                pod.not_before = time.monotonic() + pause
                self._waiting[pod.name] = pod

    @property
    def assumed(self) -> int:
        """How many pods were decided and are not seen to be bound yet."""
        return len(self._assumed)

    @property
    def waiting(self) -> int:
        """How many pods wait."""
        return len(self._waiting)

    def batch(self, most: int) -> Batch:
        """Return the pods that wait, first those of the highest priority, then the earliest, and the nodes."""
        with self.lock:
            now = time.monotonic()
            pods = [pod for pod in self._waiting.values() if pod.not_before <= now]
            pods.sort(key=lambda pod: (-pod.priority, pod.since, pod.name))
            nodes = list(self._nodes.values())
            taints = tuple(dict.fromkeys(taint for node in nodes for taint in node.taints))
            said: dict[int, Sequence[Requirement] | str] = {}
            refused: list[tuple[Waiting, str]] = []
            good: list[Waiting] = []
            ruled = self._keeping_apart > 0
            for pod in pods:
                shape = pod.shape
                if id(shape) not in said:
                    ruled |= shape.rules is not None
                    said[id(shape)] = shape.refusal
                    if not shape.refusal:
                        try:
                            said[id(shape)] = shape.requirements(nodes, taints, self._epoch)
                        except InputError as error:
                            said[id(shape)] = error.message
                rules = said[id(shape)]
                if isinstance(rules, str):
                    refused.append((pod, rules))
                elif len(good) < most:
                    good.append(pod)
            if not good:
                return Batch([], TaskColumns([], {}), OfferColumns([], {}), refused)
            requirements: list[Any] = [said[id(pod.shape)] for pod in good]
            asked = {one.attribute for rules in said.values() if not isinstance(rules, str) for one in rules}
            dimensions = sorted(
                {name for node in nodes for name in node.allocatable} | {name for pod in good for name in pod.shape.asked}
            )
            tasks = TaskColumns(
                [pod.name for pod in good],
                {name: array("Q", [pod.shape.asked.get(name, 0) for pod in good]) for name in dimensions},
                requirements=requirements if any(requirements) else None,
            )
            offers = self._offers(nodes, dimensions, asked)
            batch = Batch(good, tasks, offers, refused, dict(self._members))
            if not ruled:
                return batch
            attributes = [self._attributes[node.name] for node in nodes]
            bound = [(node, item, shape) for node, item, shape, _ in self._places.values()]
            namespaces = Namespaces(dict(self._namespaces))
        # To count all pods takes long, and the watches need not wait for it.
        waiting = [(pod.item, pod.shape, asked) for pod, asked in zip(good, requirements, strict=True)]
        batch.topology = Topology(nodes, attributes, waiting, bound, namespaces)
        offers.attributes.update(batch.topology.attributes)
        return batch

    def _offers(self, nodes: Sequence[Node], dimensions: Sequence[str], asked: set[str]) -> OfferColumns:
        none: Mapping[str, int] = {}
        held = [self._held.get(node.name, none) for node in nodes]
        available, capacity = {}, {}
        for name in dimensions:
            room = room_of(name)
            there = [node.allocatable.get(name, 0) for node in nodes] if room is None else [room] * len(nodes)
            capacity[name] = array("Q", there)
            available[name] = array(
                "Q", [max(0, most - taken.get(name, 0)) for most, taken in zip(there, held, strict=True)]
            )
        attributes = {name: [self._attributes[node.name].get(name) for node in nodes] for name in sorted(asked)}
        return OfferColumns([node.name for node in nodes], available, capacity, attributes)
