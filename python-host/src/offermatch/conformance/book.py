"""What a pool holds by the rules, whatever its policy: the values of every row, and the list with its order.

Only the score is a policy's; everything else of docs/semantics.md but for groups is followed here, so that an answer of any
policy can be checked task by task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isnan, nan
from typing import Any

from offermatch.recording.columns import devices_of
from offermatch.tables.tables import AT_LEAST, IN, NOT_IN
from offermatch.verify.devices import take_devices

__all__ = ["Asked", "Book", "asked_of"]

_DEAR = 1e299
"""Preferences that cost less keep every score below those that no policy's score reaches."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement, or a preference.

    Attributes:
        kind: In, not in, at least or at most.
        subject: The attribute or the measure.
        values: The set of the first two.
        bound: That of the others.
        weight: What it costs where it does not hold; infinite for a requirement.
    """

    kind: int
    subject: int
    values: frozenset[int]
    bound: float
    weight: float

    def holds(self, attributes: Sequence[int], measures: Sequence[float | None]) -> bool:
        """Return whether it holds of an offer."""
        if self.kind in (IN, NOT_IN):
            return (attributes[self.subject] in self.values) == (self.kind == IN)
        measure = measures[self.subject]
        if measure is None:
            return False
        return measure >= self.bound if self.kind == AT_LEAST else measure <= self.bound


@dataclass(frozen=True, slots=True)
class Asked:
    """What one task asks.

    Attributes:
        demand: A quantity for each dimension.
        thousandths: Of devices.
        requirements: Its requirements and preferences.
    """

    demand: Sequence[int]
    thousandths: int
    requirements: Sequence[Requirement]


def asked_of(tasks: Mapping[str, Any], row: int, width: int) -> Asked:
    """Return what a row of a table asks that has been checked."""
    devices, offsets = tasks.get("devices"), tasks.get("requirement_offsets")
    requirements = []
    # The two formats of recordings have names of their own.
    subjects = tasks.get("requirement_subjects") or tasks.get("requirement_attributes", [])
    kinds = tasks.get("requirement_kinds") or [
        NOT_IN if excludes else IN for excludes in tasks.get("requirement_excludes", ())
    ]
    bounds, weights = tasks.get("requirement_bounds", ()), tasks.get("requirement_weights", ())
    for at in range(offsets[row], offsets[row + 1]) if offsets else ():
        ends = tasks.get("value_offsets") or [0] * (len(subjects) + 1)
        values = frozenset(tasks.get("values", [])[ends[at] : ends[at + 1]])
        weight = float(weights[at]) if weights else inf
        bound = float(bounds[at]) if bounds else nan
        requirements.append(Requirement(kinds[at], subjects[at], values, bound, weight))
    demand = tasks.get("demand", [])[row * width : (row + 1) * width]
    return Asked(demand, devices[row] if devices else 0, requirements)


# The values of one offer: available, capacity, attributes, measures, devices. Offers with the same are the same to every
# policy. An unset measure is None.
_Row = tuple[list[int], list[int], list[int], list[float | None], list[int]]


class Book:
    """What a pool holds."""

    def __init__(self, shape: Mapping[str, int], mode: str, offers: Mapping[str, Any]) -> None:
        """Begin with a table that has been checked."""
        self._width, self._attributes = shape["dimensions"], shape.get("attributes", 0)
        self._measures = shape.get("measures", 0)
        self._exclusive = mode == "exclusive"
        self._rows: list[_Row] = []
        self.list: list[int] = []
        self._positions: list[int | None] = []
        self._append(offers)

    def position(self, row: int) -> int | None:
        """Return where a row stands in the list, if it does."""
        return self._positions[row] if 0 <= row < len(self._rows) else None

    def missing(self, asked: Asked, row: int, dimension: int) -> int:
        """Return what an offer has too little of in a dimension."""
        return max(0, asked.demand[dimension] - self._rows[row][0][dimension])

    def failed(self, asked: Asked, row: int) -> list[tuple[str, int]]:
        """Return the checks that an offer fails, in their order, each with the number of the dimension or requirement.

        Where there is none, only the policy can refuse the offer.
        """
        available, _, attributes, measures, devices = self._rows[row]
        found = []
        for at, (demand, free) in enumerate(zip(asked.demand, available, strict=True)):
            if demand > free:
                found.append(("dimension", at))
        for at, requirement in enumerate(asked.requirements):
            if requirement.weight == inf and not requirement.holds(attributes, measures):
                found.append(("requirement", at))
        if asked.thousandths < 1000:
            serve = asked.thousandths == 0 or any(free >= asked.thousandths for free in devices)
        else:
            serve = devices.count(1000) >= asked.thousandths // 1000
        return found if serve else [*found, ("devices", 0)]

    def not_preferred(self, asked: Asked, row: int) -> list[int]:
        """Return the numbers of the preferences that do not hold of an offer."""
        _, _, attributes, measures, _ = self._rows[row]
        numbered = enumerate(asked.requirements)
        return [at for at, wanted in numbered if wanted.weight < inf and not wanted.holds(attributes, measures)]

    def is_dear(self, asked: Asked, row: int) -> bool:
        """Return whether the preferences that do not hold cost so much that the score of an offer may not be finite."""
        return sum(asked.requirements[at].weight for at in self.not_preferred(asked, row)) >= _DEAR

    def feasible(self, asked: Asked) -> int | None:
        """Return the first feasible row of the list whose score is finite, whatever the policy."""
        found = (row for row in self.list if not self.failed(asked, row) and not self.is_dear(asked, row))
        return next(found, None)

    def twin_before(self, row: int) -> int | None:
        """Return the first row of the list that has the same values as a listed one and stands before it."""
        mine = self._rows[row]
        return next((other for other in self.list[: self._positions[row]] if self._rows[other] == mine), None)

    def place(self, asked: Asked, row: int) -> None:
        """Give a task to a listed row that is feasible for it."""
        if self._exclusive:
            self._unlist(row)
            return
        available, capacity, attributes, measures, devices = self._rows[row]
        left = [free - demand for free, demand in zip(available, asked.demand, strict=True)]
        take_devices(devices, asked.thousandths)
        self._rows[row] = left, capacity, attributes, measures, devices

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Apply changes that have been checked."""
        for row in changes.get("removed", ()):
            self._unlist(row)
        for row, new in zip(changes.get("changed_rows", ()), self._rows_of(changes.get("changed", {})), strict=True):
            self._rows[row] = new
            if self._positions[row] is None:
                self._positions[row] = len(self.list)
                self.list.append(row)
        self._append(changes.get("added", {}))

    def _unlist(self, row: int) -> None:
        """Take a row out of the list, if it is there: the last one moves into its place."""
        position, self._positions[row] = self._positions[row], None
        if position is None:
            return
        last = self.list.pop()
        if position < len(self.list):
            self.list[position] = last
            self._positions[last] = position

    def _append(self, offers: Mapping[str, Any]) -> None:
        for new in self._rows_of(offers):
            self._positions.append(len(self.list))
            self.list.append(len(self._rows))
            self._rows.append(new)

    def _rows_of(self, offers: Mapping[str, Any]) -> list[_Row]:
        width, attributes, measures = self._width, self._attributes, self._measures
        available = offers.get("available", [])
        capacity = offers.get("capacity") or available
        values, devices = offers.get("attributes", []), devices_of(offers)
        numbers = [None if isnan(float(number)) else float(number) for number in offers.get("measures", ())]
        if not numbers:
            numbers = [None] * (offers.get("rows", 0) * measures)
        return [
            (
                available[row * width : (row + 1) * width],
                capacity[row * width : (row + 1) * width],
                values[row * attributes : (row + 1) * attributes],
                numbers[row * measures : (row + 1) * measures],
                devices.of(row),
            )
            for row in range(offers.get("rows", 0))
        ]
