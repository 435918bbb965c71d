"""Tasks in columns, with their names.

    rows (dataclasses, mappings) ──> rows ───┐
                                             ├──> TaskColumns, OfferColumns ──> component or reference matcher
    columns (numpy, pandas, array) ─ build ──┘

A table is checked when it is built, so what crosses to a component needs no further look.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import add, is_, mul
from typing import Any, NamedTuple

from offermatch import quantity
from offermatch.errors import InputError
from offermatch.model import AnyRequirement, Comparison, Group, Preference, Requirement
from offermatch.tables.bad import BadRow
from offermatch.tables.columns import (
    MOST_DEVICES,
    aligned,
    check_devices,
    check_length,
    devices_malformed,
    given_numbers,
    named_columns,
    place_of,
)
from offermatch.tables.groups import resolved
from offermatch.tables.ingest import integers, kinds, texts
from offermatch.tables.kinds import Kinds, kinds_of
from offermatch.visible import shown_value

__all__ = ["TaskColumns"]


class _Known(NamedTuple):
    """The kinds of the rows of a table that have these lists."""

    required: Sequence[object]
    preferred: Sequence[object]
    kinds: Kinds


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
        named: Where rows were left out, the dimensions that all rows name which could be read: units may be of these.
        read_in: The units that were declared where its numbers were read; None where they came in the smallest ones.
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
    named: Collection[str] = ()
    read_in: Mapping[str, str] | None = field(default=None, compare=False)
    _known: _Known | None = field(default=None, init=False, repr=False, compare=False)

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
        table = cls(*named_columns(names, demand, "demand", units, source), source=source, read_in=units or {})
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
        check_length(len(listed), len(self), f"{self.source}, {field}")
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

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """Return what goes to another process: all but the kinds, which are found there as fast."""
        return None, {**{name: getattr(self, name) for name in self.__slots__}, "_known": None}

    def place(self, row: int, column: str = "") -> str:
        """Return where a row stands, for errors."""
        return place_of(self.source, self.names, row, column, self.numbers)

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
        return aligned(self.demand, dimensions, len(self))

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
    def _asked(self) -> Iterator[AnyRequirement]:
        """The requirements of each kind of row and those in its preferences."""
        for row in self.kinds.first_rows if self.requirements or self.preferences else ():
            yield from self.requirements_of(row)
            yield from (one.requirement for one in self.preferences_of(row))

    @property
    def kinds(self) -> Kinds:
        """Which rows ask the same; found once for as long as every row has the lists that it had."""
        required, preferred = list(self.requirements or ()), list(self.preferences or ())
        known = self._known
        if known is not None and _are(known.required, required) and _are(known.preferred, preferred):
            return known.kinds
        found = kinds_of(len(self), self.requirements, self.preferences)
        # A tuple keeps what it has; a list may be changed between two calls.
        keep = kinds(required) | kinds(preferred) <= {tuple, type(None)}
        self._known = _Known(required, preferred, found) if keep else None
        return found

    def requirements_of(self, row: int) -> Sequence[AnyRequirement]:
        """Return what a row requires."""
        return (self.requirements[row] if self.requirements else None) or ()

    def preferences_of(self, row: int) -> Sequence[Preference]:
        """Return what a row prefers."""
        return (self.preferences[row] if self.preferences else None) or ()

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
            read_in=self.read_in,
        )

    def of_given(self, rows: Sequence[int]) -> TaskColumns:
        """Return some rows only, or in another order, called by the numbers that they had in the table that was given."""
        table = self.picked(rows)
        at = {row: place for place, row in enumerate(rows)}
        table.first_rows = {name: at.get(self.first_rows.get(name, 0), 0) for name in self.demand}
        table.numbers = given_numbers(self.numbers, rows)
        table.units, table.named = self.units, self.named
        return table

    def without(self, bad: Sequence[BadRow], rows: Sequence[int]) -> TaskColumns:
        """Return the table without these rows, which were found to be bad."""
        left = set(rows)
        table = self.of_given([row for row in range(len(self)) if row not in left])
        table.left_out = [*self.left_out, *bad]
        return table

    def _asked_devices(self, devices: Any, shares: Any) -> array[int] | None:
        whole = None if devices is None else integers(devices, lambda row: self.place(row, "devices"), quantity.DEVICES)
        parts = (
            None if shares is None else integers(shares, lambda row: self.place(row, "device_share"), quantity.THOUSANDTHS)
        )
        for column, what in ((whole, "devices"), (parts, "device_share")):
            if column is not None:
                check_length(len(column), len(self), f"{self.source}, {what}")
        if whole is not None and len(whole) and max(whole) > MOST_DEVICES:
            row = next(row for row, count in enumerate(whole) if count > MOST_DEVICES)
            check_devices(whole[row], self.place(row, "devices"))
        if parts is not None and len(parts) and max(parts) > 999:
            row = next(row for row, share in enumerate(parts) if share > 999)
            hint = "a share is 1 to 999 thousandths of one device; use devices for whole ones"
            raise devices_malformed(f"a share of {parts[row]}", hint, self.place(row, "device_share"))
        if whole is None or not any(whole):
            return parts if parts is not None and any(parts) else None
        thousandths = array("Q", map((1000).__mul__, whole))
        if parts is None or not any(parts):
            return thousandths
        if any(map(mul, whole, parts)):
            row = next(row for row in range(len(self)) if whole[row] and parts[row])
            both = f"{whole[row]} devices and a share of {parts[row]}"
            raise devices_malformed(both, "a task asks for whole devices or for a share", self.place(row, "devices"))
        return array("Q", map(add, thousandths, parts))


def _are(some: Sequence[object], others: Sequence[object]) -> bool:
    """Return whether two columns have the same objects."""
    return len(some) == len(others) and all(map(is_, some, others))
