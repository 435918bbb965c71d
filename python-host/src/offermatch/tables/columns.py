"""What the columns of both tables have to be: names one of a kind, integers from 0 to 2^64 - 1, and all of one length."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from offermatch import quantity
from offermatch.errors import InputError
from offermatch.model import DEVICES
from offermatch.tables.bad import duplicate, nameless
from offermatch.tables.ingest import Place, integers, kinds, texts
from offermatch.visible import called, shown_value

__all__ = [
    "aligned",
    "by_name",
    "check_devices",
    "check_length",
    "check_names",
    "devices_malformed",
    "given_numbers",
    "named_columns",
    "place_of",
    "placer",
    "refuse_devices",
]

MOST_DEVICES = (2**32 - 1) // 1000
"""The most devices one task may ask for or one offer may have: their thousandths cross as a 32-bit integer."""


def named_columns(
    names: Any, quantities: Mapping[str, Any], kind: str, units: Mapping[str, str] | None, source: str
) -> tuple[list[str], dict[str, array[int]]]:
    """Return checked names and one array a dimension, all of one length."""
    listed: list[str] | None = names if names is None or isinstance(names, list) else texts(names)
    columns: dict[str, array[int]] = {}
    for dimension, given in by_name(quantities, source, kind).items():
        refuse_devices(dimension, f"{source}, {kind}.{dimension}")
        columns[dimension] = integers(
            given, placer(source, listed, f"{kind}.{dimension}"), quantity.unit_of(dimension, units)
        )
    if listed is None:
        listed = list(map(str, range(len(next(iter(columns.values()), ())))))
    for dimension, column in columns.items():
        check_length(len(column), len(listed), f"{source}, {kind}.{dimension}")
    check_names(listed, source)
    return listed, columns


def by_name(columns: Any, source: str, field: str) -> Mapping[str, Any]:
    """Return columns by name; none where they are None."""
    if columns is None or isinstance(columns, Mapping):
        return columns or {}
    raise InputError(
        "file-malformed", f"{shown_value(columns)} is not a mapping", "give columns by name", f"{source}, {field}"
    )


def refuse_devices(dimension: str, place: str) -> None:
    """Refuse a dimension that is no text, or called as the devices are.

    Raises:
        InputError: ``file-malformed`` or ``unknown-dimension``.
    """
    if not isinstance(dimension, str):
        raise InputError(
            "file-malformed", f"a dimension is called {shown_value(dimension)}", "name dimensions by text", place
        )
    if dimension == DEVICES:
        hint = "give devices in their own field or column, and a dimension another name"
        raise InputError("unknown-dimension", f"{DEVICES!r} is no dimension, but the name of the devices", hint, place)


def check_names(names: Sequence[Any], source: str) -> None:
    """Refuse names that are missing, no text, or there twice.

    Raises:
        InputError: ``missing-column``, ``file-malformed`` or ``duplicate-name``.
    """
    unique: Collection[Any] = set(names) if kinds(names) <= {str} else ()
    if "" in unique or (len(names) and not unique):
        for row, name in enumerate(names):
            if type(name).__name__ in quantity.NULLS or (isinstance(name, str) and not name):
                raise nameless(f"{source}, row {row}, name")
            if not isinstance(name, str):
                raise InputError(
                    "file-malformed", f"{shown_value(name)} is not text", "a name is text", f"{source}, row {row}, name"
                )
    if len(unique) != len(names):
        seen: dict[str, int] = {}
        for row, name in enumerate(names):
            first = seen.setdefault(name, row)
            if first != row:
                raise duplicate(name, source, row, first)


def aligned(columns: Mapping[str, array[int]], dimensions: Sequence[str], rows: int) -> list[array[int]]:
    """Return the column of each dimension; zeros for one that is not there."""
    if columns.keys() >= set(dimensions):
        return [columns[name] for name in dimensions]
    zeros = array("Q", bytes(8 * rows))
    return [columns.get(name, zeros) for name in dimensions]


def given_numbers(numbers: Sequence[int] | None, rows: Sequence[int]) -> list[int]:
    """Return the numbers that some rows had in the table that was given; ``numbers`` are those of all rows."""
    return list(rows) if numbers is None else [numbers[row] for row in rows]


def place_of(source: str, names: Sequence[str] | None, row: int, column: str, numbers: Sequence[int] | None = None) -> str:
    """Return where a row stands, for errors; ``numbers`` are those that rows had in the table that was given."""
    place = f"{source}, row {row if numbers is None else numbers[row]}"
    place = called(place, names[row]) if names is not None and row < len(names) else place
    return place + (f", {column}" if column else "")


def placer(source: str, names: Sequence[str] | None, column: str) -> Place:
    """Return a function that says where the value of a row stands."""
    return lambda row: place_of(source, names, row, column)


def check_length(found: int, expected: int, place: str) -> None:
    """Refuse a column with more or fewer values than there are names.

    Raises:
        InputError: ``column-length``.
    """
    if found != expected:
        message = f"{found} values stand beside {expected} names"
        raise InputError("column-length", message, "all columns of a table have one length", place)


def check_devices(count: int, place: str) -> int:
    """Return a number of devices that a task may ask for and an offer may have.

    Raises:
        InputError: ``devices-malformed``.
    """
    if count > MOST_DEVICES:
        raise devices_malformed(f"{count} devices", f"give 0 to {MOST_DEVICES}", place)
    return count


def devices_malformed(found: str, hint: str, place: str) -> InputError:
    """Return the error of devices that cannot be."""
    return InputError("devices-malformed", f"{found} cannot be", hint, place)
