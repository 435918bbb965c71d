"""Tables of tasks and offers in columns, with their names.

    rows (dataclasses, mappings) ──> rows ───┐
                                             ├──> TaskColumns, OfferColumns ──> component or reference matcher
    columns (numpy, pandas, array) ─ build ──┘

A table is checked when it is built: every quantity is an integer from 0 to 2^64 - 1, names are one of a kind, columns
have one length. So what crosses to a component needs no further look.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, pairwise
from operator import add, le, mul
from typing import Any, TypeVar

from offermatch import quantity
from offermatch.errors import InputError
from offermatch.model import DEVICES, AnyRequirement, Comparison, Group, Preference, Requirement
from offermatch.requirements import check_group_name, measure_number, members
from offermatch.tables.bad import BadRow, duplicate, nameless
from offermatch.tables.groups import resolved
from offermatch.tables.ingest import Place, integers, kinds, texts
from offermatch.visible import called, shown_value

__all__ = ["OfferColumns", "TaskColumns", "check_devices"]

_T = TypeVar("_T")

MOST_DEVICES = (2**32 - 1) // 1000
"""The most devices one task may ask for or one offer may have: their thousandths cross as a 32-bit integer."""


@dataclass(slots=True)
class TaskColumns:
    """Tasks, one row each, in the order in which they are to be placed.

    The arrays are in the smallest unit (millicores, bytes); ``build`` makes them of columns in people's units.

    Attributes:
        names: One name a row.
        demand: One array of ``rows`` quantities a dimension.
        devices: Device thousandths asked, ``rows`` numbers; None where no task asks for a device.
        requirements: The requirements of each row; None where no task has one.
        source: What the table is called in errors.
        first_rows: The first row that names each dimension, where it is not row 0.
        left_out: The rows that are not here because they could not be used.
        numbers: The number that each row had in the table that was given; None where it is the same.
        preferences: The preferences of each row; None where no task has one.
        groups: The group of each row, with its rules; None where no task has one.
        units: What the file declares that the table was read from, for dimensions that the offers may have and it has not.
    """

    names: list[str]
    demand: dict[str, array[int]]
    devices: array[int] | None = None
    requirements: Sequence[Sequence[AnyRequirement]] | None = None
    source: str = "tasks"
    first_rows: dict[str, int] = field(default_factory=dict)
    left_out: Sequence[BadRow] = ()
    numbers: Sequence[int] | None = None
    preferences: Sequence[Sequence[Preference]] | None = None
    groups: Sequence[Group | None] | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        names: Any,
        demand: Mapping[str, Any],
        *,
        devices: Any = None,
        device_shares: Any = None,
        requirements: Sequence[Sequence[AnyRequirement]] | None = None,
        preferences: Sequence[Sequence[Preference]] | None = None,
        groups: Sequence[Group | str | None] | None = None,
        units: Mapping[str, str] | None = None,
        source: str = "tasks",
    ) -> TaskColumns:
        """Return a table built from columns of any library.

        Args:
            names: A column of names; None numbers the rows.
            demand: One column of quantities a dimension.
            devices: A column of whole devices asked.
            device_shares: A column of thousandths of one device asked.
            requirements: The requirements of each row.
            preferences: The preferences of each row.
            groups: The group of each row, or its name where another row has its rules.
            units: What the numbers of a dimension are in, such as ``{"cpu": "millicores"}``; docs/formats.md has the rule
                for those left out.
            source: What the table is called in errors.

        Raises:
            InputError: A quantity, a name or a length that cannot be used.
        """
        table = cls(*_named(names, demand, "demand", units, source), source=source)
        table.devices = table._asked_devices(devices, device_shares)
        requirements = table._lists("requirements", requirements, (Requirement, Comparison))
        preferences = table._lists("preferences", preferences, (Preference,))
        groups = table._column("group", groups, (Group, str, type(None)), "a group")
        if requirements is not None and any(requirements):
            table.requirements = requirements
        if preferences is not None and any(preferences):
            table.preferences = preferences
        if groups is not None and any(groups):
            made = [Group(one) if isinstance(one, str) and one else one or None for one in groups]
            table.groups = resolved(made, lambda row: table.place(row, "group"))
        return table

    def _column(self, field: str, given: Any, known: tuple[type, ...], what: str) -> Any:
        """Return a column with a value of these types a row; None where there is none."""
        if given is None:
            return None
        listed = given if isinstance(given, (list, tuple)) else texts(given)
        _same_length(len(listed), len(self), f"{self.source}, {field}")
        if not all(issubclass(kind, known) for kind in kinds(listed)):
            row = next(at for at, value in enumerate(listed) if not isinstance(value, known))
            raise InputError(
                "file-malformed",
                f"{shown_value(listed[row])} is not {what}",
                "docs/formats.md shows the shape of a row",
                self.place(row, field),
            )
        return listed

    def _lists(self, field: str, given: Any, known: tuple[type, ...]) -> Any:
        """Return a column with a list of values of these types a row; None where there is none."""
        what = f"a list of {field}"
        listed = self._column(field, given, (list, tuple), what)
        if listed is not None and not all(issubclass(kind, known) for kind in kinds(chain.from_iterable(listed))):
            row = next(at for at, one in enumerate(listed) if not all(isinstance(value, known) for value in one))
            hint = "make them with is_in, not_in, at_least, at_most and prefer"
            raise InputError("file-malformed", f"{shown_value(listed[row])} is not {what}", hint, self.place(row, field))
        return listed

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.names)

    def place(self, row: int, column: str = "") -> str:
        """Return where a row stands, for errors."""
        return _place(self.source, self.names, row, column, self.numbers)

    def aligned(self, dimensions: Sequence[str]) -> list[array[int]]:
        """Return one demand column for each of the pool's dimensions.

        Raises:
            InputError: ``unknown-dimension`` where a task names another dimension.
        """
        for name in self.demand:
            if name not in dimensions and self.names:
                message = "no offer has this dimension; the dimensions are " + (", ".join(dimensions) or "none")
                place = self.place(self.first_rows.get(name, 0), f"demand.{name}")
                hint = "correct the spelling, or give the dimension to an offer"
                raise InputError("unknown-dimension", message, hint, place)
        return _aligned(self.demand, dimensions, len(self))

    @property
    def conditions(self) -> Iterator[tuple[int, AnyRequirement, str]]:
        """What each row requires, then what each prefers, with the field in which it stands."""
        for row, requirements in enumerate(self.requirements or ()):
            for requirement in requirements or ():
                yield row, requirement, "requirements"
        for row, preferences in enumerate(self.preferences or ()):
            for preference in preferences or ():
                yield row, preference.requirement, "preferences"

    @property
    def attributes_asked(self) -> set[str]:
        """The attributes that requirements and preferences are about."""
        return {one.attribute for one in self._asked if isinstance(one, Requirement)}

    @property
    def measures_asked(self) -> set[str]:
        """The measures that requirements and preferences are about."""
        return {one.measure for one in self._asked if isinstance(one, Comparison)}

    @property
    def _asked(self) -> Sequence[AnyRequirement]:
        """The requirements of all rows and those in their preferences, each object once."""
        required = _each_once(chain.from_iterable(filter(None, _each_once(self.requirements or ()))))
        preferred = _each_once(chain.from_iterable(filter(None, _each_once(self.preferences or ()))))
        return [*required, *(one.requirement for one in preferred)]

    @property
    def group_attributes(self) -> list[str]:
        """The attributes that members of groups are placed by, in the order in which tasks name them."""
        groups = {id(group): group for group in self.groups or () if group is not None}
        return list(dict.fromkeys(name for group in groups.values() for name in group.attributes))

    def picked(self, rows: Sequence[int]) -> TaskColumns:
        """Return the table of some rows only."""
        return TaskColumns(
            [self.names[row] for row in rows],
            {name: array("Q", map(column.__getitem__, rows)) for name, column in self.demand.items()},
            None if self.devices is None else array("Q", map(self.devices.__getitem__, rows)),
            None if self.requirements is None else [self.requirements[row] for row in rows],
            self.source,
            preferences=None if self.preferences is None else [self.preferences[row] for row in rows],
            groups=None if self.groups is None else [self.groups[row] for row in rows],
        )

    def without(self, bad: Sequence[BadRow], rows: Sequence[int]) -> TaskColumns:
        """Return the table without these rows, which were found to be bad."""
        left = set(rows)
        kept = [row for row in range(len(self)) if row not in left]
        table = self.picked(kept)
        table.numbers = kept if self.numbers is None else [self.numbers[row] for row in kept]
        table.left_out = [*self.left_out, *bad]
        return table

    def _asked_devices(self, devices: Any, shares: Any) -> array[int] | None:
        whole = None if devices is None else integers(devices, lambda row: self.place(row, "devices"), quantity.DEVICES)
        parts = (
            None if shares is None else integers(shares, lambda row: self.place(row, "device_share"), quantity.THOUSANDTHS)
        )
        for column, what in ((whole, "devices"), (parts, "device_share")):
            if column is not None:
                _same_length(len(column), len(self), f"{self.source}, {what}")
        if whole is not None and len(whole) and max(whole) > MOST_DEVICES:
            row = next(row for row, count in enumerate(whole) if count > MOST_DEVICES)
            check_devices(whole[row], self.place(row, "devices"))
        if parts is not None and len(parts) and max(parts) > 999:
            row = next(row for row, share in enumerate(parts) if share > 999)
            hint = "a share is 1 to 999 thousandths of one device; use devices for whole ones"
            raise _malformed(f"a share of {parts[row]}", hint, self.place(row, "device_share"))
        if whole is None or not any(whole):
            return parts if parts is not None and any(parts) else None
        thousandths = array("Q", map((1000).__mul__, whole))
        if parts is None or not any(parts):
            return thousandths
        if any(map(mul, whole, parts)):
            row = next(row for row in range(len(self)) if whole[row] and parts[row])
            both = f"{whole[row]} devices and a share of {parts[row]}"
            raise _malformed(both, "a task asks for whole devices or for a share", self.place(row, "devices"))
        return array("Q", map(add, thousandths, parts))


@dataclass(slots=True)
class OfferColumns:
    """Offers, one row each; the arrays are in the smallest unit, as those of ``TaskColumns``.

    Attributes:
        names: One name a row.
        available: One array of ``rows`` quantities a dimension.
        capacity: Likewise, never below ``available``; None where it is the same.
        attributes: One list of ``rows`` values an attribute; None and the empty text stand for unset.
        device_offsets: Where the devices of each row begin in ``device_free``, ``rows + 1`` numbers; None where no offer
            has a device.
        device_free: The free thousandths of each device.
        source: What the table is called in errors.
        left_out: The rows that are not here because they could not be used.
        numbers: The number that each row had in the table that was given; None where it is the same.
        measures: One array of ``rows`` numbers a measure; NaN stands for unset.
        occupants: How many members of each group run, by the row of the offer.
        units: As of ``TaskColumns``.
    """

    names: list[str]
    available: dict[str, array[int]]
    capacity: dict[str, array[int]] | None = None
    attributes: dict[str, list[str | None]] = field(default_factory=dict)
    device_offsets: array[int] | None = None
    device_free: array[int] = field(default_factory=lambda: array("Q"))
    source: str = "offers"
    left_out: Sequence[BadRow] = ()
    numbers: Sequence[int] | None = None
    measures: dict[str, array[float]] = field(default_factory=dict)
    occupants: dict[str, dict[int, int]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        names: Any,
        available: Mapping[str, Any],
        *,
        capacity: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        devices: Any = None,
        measures: Mapping[str, Any] | None = None,
        occupants: Mapping[str, Any] | None = None,
        units: Mapping[str, str] | None = None,
        source: str = "offers",
    ) -> OfferColumns:
        """Return a table built from columns of any library.

        Args:
            names: A column of names; None numbers the rows.
            available: One column of quantities a dimension.
            capacity: Likewise; a dimension left out is what is available.
            attributes: One column of text an attribute.
            devices: A column with, for each row, a number of wholly free devices or the free thousandths of each.
            measures: One column of numbers a measure; None and NaN stand for unset.
            occupants: One column of numbers of members a group.
            units: What the numbers of a dimension are in, as of ``TaskColumns.build``.
            source: What the table is called in errors.

        Raises:
            InputError: A quantity, a name or a length that cannot be used.
        """
        table = cls(*_named(names, available, "available", units, source), source=source)
        table._set_capacity(_by_name(capacity, source, "capacity"), units)
        for name, column in _by_name(attributes, source, "attributes").items():
            values = texts(column)
            _same_length(len(values), len(table), f"{source}, attribute.{name}")
            table._check_texts(values, name)
            table.attributes[name] = values
        if devices is not None:
            table._set_devices(devices)
        for name, column in _by_name(measures, source, "measures").items():
            table._set_measure(name, texts(column))
        for name, column in _by_name(occupants, source, "occupants").items():
            table._set_occupants(name, texts(column))
        return table

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.names)

    def place(self, row: int, column: str = "") -> str:
        """Return where a row stands, for errors."""
        return _place(self.source, self.names, row, column, self.numbers)

    def aligned(self, dimensions: Sequence[str]) -> tuple[list[array[int]], list[array[int]] | None]:
        """Return the available and the capacity columns for each of the pool's dimensions."""
        available = _aligned(self.available, dimensions, len(self))
        return available, None if self.capacity is None else _aligned(self.capacity, dimensions, len(self))

    def picked(self, rows: Sequence[int]) -> OfferColumns:
        """Return the table of some rows only."""

        def numbers(columns: Mapping[str, array[int]]) -> dict[str, array[int]]:
            return {name: array("Q", map(column.__getitem__, rows)) for name, column in columns.items()}

        devices = [self.devices_of(row) for row in rows] if self.device_offsets is not None else None
        at = {row: place for place, row in enumerate(rows)} if self.occupants else {}
        return OfferColumns(
            [self.names[row] for row in rows],
            numbers(self.available),
            None if self.capacity is None else numbers(self.capacity),
            {name: [values[row] for row in rows] for name, values in self.attributes.items()},
            None if devices is None else array("Q", accumulate(map(len, devices), initial=0)),
            array("Q", chain.from_iterable(devices or ())),
            self.source,
            measures={name: array("d", map(column.__getitem__, rows)) for name, column in self.measures.items()},
            occupants={
                group: {at[row]: count for row, count in running.items() if row in at}
                for group, running in self.occupants.items()
            },
        )

    def meets(self, requirement: AnyRequirement, row: int) -> bool:
        """Return whether an offer has what is required."""
        if isinstance(requirement, Comparison):
            numbers = self.measures.get(requirement.measure)
            return requirement.holds(None if numbers is None else numbers[row])
        values = self.attributes.get(requirement.attribute)
        return requirement.holds(None if values is None else values[row])

    def devices_of(self, row: int) -> array[int]:
        """Return the free thousandths of the devices of one row."""
        if self.device_offsets is None:
            return array("Q")
        return self.device_free[self.device_offsets[row] : self.device_offsets[row + 1]]

    @property
    def device_count(self) -> int:
        """How many devices all offers have."""
        return len(self.device_free)

    @property
    def most_devices(self) -> int:
        """The most devices that one offer has."""
        return max((end - begin for begin, end in pairwise(self.device_offsets or ())), default=0)

    @property
    def free_thousandths(self) -> int:
        """The free thousandths of all devices."""
        return sum(self.device_free)

    def set_devices(self, row: int, free: Sequence[int]) -> None:
        """Say how many thousandths of each device of a row are free."""
        if self.device_offsets is not None:
            self.device_free[self.device_offsets[row] : self.device_offsets[row + 1]] = array("Q", free)

    def give_devices(self, free: Iterable[Sequence[int]]) -> None:
        """Say which devices all rows have, by the free thousandths of each."""
        devices = list(free)
        self.device_offsets = array("Q", accumulate(map(len, devices), initial=0)) if any(devices) else None
        self.device_free = array("Q", chain.from_iterable(devices))

    def changeable(self) -> OfferColumns:
        """Return the table with quantities and devices of its own, so that what is free can be changed; capacities stay."""
        return replace(
            self,
            available={name: column[:] for name, column in self.available.items()},
            capacity=self.capacity or self.available,
            device_free=self.device_free[:],
        )

    def _set_capacity(self, capacity: Mapping[str, Any], units: Mapping[str, str] | None) -> None:
        columns = dict(self.available)
        for name, given in capacity.items():
            _refuse_devices(name, f"{self.source}, capacity.{name}")
            column = integers(given, _placer(self.source, self.names, f"capacity.{name}"), quantity.unit_of(name, units))
            _same_length(len(column), len(self), f"{self.source}, capacity.{name}")
            free = self.available.setdefault(name, array("Q", bytes(8 * len(self))))
            if not all(map(le, free, column)):
                row = next(row for row in range(len(self)) if free[row] > column[row])
                message = f"{free[row]} available is above the capacity of {column[row]}"
                hint = "an offer has at most its capacity available: correct one of the two"
                raise InputError("capacity-exceeded", message, hint, self.place(row, f"available.{name}"))
            columns[name] = column
        if columns != self.available:
            self.capacity = columns

    def _set_measure(self, name: str, values: list[Any]) -> None:
        _same_length(len(values), len(self), f"{self.source}, measures.{name}")
        if not isinstance(name, str):
            raise InputError(
                "file-malformed", f"a measure is called {shown_value(name)}", "name measures by text", self.source
            )
        numbers = (
            math.nan if value is None else measure_number(value, self.place(row, f"measures.{name}"))
            for row, value in enumerate(values)
        )
        self.measures[name] = array("d", values if kinds(values) <= {float} else numbers)

    def _set_occupants(self, name: str, values: list[Any]) -> None:
        _same_length(len(values), len(self), f"{self.source}, occupants.{name}")
        first = next((row for row, value in enumerate(values) if value is not None), 0)
        check_group_name(name, self.place(first, "occupants"))
        counted = {
            row: members(value, 0, self.place(row, f"occupants.{name}"))
            for row, value in enumerate(values)
            if value is not None
        }
        running = {row: count for row, count in counted.items() if count}
        if running:
            self.occupants[name] = running

    def _set_devices(self, devices: Any) -> None:
        rows = devices if isinstance(devices, (list, tuple)) else texts(devices)
        _same_length(len(rows), len(self), f"{self.source}, devices")
        if not any(map(_has_devices, rows)):
            return
        free = [self._free_devices(row, value) for row, value in enumerate(rows)]
        self.device_offsets = array("Q", accumulate(map(len, free), initial=0))
        self.device_free = array("Q", chain.from_iterable(free))

    def _free_devices(self, row: int, value: Any) -> Sequence[int]:
        if value is None:
            return ()
        place = self.place(row, "devices")
        if isinstance(value, (str, bytes)) or getattr(value, "shape", None) == () or not hasattr(value, "__len__"):
            return [1000] * check_devices(integers([value], lambda _: place, quantity.DEVICES)[0], place)
        free = integers(list(value), lambda _: place, quantity.THOUSANDTHS)
        if len(free) and max(free) > 1000:
            hint = "each number is the free thousandths of one device, 0 to 1000"
            raise _malformed(f"{max(free)} free thousandths", hint, place)
        return free

    def _check_texts(self, values: list[Any], name: str) -> None:
        if kinds(values) <= {str, type(None)}:
            return
        for row, value in enumerate(values):
            if value is not None and not isinstance(value, str):
                place = self.place(row, f"attributes.{name}")
                raise InputError(
                    "file-malformed", f"{shown_value(value)} is not text", "an attribute's value is text or unset", place
                )


def _each_once(values: Iterable[_T]) -> list[_T]:
    """Return each object among some once."""
    held = list(values)
    return list(dict(zip(map(id, held), held, strict=True)).values())


def _has_devices(value: Any) -> bool:
    return value is not None and (not isinstance(value, int) or value is True or value != 0)


def _named(
    names: Any, quantities: Mapping[str, Any], kind: str, units: Mapping[str, str] | None, source: str
) -> tuple[list[str], dict[str, array[int]]]:
    """Return checked names and one array a dimension, all of one length."""
    listed: list[str] | None = names if names is None or isinstance(names, list) else texts(names)
    columns: dict[str, array[int]] = {}
    for dimension, given in _by_name(quantities, source, kind).items():
        _refuse_devices(dimension, f"{source}, {kind}.{dimension}")
        columns[dimension] = integers(
            given, _placer(source, listed, f"{kind}.{dimension}"), quantity.unit_of(dimension, units)
        )
    if listed is None:
        listed = list(map(str, range(len(next(iter(columns.values()), ())))))
    for dimension, column in columns.items():
        _same_length(len(column), len(listed), f"{source}, {kind}.{dimension}")
    check_names(listed, source)
    return listed, columns


def _by_name(columns: Any, source: str, field: str) -> Mapping[str, Any]:
    """Return columns by name; none where they are None."""
    if columns is None or isinstance(columns, Mapping):
        return columns or {}
    raise InputError(
        "file-malformed", f"{shown_value(columns)} is not a mapping", "give columns by name", f"{source}, {field}"
    )


def _refuse_devices(dimension: str, place: str) -> None:
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


def _aligned(columns: Mapping[str, array[int]], dimensions: Sequence[str], rows: int) -> list[array[int]]:
    if columns.keys() >= set(dimensions):
        return [columns[name] for name in dimensions]
    zeros = array("Q", bytes(8 * rows))
    return [columns.get(name, zeros) for name in dimensions]


def _place(source: str, names: Sequence[str] | None, row: int, column: str, numbers: Sequence[int] | None = None) -> str:
    place = f"{source}, row {row if numbers is None else numbers[row]}"
    place = called(place, names[row]) if names is not None and row < len(names) else place
    return place + (f", {column}" if column else "")


def _placer(source: str, names: Sequence[str] | None, column: str) -> Place:
    return lambda row: _place(source, names, row, column)


def _same_length(found: int, expected: int, place: str) -> None:
    if found != expected:
        message = f"{found} values stand beside {expected} names"
        raise InputError("column-length", message, "all columns of a table have one length", place)


def check_devices(count: int, place: str) -> int:
    """Return a number of devices that a task may ask for and an offer may have."""
    if count > MOST_DEVICES:
        raise _malformed(f"{count} devices", f"give 0 to {MOST_DEVICES}", place)
    return count


def _malformed(found: str, hint: str, place: str) -> InputError:
    return InputError("devices-malformed", f"{found} cannot be", hint, place)
