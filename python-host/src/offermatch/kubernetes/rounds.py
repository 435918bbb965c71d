"""Gives the pods of a batch their nodes: in one call of the matcher, or in several where rules about other pods want it.

pods in order ──> parts ──> matcher ──> does each fit beside those before? ──yes──> it has its node, and is counted
                    ^                                  └──no──> the matcher has its room again ─┐
                    └──────────────── another round, with what is counted by now <──────────────┘

A part ends where the priority falls below that of a pod with rules, so that no other takes what such a pod gets in a later
round. A gang with rules is a part of its own: if too few of it find nodes, it is as if it had not been tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from offermatch.kubernetes.topology import Constraint, Kind, Said
from offermatch.kubernetes.view import Batch, Waiting
from offermatch.pool import Pool
from offermatch.tables.columns import TaskColumns

__all__ = ["Asked", "Rounds"]

_MOST_ROUNDS = 8
_MOST_LOOKS = 4


@dataclass(slots=True)
class Asked:
    """What a matcher is asked about pods.

    Attributes:
        tasks: The pods.
        occupants: Who of their groups runs where.
        said: What rules about other pods have added to each; None where there is none.
    """

    tasks: TaskColumns
    occupants: Mapping[str, Mapping[str, int]]
    said: Sequence[Said | None]

    def meanings(self, row: int) -> Mapping[str, str]:
        """Return how nodes fail the checks of rules about other pods, by the names of the checks."""
        said = self.said[row]
        asked = self.tasks.requirements[row] if self.tasks.requirements is not None else ()
        return {} if said is None else said.meanings(len(asked) - len(said.requirements))


class Rounds:
    """The rounds of one batch.

    Attributes:
        pairs: The pods that have a node, each with its name, in an order in which every rule holds of each that comes.
        unplaced: The rows of pods for which there is no node now.
        delayed: The rows of pods that may have one as soon as the others are bound.
    """

    def __init__(self, pool: Pool, batch: Batch, needed: Mapping[str, int], *, grouped: bool) -> None:
        """Take the pool of the batch's nodes, and how many members of each gang have to get nodes at once.

        Args:
            pool: The pool.
            batch: The pods.
            needed: The members, by the name of the gang.
            grouped: Whether the matcher serves groups.
        """
        self.pairs: list[tuple[Waiting, str]] = []
        self.unplaced: list[int] = []
        self.delayed: list[int] = []
        self._pool, self._batch, self._needed, self._grouped = pool, batch, needed, grouped
        self._topology = batch.topology
        self._kinds = batch.topology.kinds if batch.topology is not None else []
        self._placed: list[tuple[int, int]] = []
        self._rows_on: dict[int, list[int]] = {}

    def run(self) -> None:
        """Place all."""
        for part in self._parts():
            before = len(self._placed)
            self._place(part)
            if (gang := self._ruled_gang(part[0])) and len(self._placed) - before < self._needed[gang]:
                self._undo(before)
        names = self._batch.offers.names
        self.pairs = [(self._batch.pods[row], names[offer]) for row, offer in self._placed]

    def asked(self, rows: Sequence[int], strict: Collection[Kind] | None = None) -> Asked:
        """Return what the matcher is asked about pods now.

        Args:
            rows: The pods.
            strict: The kinds whose pods may not go where they do not fit now; all unless given.
        """
        whole = len(rows) == len(self._batch.pods)
        tasks = self._batch.tasks if whole else self._batch.tasks.picked(rows)
        if self._topology is None:
            return Asked(tasks, {}, [None] * len(rows))
        if whole:
            tasks = tasks.picked(rows)
        kinds = Counter(self._kinds[row] for row in rows)
        told = {
            kind: self._topology.say(kind, number, strictly=strict is None or kind in strict)
            for kind, number in kinds.items()
            if kind.is_ruled
        }
        said = [told.get(self._kinds[row]) for row in rows]
        before = tasks.requirements or [()] * len(rows)
        requirements = [one if more is None else (*one, *more.requirements) for one, more in zip(before, said, strict=True)]
        tasks.requirements = requirements if any(requirements) else None
        if not self._grouped:
            return Asked(tasks, {}, said)
        plain = tasks.groups or [None] * len(rows)
        groups = [
            more.group if more is not None else None if self._ruled_gang(row) else one
            for row, one, more in zip(rows, plain, said, strict=True)
        ]
        tasks.groups = groups if any(groups) else None
        occupants = {one.group.name: one.occupants for one in told.values() if one.group is not None}
        return Asked(tasks, occupants, said)

    def _parts(self) -> Iterator[Sequence[int]]:
        """Yield the rows of each part, in their order."""
        pods = self._batch.pods
        if self._topology is None:
            yield range(len(pods))
            return
        gangs: dict[str, list[int]] = {}
        for row, pod in enumerate(pods):
            if pod.gang is not None:
                gangs.setdefault(pod.gang.name, []).append(row)
        self._ruled = {name for name, rows in gangs.items() if any(self._kinds[row].is_ruled for row in rows)}
        part: list[int] = []
        for row, pod in enumerate(pods):
            members = [row] if pod.gang is None else gangs.pop(pod.gang.name, [])
            if not members:
                continue
            alone = self._ruled_gang(row) is not None
            ends = part and pod.priority < pods[part[-1]].priority and any(self._kinds[one].is_ruled for one in part)
            if part and (alone or ends):
                yield part
                part = []
            if alone:
                yield members
            else:
                part += members
        if part:
            yield part

    def _ruled_gang(self, row: int) -> str | None:
        """Return the gang of a pod, if it has one with rules."""
        gang = self._batch.pods[row].gang
        return gang.name if gang is not None and self._topology is not None and gang.name in self._ruled else None

    def _place(self, part: Sequence[int]) -> None:
        """Place the pods of a part, and those with rules again as long as others of it have come to their nodes."""
        before, left = len(self._placed), part
        strict: set[Kind] = set()
        for _ in range(_MOST_ROUNDS):
            asked = self.asked(left, strict)
            answer = self._pool.assign(asked.tasks, occupants=asked.occupants)
            placed = [(left[row], offer) for row, offer in zip(answer.task_rows, answer.offer_rows, strict=True)]
            refused = self._fitting(placed)
            self._give_back([offer for _, offer in refused])
            strict = {self._kinds[row] for row, _ in refused}
            unplaced = [left[row] for row in answer.unplaced_rows]
            if self._topology is None:
                self.unplaced += unplaced
                return
            self.unplaced += [row for row in unplaced if not self._kinds[row].is_ruled]
            left = sorted([row for row in unplaced if self._kinds[row].is_ruled] + [row for row, _ in refused])
            if not left or not placed:
                break
        done = not left or not placed or len(self._placed) == before
        (self.unplaced if done else self.delayed).extend(left)

    def _fitting(self, placed: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Keep the pods that fit beside those before them; return the others."""
        if self._topology is None:
            self._placed += placed
            return []
        nodes, names = self._topology.nodes, self._batch.offers.names
        left = self._evenly(placed)
        for _ in range(_MOST_LOOKS):
            refused = []
            for row, offer in left:
                kind, node = self._kinds[row], nodes[names[offer]]
                if kind.fits(node):
                    kind.add(node)
                    self._placed.append((row, offer))
                    self._rows_on.setdefault(offer, []).append(row)
                else:
                    refused.append((row, offer))
            if not refused or len(refused) == len(left):
                return refused
            left = refused
        return left

    def _evenly(self, placed: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return placed pods in an order in which the domains of their spread fill up evenly, other pods first."""
        spread: dict[Kind, list[tuple[int, int]]] = {}
        found = []
        for pair in placed:
            kind = self._kinds[pair[0]]
            if any(one.itself for one in kind.spread):
                spread.setdefault(kind, []).append(pair)
            else:
                found.append(pair)
        for kind, pairs in spread.items():
            # The last order counts most: that of the fewest domains.
            order = pairs
            for one in sorted(kind.spread, key=lambda one: -len(one.balance.counts)):
                order = self._by_height(one, order)
            found += order
        return found

    def _by_height(self, one: Constraint, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return placed pods by the number that their domain has with each."""
        names, nodes = self._batch.offers.names, self._batch.topology.nodes if self._batch.topology is not None else {}
        heights: Counter[str | None] = Counter(one.balance.counts)
        found = []
        for pair in pairs:
            domain = one.balance.domain(nodes[names[pair[1]]])
            heights[domain] += 1
            found.append((heights[domain], pair))
        found.sort(key=lambda each: each[0])
        return [pair for _, pair in found]

    def _undo(self, before: int) -> None:
        """Take the pods that were placed after the first ones off their nodes again."""
        nodes, names = self._batch.topology.nodes if self._batch.topology is not None else {}, self._batch.offers.names
        undone = self._placed[before:]
        del self._placed[before:]
        for row, offer in undone:
            self._kinds[row].add(nodes[names[offer]], -1)
            self._rows_on[offer].remove(row)
        self._give_back([offer for _, offer in undone])

    def _give_back(self, offers: Sequence[int]) -> None:
        """Let the pool have of these nodes what the pods hold not that are placed on them."""
        rows = sorted(set(offers))
        if not rows:
            return
        table, demand = self._batch.offers.picked(rows), self._batch.tasks.demand
        for name, column in table.available.items():
            asked = demand[name]
            for at, offer in enumerate(rows):
                column[at] -= sum([asked[row] for row in self._rows_on.get(offer, ())])
        self._pool.update(changed=table)
