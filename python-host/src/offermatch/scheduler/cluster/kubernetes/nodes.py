"""What is free on each node: what it has for pods, less what the pods on it ask for, whoever made them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from offermatch.errors import InputError
from offermatch.formats.kubernetes import Node, Pod
from offermatch.kubernetes.api import Object
from offermatch.kubernetes.reflector import name_of
from offermatch.scheduler.cluster.servers import Server
from offermatch.visible import visible

__all__ = ["Nodes", "is_ready"]

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


class Nodes:
    """The nodes, and what their pods hold; to be called with the locks of both reflectors held.

    Attributes:
        problems: Why which node makes no offer.
        tolerations: What the pods of launches tolerate.
    """

    def __init__(self, devices: str, tolerate: Sequence[str]) -> None:
        """Take the extended resource that stands for devices, and the keys of taints that launches tolerate."""
        self.problems: dict[str, str] = {}
        self.tolerations: list[Object] = [{"key": key, "operator": "Exists"} for key in tolerate]
        self._devices = devices
        self._nodes: dict[str, Node] = {}
        self._ready: dict[str, bool] = {}
        self._pods: dict[str, tuple[str, dict[str, int]]] = {}

    def node_changed(self, before: Object | None, now: Object | None) -> None:
        """Take a node as it is now."""
        name = name_of(now or before or {})
        self._nodes.pop(name, None)
        self.problems.pop(name, None)
        if now is None:
            return
        try:
            self._nodes[name] = Node(now, "node")
        except InputError as error:
            self.problems[name] = visible(str(error))
        self._ready[name] = is_ready(now)

    def pod_changed(self, before: Object | None, now: Object | None) -> None:
        """Take a pod as it is now."""
        name = name_of(now or before or {})
        known = self._pods.pop(name, None)
        node = (now or {}).get("spec", {}).get("nodeName")
        if now is None or not node:
            return
        if known is None or known[0] != node:
            try:
                known = (node, Pod(now, "pod").asked())
            except InputError as error:
                # What it asks for cannot be read, so that nothing says how much is left beside it.
                self.problems[node] = visible(str(error))
                return
        if (now.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            self._pods[name] = known

    def has(self, name: str) -> bool:
        """Return whether a node is there."""
        return name in self._nodes or name in self.problems

    def servers(self) -> dict[str, Server]:
        """Return the nodes that take pods."""
        held: dict[str, dict[str, int]] = {}
        for node, amounts in self._pods.values():
            sums = held.setdefault(node, {})
            for name, amount in amounts.items():
                sums[name] = sums.get(name, 0) + amount
        return {
            name: self._server(node, held.get(name, {})) for name, node in self._nodes.items() if self._is_open(name, node)
        }

    def _is_open(self, name: str, node: Node) -> bool:
        tolerated = {one["key"] for one in self.tolerations}
        return name not in self.problems and self._ready[name] and all(key in tolerated for key, _, _ in node.taints)

    def _server(self, node: Node, held: dict[str, int]) -> Server:
        capacity = {name: there for name, there in node.allocatable.items() if name != self._devices}
        free = {name: there - held.get(name, 0) for name, there in capacity.items()}
        devices, taken = node.allocatable.get(self._devices, 0), held.get(self._devices, 0)
        left = max(0, devices - taken)
        whole = [1000] * left + [0] * (devices - left)
        return Server(node.name, free, capacity, node.attributes(), whole, _measures(node.attributes()))


def is_ready(node: Object) -> bool:
    """Return whether a node says that it is ready, or says nothing of it."""
    conditions = (node.get("status") or {}).get("conditions") or []
    return all(one.get("status") == "True" for one in conditions if one.get("type") == "Ready")


def _measures(labels: Mapping[str, str | None]) -> dict[str, float]:
    """Return the labels of a node that are numbers, such as ``nvidia.com/gpu.memory``."""
    return {name: float(value) for name, value in labels.items() if value and _NUMBER.fullmatch(value)}
