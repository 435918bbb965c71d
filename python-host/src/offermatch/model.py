"""What goes in and what comes out: tasks, offers, settings, assignments, explanations.

All are frozen dataclasses with slots. A quantity is a number or text with a unit: ``cpu`` in cores (2, 0.5, ``"500m"``),
memory and disk in bytes (``"200GiB"``), everything else a count. docs/formats.md has the rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any, Literal

from offermatch.errors import InputError
from offermatch.quantity import UNITS, check_units, parse, unit_of
from offermatch.requirements import (
    OFFER,
    AnyRequirement,
    Comparison,
    Group,
    Preference,
    Requirement,
    at_least,
    at_most,
    is_in,
    not_in,
    prefer,
)
from offermatch.visible import shown_value

__all__ = [
    "DEVICES",
    "MODES",
    "OFFER",
    "RULES",
    "AnyRequirement",
    "Assignment",
    "Check",
    "Comparison",
    "Description",
    "Explanation",
    "Group",
    "Members",
    "Mode",
    "Move",
    "Offer",
    "Parameter",
    "Preference",
    "Quantity",
    "Requirement",
    "Running",
    "Settings",
    "Task",
    "Timings",
    "at_least",
    "at_most",
    "is_in",
    "not_in",
    "prefer",
]

Mode = Literal["exclusive", "shared"]
"""What happens to an offer that takes a task: it leaves the list, or the demand is subtracted and it stays."""

MODES: tuple[Mode, ...] = ("exclusive", "shared")

RULES = ("measures", "preferences", "groups", "workload")
"""The rules that a matcher may leave out."""

DEVICES = "devices"
"""The name of the device term in weights and scales."""


Quantity = int | float | str | Decimal
"""A number, or text with or without a unit."""


@dataclass(frozen=True, slots=True)
class Task:
    """Work to be placed.

    Attributes:
        name: Its name, one of a kind among the tasks of a call.
        demand: What it asks in each resource dimension; a dimension left out is 0.
        requirements: Conditions on attributes and measures, all of which must hold.
        devices: Whole devices asked.
        device_share: Thousandths asked of one device, 1 to 999; 0 for none. Not together with ``devices``.
        preferences: Conditions that cost something where they do not hold.
        group: The group that it belongs to, or its name where another member bears the rules.
    """

    name: str
    demand: Mapping[str, Quantity] = field(default_factory=dict)
    requirements: Sequence[AnyRequirement] = ()
    devices: int = 0
    device_share: int = 0
    preferences: Sequence[Preference] = ()
    group: Group | str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A server, or a part of one, that can take tasks.

    Attributes:
        name: Its name, one of a kind among the offers of a pool.
        available: What is free in each resource dimension; a dimension left out is 0.
        capacity: What there is in all; what is left out is the same as available.
        attributes: Named properties; None and the empty text stand for unset.
        devices: A number of wholly free devices, or the free thousandths of each (0 to 1000).
        measures: Numbers that are compared and not used up, such as a price; None, as what is left out, stands for unset.
        occupants: How many members of a group run on it already, by the name of the group.
    """

    name: str
    available: Mapping[str, Quantity] = field(default_factory=dict)
    capacity: Mapping[str, Quantity] | None = None
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    devices: int | Sequence[int] = 0
    measures: Mapping[str, float | None] | None = None
    occupants: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How a pool ranks its offers.

    Attributes:
        mode: What happens to an offer that takes a task.
        max_score: An offer is chosen only if its score is below this; None for no limit.
        weights: The weight of a dimension by its name, ``"devices"`` for the free device thousandths; 1.0 where left out.
        scales: The scale likewise, a quantity of that dimension (``"devices"`` in devices); where left out or 0, the largest
            capacity in it.
        units: What the numbers of a dimension are in, such as ``{"cpu": "millicores"}``, in these settings and in all rows
            that are given to the pool.
        parameters: What the policy takes, by its names; those of ``Description.parameters``, whose defaults stand where left
            out.
        workload: The tasks that are to be expected, each with its share of all, for a policy that looks ahead. Shares are
            in proportion to their sum.
    """

    mode: Mode = "exclusive"
    max_score: float | None = None
    weights: Mapping[str, float] | None = None
    scales: Mapping[str, Quantity] | None = None
    units: Mapping[str, str] | None = None
    parameters: Mapping[str, float] | None = None
    workload: Sequence[tuple[Task, float]] | None = None

    def weight_column(self, dimensions: Sequence[str]) -> list[float]:
        """Return one weight a dimension and the devices' last; empty where all are 1.0.

        Raises:
            InputError: ``setting-malformed`` for an unknown name or a number that is negative or not finite.
        """
        return [_finite(value, f"weight of {name}") for name, value in _ordered(self.weights, dimensions, 1.0, "weights")]

    def scale_column(self, dimensions: Sequence[str]) -> list[int]:
        """Return one scale a dimension and the devices' last, 0 for the largest capacity; empty where all are 0.

        Raises:
            InputError: ``setting-malformed`` for an unknown name or a number that is no quantity.
        """
        column = []
        for name, value in _ordered(self.scales, dimensions, 0, "scales"):
            try:
                column.append(parse(value, unit=_DEVICE if name == DEVICES else unit_of(name, self.units)))
            except InputError as error:
                raise InputError("setting-malformed", error.message, error.hint, f"scale of {name}") from error
        return column

    def check_units(self, dimensions: Iterable[str]) -> None:
        """Refuse units of dimensions that neither the offers nor the tasks have.

        Raises:
            InputError: ``setting-malformed``.
        """
        check_units(self.units, dimensions)

    def checked(self) -> Settings:
        """Return these settings, known to be usable whatever the dimensions are.

        Raises:
            InputError: ``setting-malformed`` for an unknown mode, for what should be a mapping by name, or for a maximal
                score that is negative or not finite.
        """
        if not isinstance(self.mode, str) or self.mode not in MODES:
            raise InputError(
                "setting-malformed", f"unknown mode {shown_value(self.mode)}", "use one of " + ", ".join(MODES), "mode"
            )
        for what in ("weights", "scales", "units", "parameters"):
            given = getattr(self, what)
            if given is not None and not isinstance(given, Mapping):
                hint = f'{what} are a mapping by name, such as {{"cpu": {_SUCH_AS[what]}}}'
                raise InputError("setting-malformed", f"{shown_value(given)} are no {what}", hint, what)
        if self.max_score is not None:
            _finite(self.max_score, "max_score")
        return self


_SUCH_AS = {"weights": "2", "scales": '"64 cores"', "units": '"millicores"', "parameters": "1"}

# A scale of devices is in devices; the contract counts their thousandths.
_DEVICE = UNITS["0.001"]


def _ordered(given: Mapping[str, Any] | None, dimensions: Sequence[str], default: float, what: str) -> list[tuple[str, Any]]:
    if not given:
        return []
    if DEVICES in dimensions:
        hint = "give the dimension another name"
        raise InputError("setting-malformed", f"a dimension is called {DEVICES!r}, as the devices are", hint, what)
    names = [*dimensions, DEVICES]
    for name in given:
        if name not in names:
            hint = "the names are " + ", ".join(names)
            raise InputError("setting-malformed", f"{shown_value(name)} is not a dimension of the offers", hint, what)
    return [(name, given.get(name, default)) for name in names]


def real(value: Any) -> float:
    """Return a real number of any kind as a double; NaN for what is none, or has none."""
    try:
        return float(value) if isinstance(value, (float, Real, Decimal)) and not isinstance(value, bool) else math.nan
    except (OverflowError, ValueError):
        return math.nan


def _finite(value: Any, place: str) -> float:
    number = real(value)
    if not math.isfinite(number) or number < 0:
        raise InputError(
            "setting-malformed", f"{shown_value(value)} cannot be used", "give a finite number, 0 or more", place
        )
    return number


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task, the offer it was given, and the score at which it was chosen."""

    task: str
    offer: str
    score: float


@dataclass(frozen=True, slots=True)
class Check:
    """How the offers in the list fail one check of a task.

    Attributes:
        fails: Offers that fail it.
        alone: Those that fail nothing else.
        missing: The least that one of those would need more: in the smallest unit of a dimension, from the bound of a
            measure, in device thousandths, from the maximal score. 0 where there is no such number.
    """

    fails: int
    alone: int
    missing: float = 0


@dataclass(frozen=True, slots=True)
class Members:
    """How the group of a task stands.

    Attributes:
        group: The name of the group.
        placed: How many of the members asked about find offers, placed with one another, before the least number is asked.
        running: How many run already, those that the same call has placed included.
        least: How many it needs; 0 where it needs none.
    """

    group: str
    placed: int
    running: int
    least: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the offers in the list stand to one task.

    By a matcher of contract 0.3.0 each offer is counted at every check that it fails, and ``checks`` says more about each.
    By one of contract 0.2.0 it is counted once, at the first, so the counts add up to ``offers``.

    Attributes:
        task: The task's name.
        offers: How many offers the list holds.
        by_dimension: Offers with too little, by dimension.
        by_requirement: Offers refused by each of the task's requirements, in order.
        by_devices: Offers whose devices do not serve the task.
        by_score: Offers whose score is not below the maximal score.
        candidates: Offers left to choose from.
        checks: Each check by its name: a dimension, ``requirement 0`` and so on, ``devices``, ``together``, ``limit 0`` and
            so on, ``score``. None where the matcher does not tell.
        capable: Offers of the list that could hold the task if they were empty; None where the matcher does not tell.
        members: How the group of the task stands; None for a task of no group, and where the matcher does not tell.
        words: What a check asks, by its name, where that does not say it, such as ``zone in a, b`` for ``requirement 0``.
    """

    task: str
    offers: int
    by_dimension: Mapping[str, int]
    by_requirement: tuple[int, ...]
    by_devices: int
    by_score: int
    candidates: int
    checks: Mapping[str, Check] | None = None
    capable: int | None = None
    members: Members | None = None
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """A task that runs, and may be taken away for one that matters more.

    Attributes:
        offer: The name of the offer that it runs on.
        priority: How much it matters: a higher number matters more.
        start: When it began, in any unit, 0 or more: what began earlier stays rather.
        demand: What it uses in each resource dimension, in the smallest unit. That is not free.
        devices: The thousandths that it uses of each device, by the device's number.
    """

    offer: str
    priority: int
    start: int = 0
    demand: Mapping[str, int] = field(default_factory=dict)
    devices: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A task that finds an offer once others have ended.

    Attributes:
        task: The row of the task.
        offer: The name of the offer.
        score: The score at which it was chosen.
        victims: The rows of the running tasks that have to end.
    """

    task: int
    offer: str
    score: float
    victims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a policy takes from the settings.

    Attributes:
        name: Its name.
        default: What it is where it is not set.
        minimum: The least that it may be.
        maximum: The most that it may be.
    """

    name: str
    default: float
    minimum: float
    maximum: float


USED_FIRST = Parameter("used-first", 0.0, 0.0, 1.0)
"""Above 0, an offer of which nothing is used is chosen only where no used one can be: of every policy that is shipped."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a matcher says of itself.

    Attributes:
        name: Its name.
        version: Its version, a semantic version.
        policy: The policy that ranks the offers.
        contract: The contract it was built against.
        modes: The modes it has.
        rules: Those that it serves of the rules that a matcher may leave out: ``measures``, ``preferences``, ``groups`` and
            ``workload``.
        parameters: The numbers that its policy takes from the settings.
        preempts: Whether it plans preemption.
    """

    name: str
    version: str
    policy: str
    contract: str
    modes: tuple[str, ...]
    rules: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    preempts: bool = False


@dataclass(slots=True)
class Timings:
    """Where the time of a call went, in seconds.

    Attributes:
        columns: Rows to columns, with every check of a value.
        lower: Columns to component values.
        call: In the component, with the copy in and out of its memory.
        lift: Component values to columns.
        verify: The answer checked against the host's tables.
    """

    columns: float = 0.0
    lower: float = 0.0
    call: float = 0.0
    lift: float = 0.0
    verify: float = 0.0
