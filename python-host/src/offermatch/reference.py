"""The reference loop: docs/semantics.md as plain Python.

It answers exactly what a component answers, only slower: its cost is tasks x offers. It is the fallback for the day the
component cannot be loaded, and what the tests compare components with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from time import perf_counter
from typing import TypeVar

from offermatch.model import Description, Timings
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Changes, Explained, OfferTable, TaskTable
from offermatch.wasm.contract import CONTRACT

__all__ = ["DESCRIPTION", "Reference"]

DESCRIPTION = Description("offermatch-reference", "0.1.0", "best-fit", CONTRACT, ("exclusive", "shared"))

_Asked = TypeVar("_Asked")
_Answered = TypeVar("_Answered")


class _Offer:
    """What is left of one offer."""

    __slots__ = ("attributes", "devices", "free")

    def __init__(self, table: OfferTable, row: int) -> None:
        self.free = [column[row] for column in table.available]
        self.attributes = [column[row] for column in table.attributes]
        self.devices = table.devices_of(row)


class _Task:
    """One task, with its requirements as sets."""

    __slots__ = ("demand", "requirements", "thousandths")

    def __init__(self, table: TaskTable, row: int) -> None:
        self.demand = [column[row] for column in table.demand]
        self.thousandths = table.devices[row] if table.devices else 0
        self.requirements = table.requirements.of(row)


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

    def __init__(self, table: OfferTable, shape: Shape, settings: SettingColumns) -> None:
        """Open a pool; empty weights are 1.0 each, empty scales the largest capacities."""
        dimensions = shape.dimensions
        self._offers = [_Offer(table, row) for row in range(table.rows)]
        self._list = list(range(table.rows))
        self._dimensions = dimensions
        self._exclusive = settings.mode == "exclusive"
        self._max_score = settings.score_limit
        self._weights = settings.weights or [1.0] * (dimensions + 1)
        largest = [max(column, default=0) for column in table.capacity or table.available]
        largest.append(1000 * max((len(offer.devices) for offer in self._offers), default=0))
        self._scales = [
            given or found or 1 for given, found in zip(settings.scales or [0] * (dimensions + 1), largest, strict=True)
        ]

    @_timed
    def assign(self, table: TaskTable) -> Assigned:
        """Place the tasks one after the other."""
        tasks: list[int] = []
        offers: list[int] = []
        scores: list[float] = []
        for row in range(table.rows):
            task = _Task(table, row)
            position, score = self._best(task)
            if position is None:
                continue
            tasks.append(row)
            offers.append(self._list[position])
            scores.append(score)
            if self._exclusive:
                self._swap_remove(position)
            else:
                _take(self._offers[self._list[position]], task)
        return Assigned(tasks, offers, scores)

    @_timed
    def update(self, changes: Changes) -> None:
        """Apply changes: removed, changed, added."""
        for row in changes.removed:
            if row in self._list:
                self._swap_remove(self._list.index(row))
        listed = set(self._list)
        for at, row in enumerate(changes.changed_rows):
            self._offers[row] = _Offer(changes.changed, at)
            if row not in listed:
                self._list.append(row)
        for at in range(changes.added.rows):
            self._list.append(len(self._offers))
            self._offers.append(_Offer(changes.added, at))

    @_timed
    def explain(self, table: TaskTable) -> Explained:
        """Count each offer of the list at the first check it fails."""
        answer = Explained([], [], [], [], [])
        for row in range(table.rows):
            task = _Task(table, row)
            by_dimension = [0] * self._dimensions
            by_requirement = [0] * len(task.requirements)
            by_devices = by_score = candidates = 0
            for number in self._list:
                offer = self._offers[number]
                short = _first_short_dimension(offer, task)
                refused = _first_failed_requirement(offer, task)
                if short is not None:
                    by_dimension[short] += 1
                elif refused is not None:
                    by_requirement[refused] += 1
                elif not _devices_serve(offer, task):
                    by_devices += 1
                elif not self._score(offer, task) < self._max_score:
                    by_score += 1
                else:
                    candidates += 1
            answer.by_dimension += by_dimension
            answer.by_requirement += by_requirement
            answer.by_devices.append(by_devices)
            answer.by_score.append(by_score)
            answer.candidates.append(candidates)
        return answer

    def close(self) -> None:
        """Nothing is held that needs letting go."""

    def _best(self, task: _Task) -> tuple[int | None, float]:
        """Return the position in the list of the best offer, the earliest among equals, and its score."""
        best, best_score = None, self._max_score
        for position, number in enumerate(self._list):
            offer = self._offers[number]
            if (
                _first_short_dimension(offer, task) is None
                and _first_failed_requirement(offer, task) is None
                and _devices_serve(offer, task)
            ):
                score = self._score(offer, task)
                if score < best_score:
                    best, best_score = position, score
        return best, best_score

    def _score(self, offer: _Offer, task: _Task) -> float:
        score = 0.0
        for weight, free, demand, scale in zip(self._weights, offer.free, task.demand, self._scales, strict=False):
            score += weight * float(free - demand) / float(scale)
        return score + self._weights[-1] * float(sum(offer.devices) - task.thousandths) / float(self._scales[-1])

    def _swap_remove(self, position: int) -> None:
        self._list[position] = self._list[-1]
        self._list.pop()


def _first_short_dimension(offer: _Offer, task: _Task) -> int | None:
    for dimension, (demand, free) in enumerate(zip(task.demand, offer.free, strict=True)):
        if demand > free:
            return dimension
    return None


def _first_failed_requirement(offer: _Offer, task: _Task) -> int | None:
    for at, (attribute, excludes, values) in enumerate(task.requirements):
        if (offer.attributes[attribute] in values) == excludes:
            return at
    return None


def _devices_serve(offer: _Offer, task: _Task) -> bool:
    if task.thousandths < 1000:
        return task.thousandths == 0 or any(free >= task.thousandths for free in offer.devices)
    return offer.devices.count(1000) >= task.thousandths // 1000


def _take(offer: _Offer, task: _Task) -> None:
    """Subtract what a task uses; a share from the tightest device that holds it, whole devices from the lowest numbers."""
    offer.free = [free - demand for free, demand in zip(offer.free, task.demand, strict=True)]
    take_devices(offer.devices, task.thousandths)


def take_devices(devices: list[int], thousandths: int) -> bool:
    """Take devices as docs/semantics.md says, and return whether they were there to take."""
    numbers = devices_for(devices, thousandths)
    for number in numbers or ():
        devices[number] -= min(thousandths, 1000)
    return numbers is not None


def devices_for(devices: Sequence[int], thousandths: int) -> tuple[int, ...] | None:
    """Return the numbers of the devices that serve what is asked, by docs/semantics.md; None where none do."""
    if thousandths == 0:
        return ()
    if thousandths < 1000:
        fitting = [(free, number) for number, free in enumerate(devices) if free >= thousandths]
        return (min(fitting)[1],) if fitting else None
    whole = [number for number, free in enumerate(devices) if free == 1000][: thousandths // 1000]
    return tuple(whole) if len(whole) == thousandths // 1000 else None
