"""Offers and tasks as rows, which the contract has as flat columns; and whether an offer can take a task.

It needs nothing of the component, so that a policy is tested in any Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wit_world.exports.matching import OfferTable, Shape, TaskTable

DEVICE = 1000
"""Thousandths of a device."""
IN, NOT_IN, AT_LEAST, AT_MOST = range(4)
"""What a requirement asks."""


@dataclass(slots=True)
class Ranking:
    """What scores are made of: one weight and one scale a dimension, and those of devices last."""

    weights: list[float]
    scales: list[int]
    max_score: float = inf


@dataclass(slots=True)
class Offer:
    """What an offer has, and what is left of it. An unset attribute is 0, an unset measure NaN; devices in thousandths."""

    free: list[int]
    capacity: list[int]
    attributes: list[int]
    measures: list[float]
    devices: list[int]


@dataclass(slots=True)
class Requirement:
    """A condition on an attribute or a measure; a preference where its weight is finite."""

    kind: int
    subject: int
    values: frozenset[int]
    bound: float = nan
    weight: float = inf

    def holds(self, offer: Offer) -> bool:
        """Say whether it holds. An unset value is in no set, and an unset measure neither more nor less."""
        if self.kind in (IN, NOT_IN):
            return (offer.attributes[self.subject] in self.values) == (self.kind == IN)
        value = offer.measures[self.subject] if offer.measures else nan
        return value >= self.bound if self.kind == AT_LEAST else value <= self.bound

    def distance(self, offer: Offer) -> float:
        """Return how far a measure is from the bound; 0 where no finite number says it."""
        if self.kind in (IN, NOT_IN) or not offer.measures:
            return 0.0
        distance = self.bound - offer.measures[self.subject]
        return abs(distance) if isfinite(distance) else 0.0


@dataclass(slots=True)
class Task:
    """What a task asks; its devices in thousandths."""

    demand: list[int]
    devices: int
    requirements: list[Requirement]

    def required(self) -> list[Requirement]:
        """Return what must hold."""
        return [one for one in self.requirements if one.weight == inf]

    def preferred(self) -> list[Requirement]:
        """Return what costs its weight where it does not hold."""
        return [one for one in self.requirements if one.weight != inf]

    def short(self, offer: Offer) -> Iterator[tuple[int, int]]:
        """Yield the dimensions in which an offer has too little, and by how much."""
        for dimension, (demand, free) in enumerate(zip(self.demand, offer.free)):
            if demand > free:
                yield dimension, demand - free

    def broken(self, offer: Offer) -> Iterator[int]:
        """Yield the places of the requirements that do not hold."""
        return (at for at, one in enumerate(self.requirements) if one.weight == inf and not one.holds(offer))

    def devices_missing(self, offer: Offer) -> int:
        """Return the thousandths that the devices lack: of one for a share, else of whole ones; 0 or less for none."""
        if self.devices == 0:
            return 0
        if self.devices < DEVICE:
            return self.devices - max(offer.devices, default=0)
        return self.devices - DEVICE * offer.devices.count(DEVICE)

    def take(self, offer: Offer) -> None:
        """Subtract what it uses."""
        offer.free = [free - demand for free, demand in zip(offer.free, self.demand)]
        if 0 < self.devices < DEVICE:
            # From the tightest device that holds the share, the lowest number among equals.
            _, number = min((free, number) for number, free in enumerate(offer.devices) if free >= self.devices)
            offer.devices[number] -= self.devices
        elif self.devices:
            whole = [number for number, free in enumerate(offer.devices) if free == DEVICE]
            for number in whole[: self.devices // DEVICE]:
                offer.devices[number] = 0


def offers_of(table: "OfferTable", shape: "Shape") -> list[Offer]:
    """Return the rows of a checked table."""
    rows, width = range(table.rows), shape.dimensions
    available = [table.available[row * width : (row + 1) * width] for row in rows]
    return [
        Offer(
            available[row],
            table.capacity[row * width : (row + 1) * width] or available[row],
            table.attributes[row * shape.attributes : (row + 1) * shape.attributes],
            table.measures[row * shape.measures : (row + 1) * shape.measures],
            devices,
        )
        for row, devices in enumerate(cut(table.device_free, table.device_offsets, table.rows))
    ]


def tasks_of(table: "TaskTable", shape: "Shape") -> list[Task]:
    """Return the rows of a checked table."""
    count = len(table.requirement_subjects)
    sets = map(frozenset, cut(table.values, table.value_offsets, count))
    bounds, weights = table.requirement_bounds or [nan] * count, table.requirement_weights or [inf] * count
    requirements = list(map(Requirement, table.requirement_kinds, table.requirement_subjects, sets, bounds, weights))
    demand = [table.demand[row * shape.dimensions : (row + 1) * shape.dimensions] for row in range(table.rows)]
    return list(
        map(Task, demand, table.devices or [0] * table.rows, cut(requirements, table.requirement_offsets, table.rows))
    )


def cut(flat: list[Any], offsets: list[int], rows: int) -> list[list[Any]]:
    """Cut a flat column into the parts of the rows; without offsets, every row has an empty part."""
    return [flat[start:end] for start, end in pairwise(offsets)] if offsets else [[] for _ in range(rows)]
