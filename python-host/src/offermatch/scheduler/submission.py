"""Tasks on their way into the store: rows of Python or of files, checked before anything is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import Any

from offermatch.errors import InputError
from offermatch.formats.documents import json_rows
from offermatch.formats.files import chosen_format, csv_rows, csv_tasks, csv_units
from offermatch.model import AnyRequirement, Group, Preference, Quantity
from offermatch.quantity import as_written, check_units, parse, unit_of
from offermatch.scheduler.queues import DEFAULT
from offermatch.tables.input import task_columns
from offermatch.tables.shape import SUBMISSION_COLUMNS, task_from_mapping
from offermatch.tables.tasks import TaskColumns

__all__ = ["Checked", "Submission", "checked", "read_submissions"]

_HINT = "docs/scheduler.md shows the rows of a submission"
_MOST = 2**31 - 1
_LONGEST_SECONDS = 1e10
_LONGEST_NAME = 512
"""Characters of a name, as everywhere it goes: an agent, an index of PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A task to be stored.

    Attributes:
        name: Its name, one of a kind in the store.
        demand: What it asks in each resource dimension; a dimension left out is 0.
        requirements: Conditions on attributes and measures of an offer, all of which must hold.
        devices: Whole devices asked.
        device_share: Thousandths asked of one device.
        priority: Higher goes first.
        needs: The names of tasks that have to be done before it, in this submission or in the store.
        payload: What to run, as a JSON object; the cluster knows what to make of it.
        inputs: What has to be there before it is launched: a name that the cluster is asked for, or a mapping with
            ``source``, ``target`` and perhaps ``digest``, which is staged.
        retries: How often it is tried again when an attempt fails.
        queue: The queue whose share it runs from.
        time_limit: The seconds that an attempt may run; one that runs longer is ended and has failed. None: any number.
        preferences: Conditions that cost something where they do not hold.
        group: The group that it belongs to, or its name where another member bears the rules. Members have one queue and one
            priority. Of a group that asks for a least number, so many begin at once.
        fails_together: Whether a member of its group that fails takes the others with it: after a failed attempt all are
            tried again together, and one that has no retry left ends them.
    """

    name: str
    demand: Mapping[str, Quantity] = field(default_factory=dict)
    requirements: Sequence[AnyRequirement] = ()
    devices: int = 0
    device_share: int = 0
    priority: int = 0
    needs: Sequence[str] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[str | Mapping[str, str]] = ()
    retries: int = 3
    queue: str = DEFAULT
    time_limit: float | None = None
    preferences: Sequence[Preference] = ()
    group: Group | str | None = None
    fails_together: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission that is right in itself, in columns.

    Attributes:
        columns: Names, demands, devices, requirements, preferences and groups.
        priorities: One a row.
        retries: One a row.
        needs: The names each row needs, each once.
        queues: One a row.
        time_limits: One a row, in seconds; None for no limit.
        payloads: Row, payload and inputs as JSON text, of the rows that have one.
        fails_together: One a row.
    """

    columns: TaskColumns
    priorities: list[int]
    retries: list[int]
    needs: list[Sequence[str]]
    queues: list[str]
    time_limits: list[float | None]
    payloads: list[tuple[int, str, str]]
    fails_together: list[bool] = field(default_factory=list)


def read_submissions(path: Path, form: str = "auto", *, queue: str = DEFAULT) -> list[Submission]:
    """Return the submissions in a JSON or CSV file.

    Args:
        path: The file.
        form: ``json``, ``jsonl``, ``csv``, or ``auto`` to go by the ending.
        queue: The queue of rows that name none.

    Raises:
        InputError: The file or a row of it cannot be used.
    """
    source = str(path)
    form = chosen_format(path, form)
    if form in ("json", "jsonl"):
        objects, units = json_rows(path, "tasks", form)
        rows = [_from_mapping(row, f"{source}, row {at}", queue) for at, row in enumerate(objects)]
        check_units(units, {name for row in rows for name in row.demand}, source)
        return _in_units(rows, units, source)
    if form != "csv":
        raise InputError("file-malformed", f"a submission cannot be {form}", "give JSON or CSV", source)
    header, cells = csv_rows(path)
    header, units = csv_units(header, source)
    listed = list(cells)
    tasks = csv_tasks(header, iter(listed), source, SUBMISSION_COLUMNS)
    extra = [(name, header.index(name)) for name in SUBMISSION_COLUMNS if name in header]
    rows = [
        Submission(
            task.name,
            task.demand,
            task.requirements,
            task.devices,
            task.device_share,
            **{
                "queue": queue,
                "preferences": task.preferences,
                "group": task.group,
                **_cells({name: row[at] for name, at in extra if row[at]}, f"{source}, row {number} ({task.name})"),
            },
        )
        for number, (task, row) in enumerate(zip(tasks, listed, strict=True))
    ]
    return _in_units(rows, units, source)


def _in_units(rows: list[Submission], units: Mapping[str, str], source: str) -> list[Submission]:
    """Return rows whose numbers are in these units as rows that need none declared."""
    if not units:
        return rows
    return [
        replace(
            row,
            demand=as_written(
                {
                    name: parse(value, f"{source}, row {at} ({row.name}), demand.{name}", unit_of(name, units))
                    for name, value in row.demand.items()
                }
            ),
        )
        for at, row in enumerate(rows)
    ]


def checked(rows: Sequence[Submission], source: str = "tasks") -> Checked:
    """Return the rows in columns, known to be right in themselves.

    Raises:
        InputError: Whatever is wrong with a task, ``payload-malformed``, ``setting-malformed``, ``dependency-cycle``.
    """
    columns = task_columns(rows, source=source)
    payloads: list[tuple[int, str, str]] = []
    for at, row in enumerate(rows):
        name = row.name
        if "\0" in name or not (name.isascii() or _encodes(name)):
            raise InputError("file-malformed", f"{name!r} cannot be a name", "use plain text", columns.place(at, "name"))
        if len(name) > _LONGEST_NAME:
            message = f"the name has {len(name)} characters; it may have {_LONGEST_NAME}"
            raise InputError("file-malformed", message, "give it a shorter one", columns.place(at, "name"))
        if row.payload or row.inputs:
            payloads.append((at, _payload(row, columns, at), _inputs(row, columns, at)))
    priorities = _whole_numbers([row.priority for row in rows], -_MOST, columns, "priority")
    retries = _whole_numbers([row.retries for row in rows], 0, columns, "retries")
    limits = [None if (limit := row.time_limit) is None else _time_limit(limit, columns, at) for at, row in enumerate(rows)]
    queues = [row.queue for row in rows]
    for at, queue in enumerate(queues):
        if not isinstance(queue, str) or not queue:
            raise InputError("queue-unknown", f"{queue!r} is no queue", "name one", columns.place(at, "queue"))
    needs: list[Sequence[str]] = [tuple(dict.fromkeys(needed)) if (needed := row.needs) else () for row in rows]
    _refuse_cycles(columns, needs)
    _refuse_gangs(columns, needs)
    return Checked(columns, priorities, retries, needs, queues, limits, payloads, _fails_together(rows, columns))


def _fails_together(rows: Sequence[Submission], columns: TaskColumns) -> list[bool]:
    for at, row in enumerate(rows):
        place = columns.place(at, "fails_together")
        asked: Any = row.fails_together
        if not isinstance(asked, bool):
            message = f"{asked!r} cannot be used"
            raise InputError("setting-malformed", message, "give true or false", place)
        if asked and (columns.groups is None or columns.groups[at] is None):
            raise InputError("group-malformed", "the task is in no group", "name its group, or leave this out", place)
    return [row.fails_together for row in rows]


def _refuse_gangs(columns: TaskColumns, needs: Sequence[Sequence[str]]) -> None:
    """Refuse groups that could never begin, and names of groups that no store can hold."""
    group_of = dict(zip(columns.names, columns.groups or (), strict=False))
    for at, group in enumerate(columns.groups or ()):
        if group is None:
            continue
        place = columns.place(at, "group")
        if "\0" in group.name or not _encodes(group.name) or len(group.name) > _LONGEST_NAME:
            hint = f"use plain text of at most {_LONGEST_NAME} characters"
            raise InputError("group-malformed", f"{group.name[:40]!r} cannot be the name of a group", hint, place)
        mate = next((name for name in needs[at] if group.least > 1 and group_of.get(name) is group), None)
        if mate is not None:
            message = f"it needs {mate!r}, with which it is to begin, as members of one group"
            hint = "take it out of the group, or ask for no least number of members"
            raise InputError("group-malformed", message, hint, columns.place(at, "needs"))


def _whole_numbers(values: list[Any], least: int, columns: TaskColumns, name: str) -> list[int]:
    for at, value in enumerate(values):
        if type(value) is not int or not least <= value <= _MOST:
            hint = f"give a whole number from {least} to {_MOST}"
            shown = value if isinstance(value, Decimal) else repr(value)
            raise InputError("setting-malformed", f"{shown} cannot be used", hint, columns.place(at, name))
    return values


def _time_limit(value: Any, columns: TaskColumns, row: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not 0 < value < _LONGEST_SECONDS:
        shown = value if isinstance(value, Decimal) else repr(value)
        hint = "give seconds above 0, or leave it out for no limit"
        raise InputError("setting-malformed", f"{shown} cannot be used", hint, columns.place(row, "time_limit"))
    return float(value)


def _refuse_cycles(columns: TaskColumns, needs: Sequence[Sequence[str]]) -> None:
    """Refuse tasks that wait for each other; those in the store cannot wait for new ones."""
    names, before = set(columns.names), set[str]()
    for name, needed in zip(columns.names, needs, strict=True):
        if needed and not before.issuperset(needed) and not names.isdisjoint(set(needed) - before):
            break
        before.add(name)
    else:
        # Each needs only what stands before it.
        return
    graph = {name: needed for name, needed in zip(columns.names, needs, strict=True) if needed}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        shown = " needs ".join(
            reversed([str(name) for name in (cycle if len(cycle) <= 12 else [*cycle[:6], "...", *cycle[-6:]])])
        )
        place = columns.place(columns.names.index(cycle[0]), "needs")
        raise InputError("dependency-cycle", shown, "take one of these dependencies out", place) from None


def _from_mapping(row: Mapping[str, Any], place: str, queue: str) -> Submission:
    task = task_from_mapping(row, place, SUBMISSION_COLUMNS)
    named = f"{place} ({task.name})"
    rules = {"preferences": task.preferences, "group": task.group}
    extra = {"queue": queue, **rules, **{name: row[name] for name in SUBMISSION_COLUMNS if row.get(name) is not None}}
    if not isinstance(extra.get("payload", {}), Mapping):
        raise InputError("payload-malformed", "the payload is not a JSON object", _HINT, f"{named}, payload")
    for name in ("needs", "inputs"):
        if not isinstance(extra.get(name, []), list):
            raise InputError("file-malformed", f"{extra[name]!r} is not a list", _HINT, f"{named}, {name}")
    for name in extra.get("needs", ()):
        if not isinstance(name, str):
            raise InputError("file-malformed", f"{name!r} is not text", _HINT, f"{named}, needs")
    return Submission(task.name, task.demand, task.requirements, task.devices, task.device_share, **extra)


def _cells(cells: dict[str, str], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, cell in cells.items():
        if name in ("priority", "retries"):
            try:
                found[name] = int(cell)
            except ValueError:
                raise InputError("setting-malformed", f"{cell!r} is no whole number", _HINT, f"{place}, {name}") from None
        elif name == "queue":
            found[name] = cell
        elif name == "fails_together":
            if cell not in ("true", "false"):
                raise InputError("setting-malformed", f"{cell!r} is not true or false", _HINT, f"{place}, {name}")
            found[name] = cell == "true"
        elif name == "time_limit":
            try:
                found[name] = float(cell)
            except ValueError:
                raise InputError("setting-malformed", f"{cell!r} is no number", _HINT, f"{place}, {name}") from None
        elif name == "payload":
            try:
                found[name] = json.loads(cell)
            except (ValueError, RecursionError) as error:
                raise InputError("payload-malformed", f"not JSON: {error}", _HINT, f"{place}, {name}") from None
            if not isinstance(found[name], dict):
                raise InputError("payload-malformed", "the payload is not a JSON object", _HINT, f"{place}, {name}")
        else:
            found[name] = tuple(part for part in cell.split("|") if part)
    return found


def _payload(row: Submission, columns: TaskColumns, at: int) -> str:
    payload = row.payload
    if not isinstance(payload, Mapping) or "inputs" in payload:
        message = "the payload has a key 'inputs'" if isinstance(payload, Mapping) else f"{payload!r} is not a mapping"
        hint = "a payload is a JSON object; 'inputs' is where it finds what was fetched for it"
        raise InputError("payload-malformed", message, hint, columns.place(at, "payload"))
    try:
        return _ENCODE(payload if type(payload) is dict else dict(payload))
    except (TypeError, ValueError, RecursionError) as error:
        place = columns.place(at, "payload")
        raise InputError("payload-malformed", f"not JSON: {error}", "a payload is a JSON object", place) from None


def _number(value: Any) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODE = json.JSONEncoder(default=_number, allow_nan=False).encode


def _inputs(row: Submission, columns: TaskColumns, at: int) -> str:
    hint = 'an input is a name, or {"source": ..., "target": ..., "digest": ...}'
    plain = True
    for given in row.inputs:
        if type(given) is str and given and given.isascii():
            continue
        plain = False
        texts = [given] if isinstance(given, str) else list(given.values()) if isinstance(given, Mapping) else [None]
        if not all(isinstance(text, str) and text and _encodes(text) for text in texts):
            raise InputError("file-malformed", f"{given!r} is no input", hint, columns.place(at, "inputs"))
        if isinstance(given, Mapping) and not {"source", "target"} <= set(given) <= {"source", "target", "digest"}:
            raise InputError("file-malformed", f"{dict(given)!r} is no input", hint, columns.place(at, "inputs"))
    if plain:
        return "[" + ", ".join([encode_basestring_ascii(given) for given in row.inputs if isinstance(given, str)]) + "]"
    return _ENCODE([given if isinstance(given, str) else dict(given) for given in row.inputs])


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
