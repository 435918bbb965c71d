"""Quantities as people write them, as exact integers in the smallest unit.

``parse`` reads one value; ``place`` in its errors says where the value stood. docs/formats.md lists the units.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from operator import index
from typing import Any

from offermatch.errors import InputError

__all__ = ["MAXIMUM", "UNITS", "parse"]

MAXIMUM = 2**64 - 1
"""The largest quantity."""

UNITS: dict[str, int] = {"m": 1, "core": 1000, "cores": 1000, "B": 1}
"""What each unit stands for, in the smallest unit of its dimension."""

for _power, _letter in enumerate("KMGTPE", start=1):
    UNITS[_letter if _letter != "K" else "k"] = UNITS[_letter + "B"] = 1000**_power
    UNITS[_letter + "i"] = UNITS[_letter + "iB"] = 1024**_power
UNITS["kB"] = 1000

NULLS = frozenset(("NoneType", "NAType", "NaTType", "MaskedConstant"))
"""The types, of any library, of a value that is missing."""

_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_HINT = f'a quantity is an integer from 0 to {MAXIMUM}, or a string with a unit such as "500m"'
# Beyond this many digits a decimal exponent cannot bring a value of this text into range; the text's own length is added.
_FAR_EXPONENT = 60


def parse(value: Any, place: str = "") -> int:
    """Return the quantity as an integer in the smallest unit.

    Args:
        value: An integer, a float or Decimal that is a whole number, or text with or without a unit.
        place: Where the value stands, for the error.

    Raises:
        InputError: ``quantity-negative``, ``quantity-fractional``, ``quantity-not-finite``, ``quantity-too-large``,
            ``quantity-unknown-unit`` or ``quantity-malformed``.

    Examples:
        >>> parse("1.5 cores"), parse("200GiB"), parse(7)
        (1500, 214748364800, 7)
    """
    if isinstance(value, str):
        return _parse_text(value, place)
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        raise _error("malformed", f"{value!r} is a boolean, not a quantity", place)
    if isinstance(value, Decimal):
        return _parse_text(str(value), place)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _error("not-finite", f"{value!r} is not finite", place)
        return _in_range(Fraction(value), repr(value), place, bare=True)
    try:
        whole = index(value)
    except TypeError:
        return _parse_other(value, place)
    return _in_range(Fraction(whole), str(whole), place, bare=True)


def _parse_other(value: Any, place: str) -> int:
    """Read what is neither text nor integer but may be a scalar of another library."""
    kind = type(value).__name__
    if kind in NULLS:
        raise InputError("quantity-malformed", "the value is null", "give a number, 0 where nothing is meant", place)
    if kind in ("datetime64", "timedelta64"):
        raise _error("malformed", f"{value!r} is a date or a duration, not a quantity", place)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return parse(item(), place)
    raise _error("malformed", f"{value!r} is not a number", place)


def _parse_text(text: str, place: str) -> int:
    stripped = text.strip(" \t\r\n")
    if _NOT_FINITE.fullmatch(stripped):
        raise _error("not-finite", f'"{text}" is not finite', place)
    match = _NUMBER.match(stripped)
    sign, whole, fraction, exponent = match.groups() if match else ("", "", None, None)
    if match is None or not (whole or fraction):
        raise _error("malformed", f'"{text}" is not a number', place)
    unit = stripped[match.end() :].lstrip(" \t\r\n")
    if unit and unit not in UNITS:
        hint = "units are m, core, cores, B, k to E, Ki to Ei, each with or without B; case matters"
        raise InputError("quantity-unknown-unit", f'"{text}" has the unknown unit "{unit}"', hint, place)
    digits = whole + (fraction or "")
    number = Fraction(0)
    if digits.strip("0"):
        if sign == "-":
            raise _error("negative", f'"{text}" is below 0' if unit else f"{text} is below 0", place)
        # Python refuses to turn very long digit strings into integers; no such value is in range anyway.
        power = _clamp(exponent or "0", len(digits)) - len(fraction or "")
        number = _scaled(digits, power)
    return _in_range(number * UNITS.get(unit, 1), f'"{text}"', place, bare=not unit)


def _clamp(exponent: str, digits: int) -> int:
    """Return the exponent, or one so far out that the result is out of range all the same."""
    far = digits + _FAR_EXPONENT
    size = exponent.lstrip("+-").lstrip("0") or "0"
    whole = far if len(size) > len(str(far)) else min(int(size), far)
    return -whole if exponent.startswith("-") else whole


def _scaled(digits: str, power: int) -> Fraction:
    significant = digits.lstrip("0")
    kept = significant.rstrip("0")
    power += len(significant) - len(kept)
    # No unit clears more than 60 decimal places, so these are decided without the arithmetic of very long numbers.
    if power < -_FAR_EXPONENT - len(kept) or (power < -_FAR_EXPONENT and len(kept) > 2000):
        return Fraction(1, 7)
    if power > _FAR_EXPONENT or len(kept) > 2000:
        return Fraction(MAXIMUM + 1)
    return Fraction(int(kept)) * Fraction(10) ** power


def _in_range(number: Fraction, shown: str, place: str, *, bare: bool) -> int:
    if number < 0:
        raise _error("negative", f"{shown} is below 0", place)
    if number.denominator != 1:
        what = "is a fraction without a unit" if bare else "is not a whole number of the smallest unit"
        raise _error("fractional", f"{shown} {what}", place)
    if number > MAXIMUM:
        raise _error("too-large", f"{shown} is above {MAXIMUM}", place)
    return int(number)


def _error(code: str, message: str, place: str) -> InputError:
    return InputError(f"quantity-{code}", message, _HINT, place)
