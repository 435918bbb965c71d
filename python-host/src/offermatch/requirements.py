"""What a task asks besides room: requirements on attributes and measures, preferences, and groups.

A measure is a number of an offer that is compared and not used up, such as the memory of a GPU or a price. A number is
checked where it is given, so that a table only holds what can be compared.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from operator import index
from typing import Any, Literal

from offermatch.errors import InputError
from offermatch.visible import shown_value

__all__ = [
    "DOUBLE",
    "OFFER",
    "AnyRequirement",
    "Comparison",
    "Group",
    "Preference",
    "Requirement",
    "at_least",
    "at_most",
    "check_group_name",
    "double",
    "is_in",
    "measure_number",
    "members",
    "not_in",
    "prefer",
    "weight_number",
]

OFFER = "offer"
"""What stands for the offer itself in ``Group.at_most``."""

MOST_MEMBERS = 2**32 - 1
"""The most members that can be named: their number crosses as a 32-bit integer."""

# What Rust reads as a double. Python's float() would take underscores, blanks and the digits of other scripts, too.
DOUBLE = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)
"""A number as text."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition on one attribute of an offer.

    Attributes:
        attribute: The attribute's name.
        values: The set of values.
        excludes: Whether the value must NOT be in the set. An unset value is in no set.
    """

    attribute: str
    values: tuple[str, ...]
    excludes: bool = False

    def __post_init__(self) -> None:
        """Take one value, or any collection of values, as the set.

        Raises:
            InputError: ``file-malformed`` for what is no text: only text is compared with text.
        """
        given: Any = self.values
        try:
            values = (given,) if isinstance(given, str) else tuple(given)
        except TypeError:
            values = (given,)
        for value in (self.attribute, *values):
            if not isinstance(value, str):
                hint = f"attributes and their values are text: give {shown_value(value)} as text"
                place = f"requirement on {shown_value(self.attribute)}"
                raise InputError("file-malformed", f"{shown_value(value)} is not text", hint, place)
        object.__setattr__(self, "values", values)

    def holds(self, value: str | None) -> bool:
        """Return whether a value of the attribute meets the requirement; the empty text is unset, as None is."""
        return (bool(value) and value in self.values) != self.excludes

    def __str__(self) -> str:
        """Return the requirement in words; of many values the first ones, and each once."""
        values = tuple(dict.fromkeys(self.values))
        shown = values if len(values) <= _MOST_VALUES else values[: _MOST_VALUES - 1]
        more = f" and {len(values) - len(shown)} more" if len(shown) < len(values) else ""
        return f"{self.attribute} {'not in' if self.excludes else 'in'} {', '.join(shown)}{more}"


_MOST_VALUES = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on one measure of an offer. An offer without the measure fails it.

    Attributes:
        measure: The measure's name.
        bound: What it is compared with; may be infinite.
        is_least: Whether the measure must be at least the bound; otherwise at most.
    """

    measure: str
    bound: float
    is_least: bool

    def __post_init__(self) -> None:
        """Take any number as the bound.

        Raises:
            InputError: ``file-malformed`` for a name that is not text, ``measure-malformed`` for a bound that is no number.
        """
        place = f"requirement on {shown_value(self.measure)}"
        name: Any = self.measure
        if not isinstance(name, str):
            raise InputError("file-malformed", f"{shown_value(name)} is not text", "a measure is called by text", place)
        object.__setattr__(self, "bound", measure_number(self.bound, place))

    def holds(self, number: float | None) -> bool:
        """Return whether a value of the measure meets the requirement; NaN is unset, as None is."""
        return number is not None and (number >= self.bound if self.is_least else number <= self.bound)

    def __str__(self) -> str:
        """Return the requirement in words."""
        return f"{self.measure} at {'least' if self.is_least else 'most'} {self.bound:.6g}"


AnyRequirement = Requirement | Comparison
"""A requirement of either kind."""


@dataclass(frozen=True, slots=True)
class Preference:
    """A condition that an offer may fail: the weight is then added to its score, of which the lowest wins.

    Attributes:
        requirement: The condition.
        weight: What is added, finite, 0 or more.
    """

    requirement: AnyRequirement
    weight: float

    def __post_init__(self) -> None:
        """Take any number as the weight.

        Raises:
            InputError: ``file-malformed`` for what is no requirement, ``preference-malformed`` for a weight that cannot be.
        """
        given: Any = self.requirement
        if not isinstance(given, (Requirement, Comparison)):
            hint = "prefer what is_in, not_in, at_least or at_most return"
            raise InputError("file-malformed", f"{shown_value(given)} is not a requirement", hint, "preference")
        object.__setattr__(self, "weight", weight_number(self.weight, f"preference for {self.requirement}"))


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks that ask something together. One member at least bears the rules, the others may name the group only.

    Attributes:
        name: Its name.
        least: If fewer members than this find an offer, with those that run already, none is placed. 0 and 1 ask nothing.
        together: The attribute of which the offers of all members have one value.
        at_most: How many members there may be on offers with one value of an attribute, or on one ``"offer"``; 1 or more.
    """

    name: str
    least: int = 0
    together: str | None = None
    at_most: Mapping[str, int] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Take any whole numbers as the members.

        Raises:
            InputError: ``group-malformed``, or ``file-malformed`` for names that are not text.
        """
        check_group_name(self.name, "group")
        place = f"group {shown_value(self.name)}"
        together: Any = self.together
        limits: Any = self.at_most
        if together is not None and not isinstance(together, str):
            raise InputError(
                "file-malformed", f"{shown_value(together)} is not text", "name an attribute", f"{place}, together"
            )
        if not isinstance(limits, Mapping):
            hint = 'give a number of members for each attribute, such as {"zone": 2}, or for "offer"'
            raise InputError("file-malformed", f"{shown_value(limits)} is not a mapping", hint, f"{place}, at_most")
        for name in limits:
            if not isinstance(name, str):
                raise InputError(
                    "file-malformed", f"{shown_value(name)} is not text", "name attributes", f"{place}, at_most"
                )
        object.__setattr__(self, "least", members(self.least, 0, f"{place}, least"))
        at_most = {name: members(most, 1, f"{place}, at_most.{name}") for name, most in limits.items()}
        object.__setattr__(self, "at_most", at_most)

    @property
    def is_name_only(self) -> bool:
        """Whether it says no more than its name."""
        return not self.least and self.together is None and not self.at_most

    @property
    def attributes(self) -> list[str]:
        """The attributes that its members are placed by."""
        together = [] if self.together is None else [self.together]
        return [*together, *(name for name in self.at_most if name != OFFER)]


def is_in(attribute: str, *values: str | Collection[str]) -> Requirement:
    """Return the requirement that the attribute is one of the values, which stand one by one or in a list.

    Raises:
        InputError: ``file-malformed`` for no value at all, and for what is no text.

    Examples:
        >>> is_in("zone", "a", "b") == is_in("zone", ["a", "b"])
        True
    """
    return Requirement(attribute, _values(attribute, values))


def not_in(attribute: str, *values: str | Collection[str]) -> Requirement:
    """Return the requirement that the attribute is unset or none of the values; otherwise as ``is_in``."""
    return Requirement(attribute, _values(attribute, values), excludes=True)


def at_least(measure: str, bound: float) -> Comparison:
    """Return the requirement that the measure is set and not below the bound.

    Raises:
        InputError: ``measure-malformed`` for a bound that is no number.

    Examples:
        >>> str(at_least("gpu_memory", 40e9))
        'gpu_memory at least 4e+10'
    """
    return Comparison(measure, bound, is_least=True)


def at_most(measure: str, bound: float) -> Comparison:
    """Return the requirement that the measure is set and not above the bound; otherwise as ``at_least``."""
    return Comparison(measure, bound, is_least=False)


def prefer(requirement: AnyRequirement, weight: float) -> Preference:
    """Return the preference of offers that meet a requirement.

    Raises:
        InputError: ``preference-malformed`` for a weight that is not finite or negative.

    Examples:
        >>> prefer(is_in("zone", "a"), 0.5).weight
        0.5
    """
    return Preference(requirement, weight)


def _values(attribute: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
    values: tuple[Any, ...] = ()
    for value in given:
        if isinstance(value, (set, frozenset)):
            # Sets have no order of their own; the same requirement is to be equal.
            values += tuple(sorted(value, key=str))
        else:
            values += tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if not values:
        hint = 'name one value or more, such as is_in("zone", "a", "b")'
        raise InputError(
            "file-malformed", "there is no value to compare with", hint, f"requirement on {shown_value(attribute)}"
        )
    return values


def double(value: Any) -> float | None:
    """Return a number, or a text that Rust reads as a double, as one; None for anything else."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is str:
        return float(value) if DOUBLE.fullmatch(value) else None
    if isinstance(value, bool) or kind.__name__ in ("bool_", "bool"):
        return None
    if isinstance(value, (int, Decimal)):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
        except ValueError:
            # A NaN of Decimal that signals.
            return math.nan
    try:
        return float(value) if not hasattr(value, "__len__") else None
    except (TypeError, ValueError, OverflowError):
        return None


def measure_number(value: Any, place: str) -> float:
    """Return a measure, or the bound of one.

    Raises:
        InputError: ``measure-malformed`` for NaN, and for what is no number.
    """
    number = double(value)
    if number is None or math.isnan(number):
        hint = "give a number, or leave it out where it is not known"
        raise InputError("measure-malformed", f"{shown_value(value)} is not a number", hint, place)
    return number


def weight_number(value: Any, place: str) -> float:
    """Return the weight of a preference.

    Raises:
        InputError: ``preference-malformed`` for what is negative, not finite or no number.
    """
    number = double(value)
    if number is None or not math.isfinite(number) or number < 0:
        hint = "a weight is what is added to the score where the preference does not hold: a finite number, 0 or more"
        raise InputError("preference-malformed", f"the weight {shown_value(value)} cannot be used", hint, place)
    return number


def members(value: Any, least: Literal[0, 1], place: str) -> int:
    """Return a number of members.

    Raises:
        InputError: ``group-malformed`` for what is no whole number from the least one to 2^32 - 1.
    """
    number: int | None = None
    if isinstance(value, str):
        number = int(value) if value.isascii() and value.isdigit() and len(value) < _DIGITS else None
    elif isinstance(value, float):
        # Of a frame that had to make room for missing values.
        number = int(value) if value.is_integer() else None
    elif not isinstance(value, bool):
        with suppress(TypeError):
            number = index(value)
    if number is None or not least <= number <= MOST_MEMBERS:
        hint = f"give a whole number from {least} to {MOST_MEMBERS}"
        raise InputError("group-malformed", f"{shown_value(value)} is no number of members", hint, place)
    return number


_DIGITS = 4000


def check_group_name(name: Any, place: str) -> None:
    """Refuse a group without a name.

    Raises:
        InputError: ``group-malformed``, or ``file-malformed`` for a name that is not text.
    """
    if not isinstance(name, str):
        raise InputError("file-malformed", f"{shown_value(name)} is not text", "a group is called by text", place)
    if not name:
        raise InputError("group-malformed", "a group needs a name", "name it, or leave the group out", place)
