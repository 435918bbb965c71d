"""Rows to columns: our dataclasses, objects with the same attributes, flat objects, mappings in the JSON shape.

Rows are read an attribute at a time. Only where that does not answer (a missing attribute, keys that differ from row to
row) are they looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from offermatch.errors import InputError
from offermatch.model import Offer, Requirement, Task
from offermatch.tables.columns import OfferColumns, TaskColumns, check_names
from offermatch.tables.ingest import kinds as kinds_of

__all__ = ["offer_columns", "offer_from_mapping", "task_columns", "task_from_mapping"]

_MISSING = object()

# The interpreter reads an attribute that is named in the code faster than any getter that is given the name.
_READERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "name": lambda rows: [row.name for row in rows],
    "demand": lambda rows: [row.demand for row in rows],
    "available": lambda rows: [row.available for row in rows],
    "capacity": lambda rows: [row.capacity for row in rows],
    "attributes": lambda rows: [row.attributes for row in rows],
    "requirements": lambda rows: [row.requirements for row in rows],
    "devices": lambda rows: [row.devices for row in rows],
    "device_share": lambda rows: [row.device_share for row in rows],
}


def task_columns(rows: Any, dimensions: Sequence[str] | None = None, source: str = "tasks") -> TaskColumns:
    """Return tasks as a table.

    Args:
        rows: A table already, or rows of any kind this module reads.
        dimensions: With them, rows without ``demand`` are flat: each dimension is an attribute of the row.
        source: What the table is called in errors.

    Raises:
        InputError: A row that cannot be used.
    """
    if isinstance(rows, TaskColumns):
        return rows
    listed, kinds = _unmapped(rows, task_from_mapping, source)
    names = _names(listed, source)
    demands, first_rows = _quantities(listed, names, "demand", dimensions, source)
    if _all_plain(listed, _plain_task):
        table = TaskColumns.build(names, demands, source=source)
    else:
        devices, shares = _optional(listed, kinds, "devices"), _optional(listed, kinds, "device_share")
        table = TaskColumns.build(
            names,
            demands,
            devices=devices if devices and _unusual(devices) else None,
            device_shares=shares if shares and _unusual(shares) else None,
            requirements=_optional(listed, kinds, "requirements"),
            source=source,
        )
    table.first_rows = first_rows
    return table


def offer_columns(rows: Any, dimensions: Sequence[str] | None = None, source: str = "offers") -> OfferColumns:
    """Return offers as a table. The arguments and errors are those of ``task_columns``."""
    if isinstance(rows, OfferColumns):
        return rows
    listed, kinds = _unmapped(rows, offer_from_mapping, source)
    names = _names(listed, source)
    available, first_rows = _quantities(listed, names, "available", dimensions, source)
    if _all_plain(listed, _plain_offer):
        return OfferColumns.build(names, available, source=source)
    capacities = _optional(listed, kinds, "capacity")
    capacity: dict[str, list[Any]] = {}
    if capacities and any(capacities):
        capacity, capacity_rows = _capacity(capacities, available, len(names))
        available = _in_order_of_appearance(available, first_rows, capacity_rows, len(names))
    attributes, devices = _optional(listed, kinds, "attributes"), _optional(listed, kinds, "devices")
    return OfferColumns.build(
        names,
        available,
        capacity=capacity,
        attributes=_attributes(attributes) if attributes and any(attributes) else None,
        devices=devices if devices and _unusual(devices) else None,
        source=source,
    )


def _plain_task(rows: list[Any]) -> bool:
    return not [1 for row in rows if row.devices != 0 or row.device_share != 0 or row.requirements]


def _plain_offer(rows: list[Any]) -> bool:
    return not [1 for row in rows if row.devices != 0 or row.capacity or row.attributes]


def _all_plain(rows: list[Any], plain: Callable[[list[Any]], bool]) -> bool:
    """Whether every row has all the optional attributes, and none of them says anything."""
    try:
        return plain(rows)
    except (AttributeError, TypeError, ValueError):
        # An attribute is missing, or it is of a kind without a truth value; the columns tell which.
        return False


def _unusual(column: list[Any]) -> bool:
    """Whether a column of devices holds anything but zeros."""
    return column.count(0) != len(column)


def _unmapped(rows: Iterable[Any], convert: Callable[..., Any], source: str) -> tuple[list[Any], set[type]]:
    """Return rows that are no mappings, and the kinds of them."""
    listed = list(rows)
    kinds = kinds_of(listed)
    if any(issubclass(kind, Mapping) for kind in kinds):
        listed = [convert(row, f"{source}, row {at}") if isinstance(row, Mapping) else row for at, row in enumerate(listed)]
        kinds = kinds_of(listed)
    return listed, kinds


def _names(rows: list[Any], source: str) -> list[str]:
    try:
        names = _READERS["name"](rows)
    except AttributeError:
        names = [getattr(row, "name", None) for row in rows]
        check_names(names, source)
    return names


def _optional(rows: list[Any], kinds: set[type], attribute: str) -> list[Any] | None:
    """Return a column of an attribute that a row need not have; None where no row has it."""
    if not any(hasattr(kind, attribute) or "__dict__" in dir(kind) for kind in kinds):
        return None
    try:
        return _READERS[attribute](rows)
    except AttributeError:
        empty: Any = {"requirements": (), "capacity": None, "attributes": {}}.get(attribute, 0)
        column = [getattr(row, attribute, _MISSING) for row in rows]
        if all(value is _MISSING for value in column):
            return None
        return [empty if value is _MISSING else value for value in column]


def _quantities(
    rows: list[Any], names: Sequence[str], attribute: str, dimensions: Sequence[str] | None, source: str
) -> tuple[dict[str, list[Any]], dict[str, int]]:
    """Return one list a dimension, and the first row that names it where that is not row 0."""
    if not rows:
        return {name: [] for name in dimensions or ()}, {}
    try:
        mappings = _READERS[attribute](rows)
    except AttributeError:
        return _flat(rows, names, attribute, dimensions, source), {}
    try:
        dimensions_found = tuple(mappings[0])
        columns = {name: [mapping[name] for mapping in mappings] for name in dimensions_found}
        if [*map(len, mappings)].count(len(dimensions_found)) == len(mappings):
            return columns, {}
    except (KeyError, TypeError):
        pass
    return _ragged(mappings, names, attribute, source)


def _ragged(
    mappings: list[Any], names: Sequence[str], attribute: str, source: str
) -> tuple[dict[str, list[Any]], dict[str, int]]:
    first_rows: dict[str, int] = {}
    for row, mapping in enumerate(mappings):
        if not isinstance(mapping, Mapping):
            place = f"{source}, row {row} ({names[row]}), {attribute}"
            hint = "give a quantity for each dimension by its name"
            raise InputError("file-malformed", f"{mapping!r} is not a mapping", hint, place)
        for name in mapping:
            if name not in first_rows:
                first_rows[name] = row
    return {name: [mapping.get(name, 0) for mapping in mappings] for name in first_rows}, first_rows


def _flat(
    rows: list[Any], names: Sequence[str], attribute: str, dimensions: Sequence[str] | None, source: str
) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for name in dimensions or (attribute,):
        try:
            columns[name] = list(map(attrgetter(name), rows))
        except AttributeError as error:
            row = next(at for at, found in enumerate(rows) if not hasattr(found, name))
            hint = f"give rows {attribute!r}, or name their attributes with dimensions=(...)"
            raise InputError(
                "missing-column", f"the row has no {name!r}", hint, f"{source}, row {row} ({names[row]})"
            ) from error
    return columns


def _capacity(
    capacities: list[Any], available: Mapping[str, list[Any]], rows: int
) -> tuple[dict[str, list[Any]], dict[str, int]]:
    first_rows: dict[str, int] = {}
    for row, mapping in enumerate(capacities):
        for name in mapping or ():
            first_rows.setdefault(name, row)
    columns = {}
    for name in first_rows:
        default = available.get(name) or [0] * rows
        columns[name] = [
            default[row] if not mapping or name not in mapping else mapping[name] for row, mapping in enumerate(capacities)
        ]
    return columns, first_rows


def _in_order_of_appearance(
    available: Mapping[str, list[Any]], first_rows: Mapping[str, int], capacity_rows: Mapping[str, int], rows: int
) -> dict[str, list[Any]]:
    """Return the available columns with those that only a capacity names; a row's available comes before its capacity."""
    order = {name: (first_rows.get(name, 0), 0) for name in available}
    for name, row in capacity_rows.items():
        order[name] = min(order.get(name, (row, 1)), (row, 1))
    return {name: available.get(name) or [0] * rows for name in sorted(order, key=order.__getitem__)}


def _attributes(mappings: list[Any]) -> dict[str, list[str | None]]:
    names = dict.fromkeys(chain.from_iterable(mapping or () for mapping in mappings))
    return {name: [None if not mapping else mapping.get(name) for mapping in mappings] for name in names}


def task_from_mapping(row: Mapping[str, Any], place: str, also: Sequence[str] = ()) -> Task:
    """Return a task written in the JSON shape of docs/formats.md, in which ``also`` are keys of somebody else's.

    Raises:
        InputError: ``missing-column``, ``unknown-column`` or ``file-malformed``.
    """
    named = _keys(row, ("name", "demand", "requirements", "devices", "device_share", *also), place)
    requirements = () if row.get("requirements") is None else row["requirements"]
    if not isinstance(requirements, (list, tuple)):
        raise _shape(requirements, "a list of requirements", f"{named}, requirements")
    return Task(
        row["name"],
        _mapping(row, "demand", named),
        tuple(_requirement(given, f"{named}, requirements.{at}") for at, given in enumerate(requirements)),
        row.get("devices", 0),
        row.get("device_share", 0),
    )


def offer_from_mapping(row: Mapping[str, Any], place: str) -> Offer:
    """Return an offer written in the JSON shape of docs/formats.md; the errors are those of ``task_from_mapping``."""
    named = _keys(row, ("name", "available", "capacity", "attributes", "devices"), place)
    capacity = _mapping(row, "capacity", named)
    attributes = _mapping(row, "attributes", named)
    devices = row.get("devices", 0)
    if devices is None or isinstance(devices, Mapping):
        # Nothing that a row of our own could have meant: it would pass for no devices below.
        hint = "devices is a number of free devices, or a list of the free thousandths of each"
        raise InputError("quantity-malformed", f"{devices!r} is not a number", hint, f"{named}, devices")
    return Offer(row["name"], _mapping(row, "available", named), capacity or None, attributes, devices)


def _keys(row: Mapping[str, Any], known: Sequence[str], place: str) -> str:
    """Check a row's keys and return its place with its name."""
    if row.get("name") in (None, ""):
        raise InputError("missing-column", "the name is missing", "give every row a name", f"{place}, name")
    named = f"{place} ({row['name']})"
    for key in row:
        if key not in known:
            raise InputError("unknown-column", f"there is no {key!r}", "the keys are " + ", ".join(known), named)
    return named


def _mapping(row: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _shape(value, "an object", f"{place}, {key}")
    return value


def _requirement(given: Any, place: str) -> Requirement:
    if isinstance(given, Requirement):
        return given
    if not isinstance(given, Mapping):
        raise _shape(given, 'an object such as {"attribute": "zone", "in": ["a"]}', place)
    hint = "a requirement has attribute, and either in or not_in"
    for key in given:
        if key not in ("attribute", "in", "not_in"):
            raise InputError("unknown-column", f"there is no {key!r}", hint, place)
    if "attribute" not in given:
        raise InputError("missing-column", "the attribute is missing", hint, f"{place}, attribute")
    if not isinstance(given["attribute"], str):
        raise _shape(given["attribute"], "text", f"{place}, attribute")
    if ("in" in given) == ("not_in" in given):
        code, what = (
            ("unknown-column", "both in and not_in stand here") if "in" in given else ("missing-column", "in is missing")
        )
        raise InputError(code, what, hint, place)
    key = "in" if "in" in given else "not_in"
    values = given[key]
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) for value in values):
        raise _shape(values, "a list of text", f"{place}, {key}")
    return Requirement(given["attribute"], tuple(values), key == "not_in")


def _shape(found: Any, wanted: str, place: str) -> InputError:
    return InputError("file-malformed", f"{found!r} is not {wanted}", "docs/formats.md shows the shape of a row", place)
