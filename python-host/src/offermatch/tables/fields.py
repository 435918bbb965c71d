"""What the fields of given rows or columns say.

Quantities stand in one field of mappings (``demand``), in one field a dimension with a prefix (``demand.cpu``), or in one
field a dimension (``cpu``). Of rows the last is read only where the dimensions are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from operator import index
from typing import Any, NamedTuple, TypeVar

from offermatch.errors import InputError
from offermatch.model import AnyRequirement, Comparison, Group, Preference, Requirement
from offermatch.tables import cells
from offermatch.tables.columns import check_names
from offermatch.tables.given import Given, GivenColumns, GivenRows
from offermatch.tables.ingest import columns_of, kinds, texts
from offermatch.tables.kinds import shared
from offermatch.tables.offers import OfferColumns
from offermatch.tables.shape import (
    OFFER_KEYS,
    TASK_KEYS,
    group_from,
    measures_from,
    occupants_from,
    preference_from_mapping,
    requirement_from_mapping,
)
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import shown_value

__all__ = ["groups_in", "names_in", "offers_in", "tasks_in"]

_Read = TypeVar("_Read")


class _Shape(NamedTuple):
    """The fields of a table: the mapping of its quantities, all that is no quantity, and the prefixes of columns."""

    quantities: str
    keys: Sequence[str]
    prefixes: tuple[str, ...]


_TASKS = _Shape("demand", TASK_KEYS, (*cells.TASK_PREFIXES, "group.least", "group.together"))
_OFFERS = _Shape("available", OFFER_KEYS, ("capacity.", *cells.OFFER_PREFIXES))


def tasks_in(found: Given, dimensions: Sequence[str] | None, units: Mapping[str, str] | None) -> TaskColumns:
    """Return the tasks that the fields say.

    Raises:
        InputError: A row that cannot be used.
    """
    names = _names(found)
    demands, first_rows = _quantities(found, names, _TASKS, dimensions)
    simple = found.never_says("preferences or group")
    required, preferred = _asked(found, names, simple)
    with _hinted(found, dimensions):
        table = TaskColumns.build(
            names,
            demands,
            devices=_said(found.optional("devices", 0), 0),
            device_shares=_said(found.optional("device_share", 0), 0),
            requirements=required,
            preferences=preferred,
            groups=None if simple else groups_in(found, names),
            units=units,
            source=found.source,
        )
    table.first_rows = first_rows
    return table


def offers_in(found: Given, dimensions: Sequence[str] | None, units: Mapping[str, str] | None) -> OfferColumns:
    """Return the offers that the fields say; the errors are those of ``tasks_in``."""
    names = _names(found)
    available, first_rows = _quantities(found, names, _OFFERS, dimensions)
    available, capacity = _capacity(found, names, available, first_rows, dimensions)
    simple = found.never_says("measures or occupants")
    with _hinted(found, dimensions):
        return OfferColumns.build(
            names,
            available,
            capacity=capacity,
            attributes=_attributes(found, names),
            devices=_devices(found, names),
            measures=None if simple else _numbers(found, names, "measures", "measure.", measures_from),
            occupants=None if simple else _numbers(found, names, "occupants", "occupants.", occupants_from),
            units=units,
            source=found.source,
        )


@contextmanager
def _hinted(found: Given, dimensions: Sequence[str] | None) -> Iterator[None]:
    """Say, where a column of a frame has no quantities, that it need not be a dimension."""
    try:
        yield
    except InputError as error:
        if error.code == "quantity-malformed" and dimensions is None and isinstance(found, GivenColumns):
            hint = f"{error.hint}; of a frame, dimensions=(...) says which columns are dimensions"
            raise InputError(error.code, error.message, hint, error.place) from error
        raise


def _names(found: Given) -> list[str]:
    names = names_in(found)
    check_names(names, found.source)
    return names


def names_in(found: Given) -> list[Any]:
    """Return the names, unchecked; integers as text."""
    names = found.names()
    return names if kinds(names) <= {str} else [_digits(value) for value in names]


def _digits(value: Any) -> Any:
    """Return the name of a row whose name is an integer; anything else as it is."""
    if isinstance(value, (str, bool)) or type(value).__name__ in ("bool_", "bool"):
        return value
    try:
        return str(index(value))
    except (TypeError, ValueError):
        # No integer, or one of thousands of digits, which is no name.
        return value


def _said(column: Any, nothing: object) -> Any:
    """Return a column; None where it is a list that says nothing in any row."""
    try:
        says_nothing = isinstance(column, list) and column.count(nothing) == len(column)
    except Exception:  # noqa: BLE001 - of a value of another library, such as an array: neither equal nor unequal
        return column
    # False equals 0, and is no number.
    return None if says_nothing and kinds(column) <= {type(nothing)} else column


def _quantities(
    found: Given, names: Sequence[str], shape: _Shape, dimensions: Sequence[str] | None
) -> tuple[dict[str, Any], dict[str, int]]:
    """Return one column a dimension, and the first row that names it where that is not row 0."""
    field = shape.quantities
    if not len(found):
        return {name: [] for name in dimensions or ()}, {}
    if found.fields is None:
        if dimensions and found.optional(field, None) is None:
            return {name: found.read(name, names) for name in dimensions}, {}
        return _by_dimension(found, found.read(field, names), names, field)
    if found.has(field) and field not in (dimensions or ()):
        _check_fields(found, names, shape)
        mappings = [{} if value is None else value for value in texts(found.optional(field, None))]
        return _by_dimension(found, mappings, names, field)
    prefixed = found.prefixed(f"{field}.")
    if dimensions is not None:
        return {name: prefixed[name] if name in prefixed else found.read(name, names) for name in dimensions}, {}
    if prefixed or not isinstance(found, GivenColumns):
        _check_fields(found, names, shape)
        return prefixed, {}
    plain = [name for name in found.fields if name not in shape.keys and name != found.name]
    return {name: found.read(name, names) for name in plain if not name.startswith(shape.prefixes)}, {}


def _check_fields(found: Given, names: Sequence[str], shape: _Shape) -> None:
    """Refuse fields that the shape does not have, so that a misspelt one is not lost."""
    in_columns = isinstance(found, GivenColumns)
    prefixes = (f"{shape.quantities}.", *shape.prefixes) if in_columns else ()
    for field in found.fields or ():
        is_prefixed = isinstance(field, str) and field.startswith(prefixes)
        if (
            field in shape.keys
            or field == found.name
            or (is_prefixed and not cells.weighs_nothing(field, found.fields or ()))
        ):
            continue
        known = ", ".join([*shape.keys, *(f"{prefix}NAME" for prefix in prefixes)])
        if isinstance(found, GivenRows):
            hint = f"the keys are {known}; of flat rows, name the dimensions with dimensions=(...)"
            row = next(at for at, keys in enumerate(found.listed) if field in keys)
            raise InputError("unknown-column", f"there is no {shown_value(field)}", hint, found.place(row, names))
        hint = f"the columns are {known}; to read some of them only, name the dimensions with dimensions=(...)"
        raise InputError("unknown-column", f"there is no column {shown_value(field)}", hint, found.source)


def _by_dimension(
    found: Given, mappings: list[Any], names: Sequence[str], field: str
) -> tuple[dict[str, list[Any]], dict[str, int]]:
    alike = columns_of(mappings)
    if alike is not None:
        return alike, {}
    _check_mappings(found, mappings, names, field)
    first_rows: dict[str, int] = {}
    for row, mapping in enumerate(mappings):
        for name in mapping:
            if name not in first_rows:
                first_rows[name] = row
    return {name: [mapping.get(name, 0) for mapping in mappings] for name in first_rows}, first_rows


_KINDS = {
    "attributes": "a value for each attribute",
    "measures": "a number for each measure",
    "occupants": "a number of members for each group",
}


def _check_mappings(found: Given, values: Sequence[Any], names: Sequence[str], field: str) -> None:
    if all(issubclass(kind, Mapping) for kind in kinds(values)):
        return
    for row, value in enumerate(values):
        if not isinstance(value, Mapping):
            what = _KINDS.get(field, "a quantity for each dimension")
            hint = f"give {what} by its name"
            raise InputError(
                "file-malformed", f"{shown_value(value)} is not a mapping", hint, found.place(row, names, field)
            )


def _capacity(
    found: Given,
    names: Sequence[str],
    available: dict[str, Any],
    first_rows: Mapping[str, int],
    dimensions: Sequence[str] | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the available columns, with those that only a capacity names, and the capacity columns."""
    if "capacity" in (dimensions or ()):
        return available, {}
    given_columns = found.prefixed("capacity.")
    if given_columns:
        wanted = given_columns.keys() if dimensions is None else dimensions
        return available, {name: column for name, column in given_columns.items() if name in wanted}
    column = _said(found.optional("capacity", None), None)
    if column is None:
        return available, {}
    capacities = [{} if value is None else value for value in texts(column)]
    _check_mappings(found, capacities, names, "capacity")
    if not any(capacities):
        return available, {}
    zeros = [0] * len(names)
    columns = columns_of(capacities)
    capacity_rows = dict.fromkeys(columns or (), 0)
    if columns is None:
        for row, mapping in enumerate(capacities):
            for name in mapping:
                capacity_rows.setdefault(name, row)
        filled = {name: available.get(name, zeros) for name in capacity_rows}
        columns = {
            name: [mapping.get(name, free) for mapping, free in zip(capacities, filled[name], strict=True)]
            for name in capacity_rows
        }
    # In order of appearance; a row's available comes before its capacity.
    order = {name: (first_rows.get(name, 0), 0) for name in available}
    for name, row in capacity_rows.items():
        order[name] = min(order.get(name, (row, 1)), (row, 1))
    return {name: available.get(name, zeros) for name in sorted(order, key=order.__getitem__)}, columns


def _attributes(found: Given, names: Sequence[str]) -> dict[str, Any] | None:
    columns = found.prefixed("attribute.")
    if columns:
        return columns
    column = _said(found.optional("attributes", None), {})
    if column is None:
        return None
    mappings = [{} if value is None else value for value in texts(column)]
    _check_mappings(found, mappings, names, "attributes")
    alike = columns_of(mappings)
    if alike is not None:
        return alike
    named = dict.fromkeys(chain.from_iterable(mappings))
    return {name: [mapping.get(name) for mapping in mappings] for name in named}


def _devices(found: Given, names: Sequence[str]) -> Any:
    """Return the devices of offers: a number, the free thousandths of each, or the latter joined by ``|``."""
    column = found.optional("devices", 0)
    if column is None:
        return None
    values = column if isinstance(column, list) else texts(column)
    if _said(values, 0) is None:
        return None
    strange = {kind for kind in kinds(values) if kind is type(None) or issubclass(kind, (str, Mapping, set, frozenset))}
    if not strange:
        return values
    for row, value in enumerate(values):
        if isinstance(value, (Mapping, set, frozenset)) or (value is None and found.fields is not None):
            # Nothing that a row could have meant: it would pass for no devices below.
            hint = "devices is a number of free devices, or a list of the free thousandths of each"
            raise InputError(
                "quantity-malformed", f"{shown_value(value)} is not a number", hint, found.place(row, names, "devices")
            )
    return [
        [part for part in value.split("|") if part.strip()] if isinstance(value, str) and "|" in value else value
        for value in values
    ]


def _numbers(
    found: Given, names: Sequence[str], field: str, prefix: str, read: Callable[[Mapping[str, Any], str], Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Return the measures or the occupants of offers: one column each, None where a row has none."""
    columns = found.prefixed(prefix)
    if columns:
        return {name: _cells_of(column) for name, column in columns.items()}
    column = _said(found.optional(field, None), None)
    if column is None:
        return None
    mappings = [{} if value is None else value for value in texts(column)]
    _check_mappings(found, mappings, names, field)
    numbers = [read(mapping, found.place(row, names)) if mapping else {} for row, mapping in enumerate(mappings)]
    named = dict.fromkeys(chain.from_iterable(numbers))
    return {name: [mapping.get(name) for mapping in numbers] for name in named}


def _cells_of(column: Any) -> list[Any]:
    return [None if cells.is_empty(cell) else cell for cell in texts(column)]


def _in_cells(
    found: Given, names: Sequence[str], fields: Callable[[str], bool], read: Callable[[Mapping[str, Any], str], _Read]
) -> list[_Read] | None:
    """Return what stands in the cells of some columns of each row; rows that say the same share it. None without columns."""
    columns = {field: texts(found.optional(field, None)) for field in found.fields or () if fields(str(field))}
    if not columns:
        return None
    known: dict[tuple[Any, ...], _Read] = {}
    said = []
    for row, written in enumerate(zip(*columns.values(), strict=True)):
        one = known.get(written) if set(map(type, written)) <= _HASHABLE else None
        if one is None:
            one = read(dict(zip(columns, written, strict=True)), found.place(row, names))
            if set(map(type, written)) <= _HASHABLE:
                known[written] = one
        said.append(one)
    return said


_HASHABLE = {str, int, float, type(None)}


def _asked(
    found: Given, names: Sequence[str], simple: bool
) -> tuple[Sequence[Sequence[AnyRequirement]] | None, Sequence[Sequence[Preference]] | None]:
    """Return the requirements and the preferences of each row; None where there are none."""
    in_cells = _in_cells(found, names, cells.is_asked, cells.asked_in_cells)
    if in_cells is not None:
        return [one[0] for one in in_cells], [one[1] for one in in_cells]
    required = _listed(found, names, "requirements", {Requirement, Comparison}, requirement_from_mapping)
    if simple:
        return required, None
    return required, _listed(found, names, "preferences", {Preference}, preference_from_mapping)


def _listed(
    found: Given, names: Sequence[str], field: str, made: set[type], read: Callable[[Any, str], Any]
) -> Sequence[Sequence[Any]] | None:
    """Return the lists of a field, such as requirements; None where all of them are empty."""
    column = _said(found.optional(field, ()), ())
    if column is None:
        return None
    values = texts(column)
    made_of_lists = shared(values, made)
    if made_of_lists is not None:
        return made_of_lists
    listed: list[Sequence[Any]] = []
    for row, value in enumerate(values):
        asked = value.tolist() if type(value).__name__ == "ndarray" else value
        if asked is None:
            listed.append(())
        elif isinstance(asked, (tuple, list)) and made.issuperset(map(type, asked)):
            listed.append(tuple(asked))
        elif isinstance(asked, (str, bytes)) or not isinstance(asked, (Sequence, set, frozenset)):
            example = "[is_in('zone', 'a')]" if field == "requirements" else "[prefer(is_in('zone', 'a'), 0.5)]"
            place = found.place(row, names, field)
            hint = f"a task has a list of {field}, such as {example}"
            raise InputError("file-malformed", f"{shown_value(value)} is not a list of {field}", hint, place)
        else:
            place = found.place(row, names, field)
            listed.append(tuple(read(one, f"{place}.{at}") for at, one in enumerate(asked)))
    return listed


def groups_in(found: Given, names: Sequence[str]) -> list[Group | None] | None:
    """Return the group of each row as it stands there; None where no row has one."""
    if any(map(cells.is_rule_of_group, map(str, found.fields or ()))):
        return _in_cells(found, names, cells.is_group, cells.group_in_cells)
    column = _said(found.optional("group", None), None)
    if column is None:
        return None
    groups = texts(column)
    if isinstance(found, GivenColumns):
        groups = [None if cells.is_empty(group) else group for group in groups]
    return [None if group is None else group_from(group, found.place(row, names)) for row, group in enumerate(groups)]
