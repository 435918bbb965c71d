"""How many pods of one sort there are in each domain, and which sorts a pod is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from offermatch.formats.kubernetes import Node
from offermatch.kubernetes.rules import Labels, Target

__all__ = ["Balance", "Index", "Tally"]


class Tally:
    """How many pods of one sort are in each domain.

    Attributes:
        counts: The number of each value of each label of nodes, where there is one.
    """

    __slots__ = ("counts",)

    def __init__(self, keys: Iterable[str]) -> None:
        """Count by these labels of nodes."""
        self.counts: dict[str, dict[str, int]] = {key: {} for key in keys}

    def add(self, node: Node, pods: int) -> None:
        """Take note of pods that come to a node; of such that leave it where the number is negative."""
        for key, counts in self.counts.items():
            value = node.labels.get(key)
            if value is not None:
                there = counts.get(value, 0) + pods
                if there:
                    counts[value] = there
                else:
                    del counts[value]

    def has(self, node: Node, key: str) -> bool:
        """Return whether one of the pods is in the node's domain."""
        return node.labels.get(key) in self.counts[key]

    @property
    def is_empty(self) -> bool:
        """Whether there is no such pod in any domain."""
        return not any(self.counts.values())


class Balance:
    """How many pods of one sort are in each domain of one label, those without any included.

    Attributes:
        counts: The number of each domain.
        nodes: The number of each node that has some, by its name.
        about: What is counted on which nodes; balances with the same differ in the label only.
    """

    __slots__ = ("_domains", "_least", "about", "counts", "nodes")

    def __init__(self, domains: Mapping[str, str], counts: dict[str, int], about: object) -> None:
        """Count on the nodes that have a domain here, by their names; ``counts`` has all domains."""
        self._domains = domains
        # The least number, and how many domains have it, once they are asked for.
        self._least: tuple[int, int] | None = None
        self.counts = counts
        self.nodes: dict[str, int] = {}
        self.about = about

    def add(self, node: Node, pods: int) -> None:
        """As of ``Tally``."""
        domain = self._domains.get(node.name)
        if domain is None:
            return
        if self._least is not None and (pods < 0 or self.counts[domain] == self._least[0]):
            least, having = self._least
            self._least = (least, having - 1) if pods > 0 and having > 1 else None
        self.counts[domain] += pods
        self.nodes[node.name] = self.nodes.get(node.name, 0) + pods

    def least(self, domains: int) -> int:
        """Return the number of the domain with the fewest; 0 where there are fewer domains than asked."""
        if self._least is None:
            least = min(self.counts.values(), default=0)
            self._least = least, sum(count == least for count in self.counts.values())
        return self._least[0] if len(self.counts) >= domains else 0

    def domain(self, node: Node) -> str | None:
        """Return the domain of a node; None where the node does not count."""
        return self._domains.get(node.name)

    def room(self, most: int, enough: int) -> int:
        """Return how many pods may come where a domain may have so many, or what is enough where that is fewer."""
        found = 0
        for count in self.counts.values():
            found += max(0, most - count)
            if found >= enough:
                return enough
        return found

    def level(self, more: int) -> int:
        """Return the number that every domain can have at least, once so many more pods have come."""
        counts = sorted(self.counts.values())
        return min(((held + more) // domains for domains, held in enumerate(accumulate(counts), 1)), default=0)


class Index:
    """Finds what is about a pod without asking all selectors: by one label that each asks for, if it does."""

    def __init__(self, entries: Iterable[tuple[tuple[Target, ...], Any]]) -> None:
        """Take what there is, each with the targets that a pod has to be of, all of them."""
        self._entries: dict[tuple[str | None, str, str], list[tuple[tuple[Target, ...], Any]]] = {}
        for targets, what in entries:
            first = targets[0]
            label = next(((key, values) for key, operator, values in first.selector or () if operator == "In"), ("", ("",)))
            for namespace in first.namespaces if first.namespaces is not None else (None,):
                for value in dict.fromkeys(label[1]):
                    self._entries.setdefault((namespace, label[0], value), []).append((targets, what))

    def matching(self, namespace: str, labels: Labels) -> list[Any]:
        """Return what is about a pod of this namespace with these labels."""
        return [
            what
            for label in [("", ""), *labels.items()]
            for where in (namespace, None)
            for targets, what in self._entries.get((where, *label), ())
            if all(target.matches(namespace, labels) for target in targets)
        ]
