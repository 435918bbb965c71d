"""The one mapping between the tables and the contract.

    TaskTable, OfferTable, ... ──Conversion──> a record as wasmtime-py takes it ──(component)──> record ──> Assigned, ...

Columns cross in one of two forms. ``Lists`` has a list of numbers, which wasmtime-py converts value by value: slow, and
right by definition. ``Digits`` has a string of hexadecimal digits, for the contract's interface `packed`: wasmtime-py hands
a string over in one piece, so a column costs what its bytes cost, about 0.3 ms a megabyte instead of a microsecond a number.
Digits are hexadecimal because a string must be UTF-8, and because Python writes and reads them in C.

``Conversion`` is contract 0.3.0, ``Before`` what 0.2.0 has otherwise.
"""

from __future__ import annotations

import sys
from array import array
from binascii import hexlify, unhexlify
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Protocol

from wasmtime.component import Record

from offermatch.model import Description, Parameter
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import (
    NO_GROUPS,
    NO_REQUIREMENTS,
    NOT_IN,
    Assigned,
    Changes,
    Explained,
    Explanations,
    GroupTable,
    OfferTable,
    Plan,
    Requirements,
    RunningTable,
    TaskTable,
    Workload,
)

__all__ = ["Before", "Bytes", "Conversion", "Digits", "Lists", "Numbers"]

_Matrix = Sequence[Any]
"""Columns of one length, laid side by side row by row: ``"d"`` arrays for f64, ``"Q"`` arrays for integers."""


class Numbers(Protocol):
    """A form in which columns cross."""

    def lower(self, kind: str, columns: _Matrix) -> Any:
        """Return the numbers of a matrix; ``kind`` is ``u32``, ``s32``, ``u64`` or ``f64``."""

    def lift(self, kind: str, found: Any) -> Sequence[Any]:
        """Return the numbers of a column.

        Raises:
            ValueError: It cannot be read.
        """


class Lists:
    """A list of numbers."""

    def lower(self, kind: str, columns: _Matrix) -> list[Any]:
        """Return the numbers of a matrix."""
        del kind
        # An empty matrix may have columns, and a matrix without columns has no rows.
        return columns[0].tolist() if len(columns) == 1 else [item for row in zip(*columns, strict=True) for item in row]

    def lift(self, kind: str, found: Any) -> Sequence[Any]:
        """Return the numbers of a column."""
        del kind
        return list(found)


class Digits:
    """A string of digits, little-endian: as text, or ``Bytes`` as the bytes of it."""

    def lower(self, kind: str, columns: _Matrix) -> str | bytes:
        """Return the numbers of a matrix."""
        return self._digits(kind, columns).decode()

    @staticmethod
    def _digits(kind: str, columns: _Matrix) -> bytes:
        width = len(columns)
        if not width or not columns[0]:
            return b""
        flat = columns[0]
        if width > 1:
            flat = array(flat.typecode, (0,)) * (width * len(flat))
            for at, column in enumerate(columns):
                flat[at::width] = column
        if kind in ("u64", "f64"):
            return hexlify(_swapped(flat))
        # The low halves of 64-bit words, without a Python loop: that they fit was checked when the column was built.
        halves = memoryview(_swapped(flat)).cast("B").cast("I")[::2]
        return hexlify(halves.tobytes())

    def lift(self, kind: str, found: Any) -> array[Any]:
        """Return the numbers of a column."""
        column = array({"u32": "I", "u64": "Q", "f64": "d"}[kind])
        column.frombytes(unhexlify(found))
        return _swapped(column)


class Bytes(Digits):
    """A string of digits as its bytes, which ``direct`` takes without a copy; None where there are none."""

    def lower(self, kind: str, columns: _Matrix) -> bytes | None:  # type: ignore[override]
        """Return the numbers of a matrix."""
        return self._digits(kind, columns) if columns and columns[0] else None


def _swapped(column: array[Any]) -> array[Any]:
    """Return a column with its numbers little-endian in memory, or back."""
    if sys.byteorder == "little":
        return column
    swapped = column[:]
    swapped.byteswap()
    return swapped


def _record(fields: dict[str, Any]) -> Record:
    record = Record()
    record.__dict__ = fields
    return record


class Conversion:
    """Tables to records and back, in one form."""

    def __init__(self, numbers: Numbers) -> None:
        """Convert columns in a form."""
        self.numbers = numbers
        self._no_requirements, self._no_groups = self._requirements(NO_REQUIREMENTS), self._groups(NO_GROUPS)

    def shape(self, shape: Shape) -> Record:
        """Return a `shape`."""
        return _record({"dimensions": shape.dimensions, "attributes": shape.attributes, "measures": shape.measures})

    def settings(self, settings: SettingColumns) -> Record:
        """Return `settings`."""
        lower = self.numbers.lower
        return _record(
            {
                "mode": settings.mode,
                "max-score": settings.max_score,
                "weights": lower("f64", [array("d", settings.weights)]),
                "scales": lower("u64", [array("Q", settings.scales)]),
                "parameters": lower("f64", [array("d", settings.parameters)]),
                "workload": self.workload(settings.workload),
            }
        )

    def workload(self, workload: Workload | None) -> Record | None:
        """Return a `workload`."""
        if workload is None:
            return None
        return _record({"tasks": self.tasks(workload.tasks), "shares": self.numbers.lower("f64", [workload.shares])})

    def offers(self, table: OfferTable) -> Record:
        """Return an `offer-table`."""
        lower = self.numbers.lower
        return _record(
            {
                "rows": table.rows,
                "available": lower("u64", table.available),
                "capacity": lower("u64", table.capacity),
                "attributes": lower("u32", table.attributes),
                "measures": lower("f64", table.measures),
                "device-offsets": lower("u32", [table.devices.offsets]),
                "device-free": lower("u32", [table.devices.free]),
            }
        )

    def tasks(self, table: TaskTable) -> Record:
        """Return a `task-table`."""
        lower, asked, groups = self.numbers.lower, table.requirements, table.groups
        return _record(
            {
                "rows": table.rows,
                "demand": lower("u64", table.demand),
                "devices": lower("u32", [table.devices]),
                **(self._no_requirements if asked is NO_REQUIREMENTS else self._requirements(asked)),
                "group-of": lower("u32", [table.group_of]),
                "groups": self._no_groups if groups is NO_GROUPS else self._groups(groups),
            }
        )

    def _requirements(self, conditions: Requirements) -> dict[str, Any]:
        lower = self.numbers.lower
        return {
            "requirement-offsets": lower("u32", [conditions.offsets]),
            "requirement-kinds": lower("u32", [conditions.kinds]),
            "requirement-subjects": lower("u32", [conditions.subjects]),
            "requirement-bounds": lower("f64", [conditions.bounds]),
            "requirement-weights": lower("f64", [conditions.weights]),
            "value-offsets": lower("u32", [conditions.value_offsets]),
            "values": lower("u32", [conditions.values]),
        }

    def _groups(self, groups: GroupTable) -> Record:
        lower = self.numbers.lower
        return _record(
            {
                "rows": groups.rows,
                "least": lower("u32", [groups.least]),
                "together": lower("u32", [groups.together]),
                "limit-offsets": lower("u32", [groups.limit_offsets]),
                "limit-attributes": lower("u32", [groups.limit_attributes]),
                "limit-counts": lower("u32", [groups.limit_counts]),
                "occupant-groups": lower("u32", [groups.occupant_groups]),
                "occupant-offers": lower("u32", [groups.occupant_offers]),
                "occupant-counts": lower("u32", [groups.occupant_counts]),
            }
        )

    def changes(self, changes: Changes) -> Record:
        """Return `changes`."""
        lower = self.numbers.lower
        return _record(
            {
                "removed": lower("u32", [array("Q", changes.removed)]),
                "changed-rows": lower("u32", [array("Q", changes.changed_rows)]),
                "changed": self.offers(changes.changed),
                "added": self.offers(changes.added),
                "workload": self.workload(changes.workload),
            }
        )

    def priorities(self, priorities: Sequence[int]) -> Any:
        """Return the priorities of tasks."""
        # Packed, they are the u32 of their bits.
        return self.numbers.lower("s32", [array("q", priorities)])

    def running(self, table: RunningTable) -> Record:
        """Return a `running-table`."""
        lower = self.numbers.lower
        return _record(
            {
                "rows": table.rows,
                "offers": lower("u32", [table.offers]),
                "priorities": self.priorities(table.priorities),
                "starts": lower("u64", [table.starts]),
                "demand": lower("u64", table.demand),
                "device-offsets": lower("u32", [table.device_offsets]),
                "device-numbers": lower("u32", [table.device_numbers]),
                "device-thousandths": lower("u32", [table.device_thousandths]),
            }
        )

    def assigned(self, found: Record) -> Assigned:
        """Return what `assignments` say."""
        return Assigned(self._column(found, "tasks"), self._column(found, "offers"), self._column(found, "scores", "f64"))

    def explained(self, found: Record) -> Any:
        """Return what `explanations` say."""
        kinds = {"dimension_missing": "u64", "requirement_missing": "f64", "score_missing": "f64"}
        names = [each.name for each in fields(Explanations)]
        return Explanations(*([*self._column(found, name, kinds.get(name, "u32"))] for name in names))

    def plan(self, found: Record) -> Plan:
        """Return what a `plan` says."""
        names = ("tasks", "offers", "scores", "victim_offsets", "victims")
        return Plan(*(self._column(found, name, "f64" if name == "scores" else "u32") for name in names))

    def _column(self, found: Record, name: str, kind: str = "u32") -> Sequence[Any]:
        return self.numbers.lift(kind, getattr(found, name.replace("_", "-")))

    @staticmethod
    def description(found: Record) -> Description:
        """Return what a `description` says."""
        said = vars(found)
        return Description(
            said["name"],
            said["version"],
            said["policy"],
            said["contract"],
            tuple(said["modes"]),
            tuple(said.get("rules", ())),
            tuple(Parameter(**vars(one)) for one in said.get("parameters", ())),
        )


class Before(Conversion):
    """Contract 0.2.0, where it is otherwise.

    It has no measures, preferences, groups, workloads and parameters: a host refuses them by name before they get here. A
    score has a limit, and an offer fails the first check only.
    """

    def settings(self, settings: SettingColumns) -> Record:
        """Return `settings`, which do not cross packed."""
        lower = Lists().lower
        return _record(
            {
                "mode": settings.mode,
                "max-score": sys.float_info.max if settings.max_score is None else settings.max_score,
                "weights": lower("f64", [array("d", settings.weights)]),
                "scales": lower("u64", [array("Q", settings.scales)]),
            }
        )

    def _requirements(self, conditions: Requirements) -> dict[str, Any]:
        lower = self.numbers.lower
        excludes = array("Q", [kind == NOT_IN for kind in conditions.kinds])
        packed = isinstance(self.numbers, Digits)
        return {
            "requirement-offsets": lower("u32", [conditions.offsets]),
            "requirement-attributes": lower("u32", [conditions.subjects]),
            "requirement-excludes": lower("u32", [excludes]) if packed else list(map(bool, excludes)),
            "value-offsets": lower("u32", [conditions.value_offsets]),
            "values": lower("u32", [conditions.values]),
        }

    def explained(self, found: Record) -> Explained:
        """Return what `explanations` say."""
        return Explained(*([*self._column(found, each.name)] for each in fields(Explained)))
