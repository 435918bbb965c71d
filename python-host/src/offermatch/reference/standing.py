"""One task, one offer: which checks the offer fails, and the score of one that fails none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan

from offermatch.tables.tables import AT_LEAST, AT_MOST, IN, NOT_IN, OfferTable, TaskTable

__all__ = ["DEVICE", "Condition", "Offer", "Ranking", "Task", "best_fit", "devices_for", "take_devices"]

DEVICE = 1000
"""Thousandths of a device."""


class Offer:
    """What an offer has, and what is left of it.

    Attributes:
        free: What is left in each dimension.
        capacity: What there is in all.
        attributes: Interned values; 0 is unset.
        measures: Numbers that are compared; NaN is unset.
        devices: The free thousandths of each device.
    """

    __slots__ = ("attributes", "capacity", "devices", "free", "measures")

    def __init__(self, table: OfferTable, row: int) -> None:
        """Take a row of a table."""
        self.free = [column[row] for column in table.available]
        self.capacity = [column[row] for column in table.capacity or table.available]
        self.attributes = [column[row] for column in table.attributes]
        self.measures = [column[row] for column in table.measures]
        self.devices = table.devices.of(row)

    def copied(self) -> Offer:
        """Return the same offer with numbers of its own."""
        copy = object.__new__(Offer)
        copy.free, copy.devices = self.free[:], self.devices[:]
        copy.capacity, copy.attributes, copy.measures = self.capacity, self.attributes, self.measures
        return copy

    def measure(self, subject: int) -> float:
        """Return a measure; NaN where no offer of its table has one."""
        return self.measures[subject] if self.measures else nan

    @property
    def is_used(self) -> bool:
        """Whether anything of it is used."""
        return self.free != self.capacity or min(self.devices, default=DEVICE) < DEVICE

    def take(self, task: Task) -> None:
        """Subtract what a task uses."""
        self.free = [free - demand for free, demand in zip(self.free, task.demand, strict=True)]
        take_devices(self.devices, task.devices)


@dataclass(frozen=True, slots=True)
class Condition:
    """A requirement, or a preference where its weight is finite.

    Attributes:
        kind: In, not in, at least, at most.
        subject: The attribute, or the measure.
        values: The set of an in or a not in.
        bound: The bound of the others.
        weight: What it costs where it does not hold; infinite for a requirement.
    """

    kind: int
    subject: int
    values: frozenset[int]
    bound: float
    weight: float

    def holds(self, offer: Offer) -> bool:
        """Return whether it holds. An unset value is in no set, and an unset measure neither more nor less."""
        if self.kind in (IN, NOT_IN):
            return (offer.attributes[self.subject] in self.values) == (self.kind == IN)
        value = offer.measure(self.subject)
        return value >= self.bound if self.kind == AT_LEAST else value <= self.bound

    def distance(self, offer: Offer) -> float:
        """Return how far the offer is from the bound; 0 where no finite number says it."""
        if self.kind not in (AT_LEAST, AT_MOST):
            return 0.0
        value = offer.measure(self.subject)
        distance = self.bound - value if self.kind == AT_LEAST else value - self.bound
        return distance if isfinite(distance) else 0.0


class Task:
    """One task.

    Attributes:
        row: Its row.
        demand: What it asks in each dimension.
        devices: The device thousandths that it asks.
        conditions: Its requirements and preferences, in order.
        required: The requirements among them.
        preferred: The preferences among them.
    """

    __slots__ = ("conditions", "demand", "devices", "preferred", "required", "row")

    def __init__(self, table: TaskTable, row: int) -> None:
        """Take a row of a table."""
        self.row = row
        self.demand = [column[row] for column in table.demand]
        self.devices = table.devices[row] if table.devices else 0
        self.conditions = list(_conditions(table, row))
        self.required = [one for one in self.conditions if one.weight == inf]
        self.preferred = [one for one in self.conditions if one.weight != inf]

    def short(self, offer: Offer) -> Iterator[tuple[int, int]]:
        """Yield the dimensions in which the offer has too little, and by how much."""
        for dimension, (demand, free) in enumerate(zip(self.demand, offer.free, strict=True)):
            if demand > free:
                yield dimension, demand - free

    def broken(self, offer: Offer) -> Iterator[int]:
        """Yield the places of the requirements that do not hold."""
        return (at for at, one in enumerate(self.conditions) if one.weight == inf and not one.holds(offer))

    def is_served_by(self, devices: Sequence[int]) -> bool:
        """Return whether devices serve it."""
        return devices_for(devices, self.devices) is not None

    def fits(self, offer: Offer) -> bool:
        """Return whether the offer can take it, at any score."""
        for demand, free in zip(self.demand, offer.free, strict=True):
            if demand > free:
                return False
        for one in self.required:
            if not one.holds(offer):
                return False
        return not self.devices or self.is_served_by(offer.devices)

    def devices_missing(self, offer: Offer) -> int:
        """Return the thousandths that its devices lack, which do not serve: of one for a share, else of whole ones."""
        if self.devices < DEVICE:
            return self.devices - max(offer.devices, default=0)
        return self.devices - DEVICE * offer.devices.count(DEVICE)


def _conditions(table: TaskTable, row: int) -> Iterator[Condition]:
    columns = table.requirements
    if not columns.offsets:
        return
    for at in range(columns.offsets[row], columns.offsets[row + 1]):
        values = columns.values[columns.value_offsets[at] : columns.value_offsets[at + 1]] if columns.value_offsets else ()
        yield Condition(
            columns.kinds[at],
            columns.subjects[at],
            frozenset(values),
            columns.bounds[at] if columns.bounds else nan,
            columns.weights[at] if columns.weights else inf,
        )


@dataclass(slots=True)
class Ranking:
    """How feasible offers are ranked.

    Attributes:
        weights: One a dimension, and the devices' last.
        scales: Likewise.
        max_score: What every score is below.
        policy: The score of an offer that can take a task, its preferences aside.
        used_first: Whether an offer of which nothing is used is chosen only where no used one can be.
    """

    weights: Sequence[float]
    scales: list[int]
    max_score: float
    policy: Callable[[Ranking, Offer, Task], float]
    used_first: bool = False

    def score(self, offer: Offer, task: Task) -> float:
        """Return the score of an offer that can take the task, and then, in order, what each broken preference costs."""
        score = self.policy(self, offer, task)
        for one in task.preferred:
            if not one.holds(offer):
                score += one.weight
        return score


def best_fit(ranking: Ranking, offer: Offer, task: Task) -> float:
    """Return the score of best-fit."""
    score = 0.0
    for weight, free, demand, scale in zip(ranking.weights, offer.free, task.demand, ranking.scales, strict=False):
        score += weight * float(free - demand) / float(scale)
    return score + ranking.weights[-1] * float(sum(offer.devices) - task.devices) / float(ranking.scales[-1])


def take_devices(devices: list[int], thousandths: int) -> bool:
    """Take devices as docs/semantics.md says, and return whether they were there to take."""
    numbers = devices_for(devices, thousandths)
    for number in numbers or ():
        devices[number] -= min(thousandths, DEVICE)
    return numbers is not None


def devices_for(devices: Sequence[int], thousandths: int) -> tuple[int, ...] | None:
    """Return the numbers of the devices that serve what is asked, by docs/semantics.md; None where none do."""
    if thousandths == 0:
        return ()
    if thousandths < DEVICE:
        fitting = [(free, number) for number, free in enumerate(devices) if free >= thousandths]
        return (min(fitting)[1],) if fitting else None
    whole = [number for number, free in enumerate(devices) if free == DEVICE][: thousandths // DEVICE]
    return tuple(whole) if len(whole) == thousandths // DEVICE else None
