"""Room for tasks that matter more: which running tasks have to end so that a task finds an offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from offermatch.reference.standing import Offer, Ranking, Task
from offermatch.tables.tables import Plan, RunningTable, TaskTable

__all__ = ["planned"]

_NO_VICTIM = -(2**63)
"""Less than every priority."""


class _Move(NamedTuple):
    """Where a task goes, and what that costs. The least is chosen."""

    highest: int
    victim_count: int
    score: float
    position: int
    row: int
    victims: list[int]


class _Running:
    """The tasks that run."""

    def __init__(self, table: RunningTable, offers: int) -> None:
        self._table = table
        self.priorities = table.priorities
        self.on: list[list[int]] = [[] for _ in range(offers)]
        for row in range(table.rows):
            self.on[table.offers[row]].append(row)
        # By priority, then by start, then by row: those that stay rather come first.
        for rows in self.on:
            rows.sort(key=lambda row: (-table.priorities[row], table.starts[row], row))

    def alter(self, offer: Offer, row: int, sign: int) -> None:
        """Take a running task away from an offer, or give it back."""
        table = self._table
        offer.free = [free + sign * column[row] for free, column in zip(offer.free, table.demand, strict=True)]
        if table.device_offsets:
            for at in range(table.device_offsets[row], table.device_offsets[row + 1]):
                offer.devices[table.device_numbers[at]] += sign * table.device_thousandths[at]


def planned(
    tasks: TaskTable,
    priorities: Sequence[int],
    running: RunningTable,
    offers: Sequence[Offer],
    listed: Sequence[int],
    ranking: Ranking,
) -> Plan:
    """Plan for the tasks, one after the other, each as if the plans before had come true.

    On each offer all tasks of lower priority are taken away; if the task then fits, they are given back, those that matter
    more first, as long as it still does. The others are victims. The offer wins whose highest victim priority is lowest,
    then with the fewest victims, then the lowest score, then the first.
    """
    now = [offer.copied() for offer in offers]
    runs = _Running(running, len(offers))
    plan = Plan([], [], [], [0], [])
    for row in range(tasks.rows):
        task = Task(tasks, row)
        moves = (
            _move(task, priorities[row], number, position, now[number], runs, ranking)
            for position, number in enumerate(listed)
        )
        best = min((move for move in moves if move is not None), default=None, key=lambda move: move[:4])
        if best is None:
            continue
        for victim in best.victims:
            runs.alter(now[best.row], victim, 1)
            runs.on[best.row].remove(victim)
        now[best.row].take(task)
        plan.tasks.append(row)  # type: ignore[attr-defined]
        plan.offers.append(best.row)  # type: ignore[attr-defined]
        plan.scores.append(best.score)  # type: ignore[attr-defined]
        plan.victims.extend(best.victims)  # type: ignore[attr-defined]
        plan.victim_offsets.append(len(plan.victims))  # type: ignore[attr-defined]
    return plan


def _move(
    task: Task, priority: int, row: int, position: int, offer: Offer, runs: _Running, ranking: Ranking
) -> _Move | None:
    freed = offer.copied()
    lower = [one for one in runs.on[row] if runs.priorities[one] < priority]
    for one in lower:
        runs.alter(freed, one, 1)
    if not _serves(freed, task):
        return None
    victims, highest = [], _NO_VICTIM
    for one in lower:
        runs.alter(freed, one, -1)
        if not _serves(freed, task):
            runs.alter(freed, one, 1)
            victims.append(one)
            highest = max(highest, runs.priorities[one])
    if not task.fits(freed):
        return None
    score = ranking.score(freed, task)
    if not score < ranking.max_score:
        return None
    return _Move(highest, len(victims), score, position, row, sorted(victims))


def _serves(offer: Offer, task: Task) -> bool:
    return next(task.short(offer), None) is None and task.is_served_by(offer.devices)
