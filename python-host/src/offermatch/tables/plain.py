"""Rows that need no look at each field: lists of ``Task`` or ``Offer`` with numbers for the same dimensions.

``rows`` reads whatever rows there are; where it would find nothing but names and numbers, these functions give the
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
from offermatch.tables.ingest import at_once, kinds
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["plain_offers", "plain_tasks"]


def _names_of_plain(kind: type[Any], read: Sequence[str]) -> Callable[[list[Any]], list[Any]]:
    """Return what gives the names of the rows whose other fields say nothing; what defaults say is nothing."""
    rest = [one for one in fields(kind) if one.name not in read]
    for one in rest:
        if one.default if one.default_factory is MISSING else one.default_factory():
            raise TypeError(f"{kind.__name__}.{one.name} says something by default")
    # The interpreter reads an attribute that is named in the code faster than any getter that is given the name.
    said = " or ".join(f"row.{one.name}" for one in rest)
    found: Callable[[list[Any]], list[Any]] = eval(f"lambda rows: [row.name for row in rows if not ({said})]")  # noqa: S307 - of names of fields
    return found


_NAMES_OF_TASKS = _names_of_plain(Task, ("name", "demand"))
_NAMES_OF_OFFERS = _names_of_plain(Offer, ("name", "available", "devices"))


def plain_tasks(rows: Any, source: str, units: Mapping[str, str] | None) -> TaskColumns | None:
    """Return tasks as a table; None where they are not plain."""
    if type(rows) is not list or not rows or not _all(rows, Task):
        return None
    found = _columns(rows, [row.demand for row in rows], _NAMES_OF_TASKS, units)
    return None if found is None else TaskColumns(*found, source=source)


def plain_offers(rows: Any, source: str, units: Mapping[str, str] | None) -> OfferColumns | None:
    """Return offers as a table; None where they are not plain."""
    if type(rows) is not list or not rows or not _all(rows, Offer):
        return None
    devices = [row.devices for row in rows]
    if not _all(devices, int) or any(devices):
        return None
    found = _columns(rows, [row.available for row in rows], _NAMES_OF_OFFERS, units)
    return None if found is None else OfferColumns(*found, source=source)


def _all(values: Sequence[Any], kind: type[Any]) -> bool:
    """Return whether values, of which there are some, are of one type and of no other."""
    return type(values[0]) is kind and (len(values) == 1 or kinds(values) == {kind})


def _columns(
    rows: list[Any],
    mappings: list[Any],
    names_of_plain: Callable[[list[Any]], list[Any]],
    units: Mapping[str, str] | None,
) -> tuple[list[str], dict[str, array[int]]] | None:
    """Return the names and one array a dimension."""
    try:
        names = names_of_plain(rows)
        if len(names) != len(rows) or not (_all(mappings, dict) and _all(names, str)):
            return None
        unique = set(names)
        dimensions = tuple(mappings[0])
        if len(unique) != len(names) or "" in unique or not dimensions or not _all(dimensions, str) or DEVICES in dimensions:
            return None
        if [*map(len, mappings)].count(len(dimensions)) != len(mappings):
            return None
        columns = {}
        for name in dimensions:
            column = at_once([mapping[name] for mapping in mappings], unit_of(name, units).bare)
            if column is None:
                return None
            columns[name] = column
    except (KeyError, TypeError, ValueError, InputError):
        return None
    return names, columns
