"""A matcher in Python: docs/semantics.md as a plain loop, behind the contract in wit/.

componentize-py makes a component of this module and a CPython. It looks for one class for each exported interface
(``Matching``) and, in a module named like the interface (this one), for one for each exported resource (``Pool``);
``wit_world`` is what it makes of the contract. A table comes as a dataclass of flat lists, and an ``Err`` that is raised
is the contract's ``error``.

    Pool         who takes what?
    offers_of..  flat columns as rows
    check_...    are the tables what the contract asks for?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any, NoReturn

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import matching
from wit_world.exports.matching import (
    Assignments,
    BadSetting,
    Cell,
    Changes,
    ColumnLength,
    Description,
    Error_BadSetting,
    Error_BrokenDevices,
    Error_ColumnLength,
    Error_OutOfRange,
    Error_RepeatedRow,
    Error_TooManyRows,
    Explanations,
    Mode,
    OfferTable,
    RowLimit,
    Settings,
    Shape,
    TaskTable,
)

MOST_ROWS = 1 << 24
"""The most rows of a pool, and of one task table."""
LARGEST = 2**32 - 1
"""The largest number of a ``u32`` column."""


class Matching(exports.Matching):
    """The interface's functions."""

    def describe(self) -> Description:
        """Say what this matcher is."""
        return Description("best-fit-python", "0.1.0", "best-fit", "0.2.0", [Mode.EXCLUSIVE, Mode.SHARED])

    def set_traced(self, traced: bool) -> None:
        """Do nothing: this matcher tells of no spans, whether calls are traced or not."""


@dataclass(slots=True)
class Offer:
    """What is left of one offer."""

    free: list[int]
    attributes: list[int]
    devices: list[int]


@dataclass(slots=True)
class Requirement:
    """A condition on one attribute."""

    attribute: int
    excludes: bool
    values: frozenset[int]

    def refuses(self, offer: Offer) -> bool:
        """Say whether an offer fails it. An unset value is 0, and 0 is in no set."""
        return (offer.attributes[self.attribute] in self.values) == self.excludes


@dataclass(slots=True)
class Task:
    """One task; its devices in thousandths."""

    demand: list[int]
    devices: int
    requirements: list[Requirement]


class Pool(matching.Pool):
    """The interface's resource: offers, and the list whose order decides ties."""

    @classmethod
    def open(cls, shape: Shape, offers: OfferTable, settings: Settings) -> "Pool":
        """Open a pool of these offers, listed in the order of their rows."""
        check_settings(settings, shape)
        check_offers(offers, shape)
        pool = cls()
        pool.shape = shape
        pool.exclusive = settings.mode == Mode.EXCLUSIVE
        pool.max_score = settings.max_score
        pool.offers = offers_of(offers, shape)
        pool.list = list(range(offers.rows))
        terms = shape.dimensions + 1
        pool.weights = settings.weights or [1.0] * terms
        capacity = offers.capacity or offers.available
        largest = [max(capacity[dimension :: shape.dimensions], default=0) for dimension in range(shape.dimensions)]
        largest.append(1000 * max((len(offer.devices) for offer in pool.offers), default=0))
        # Integers as doubles are rounded to nearest, in Python as in the contract.
        pool.scales = [float(given or most or 1) for given, most in zip(settings.scales or [0] * terms, largest)]
        return pool

    def assign(self, tasks: TaskTable) -> Assignments:
        """Place the tasks, one after the other."""
        check_tasks(tasks, self.shape)
        answer = Assignments([], [], [])
        for row, task in enumerate(tasks_of(tasks, self.shape)):
            position, score = self.best(task)
            if position is None:
                continue
            answer.tasks.append(row)
            answer.offers.append(self.list[position])
            answer.scores.append(score)
            if self.exclusive:
                self.swap_remove(position)
            else:
                take(self.offers[self.list[position]], task)
        return answer

    def update(self, changes: Changes) -> None:
        """Apply what has changed: removed, changed, added."""
        check_changes(changes, self.shape, len(self.offers))
        for row in changes.removed:
            if row in self.list:
                self.swap_remove(self.list.index(row))
        listed = set(self.list)
        for row, offer in zip(changes.changed_rows, offers_of(changes.changed, self.shape)):
            self.offers[row] = offer
            if row not in listed:
                self.list.append(row)
        for offer in offers_of(changes.added, self.shape):
            self.list.append(len(self.offers))
            self.offers.append(offer)

    def explain(self, tasks: TaskTable) -> Explanations:
        """Count each offer of the list at the first check it fails."""
        check_tasks(tasks, self.shape)
        answer = Explanations([], [], [], [], [])
        for task in tasks_of(tasks, self.shape):
            by_dimension = [0] * self.shape.dimensions
            by_requirement = [0] * len(task.requirements)
            by_devices = by_score = candidates = 0
            for row in self.list:
                offer = self.offers[row]
                if (dimension := too_short(offer, task)) is not None:
                    by_dimension[dimension] += 1
                elif (requirement := refusing(offer, task)) is not None:
                    by_requirement[requirement] += 1
                elif not devices_serve(offer, task):
                    by_devices += 1
                elif not self.score(offer, task) < self.max_score:
                    by_score += 1
                else:
                    candidates += 1
            answer.by_dimension += by_dimension
            answer.by_requirement += by_requirement
            answer.by_devices.append(by_devices)
            answer.by_score.append(by_score)
            answer.candidates.append(candidates)
        return answer

    def best(self, task: Task) -> tuple[int | None, float]:
        """Return the place in the list of the offer with the lowest score, the first among equals, and the score."""
        place, lowest = None, self.max_score
        for position, row in enumerate(self.list):
            offer = self.offers[row]
            if too_short(offer, task) is None and refusing(offer, task) is None and devices_serve(offer, task):
                score = self.score(offer, task)
                if score < lowest:
                    place, lowest = position, score
        return place, lowest

    def score(self, offer: Offer, task: Task) -> float:
        """Return the score of a feasible offer, term by term in the order of the contract."""
        score = 0.0
        for weight, free, demand, scale in zip(self.weights, offer.free, task.demand, self.scales):
            score += weight * float(free - demand) / scale
        return score + self.weights[-1] * float(sum(offer.devices) - task.devices) / self.scales[-1]

    def swap_remove(self, position: int) -> None:
        """Take an offer out of the list: the last one moves into its place."""
        self.list[position] = self.list[-1]
        self.list.pop()


def too_short(offer: Offer, task: Task) -> int | None:
    """Return the first dimension in which the offer has too little."""
    for dimension, (demand, free) in enumerate(zip(task.demand, offer.free)):
        if demand > free:
            return dimension
    return None


def refusing(offer: Offer, task: Task) -> int | None:
    """Return the first requirement that the offer fails."""
    for at, requirement in enumerate(task.requirements):
        if requirement.refuses(offer):
            return at
    return None


def devices_serve(offer: Offer, task: Task) -> bool:
    """Say whether one device has the share that is asked, or enough devices are entirely free."""
    if task.devices < 1000:
        return task.devices == 0 or any(free >= task.devices for free in offer.devices)
    return offer.devices.count(1000) >= task.devices // 1000


def take(offer: Offer, task: Task) -> None:
    """Subtract what a task uses."""
    offer.free = [free - demand for free, demand in zip(offer.free, task.demand)]
    if 0 < task.devices < 1000:
        # From the tightest device that holds the share, the lowest number among equals.
        _, number = min((free, number) for number, free in enumerate(offer.devices) if free >= task.devices)
        offer.devices[number] -= task.devices
    elif task.devices:
        whole = [number for number, free in enumerate(offer.devices) if free == 1000]
        for number in whole[: task.devices // 1000]:
            offer.devices[number] = 0


def offers_of(table: OfferTable, shape: Shape) -> list[Offer]:
    """Return the rows of a checked table."""
    return [
        Offer(
            table.available[row * shape.dimensions : (row + 1) * shape.dimensions],
            table.attributes[row * shape.attributes : (row + 1) * shape.attributes],
            devices,
        )
        for row, devices in enumerate(cut(table.device_free, table.device_offsets, table.rows))
    ]


def tasks_of(table: TaskTable, shape: Shape) -> list[Task]:
    """Return the rows of a checked table."""
    count = len(table.requirement_attributes)
    sets = map(frozenset, cut(table.values, table.value_offsets, count))
    requirements = [
        Requirement(attribute, excludes, values)
        for attribute, excludes, values in zip(table.requirement_attributes, table.requirement_excludes, sets)
    ]
    return [
        Task(table.demand[row * shape.dimensions : (row + 1) * shape.dimensions], devices, mine)
        for row, (devices, mine) in enumerate(
            zip(table.devices or [0] * table.rows, cut(requirements, table.requirement_offsets, table.rows))
        )
    ]


def cut[T](flat: list[T], offsets: list[int], rows: int) -> list[list[T]]:
    """Cut a flat column into the parts of the rows; without offsets, every row has an empty part."""
    return [flat[start:end] for start, end in pairwise(offsets)] if offsets else [[] for _ in range(rows)]


def check_settings(settings: Settings, shape: Shape) -> None:
    """Refuse settings that a pool of this shape cannot use."""
    terms = shape.dimensions + 1
    _usable("max-score", [settings.max_score])
    _length_or_empty("weights", settings.weights, terms)
    _length_or_empty("scales", settings.scales, terms)
    _usable("weights", settings.weights)


def check_offers(offers: OfferTable, shape: Shape) -> None:
    """Refuse columns that do not fit together, and numbers out of their range."""
    _rows(offers.rows)
    cells = offers.rows * shape.dimensions
    _length("available", offers.available, cells)
    _length_or_empty("capacity", offers.capacity, cells)
    for at, (available, capacity) in enumerate(zip(offers.available, offers.capacity)):
        if available > capacity:
            _out_of_range("available", at // shape.dimensions, available, 0, capacity)
    _length("attributes", offers.attributes, offers.rows * shape.attributes)
    _offsets("device-offsets", offers.device_offsets, offers.rows, "device-free", offers.device_free)
    _range("device-free", offers.device_free, 0, 1000)


def check_tasks(tasks: TaskTable, shape: Shape) -> None:
    """Refuse columns that do not fit together, and numbers out of their range."""
    _rows(tasks.rows)
    _length("demand", tasks.demand, tasks.rows * shape.dimensions)
    _length_or_empty("devices", tasks.devices, tasks.rows)
    for row, asked in enumerate(tasks.devices):
        if asked > 1000 and asked % 1000:
            raise Err(Error_BrokenDevices(Cell("devices", row, asked, 0, LARGEST - LARGEST % 1000)))
    requirements = tasks.requirement_attributes
    _offsets("requirement-offsets", tasks.requirement_offsets, tasks.rows, "requirement-attributes", requirements)
    _length("requirement-excludes", tasks.requirement_excludes, len(requirements))
    _offsets("value-offsets", tasks.value_offsets, len(requirements), "values", tasks.values)
    # Without an attribute no number is in range, not even the 0 that the error has to name.
    if shape.attributes == 0 and requirements:
        _out_of_range("requirement-attributes", 0, requirements[0], 0, 0)
    _range("requirement-attributes", requirements, 0, shape.attributes - 1)
    _range("values", tasks.values, 1, LARGEST)


def check_changes(changes: Changes, shape: Shape, rows: int) -> None:
    """Refuse changes that a pool with so many rows cannot apply."""
    check_offers(changes.changed, shape)
    check_offers(changes.added, shape)
    _length("changed-rows", changes.changed_rows, changes.changed.rows)
    _rows(rows + changes.added.rows)
    for column, named in (("removed", changes.removed), ("changed-rows", changes.changed_rows)):
        for at, row in enumerate(named):
            if row >= rows:
                _out_of_range(column, at, row, 0, max(rows - 1, 0))
    named = sorted(changes.removed + changes.changed_rows)
    for row, following in pairwise(named):
        if row == following:
            raise Err(Error_RepeatedRow(row))


def _usable(setting: str, values: Sequence[float]) -> None:
    for position, value in enumerate(values):
        if not (isfinite(value) and value >= 0.0):
            raise Err(Error_BadSetting(BadSetting(setting, position, value)))


def _rows(asked: int) -> None:
    if asked > MOST_ROWS:
        raise Err(Error_TooManyRows(RowLimit(asked, MOST_ROWS)))


def _length(column: str, values: Sequence[Any], expected: int) -> None:
    if len(values) != expected:
        raise Err(Error_ColumnLength(ColumnLength(column, expected, len(values))))


def _length_or_empty(column: str, values: Sequence[Any], expected: int) -> None:
    if values:
        _length(column, values, expected)


def _range(column: str, values: Sequence[int], least: int, most: int) -> None:
    for at, value in enumerate(values):
        if not least <= value <= most:
            _out_of_range(column, at, value, least, most)


def _offsets(column: str, offsets: Sequence[int], rows: int, flat_column: str, flat: Sequence[Any]) -> None:
    """Refuse offsets that fall, begin above zero or do not end at the length of their column."""
    if not offsets:
        _length(flat_column, flat, 0)
        return
    _length(column, offsets, rows + 1)
    least = most = 0
    for at, offset in enumerate(offsets):
        if not least <= offset <= most:
            _out_of_range(column, at, offset, least, most)
        least, most = offset, LARGEST
    _length(flat_column, flat, least)


def _out_of_range(column: str, row: int, value: int, least: int, most: int) -> NoReturn:
    raise Err(Error_OutOfRange(Cell(column, row, value, least, most)))
