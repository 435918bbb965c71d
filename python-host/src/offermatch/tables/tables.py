"""The contract's tables, as columns that are ready to cross.

    TaskColumns, OfferColumns ──(names become numbers)──> TaskTable, OfferTable ──> component or reference matcher

A matrix of ``rows x dimensions`` stays one array a dimension here; only the crossing lays them side by side.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain

from offermatch.model import Requirement
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.interner import Interner

__all__ = ["Assigned", "Changes", "Explained", "OfferTable", "Requirements", "TaskTable", "offer_table", "task_table"]


def _empty() -> array[int]:
    return array("Q")


@dataclass(slots=True)
class Requirements:
    """The requirements of all tasks; see ``task-table`` in the contract for each column."""

    offsets: array[int] = field(default_factory=_empty)
    attributes: array[int] = field(default_factory=_empty)
    excludes: array[int] = field(default_factory=_empty)
    value_offsets: array[int] = field(default_factory=_empty)
    values: array[int] = field(default_factory=_empty)

    def of(self, row: int) -> list[tuple[int, bool, frozenset[int]]]:
        """Return attribute, excludes and set of each requirement of a task."""
        if not self.offsets:
            return []
        return [
            (
                self.attributes[at],
                bool(self.excludes[at]),
                frozenset(self.values[self.value_offsets[at] : self.value_offsets[at + 1]]),
            )
            for at in range(self.offsets[row], self.offsets[row + 1])
        ]


@dataclass(slots=True)
class TaskTable:
    """Tasks as the contract has them; ``devices`` is empty where no task asks for one."""

    rows: int
    demand: list[array[int]]
    devices: array[int]
    requirements: Requirements


@dataclass(slots=True)
class OfferTable:
    """Offers as the contract has them; ``capacity`` is empty where it is the same as ``available``."""

    rows: int
    available: list[array[int]]
    capacity: list[array[int]]
    attributes: list[array[int]]
    device_offsets: array[int]
    device_free: array[int]

    def picked(self, rows: Sequence[int]) -> OfferTable:
        """Return the table of some rows only."""
        devices = [self.devices_of(row) for row in rows]

        def of(columns: list[array[int]]) -> list[array[int]]:
            return [array("Q", map(column.__getitem__, rows)) for column in columns]

        offsets, free = _flattened(devices)
        return OfferTable(len(rows), of(self.available), of(self.capacity), of(self.attributes), offsets, free)

    def followed_by(self, other: OfferTable) -> OfferTable:
        """Return the table of these rows and then those of another table of the pool."""
        if not (self.rows and other.rows):
            return self if self.rows else other

        def of(mine: list[array[int]], theirs: list[array[int]]) -> list[array[int]]:
            return [one + another for one, another in zip(mine, theirs, strict=True)]

        capacity: list[array[int]] = []
        if self.capacity or other.capacity:
            capacity = of(self.capacity or self.available, other.capacity or other.available)
        offsets, free = _flattened([table.devices_of(row) for table in (self, other) for row in range(table.rows)])
        available, attributes = of(self.available, other.available), of(self.attributes, other.attributes)
        return OfferTable(self.rows + other.rows, available, capacity, attributes, offsets, free)

    def devices_of(self, row: int) -> list[int]:
        """Return the free thousandths of the devices of one row."""
        if not self.device_offsets:
            return []
        return self.device_free[self.device_offsets[row] : self.device_offsets[row + 1]].tolist()


def _flattened(devices: list[list[int]]) -> tuple[array[int], array[int]]:
    """Return where the devices of each row begin, and their free thousandths; both empty where there are none."""
    if not any(devices):
        return array("Q"), array("Q")
    return array("Q", accumulate(map(len, devices), initial=0)), array("Q", chain.from_iterable(devices))


@dataclass(slots=True)
class Changes:
    """What has happened to the offers of a pool; see ``changes`` in the contract."""

    removed: list[int]
    changed_rows: list[int]
    changed: OfferTable
    added: OfferTable


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


def offer_table(offers: OfferColumns, dimensions: Sequence[str], interner: Interner) -> OfferTable:
    """Return offers in the pool's dimensions and attributes; others do not cross."""
    available, capacity = offers.aligned(dimensions)
    unset: list[str | None] = [None] * len(offers)
    return OfferTable(
        len(offers),
        available,
        capacity or [],
        [interner.column(offers.attributes.get(name, unset)) for name in interner.attributes],
        offers.device_offsets or array("Q"),
        offers.device_free,
    )


def task_table(tasks: TaskColumns, dimensions: Sequence[str], interner: Interner) -> TaskTable:
    """Return tasks in the pool's dimensions and attributes.

    Raises:
        InputError: ``unknown-dimension`` for a dimension the pool does not have.
    """
    demand = tasks.aligned(dimensions)
    requirements = Requirements() if tasks.requirements is None else _requirements(tasks.requirements, interner)
    return TaskTable(len(tasks), demand, array("Q") if tasks.devices is None else tasks.devices, requirements)


def _requirements(rows: Iterable[Sequence[Requirement]], interner: Interner) -> Requirements:
    columns = Requirements(array("Q", [0]), value_offsets=array("Q", [0]))
    numbered: dict[Requirement, tuple[int, array[int]]] = {}
    for requirements in rows:
        for requirement in requirements or ():
            found = numbered.get(requirement)
            if found is None:
                found = numbered[requirement] = _numbered(requirement, interner)
            columns.attributes.append(found[0])
            columns.excludes.append(requirement.excludes)
            columns.values.extend(found[1])
            columns.value_offsets.append(len(columns.values))
        columns.offsets.append(len(columns.attributes))
    return columns if columns.attributes else Requirements()


def _numbered(requirement: Requirement, interner: Interner) -> tuple[int, array[int]]:
    attribute = interner.attributes.get(requirement.attribute)
    if attribute is None:
        # Unset in every offer: 'in' fails and 'not in' passes, as with an empty set on any attribute.
        return 0, array("Q")
    # A value that no offer has cannot be met, so it is left out.
    values = dict.fromkeys(interner.value(value) for value in requirement.values if value)
    return attribute, array("Q", filter(None, values))
