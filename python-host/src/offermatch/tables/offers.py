"""Offers in columns, with their names; ``task_columns`` has the picture."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from operator import le
from typing import Any

from offermatch import quantity
from offermatch.errors import InputError
from offermatch.model import AnyRequirement, Comparison
from offermatch.requirements import check_group_name, measure_number, members
from offermatch.tables.bad import BadRow
from offermatch.tables.columns import (
    MOST_DEVICES,
    aligned,
    by_name,
    check_devices,
    check_length,
    devices_malformed,
    given_numbers,
    named_columns,
    place_of,
    placer,
    refuse_devices,
)
from offermatch.tables.devices import WHOLLY_FREE, Devices
from offermatch.tables.ingest import integers, kinds, texts
from offermatch.visible import shown_value

__all__ = ["OfferColumns", "devices_at_once"]


@dataclass(slots=True)
class OfferColumns:
    """Offers, one row each; the arrays are in the smallest unit, as those of ``TaskColumns``.

    Attributes:
        names: One name a row.
        available: One array of ``rows`` quantities a dimension.
        capacity: Likewise, never below ``available``; None where it is the same.
        attributes: One list of ``rows`` values an attribute; None and the empty text stand for unset.
        devices: The free thousandths of the devices of each row.
        source: What the table is called in errors.
        left_out: The rows that are not here because they could not be used.
        numbers: The number that each row had in the table that was given; None where it is the same.
        measures: One array of ``rows`` numbers a measure; NaN stands for unset.
        occupants: How many members of each group run, by the row of the offer.
        units: As of ``TaskColumns``.
        read_in: Likewise.
    """

    names: list[str]
    available: dict[str, array[int]]
    capacity: dict[str, array[int]] | None = None
    attributes: dict[str, list[str | None]] = field(default_factory=dict)
    devices: Devices = field(default_factory=Devices)
    source: str = "offers"
    left_out: Sequence[BadRow] = ()
    numbers: Sequence[int] | None = None
    measures: dict[str, array[float]] = field(default_factory=dict)
    occupants: dict[str, dict[int, int]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    read_in: Mapping[str, str] | None = field(default=None, compare=False)

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
        table = cls(*named_columns(names, available, "available", units, source), source=source, read_in=units or {})
        table._set_capacity(by_name(capacity, source, "capacity"), units)
        for name, column in by_name(attributes, source, "attributes").items():
            values = texts(column)
            check_length(len(values), len(table), f"{source}, attribute.{name}")
            table._check_texts(values, name)
            table.attributes[name] = values
        if devices is not None:
            table._set_devices(devices)
        for name, column in by_name(measures, source, "measures").items():
            table._set_measure(name, texts(column))
        for name, column in by_name(occupants, source, "occupants").items():
            table._set_occupants(name, texts(column))
        return table

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.names)

    def place(self, row: int, column: str = "") -> str:
        """Return where a row stands, for errors."""
        return place_of(self.source, self.names, row, column, self.numbers)

    def aligned(self, dimensions: Sequence[str]) -> tuple[list[array[int]], list[array[int]] | None]:
        """Return the available and the capacity columns for each of the pool's dimensions."""
        available = aligned(self.available, dimensions, len(self))
        return available, None if self.capacity is None else aligned(self.capacity, dimensions, len(self))

    def picked(self, rows: Sequence[int]) -> OfferColumns:
        """Return the table of some rows only."""

        def numbers(columns: Mapping[str, array[int]]) -> dict[str, array[int]]:
            return {name: array("Q", map(column.__getitem__, rows)) for name, column in columns.items()}

        at = {row: place for place, row in enumerate(rows)} if self.occupants else {}
        return OfferColumns(
            [self.names[row] for row in rows],
            numbers(self.available),
            None if self.capacity is None else numbers(self.capacity),
            {name: [values[row] for row in rows] for name, values in self.attributes.items()},
            self.devices.picked(rows),
            self.source,
            measures={name: array("d", map(column.__getitem__, rows)) for name, column in self.measures.items()},
            occupants={
                group: {at[row]: count for row, count in running.items() if row in at}
                for group, running in self.occupants.items()
            },
            read_in=self.read_in,
        )

    def of_given(self, rows: Sequence[int]) -> OfferColumns:
        """Return some rows only, called by the numbers that they had in the table that was given."""
        return replace(self.picked(rows), numbers=given_numbers(self.numbers, rows), units=self.units)

    def meets(self, requirement: AnyRequirement, row: int) -> bool:
        """Return whether an offer has what is required."""
        if isinstance(requirement, Comparison):
            numbers = self.measures.get(requirement.measure)
            return requirement.holds(None if numbers is None else numbers[row])
        values = self.attributes.get(requirement.attribute)
        return requirement.holds(None if values is None else values[row])

    def changeable(self) -> OfferColumns:
        """Return the table with quantities and devices of its own, so that what is free can be changed; capacities stay."""
        return replace(
            self,
            available={name: column[:] for name, column in self.available.items()},
            capacity=self.capacity or self.available,
            devices=self.devices.copied(),
        )

    def _set_capacity(self, capacity: Mapping[str, Any], units: Mapping[str, str] | None) -> None:
        columns = dict(self.available)
        for name, given in capacity.items():
            refuse_devices(name, f"{self.source}, capacity.{name}")
            column = integers(given, placer(self.source, self.names, f"capacity.{name}"), quantity.unit_of(name, units))
            check_length(len(column), len(self), f"{self.source}, capacity.{name}")
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
        check_length(len(values), len(self), f"{self.source}, measures.{name}")
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
        check_length(len(values), len(self), f"{self.source}, occupants.{name}")
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
        check_length(len(rows), len(self), f"{self.source}, devices")
        found = devices_at_once(rows)
        if found is None and any(map(_has_devices, rows)):
            found = Devices.of_rows(self._free_devices(row, value) for row, value in enumerate(rows))
        self.devices = found or Devices()

    def _free_devices(self, row: int, value: Any) -> Sequence[int]:
        if value is None:
            return ()
        place = self.place(row, "devices")
        if isinstance(value, (str, bytes)) or getattr(value, "shape", None) == () or not hasattr(value, "__len__"):
            return [WHOLLY_FREE] * check_devices(integers([value], lambda _: place, quantity.DEVICES)[0], place)
        free = integers(list(value), lambda _: place, quantity.THOUSANDTHS)
        if len(free) and max(free) > WHOLLY_FREE:
            hint = "each number is the free thousandths of one device, 0 to 1000"
            raise devices_malformed(f"{max(free)} free thousandths", hint, place)
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


def devices_at_once(rows: Sequence[Any]) -> Devices | None:
    """Return devices where all rows have a number or all have a list; None where one has to be looked at by itself."""
    types = kinds(rows)
    if types == {int}:
        if not any(rows):
            return Devices()
        return Devices.wholly_free(rows) if min(rows) >= 0 and max(rows) <= MOST_DEVICES else None
    if types <= {list, tuple}:
        free = list(chain.from_iterable(rows))
        if kinds(free) <= {int} and min(free, default=0) >= 0 and max(free, default=0) <= WHOLLY_FREE:
            return Devices.of_rows(rows)
    return None


def _has_devices(value: Any) -> bool:
    return value is not None and (not isinstance(value, int) or value is True or value != 0)
