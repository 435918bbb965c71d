"""The contract's tables, as columns that are ready to cross.

    TaskColumns, OfferColumns ──(names become numbers)──> TaskTable, OfferTable ──> component or reference matcher

A matrix of ``rows x dimensions`` stays one array a dimension here; only the crossing lays them side by side.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from offermatch.tables.devices import Devices

__all__ = [
    "AT_LEAST",
    "AT_MOST",
    "IN",
    "NOT_IN",
    "NO_GROUPS",
    "NO_REQUIREMENTS",
    "Assigned",
    "Changes",
    "Condition",
    "Explained",
    "Explanations",
    "GroupTable",
    "OfferTable",
    "Plan",
    "Requirements",
    "RunningTable",
    "TaskTable",
    "Workload",
]

IN, NOT_IN, AT_LEAST, AT_MOST = range(4)
"""The kinds of requirements, as ``requirement-kinds`` has them."""


def _empty() -> array[int]:
    return array("Q")


def _doubles() -> array[float]:
    return array("d")


class Condition(NamedTuple):
    """A requirement, or, where its weight is finite, a preference.

    Attributes:
        kind: ``IN``, ``NOT_IN``, ``AT_LEAST`` or ``AT_MOST``.
        subject: The attribute, or the measure.
        values: The set of values.
        bound: The bound.
        weight: What it costs where it does not hold; infinite where it is required.
    """

    kind: int
    subject: int
    values: frozenset[int]
    bound: float
    weight: float


@dataclass(slots=True)
class Requirements:
    """The requirements and preferences of all tasks; see ``task-table`` in the contract for each column.

    Attributes:
        first_alike: The first row that asks the same as a row, which is the row itself where it is not known to be
            another; empty where it is not known of any. It does not cross.
    """

    offsets: array[int] = field(default_factory=_empty)
    kinds: array[int] = field(default_factory=_empty)
    subjects: array[int] = field(default_factory=_empty)
    bounds: array[float] = field(default_factory=_doubles)
    weights: array[float] = field(default_factory=_doubles)
    value_offsets: array[int] = field(default_factory=_empty)
    values: array[int] = field(default_factory=_empty)
    first_alike: array[int] = field(default_factory=_empty, compare=False)

    def of(self, row: int) -> list[Condition]:
        """Return the requirements and preferences of a task."""
        if not self.offsets:
            return []
        return [
            Condition(
                self.kinds[at],
                self.subjects[at],
                frozenset(self.values[self.value_offsets[at] : self.value_offsets[at + 1]])
                if self.value_offsets
                else frozenset(),
                self.bounds[at] if self.bounds else 0.0,
                self.weights[at] if self.weights else math.inf,
            )
            for at in range(self.offsets[row], self.offsets[row + 1])
        ]


@dataclass(slots=True)
class GroupTable:
    """What tasks ask together; see ``group-table`` in the contract for each column."""

    rows: int = 0
    least: array[int] = field(default_factory=_empty)
    together: array[int] = field(default_factory=_empty)
    limit_offsets: array[int] = field(default_factory=_empty)
    limit_attributes: array[int] = field(default_factory=_empty)
    limit_counts: array[int] = field(default_factory=_empty)
    occupant_groups: array[int] = field(default_factory=_empty)
    occupant_offers: array[int] = field(default_factory=_empty)
    occupant_counts: array[int] = field(default_factory=_empty)


NO_REQUIREMENTS, NO_GROUPS = Requirements(), GroupTable()
"""Those of tasks that require nothing, or belong to none; never written to."""


@dataclass(slots=True)
class TaskTable:
    """Tasks as the contract has them; a column is empty where no task asks for what it says."""

    rows: int
    demand: list[array[int]]
    devices: array[int]
    requirements: Requirements
    group_of: array[int] = field(default_factory=_empty)
    groups: GroupTable = field(default_factory=lambda: NO_GROUPS)


@dataclass(slots=True)
class Workload:
    """Typical tasks, each with its share of all; see ``workload`` in the contract."""

    tasks: TaskTable
    shares: array[float]


@dataclass(slots=True)
class RunningTable:
    """Tasks that run and may be taken away; see ``running-table`` in the contract for each column."""

    rows: int
    offers: array[int]
    priorities: array[int]
    starts: array[int]
    demand: list[array[int]]
    device_offsets: array[int] = field(default_factory=_empty)
    device_numbers: array[int] = field(default_factory=_empty)
    device_thousandths: array[int] = field(default_factory=_empty)


@dataclass(slots=True)
class Plan:
    """Who is to take what once the victims have ended; see ``plan`` in the contract for each column."""

    tasks: Sequence[int]
    offers: Sequence[int]
    scores: Sequence[float]
    victim_offsets: Sequence[int]
    victims: Sequence[int]


@dataclass(slots=True)
class OfferTable:
    """Offers as the contract has them; ``capacity`` is empty where it is the same as ``available``."""

    rows: int
    available: list[array[int]]
    capacity: list[array[int]]
    attributes: list[array[int]]
    devices: Devices = field(default_factory=Devices)
    measures: list[array[float]] = field(default_factory=list)

    def picked(self, rows: Sequence[int]) -> OfferTable:
        """Return the table of some rows only."""

        def of(columns: list[array[int]]) -> list[array[int]]:
            return [array("Q", map(column.__getitem__, rows)) for column in columns]

        measures = [array("d", map(column.__getitem__, rows)) for column in self.measures]
        devices = self.devices.picked(rows)
        return OfferTable(len(rows), of(self.available), of(self.capacity), of(self.attributes), devices, measures)

    def followed_by(self, other: OfferTable) -> OfferTable:
        """Return the table of these rows and then those of another table of the pool."""
        if not (self.rows and other.rows):
            return self if self.rows else other

        def of(mine: list[array[int]], theirs: list[array[int]]) -> list[array[int]]:
            return [one + another for one, another in zip(mine, theirs, strict=True)]

        capacity: list[array[int]] = []
        if self.capacity or other.capacity:
            capacity = of(self.capacity or self.available, other.capacity or other.available)
        devices = Devices.of_rows(table.devices.of(row) for table in (self, other) for row in range(table.rows))
        available, attributes = of(self.available, other.available), of(self.attributes, other.attributes)
        measures: list[array[float]] = []
        if self.measures or other.measures:
            width = max(len(self.measures), len(other.measures))
            columns = (table.measures or [array("d", [math.nan]) * table.rows] * width for table in (self, other))
            measures = [one + another for one, another in zip(*columns, strict=True)]
        return OfferTable(self.rows + other.rows, available, capacity, attributes, devices, measures)


@dataclass(slots=True)
class Changes:
    """What has happened to the offers of a pool; see ``changes`` in the contract."""

    removed: list[int]
    changed_rows: list[int]
    changed: OfferTable
    added: OfferTable
    workload: Workload | None = None


@dataclass(slots=True)
class Assigned:
    """An answer: three columns of one length, lists or arrays; and the devices that tasks get, by their rows."""

    tasks: Sequence[int]
    offers: Sequence[int]
    scores: Sequence[float]
    devices: dict[int, tuple[int, ...]] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class Explained:
    """Explanations; see ``explanations`` in the contract for each column."""

    by_dimension: list[int]
    by_requirement: list[int]
    by_devices: list[int]
    by_score: list[int]
    candidates: list[int]


@dataclass(slots=True)
class Explanations:
    """Explanations of contract 0.3.0; see ``explanations`` there for each column."""

    dimension_fails: list[int]
    dimension_alone: list[int]
    dimension_missing: list[int]
    requirement_fails: list[int]
    requirement_alone: list[int]
    requirement_missing: list[float]
    devices_fails: list[int]
    devices_alone: list[int]
    devices_missing: list[int]
    together_fails: list[int]
    together_alone: list[int]
    limit_fails: list[int]
    limit_alone: list[int]
    score_fails: list[int]
    score_missing: list[float]
    candidates: list[int]
    capable: list[int]
    members_placed: list[int]
