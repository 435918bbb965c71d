"""A pool of the reference: offers, the list whose order decides ties, and placing one task after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from math import inf
from time import perf_counter
from typing import TypeVar

from offermatch.model import RULES, USED_FIRST, Description, Timings
from offermatch.reference.explain import explained, first_failures
from offermatch.reference.groups import Members, least_of, members_of
from offermatch.reference.preemption import planned
from offermatch.reference.standing import DEVICE, Offer, Ranking, Task, best_fit
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Changes, Explained, Explanations, OfferTable, Plan, RunningTable, TaskTable
from offermatch.wasm.contract import CONTRACT

__all__ = ["DESCRIPTION", "Reference"]

DESCRIPTION = Description(
    "offermatch-reference",
    "0.1.0",
    "best-fit",
    CONTRACT,
    ("exclusive", "shared"),
    RULES,
    (USED_FIRST,),
    preempts=True,
)

_Asked = TypeVar("_Asked")
_Answered = TypeVar("_Answered")

Placed = tuple[int, int, float]
"""A task, the offer it gets, and the score."""


def _timed(call: Callable[[Reference, _Asked], _Answered]) -> Callable[[Reference, _Asked, Timings], _Answered]:
    @wraps(call)
    def timed(self: Reference, asked: _Asked, timings: Timings) -> _Answered:
        begin = perf_counter()
        try:
            return call(self, asked)
        finally:
            timings.call += perf_counter() - begin

    return timed


class Reference:
    """A pool as the contract describes it, over row numbers. Everything it does counts as the call."""

    def __init__(
        self,
        table: OfferTable,
        shape: Shape,
        settings: SettingColumns,
        policy: Callable[[Ranking, Offer, Task], float] = best_fit,
    ) -> None:
        """Open a pool; empty weights are 1.0 each, empty scales the largest capacities."""
        terms = shape.dimensions + 1
        self._offers = [Offer(table, row) for row in range(table.rows)]
        self._list = list(range(table.rows))
        self._dimensions = shape.dimensions
        self._exclusive = settings.mode == "exclusive"
        given = settings.scales or [0] * terms
        weights, scales = settings.weights or [1.0] * terms, [scale or 1 for scale in given]
        used_first = [value > 0 for value in settings.parameters] == [True]
        self._ranking = Ranking(weights, scales, settings.score_limit, policy, used_first)
        self._taken_from_offers = [not scale for scale in given]
        self._raise_scales(self._offers)
        self._by_check = settings.raise_scales
        if not settings.raise_scales:
            self._taken_from_offers = [False] * terms

    @_timed
    def assign(self, table: TaskTable) -> Assigned:
        """Place the tasks one after the other, the members of a group when the turn of the first one comes."""
        groups = members_of(table)
        placed: list[Placed] = []
        for row in range(table.rows):
            group = table.group_of[row] if table.group_of else 0
            if not group:
                placed += self._place(self._list, self._offers, [Task(table, row)], None)
            elif groups[group - 1][0] == row:
                found = self._find_group(table, group - 1, groups[group - 1])
                for task, offer, _ in found:
                    self._take(self._list, self._offers, offer, Task(table, task))
                placed += found
        placed.sort()
        return Assigned(*([one[at] for one in placed] for at in range(3)))  # type: ignore[arg-type]

    @_timed
    def update(self, changes: Changes) -> None:
        """Apply changes: removed, changed, added. A larger capacity raises a scale that was not set."""
        for row in changes.removed:
            if row in self._list:
                self._swap_remove(self._list, row)
        listed = set(self._list)
        for at, row in enumerate(changes.changed_rows):
            self._offers[row] = Offer(changes.changed, at)
            if row not in listed:
                self._list.append(row)
        for at in range(changes.added.rows):
            self._list.append(len(self._offers))
            self._offers.append(Offer(changes.added, at))
        first = len(self._offers) - changes.added.rows
        self._raise_scales([self._offers[row] for row in changes.changed_rows] + self._offers[first:])

    @_timed
    def explain(self, table: TaskTable) -> Explained | Explanations:
        """Count each offer of the list at every check it fails; at the first one where the pool is one of contract 0.2.0."""
        if self._by_check:
            return self.checks(table, Timings())
        listed = [self._offers[row] for row in self._list]
        return first_failures(table, listed, self._ranking, self._dimensions)

    @_timed
    def checks(self, table: TaskTable) -> Explanations:
        """Count each offer of the list at every check it fails."""
        answer = explained(table, self._offers, self._list, self._ranking, self._dimensions)
        groups = members_of(table)
        answer.members_placed = [len(self._find_group(table, group, rows, least=False)) for group, rows in enumerate(groups)]
        return answer

    def preempt(self, tasks: TaskTable, priorities: Sequence[int], running: RunningTable, timings: Timings) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer. Nothing changes."""
        begin = perf_counter()
        plan = planned(tasks, priorities, running, self._offers, self._list, self._ranking)
        timings.call += perf_counter() - begin
        return plan

    def close(self) -> None:
        """Nothing is held that needs letting go."""

    def _find_group(self, table: TaskTable, group: int, rows: Sequence[int], *, least: bool = True) -> list[Placed]:
        """Return who of a group gets which offer, in the order of placing; the pool stays as it is."""
        members = Members(table.groups, group, self._offers)
        tasks = [Task(table, row) for row in rows]
        best: list[Placed] = []
        if members.together is None:
            best = self._tried(tasks, members)
        else:
            lowest = inf
            tried: set[int] = set()
            for row in self._list:
                value = self._offers[row].attributes[members.together]
                if value in tried or not members.is_together(self._offers[row]):
                    continue
                tried.add(value)
                placed = self._tried(tasks, members.within(value))
                total = 0.0
                for _, _, score in placed:
                    total += score
                if len(placed) > len(best) or (len(placed) == len(best) and total < lowest):
                    best, lowest = placed, total
        if least and len(best) + members.occupants < least_of(table.groups, group):
            return []
        return best

    def _tried(self, tasks: Sequence[Task], members: Members) -> list[Placed]:
        """Return where members would go, one after the other, on a copy of the pool."""
        return self._place(self._list[:], [offer.copied() for offer in self._offers], tasks, members)

    def _place(
        self, listed: list[int], offers: Sequence[Offer], tasks: Sequence[Task], members: Members | None
    ) -> list[Placed]:
        placed = []
        for task in tasks:
            best, lowest = None, (True, self._ranking.max_score)
            for row in listed:
                offer = offers[row]
                if task.fits(offer) and (members is None or members.admit(row, offer)):
                    score = self._ranking.score(offer, task)
                    rank = (not (self._ranking.used_first and offer.is_used), score)
                    if score < self._ranking.max_score and rank < lowest:
                        best, lowest = row, rank
            if best is None:
                continue
            self._take(listed, offers, best, task)
            if members is not None:
                members.add(best, offers[best])
            placed.append((task.row, best, lowest[1]))
        return placed

    def _take(self, listed: list[int], offers: Sequence[Offer], row: int, task: Task) -> None:
        if self._exclusive:
            self._swap_remove(listed, row)
        else:
            offers[row].take(task)

    def _raise_scales(self, offers: Sequence[Offer]) -> None:
        for at, raised in enumerate(self._taken_from_offers):
            if raised:
                has = (offer.capacity[at] if at < self._dimensions else DEVICE * len(offer.devices) for offer in offers)
                self._ranking.scales[at] = max(self._ranking.scales[at], *has, 1)

    @staticmethod
    def _swap_remove(listed: list[int], row: int) -> None:
        position = listed.index(row)
        listed[position] = listed[-1]
        listed.pop()
