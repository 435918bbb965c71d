"""The contract's tables as the columns of a recording, and back.

A recording keeps a matrix row by row, as it crosses. To a component it can be handed over as it stands, wrong lengths and
all (``raw``); the reference matcher needs a column a dimension.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import IN, NOT_IN, Changes, OfferTable, Requirements, TaskTable

__all__ = [
    "changes_of",
    "changes_shown",
    "offers_of",
    "offers_shown",
    "settings_of",
    "settings_shown",
    "shape_of",
    "tasks_of",
    "tasks_shown",
]


def offers_of(found: Mapping[str, Any], shape: Mapping[str, int], *, raw: bool) -> OfferTable:
    """Return the offers of a recording."""
    rows, width = found.get("rows", 0), shape["dimensions"]
    return OfferTable(
        rows,
        _matrix(found, "available", width, raw=raw),
        _matrix(found, "capacity", width, raw=raw) if found.get("capacity") else [],
        _matrix(found, "attributes", shape["attributes"], raw=raw),
        _column(found, "device_offsets"),
        _column(found, "device_free"),
    )


def tasks_of(found: Mapping[str, Any], shape: Mapping[str, int], *, raw: bool) -> TaskTable:
    """Return the tasks of a recording."""
    requirements = Requirements(
        _column(found, "requirement_offsets"),
        array("Q", (NOT_IN if excludes else IN for excludes in found.get("requirement_excludes", ()))),
        _column(found, "requirement_attributes"),
        value_offsets=_column(found, "value_offsets"),
        values=_column(found, "values"),
    )
    return TaskTable(
        found.get("rows", 0), _matrix(found, "demand", shape["dimensions"], raw=raw), _column(found, "devices"), requirements
    )


def changes_of(found: Mapping[str, Any], shape: Mapping[str, int], *, raw: bool) -> Changes:
    """Return the changes of a recording."""
    return Changes(
        list(found.get("removed", ())),
        list(found.get("changed_rows", ())),
        offers_of(found.get("changed", {}), shape, raw=raw),
        offers_of(found.get("added", {}), shape, raw=raw),
    )


def shape_of(found: Mapping[str, int]) -> Shape:
    """Return the shape of a recording."""
    return Shape(found["dimensions"], found["attributes"])


def settings_of(found: Mapping[str, Any]) -> SettingColumns:
    """Return the settings of a recording, usable or not."""
    weights, scales = list(map(float, found.get("weights") or ())), list(found.get("scales") or ())
    return SettingColumns(found["mode"], float(found["max_score"]), weights, scales)


def settings_shown(settings: SettingColumns) -> dict[str, Any]:
    """Return settings as a recording has them."""
    return {
        "mode": settings.mode,
        "max_score": sys.float_info.max if settings.max_score is None else settings.max_score,
        "weights": list(settings.weights),
        "scales": list(settings.scales),
    }


def offers_shown(table: OfferTable) -> dict[str, Any]:
    """Return offers as a recording has them."""
    columns = {
        "available": _flat(table.available),
        "capacity": _flat(table.capacity),
        "attributes": _flat(table.attributes),
        "device_offsets": table.device_offsets.tolist(),
        "device_free": table.device_free.tolist(),
    }
    return {"rows": table.rows, **{name: column for name, column in columns.items() if column}}


def tasks_shown(table: TaskTable) -> dict[str, Any]:
    """Return tasks as a recording has them."""
    conditions = table.requirements
    columns = {
        "demand": _flat(table.demand),
        "devices": table.devices.tolist(),
        "requirement_offsets": conditions.offsets.tolist(),
        "requirement_attributes": conditions.subjects.tolist(),
        "requirement_excludes": [kind == NOT_IN for kind in conditions.kinds],
        "value_offsets": conditions.value_offsets.tolist() if conditions.kinds else [],
        "values": conditions.values.tolist(),
    }
    return {"rows": table.rows, **{name: column for name, column in columns.items() if column}}


def changes_shown(changes: Changes) -> dict[str, Any]:
    """Return changes as a recording has them."""
    return {
        "removed": list(changes.removed),
        "changed_rows": list(changes.changed_rows),
        "changed": offers_shown(changes.changed),
        "added": offers_shown(changes.added),
    }


def _column(found: Mapping[str, Any], name: str) -> array[int]:
    return array("Q", found.get(name, ()))


def _matrix(found: Mapping[str, Any], name: str, width: int, *, raw: bool) -> list[array[int]]:
    flat = _column(found, name)
    if raw:
        return [flat] if flat else []
    if len(flat) != width * found.get("rows", 0):
        raise ValueError(f"{name} has {len(flat)} numbers")
    return [flat[at::width] for at in range(width)]


def _flat(columns: Sequence[array[int]]) -> list[int]:
    return [value for row in zip(*columns, strict=True) for value in row]
