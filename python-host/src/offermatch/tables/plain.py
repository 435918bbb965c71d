"""Rows that need no look at each field: lists of ``Task`` or ``Offer`` with whole numbers for the same dimensions.

``rows`` reads whatever rows there are; where it would find nothing but names and whole numbers, these functions give the
same table in a fraction of the time, and None for everything else, mistakes included.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from offermatch.errors import InputError
from offermatch.model import DEVICES, Offer, Task
from offermatch.quantity import unit_of
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.ingest import kinds, words

__all__ = ["plain_offers", "plain_tasks"]


def _speaking(kind: type[Any], read: Sequence[str]) -> Callable[[list[Any]], list[Any]]:
    """Return what finds rows of which a field says something that is not read here; what defaults say is nothing."""
    rest = [one for one in fields(kind) if one.name not in read]
    for one in rest:
        if one.default if one.default_factory is MISSING else one.default_factory():
            raise TypeError(f"{kind.__name__}.{one.name} says something by default")
    # The interpreter reads an attribute that is named in the code faster than any getter that is given the name.
    said = " or ".join(f"row.{one.name}" for one in rest)
    found: Callable[[list[Any]], list[Any]] = eval(f"lambda rows: [row for row in rows if {said}]")  # noqa: S307 - of names of fields
    return found


_SPEAKING_TASKS = _speaking(Task, ("name", "demand"))
_SPEAKING_OFFERS = _speaking(Offer, ("name", "available", "devices"))


def plain_tasks(rows: Any, source: str, units: Mapping[str, str] | None) -> TaskColumns | None:
    """Return tasks as a table; None where they are not plain."""
    if type(rows) is not list or not rows or kinds(rows) != {Task}:
        return None
    names, demands = [row.name for row in rows], [row.demand for row in rows]
    columns = _columns(rows, names, demands, _SPEAKING_TASKS, units)
    return None if columns is None else TaskColumns(names, columns, source=source)


def plain_offers(rows: Any, source: str, units: Mapping[str, str] | None) -> OfferColumns | None:
    """Return offers as a table; None where they are not plain."""
    if type(rows) is not list or not rows or kinds(rows) != {Offer}:
        return None
    devices = [row.devices for row in rows]
    if kinds(devices) != {int} or any(devices):
        return None
    names, available = [row.name for row in rows], [row.available for row in rows]
    columns = _columns(rows, names, available, _SPEAKING_OFFERS, units)
    return None if columns is None else OfferColumns(names, columns, source=source)


def _columns(
    rows: list[Any],
    names: list[Any],
    mappings: list[Any],
    speaking: Callable[[list[Any]], list[Any]],
    units: Mapping[str, str] | None,
) -> dict[str, array[int]] | None:
    try:
        if speaking(rows) or kinds(mappings) != {dict} or kinds(names) != {str}:
            return None
        unique = dict.fromkeys(names)
        dimensions = tuple(mappings[0])
        if (
            len(unique) != len(names)
            or "" in unique
            or not dimensions
            or kinds(dimensions) != {str}
            or DEVICES in dimensions
        ):
            return None
        if [*map(len, mappings)].count(len(dimensions)) != len(mappings):
            return None
        columns = {}
        for name in dimensions:
            values = [mapping[name] for mapping in mappings]
            if kinds(values) != {int}:
                return None
            bare = unit_of(name, units).bare
            columns[name] = words(values if bare == 1 else map(bare.__mul__, values))
    except (KeyError, OverflowError, TypeError, ValueError, InputError):
        return None
    return columns
