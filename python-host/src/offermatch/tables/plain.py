"""Rows that need no look at each field: lists of ``Task`` or ``Offer`` that all say the same kind of thing.

``rows`` reads whatever rows there are; where it would find numbers for the same dimensions, conditions, capacities, devices
and texts for the same attributes, these functions give the same table in a part of the time, and None for everything else,
mistakes included.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from operator import le
from typing import Any

from offermatch.errors import InputError
from offermatch.model import DEVICES, Comparison, Offer, Requirement, Task
from offermatch.quantity import unit_of
from offermatch.tables.ingest import at_once, columns_of, kinds
from offermatch.tables.kinds import shared
from offermatch.tables.offers import OfferColumns, devices_at_once
from offermatch.tables.tasks import TaskColumns

__all__ = ["plain_offers", "plain_tasks"]

# A task without devices and preferences holds the very objects of this one; what equals them, such as False, is another.
_NOTHING = Task("")
# What reading a field of another type may raise.
_NOT_PLAIN = (KeyError, OverflowError, TypeError, ValueError, InputError)


def plain_tasks(rows: Any, source: str, units: Mapping[str, str] | None) -> TaskColumns | None:
    """Return tasks as a table; None where they are not plain."""
    if type(rows) is not list or not rows or not _all(rows, Task):
        return None
    zero, empty = _NOTHING.devices, _NOTHING.preferences
    try:
        names = [
            row.name
            for row in rows
            if row.devices is zero and row.device_share is zero and row.preferences is empty and row.group is None
        ]
        if len(names) != len(rows) or not _names_hold(names):
            return None
        demand = _quantities([row.demand for row in rows], units)
        required = [row.requirements for row in rows]
        asks = required.count(()) < len(required)
        asked = shared(required, {Requirement, Comparison}) if asks else None
        if demand is None or (asks and asked is None):
            return None
        if not any(required):
            asked = None
    except _NOT_PLAIN:
        return None
    return TaskColumns(names, demand, requirements=asked, source=source, read_in=units or {})


def plain_offers(rows: Any, source: str, units: Mapping[str, str] | None) -> OfferColumns | None:
    """Return offers as a table; None where they are not plain."""
    if type(rows) is not list or not rows or not _all(rows, Offer):
        return None
    try:
        names = [row.name for row in rows if row.measures is None and row.occupants is None]
        if len(names) != len(rows) or not _names_hold(names):
            return None
        available = _quantities([row.available for row in rows], units)
        devices = devices_at_once([row.devices for row in rows])
        if available is None or devices is None:
            return None
        table = OfferColumns(names, available, devices=devices, source=source, read_in=units or {})
        capacities, attributes = [row.capacity for row in rows], [row.attributes for row in rows]
        if capacities.count(None) < len(capacities):
            capacity = _quantities(capacities, units)
            if capacity is None or capacity.keys() != available.keys():
                return None
            if not all(all(map(le, free, capacity[name])) for name, free in available.items()):
                return None
            table.capacity = None if capacity == available else {name: capacity[name] for name in available}
        if any(attributes) or not _all(attributes, dict):
            columns = _of_alike(attributes)
            if columns is None or not all(kinds(column) <= {str, type(None)} for column in columns.values()):
                return None
            table.attributes = columns
    except _NOT_PLAIN:
        return None
    return table


def _all(values: Sequence[Any], kind: type[Any]) -> bool:
    """Return whether values, of which there are some, are of one type and of no other."""
    return type(values[0]) is kind and (len(values) == 1 or kinds(values) == {kind})


def _names_hold(names: list[Any]) -> bool:
    unique = set(names)
    return _all(names, str) and len(unique) == len(names) and "" not in unique


def _of_alike(mappings: list[Any]) -> dict[str, list[Any]] | None:
    """Return one column a key; None where dictionaries have not the same keys, all of them texts."""
    keys = tuple(mappings[0])
    return columns_of(mappings) if _all(mappings, dict) and keys and _all(keys, str) else None


def _quantities(mappings: list[Any], units: Mapping[str, str] | None) -> dict[str, array[int]] | None:
    """Return one array a dimension; None where there is something else than numbers for the same dimensions."""
    given = _of_alike(mappings)
    if given is None or DEVICES in given:
        return None
    columns: dict[str, array[int]] = {}
    for name, values in given.items():
        column = at_once(values, unit_of(name, units).bare)
        if column is None:
            return None
        columns[name] = column
    return columns
