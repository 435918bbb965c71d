"""Quantities as people write them, as exact integers in the smallest unit of their dimension.

    dimension, declared units ──> unit_of() ──> Unit ──> parse(value, place, unit) ──> integer

``cpu`` is in cores and kept as millicores; memory and disk are in bytes; everything else is a plain count. docs/formats.md
lists the units, tests/cases/quantities what each text becomes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache
from operator import index
from typing import Any

from offermatch.errors import InputError
from offermatch.visible import shown_value

__all__ = [
    "COUNT",
    "DEVICES",
    "MAXIMUM",
    "SMALLEST",
    "THOUSANDTHS",
    "UNITS",
    "Unit",
    "as_written",
    "check_units",
    "parse",
    "unit_of",
    "units_of_file",
]

MAXIMUM = 2**64 - 1
"""The largest quantity."""

_POWERS = {letter: power for power, letter in enumerate("kMGTPE", start=1)}
_MULTIPLES = {letter: 1000**power for letter, power in _POWERS.items()}
_MULTIPLES |= {f"{letter.upper()}i": 1024**power for letter, power in _POWERS.items()}
_PARTS = {"m": Fraction(1, 10**3), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9)}

_SUFFIXES: dict[str, dict[str, Fraction]] = {
    "cores": {
        "core": Fraction(1),
        "cores": Fraction(1),
        **_PARTS,
        **dict.fromkeys(("millicore", "millicores"), _PARTS["m"]),
    },
    "bytes": {
        **dict.fromkeys(("B", "byte", "bytes"), Fraction(1)),
        **{suffix + end: Fraction(factor) for suffix, factor in _MULTIPLES.items() for end in ("", "B")},
        "KB": Fraction(1000),
    },
    "count": {**{suffix: Fraction(factor) for suffix, factor in _MULTIPLES.items()}, **_PARTS},
}
"""What may stand behind a number of each kind, as a factor of one core, one byte, one of what is counted."""

_SUFFIXES_SHOWN = {
    "cores": "core, cores and m",
    "bytes": "B, k to E and Ki to Ei, each with or without B; case matters",
    "count": "k to E and Ki to Ei; case matters",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """What the numbers of a dimension are in.

    Attributes:
        name: As it is declared, such as ``cores``, ``MiB``, ``count`` or the step ``0.001``.
        kind: ``cores``, ``bytes`` or ``count``.
        bare: What a bare 1 is, in the smallest unit.
        resolution: How many of the smallest unit make a core, a byte, one of what is counted.
    """

    name: str
    kind: str
    bare: int
    resolution: int
    suffixes: Mapping[str, Fraction] = field(repr=False, compare=False, default_factory=dict)

    @property
    def form(self) -> str:
        """How a quantity is written, for hints."""
        if self.name == "cores":
            return 'write cores as 2, 0.5 or "500m"'
        if self.name == "bytes":
            return 'write bytes as 1024, "512MB" or "512MiB"'
        if self.name == "millicores":
            return 'write millicores as 500, or say "0.5 cores"'
        if self.kind == "bytes":
            return f'write {self.name} as 512, or say "512MB" or "512MiB"'
        if self.name == "devices":
            return "devices are whole; device_share asks for thousandths of one"
        if self.name == "thousandths":
            return "write a whole number of thousandths of one device"
        if self.resolution > 1:
            return f"write a number in steps of {self.name}"
        return "write a whole number, such as 4"

    @property
    def smallest(self) -> str:
        """What the smallest unit is called, for hints."""
        if self.kind == "cores":
            return " millicores"
        if self.kind == "bytes":
            return " bytes"
        return f" steps of {self.name}" if self.resolution > 1 else ""

    def shown(self, quantity: int) -> str:
        """Return a text that stands for a quantity in this unit whatever is declared."""
        if self.kind == "cores":
            return f"{quantity}m"
        if self.kind == "bytes":
            return f"{quantity}B"
        return f"{Decimal(quantity) / self.resolution:f}"


def _unit(name: str, kind: str, bare: int, resolution: int = 1) -> Unit:
    return Unit(name, kind, bare, resolution, _SUFFIXES[kind])


COUNT = _unit("count", "count", 1)
"""Whole numbers of something."""

DEVICES, THOUSANDTHS = _unit("devices", "count", 1), _unit("thousandths", "count", 1)
"""Whole devices, and thousandths of one: fields of their own, and no dimensions."""

UNITS: dict[str, Unit] = {
    "cores": _unit("cores", "cores", 1000, 1000),
    "millicores": _unit("millicores", "cores", 1, 1000),
    "bytes": _unit("bytes", "bytes", 1),
    **{f"{suffix}B": _unit(f"{suffix}B", "bytes", factor) for suffix, factor in _MULTIPLES.items()},
    "count": COUNT,
    **{f"0.{1:0>{digits}}": _unit(f"0.{1:0>{digits}}", "count", 10**digits, 10**digits) for digits in range(1, 10)},
}
"""What can be declared for a dimension."""


class _Smallest(Mapping[str, str]):
    """Declares for every dimension that its numbers are in the smallest unit."""

    def __getitem__(self, dimension: str) -> str:
        return "count"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


SMALLEST: Mapping[str, str] = _Smallest()
"""The units of tables whose numbers all are in the smallest unit already, such as those of a recording."""

_BYTES = ("_bytes", "memory", "disk", "storage")
"""What the name of a dimension that is in bytes ends in."""


@cache
def _usual(dimension: str) -> Unit:
    name = dimension.lower()
    return UNITS["cores" if name == "cpu" else "bytes" if name.endswith(_BYTES) else "count"]


def unit_of(dimension: str, units: Mapping[str, str] | None = None) -> Unit:
    """Return what a dimension is in: what is declared for it, else what its name says.

    Raises:
        InputError: ``setting-malformed`` for a unit that cannot be declared, and for one of bytes where the name says cores,
            or of cores where it says bytes.

    Examples:
        >>> unit_of("cpu").name, unit_of("gpu_memory").name, unit_of("licences").name
        ('cores', 'bytes', 'count')
        >>> unit_of("cpu", {"cpu": "millicores"}).name
        'millicores'
    """
    declared = None if units is None else units.get(dimension)
    if declared is None:
        return _usual(dimension)
    unit = UNITS.get(declared) if isinstance(declared, str) else None
    if unit is None:
        hint = "declare cores, millicores, bytes, kB to EB, KiB to EiB, count, or a step from 0.1 to 0.000000001"
        raise InputError("setting-malformed", f"{shown_value(declared)} is not a unit", hint, f"unit of {dimension}")
    usual = _usual(dimension)
    if {unit.kind, usual.kind} == {"cores", "bytes"}:
        own = "cores, millicores" if usual.kind == "cores" else "bytes, kB to EB, KiB to EiB"
        hint = f"declare {own} or count, or call the dimension otherwise"
        message = f"{declared} are {unit.kind}, where {usual.kind} should be"
        raise InputError("setting-malformed", message, hint, f"unit of {dimension}")
    return unit


def as_written(quantities: Mapping[str, int]) -> dict[str, int | str]:
    """Return quantities in the smallest unit as a row has them, by dimension.

    Examples:
        >>> as_written({"cpu": 1500, "memory": 1024, "licences": 2})
        {'cpu': '1500m', 'memory': 1024, 'licences': 2}
    """
    return {name: f"{quantity}m" if _usual(name).kind == "cores" else quantity for name, quantity in quantities.items()}


def check_units(units: Mapping[str, str] | None, dimensions: Iterable[str], source: str = "") -> None:
    """Refuse units of dimensions that are not there: they are misspelt.

    Args:
        units: The units.
        dimensions: The dimensions there are.
        source: The file that declares the units.

    Raises:
        InputError: ``setting-malformed``.
    """
    if not units:
        return
    known = dict.fromkeys(dimensions)
    within = f"{source}, " if source else ""
    for dimension in units:
        unit_of(dimension, units)
        if dimension not in known:
            hint = "correct the spelling or leave the unit out; the dimensions are " + (", ".join(known) or "none")
            raise InputError("setting-malformed", f"there is no dimension {dimension!r}", hint, f"{within}units")


def check_comparable(
    dimensions: Iterable[str], units: Mapping[str, str] | None, offered: Mapping[str, str] | None, table: str
) -> None:
    """Refuse dimensions whose smallest unit differs between two tables, as in steps of 0.1 and as a count.

    Args:
        dimensions: The dimensions of both.
        units: The units in which the numbers of a table were read; None where they came in the smallest ones.
        offered: Those of the offers.
        table: What the table holds.

    Raises:
        InputError: ``setting-malformed``.
    """
    if units is None or offered is None or not (units or offered):
        return
    for dimension in dimensions:
        mine, theirs = unit_of(dimension, units), unit_of(dimension, offered)
        if mine.resolution != theirs.resolution:
            message = f"{dimension!r} is in {mine.name} among the {table}, and in {theirs.name} among the offers"
            raise InputError("setting-malformed", message, "declare one unit for both tables", "units")


def units_of_file(units: dict[str, str], source: str) -> dict[str, str]:
    """Return the units that a file declares, as they are.

    Raises:
        InputError: ``setting-malformed`` for one that cannot be declared.
    """
    for dimension in units:
        try:
            unit_of(dimension, units)
        except InputError as error:
            raise InputError(error.code, error.message, error.hint, f"{source}, {error.place}") from None
    return units


NULLS = frozenset(("NoneType", "NAType", "NaTType", "MaskedConstant"))
"""The types, of any library, of a value that is missing."""

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_LETTERS = re.compile(r"[A-Za-z]*", re.ASCII)
# A number with more digits before its point is too large with every unit; one with more zeros behind it is below 1.
_FAR = 60
# Python turns no more than 4,300 digits into an integer.
_MOST_DIGITS = 2000


def parse(value: Any, place: str = "", unit: Unit = COUNT, *, round_up: bool = False) -> int:
    """Return the quantity as an integer in the smallest unit.

    A float that is whole is that number; another one counts as the shortest text that stands for it: 0.1 is a tenth.

    Args:
        value: A number of any kind, or text with or without a unit.
        place: Where the value stands, for the error.
        unit: What a bare number is in, and which units may stand behind one.
        round_up: Whether a part of the smallest unit counts as one, instead of being refused.

    Raises:
        InputError: ``quantity-negative``, ``quantity-fractional``, ``quantity-not-finite``, ``quantity-too-large``,
            ``quantity-unknown-unit``, ``quantity-wrong-unit`` or ``quantity-malformed``.

    Examples:
        >>> parse("1.5", unit=UNITS["cores"]), parse("200GiB", unit=UNITS["bytes"]), parse(7)
        (1500, 214748364800, 7)
    """
    if isinstance(value, str):
        return _parse_text(value, place, unit, round_up=round_up)
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        raise _error("malformed", f"{shown_value(value)} is a boolean, not a quantity", place, unit)
    if isinstance(value, float) and value.is_integer():
        return _in_range(Fraction(value) * unit.bare, str(value), place, unit)
    if isinstance(value, (Decimal, float)):
        return _parse_text(str(value), place, unit, shown=str(value), round_up=round_up)
    if isinstance(value, Fraction):
        return _in_range(value * unit.bare, str(value), place, unit)
    try:
        whole = index(value)
    except TypeError:
        return _parse_other(value, place, unit)
    return _in_range(Fraction(whole * unit.bare), str(whole) if abs(whole) < 10**40 else f"{whole:#x}", place, unit)


def _parse_other(value: Any, place: str, unit: Unit) -> int:
    """Read what is neither text nor integer but may be a scalar of another library."""
    kind = type(value).__name__
    if kind in NULLS:
        raise _error("malformed", "the value is null", place, unit)
    if kind in ("datetime64", "timedelta64"):
        raise _error("malformed", f"{shown_value(value)} is a date or a duration, not a quantity", place, unit)
    if kind in ("float16", "float32", "longdouble"):
        # Their doubles have digits that nobody wrote: float32(0.1) is 0.10000000149.
        return _parse_text(str(value), place, unit, shown=str(value))
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return parse(item(), place, unit)
    raise _error("malformed", f"{shown_value(value)} is not a number", place, unit)


def _parse_text(text: str, place: str, unit: Unit, shown: str | None = None, *, round_up: bool = False) -> int:
    shown = f'"{_shortened(text)}"' if shown is None else _shortened(shown)
    stripped = text.strip(" \t\r\n")
    if _NOT_FINITE.fullmatch(stripped):
        raise _error("not-finite", f"{shown} is not finite", place, unit)
    match = _NUMBER.match(stripped)
    sign, whole, fraction, exponent = match.groups() if match else ("", "", None, None)
    suffix = stripped[match.end() :].lstrip(" \t\r\n") if match else ""
    if match is None or not (whole or fraction) or not _LETTERS.fullmatch(suffix):
        raise _error("malformed", f"{shown} is not a quantity", place, unit)
    factor = unit.suffixes.get(suffix) if suffix else None
    if suffix and factor is None:
        raise _refused_suffix(shown, stripped[: match.end()], suffix, place, unit)
    digits = whole + (fraction or "")
    number = Fraction(0)
    if digits.strip("0"):
        if sign == "-":
            raise _error("negative", f"{shown} is below 0", place, unit)
        # Python refuses to turn very long digit strings into integers; no such value is in range anyway.
        power = _clamp(exponent or "0", len(digits)) - len(fraction or "")
        number = _scaled(digits, power)
    number *= unit.bare if factor is None else factor * unit.resolution
    return _in_range(Fraction(math.ceil(number)) if round_up else number, shown, place, unit)


def _shortened(text: str) -> str:
    """Return a text cut to what fits a message."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text.encode(errors='replace'))} bytes)"


_LONGEST = 80


def _refused_suffix(shown: str, number: str, suffix: str, place: str, unit: Unit) -> InputError:
    kinds = [kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes]
    hint = f"the units of {unit.kind if unit.kind != 'count' else 'a count'} are {_SUFFIXES_SHOWN[unit.kind]}"
    if unit in (DEVICES, THOUSANDTHS):
        hint = unit.form
    if not kinds:
        return InputError("quantity-unknown-unit", f'{shown} has the unknown unit "{_shortened(suffix)}"', hint, place)
    message = f"{shown} is in {kinds[0]}, where {unit.kind if unit.kind != 'count' else 'a count'} should be"
    if unit.kind == "bytes" and suffix in _PARTS:
        message = f"{shown} is a part of a byte"
        hint = f"m is a thousandth; say {_shortened(number)}MB or {_shortened(number)}MiB"
    return InputError("quantity-wrong-unit", message, hint, place)


def _clamp(exponent: str, digits: int) -> int:
    """Return the exponent, or one so far out that the result is out of range all the same."""
    far = 2 * digits + 200
    size = exponent.lstrip("+-").lstrip("0") or "0"
    whole = far if len(size) > len(str(far)) else min(int(size), far)
    return -whole if exponent.startswith("-") else whole


def _scaled(digits: str, power: int) -> Fraction:
    """Return ``digits * 10**power``; where that is far out of range or has very many digits, what rounds like it."""
    significant = digits.lstrip("0")
    kept = significant.rstrip("0")
    power += len(significant) - len(kept)
    if len(kept) + power > _FAR:
        return Fraction(10) ** _FAR
    if len(kept) + power < -_FAR:
        return Fraction(1, 10**_FAR)
    if len(kept) > _MOST_DIGITS:
        # No unit clears so many decimal places: the number is a fraction, whatever the rest of its digits.
        power += len(kept) - _MOST_DIGITS - 1
        kept = kept[:_MOST_DIGITS] + "1"
    return Fraction(int(kept)) * Fraction(10) ** power


def _in_range(number: Fraction, shown: str, place: str, unit: Unit) -> int:
    if number < 0:
        raise _error("negative", f"{shown} is below 0", place, unit)
    if number > MAXIMUM:
        hint = f"the most is {MAXIMUM}{unit.smallest}"
        raise InputError("quantity-too-large", f"{shown} is too large", hint, place)
    if number.denominator != 1:
        below = math.floor(number)
        hint = f"the nearest are {unit.shown(below)} and {unit.shown(below + 1)}"
        if unit is COUNT:
            hint += "; for parts of one, declare a step such as 0.001 as its unit"
        elif unit in (DEVICES, THOUSANDTHS):
            hint = unit.form
        raise InputError("quantity-fractional", f"{shown} is not a whole number{_of(unit)}", hint, place)
    return int(number)


def _of(unit: Unit) -> str:
    return f" of{unit.smallest}" if unit.smallest else ""


def _error(code: str, message: str, place: str, unit: Unit) -> InputError:
    return InputError(f"quantity-{code}", message, unit.form, place)
