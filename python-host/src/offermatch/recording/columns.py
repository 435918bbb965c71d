"""The contract's tables as the columns of a recording, and back.

A recording keeps a matrix row by row, as it crosses. To a component it can be handed over as it stands, wrong lengths and
all (``raw``); the reference matcher needs a column a dimension.

Columns are written under the names of contract 0.3.0. ``first_format`` gives the names of the format before to a recording
that needs no others, so that older readers read it.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import inf, isfinite
from sys import float_info
from typing import Any

from offermatch.tables.devices import Devices
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import (
    IN,
    NOT_IN,
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

__all__ = [
    "changes_of",
    "changes_shown",
    "comparable",
    "devices_of",
    "devices_shown",
    "explained_shown",
    "first_format",
    "offers_of",
    "offers_shown",
    "plan_shown",
    "preempt_of",
    "preempt_shown",
    "second_format",
    "settings_of",
    "settings_shown",
    "shape_of",
    "shape_shown",
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
        devices_of(found),
        _matrix(found, "measures", shape.get("measures", 0), raw=raw, typecode="d"),
    )


def devices_of(found: Mapping[str, Any]) -> Devices:
    """Return the devices of offers of a recording."""
    return Devices(_column(found, "device_offsets"), _column(found, "device_free"))


def tasks_of(found: Mapping[str, Any], shape: Mapping[str, int], *, raw: bool) -> TaskTable:
    """Return the tasks of a recording."""
    kinds = _column(found, "requirement_kinds")
    if "requirement_excludes" in found:
        kinds = array("Q", (NOT_IN if excludes else IN for excludes in found["requirement_excludes"]))
    requirements = Requirements(
        _column(found, "requirement_offsets"),
        kinds,
        _column(found, "requirement_attributes" if "requirement_attributes" in found else "requirement_subjects"),
        _doubles(found, "requirement_bounds"),
        _doubles(found, "requirement_weights"),
        _column(found, "value_offsets"),
        _column(found, "values"),
    )
    groups = found.get("groups", {})
    return TaskTable(
        found.get("rows", 0),
        _matrix(found, "demand", shape["dimensions"], raw=raw),
        _column(found, "devices"),
        requirements,
        _column(found, "group_of"),
        GroupTable(groups.get("rows", 0), *(_column(groups, name) for name in _GROUPS)),
    )


def changes_of(found: Mapping[str, Any], shape: Mapping[str, int], *, raw: bool) -> Changes:
    """Return the changes of a recording."""
    return Changes(
        list(found.get("removed", ())),
        list(found.get("changed_rows", ())),
        offers_of(found.get("changed", {}), shape, raw=raw),
        offers_of(found.get("added", {}), shape, raw=raw),
        _workload_of(found.get("workload"), shape, raw=raw),
    )


def preempt_of(
    found: Mapping[str, Any], shape: Mapping[str, int], *, raw: bool
) -> tuple[TaskTable, array[int], RunningTable]:
    """Return what a plan of a recording is asked with: the tasks, their priorities, and what runs."""
    running = found.get("running", {})
    table = RunningTable(
        running.get("rows", 0),
        _column(running, "offers"),
        array("q", running.get("priorities", ())),
        _column(running, "starts"),
        _matrix(running, "demand", shape["dimensions"], raw=raw),
        _column(running, "device_offsets"),
        _column(running, "device_numbers"),
        _column(running, "device_thousandths"),
    )
    return tasks_of(found.get("tasks", {}), shape, raw=raw), array("q", found.get("priorities", ())), table


def _workload_of(found: Mapping[str, Any] | None, shape: Mapping[str, int], *, raw: bool) -> Workload | None:
    if found is None:
        return None
    return Workload(tasks_of(found.get("tasks", {}), shape, raw=raw), _doubles(found, "shares"))


def shape_of(found: Mapping[str, int]) -> Shape:
    """Return the shape of a recording."""
    return Shape(found["dimensions"], found["attributes"], found.get("measures", 0))


def settings_of(found: Mapping[str, Any], shape: Mapping[str, int], *, raw: bool) -> SettingColumns:
    """Return the settings of a recording, usable or not."""
    most = found.get("max_score")
    return SettingColumns(
        found["mode"],
        None if most is None else float(most),
        list(map(float, found.get("weights") or ())),
        list(found.get("scales") or ()),
        _doubles(found, "parameters"),
        _workload_of(found.get("workload"), shape, raw=raw),
    )


def shape_shown(shape: Shape) -> dict[str, Any]:
    """Return a shape as a recording has it."""
    return _without_empty(asdict(shape), "dimensions", "attributes")


def settings_shown(settings: SettingColumns) -> dict[str, Any]:
    """Return settings as a recording has them."""
    columns = {
        "mode": settings.mode,
        "max_score": settings.max_score,
        "weights": _reals([array("d", settings.weights)]),
        "scales": list(settings.scales),
        "parameters": _reals([array("d", settings.parameters)]),
        "workload": _workload_shown(settings.workload),
    }
    return _without_empty(columns, "mode", "max_score", "weights", "scales")


def offers_shown(table: OfferTable) -> dict[str, Any]:
    """Return offers as a recording has them."""
    columns = {
        "rows": table.rows,
        "available": _flat(table.available),
        "capacity": _flat(table.capacity),
        "attributes": _flat(table.attributes),
        "measures": _reals(table.measures),
        **devices_shown(table.devices),
    }
    return _without_empty(columns, "rows")


def devices_shown(devices: Devices) -> dict[str, Any]:
    """Return devices of offers as a recording has them."""
    return {"device_offsets": devices.offsets.tolist(), "device_free": devices.free.tolist()}


def tasks_shown(table: TaskTable) -> dict[str, Any]:
    """Return tasks as a recording has them."""
    conditions, groups = table.requirements, table.groups
    columns = {
        "rows": table.rows,
        "demand": _flat(table.demand),
        "devices": table.devices.tolist(),
        "requirement_offsets": conditions.offsets.tolist(),
        "requirement_kinds": conditions.kinds.tolist(),
        "requirement_subjects": conditions.subjects.tolist(),
        "requirement_bounds": _reals([conditions.bounds]),
        "requirement_weights": _reals([conditions.weights]),
        "value_offsets": conditions.value_offsets.tolist() if conditions.kinds else [],
        "values": conditions.values.tolist(),
        "group_of": table.group_of.tolist(),
        "groups": _without_empty({"rows": groups.rows, **{name: getattr(groups, name).tolist() for name in _GROUPS}}),
    }
    return _without_empty(columns, "rows")


def _workload_shown(workload: Workload | None) -> dict[str, Any] | None:
    if workload is None:
        return None
    return {"tasks": tasks_shown(workload.tasks), "shares": _reals([workload.shares])}


def changes_shown(changes: Changes) -> dict[str, Any]:
    """Return changes as a recording has them."""
    return {
        "removed": list(changes.removed),
        "changed_rows": list(changes.changed_rows),
        "changed": offers_shown(changes.changed),
        "added": offers_shown(changes.added),
        **({} if changes.workload is None else {"workload": _workload_shown(changes.workload)}),
    }


def preempt_shown(table: TaskTable, priorities: Sequence[int], running: RunningTable) -> dict[str, Any]:
    """Return what a plan is asked with as a recording has it."""
    columns = {
        "rows": running.rows,
        "offers": running.offers.tolist(),
        "priorities": running.priorities.tolist(),
        "starts": running.starts.tolist(),
        "demand": _flat(running.demand),
        "device_offsets": running.device_offsets.tolist(),
        "device_numbers": running.device_numbers.tolist(),
        "device_thousandths": running.device_thousandths.tolist(),
    }
    return {"tasks": tasks_shown(table), "priorities": list(priorities), "running": _without_empty(columns, "rows")}


def plan_shown(plan: Plan) -> dict[str, Any]:
    """Return a plan as a recording has it."""
    return {name: list(column) for name, column in asdict(plan).items()}


def explained_shown(found: Explained | Explanations) -> dict[str, Any]:
    """Return explanations as a recording has them."""
    return {
        name: _reals([column]) if column and isinstance(column[0], float) else column
        for name, column in asdict(found).items()
    }


def comparable(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the columns of two explanations that can be compared, each by its name.

    A matcher of one contract explains by check and one of another by the first check: what the score refuses and the
    candidates are in both.
    """
    if after.keys() >= before.keys():
        return [(name, before.get(name, []), column) for name, column in after.items()]

    def by_score(explained: Mapping[str, Any]) -> Any:
        return explained.get("score_fails", explained.get("by_score", []))

    return [
        ("by_score", by_score(before), by_score(after)),
        ("candidates", before.get("candidates", []), after.get("candidates", [])),
    ]


def first_format(recorded: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a recording under the names of the first format; None where it uses what that does not have."""
    settings, changes = recorded["settings"], [step["update"] for step in recorded["steps"] if "update" in step]
    tables = [recorded["offers"], *(one.get(key, {}) for one in changes for key in ("changed", "added"))]
    newer = [recorded["shape"].get("measures"), settings.get("parameters")]
    newer += [part.get("workload") for part in (settings, *changes)] + [table.get("measures") for table in tables]
    newer += ["preempt" in step or "members_placed" in step.get("answer", {}) for step in recorded["steps"]]
    if any(newer):
        return None
    steps = []
    for step in recorded["steps"]:
        asked = {kind: _first_tasks(step[kind]) for kind in ("assign", "explain") if kind in step}
        if None in asked.values():
            return None
        steps.append({kind: asked.get(kind, part) for kind, part in step.items()})
    # What is below the largest double is what has no limit, but for that double itself.
    most = settings.get("max_score")
    return {**recorded, "settings": {**settings, "max_score": float_info.max if most is None else most}, "steps": steps}


def second_format(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recording without the answers that its format does not have: explanations by the first check."""
    steps = [
        {kind: part for kind, part in step.items() if kind != "answer" or "by_score" not in part}
        for step in recorded["steps"]
    ]
    return {**recorded, "steps": steps}


def _first_tasks(tasks: Mapping[str, Any]) -> dict[str, Any] | None:
    kinds = tasks.get("requirement_kinds", ())
    if {"requirement_bounds", "requirement_weights", "group_of", "groups"} & tasks.keys() or not {IN, NOT_IN}.issuperset(
        kinds
    ):
        return None
    renamed = {_FIRST.get(name, name): column for name, column in tasks.items()}
    if kinds:
        renamed["requirement_excludes"] = [kind == NOT_IN for kind in kinds]
    return renamed


_FIRST = {"requirement_subjects": "requirement_attributes", "requirement_kinds": "requirement_excludes"}
_GROUPS = (
    "least",
    "together",
    "limit_offsets",
    "limit_attributes",
    "limit_counts",
    "occupant_groups",
    "occupant_offers",
    "occupant_counts",
)


def _without_empty(columns: Mapping[str, Any], *kept: str) -> dict[str, Any]:
    return {name: column for name, column in columns.items() if column or name in kept}


def _column(found: Mapping[str, Any], name: str) -> array[int]:
    return array("Q", found.get(name, ()))


def _doubles(found: Mapping[str, Any], name: str) -> array[float]:
    # Those that are not finite are text.
    return array("d", map(float, found.get(name, ())))


def _matrix(found: Mapping[str, Any], name: str, width: int, *, raw: bool, typecode: str = "Q") -> list[Any]:
    flat: array[Any] = _doubles(found, name) if typecode == "d" else _column(found, name)
    if raw:
        return [flat] if flat else []
    if typecode == "d" and not flat:
        return []
    if len(flat) != width * found.get("rows", 0):
        raise ValueError(f"{name} has {len(flat)} numbers")
    return [flat[at::width] for at in range(width)]


def _flat(columns: Sequence[Sequence[Any]]) -> list[Any]:
    return [value for row in zip(*columns, strict=True) for value in row]


def _reals(columns: Sequence[Sequence[float]]) -> list[float | str]:
    """Return doubles as a recording has them: those that are not finite as text."""
    names = {inf: "Infinity", -inf: "-Infinity"}
    return [value if isfinite(value) else names.get(value, "NaN") for value in _flat(columns)]
