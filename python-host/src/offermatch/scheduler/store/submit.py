"""New tasks into the tables, all of a submission or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import chain

from sqlalchemy import Connection, select, update

from offermatch.errors import InputError
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.following import cancel_followers
from offermatch.scheduler.store.groups import grouped
from offermatch.scheduler.store.queues import refuse_unrunnable
from offermatch.scheduler.store.rules import preference_texts, requirement_texts
from offermatch.scheduler.store.schema import dependencies, payloads, store, tasks
from offermatch.scheduler.submission import Checked
from offermatch.tables.tasks import TaskColumns

__all__ = ["insert_submission"]

_CHUNK = 5000
"""Rows in one statement."""

Progress = Callable[[int], None]


def insert_submission(
    connection: Connection, database: Database, found: Checked, at: float, progress: Progress
) -> list[int]:
    """Insert a submission and return the tasks' numbers.

    Args:
        connection: A transaction of its own.
        database: Where.
        found: What to insert.
        at: When it was submitted.
        progress: Told how many tasks have been inserted since.

    Raises:
        InputError: ``duplicate-name``, ``dependency-unknown``, ``group-malformed``, ``queue-unknown`` or ``over-quota``.
    """
    names, rows = found.columns.names, len(found.columns)
    _refuse_known(connection, database, found.columns)
    refuse_unrunnable(connection, found)
    last = connection.execute(update(store).values(next_id=store.c.next_id + rows).returning(store.c.next_id)).scalar_one()
    first = last - rows
    ids = dict(zip(names, range(first, last), strict=True))
    stored = _stored(connection, database, set(chain.from_iterable(found.needs)).difference(ids))
    waiting: list[int] = []
    needed: list[int] = []
    waits = [len(needs) for needs in found.needs]
    ended: set[int] = set()
    for row, needs in enumerate(found.needs):
        for name in needs:
            number = ids.get(name)
            if number is None:
                known = stored.get(name)
                if known is None:
                    hint = "submit it before, or in the same submission"
                    raise InputError(
                        "dependency-unknown", f"there is no task {name!r}", hint, found.columns.place(row, "needs")
                    )
                number, state = known
                if state in ("failed", "cancelled"):
                    ended.add(number)
                waits[row] -= state == "done"
            waiting.append(first + row)
            needed.append(number)
    columns = found.columns
    whole, shares = _devices(columns)
    made = {
        "id": range(first, last),
        "name": names,
        "state": ["pending" if waiting else "ready" for waiting in waits],
        "priority": found.priorities,
        "waits_for": waits,
        "demand": _demands(columns),
        "requirements": requirement_texts(columns),
        "preferences": preference_texts(columns),
        "group_id": grouped(connection, database, found),
        "devices": whole,
        "device_share": shares,
        "retries": found.retries,
        "queue": found.queues,
        "time_limit": found.time_limits,
        "ready_at": [None if waiting else at for waiting in waits],
        "failures": [0] * rows,
        "attempt": [0] * rows,
        "fenced": [0] * rows,
        "submitted_at": [at] * rows,
        "changed_at": [at] * rows,
    }
    for begin in range(0, rows, _CHUNK):
        database.insert(connection, tasks, {name: column[begin : begin + _CHUNK] for name, column in made.items()})
        progress(min(_CHUNK, rows - begin))
    if found.payloads:
        numbers, own, given = zip(*found.payloads, strict=True)
        database.insert(connection, payloads, {"task_id": [first + row for row in numbers], "payload": own, "inputs": given})
    if waiting:
        database.insert(connection, dependencies, {"task_id": waiting, "needs_id": needed})
    database.analyse(connection, rows)
    # Whoever waits for what has failed already is told at once.
    cancel_followers(connection, database, sorted(ended), at)
    return list(range(first, last))


def _refuse_known(connection: Connection, database: Database, columns: TaskColumns) -> None:
    known = _stored(connection, database, columns.names)
    if known:
        row = next(row for row, name in enumerate(columns.names) if name in known)
        hint = "give it another name; a task of the store is tried again with 'offermatch tasks retry'"
        message = f"the store has a task {columns.names[row]!r} already"
        raise InputError("duplicate-name", message, hint, columns.place(row, "name"))


def _stored(connection: Connection, database: Database, names: Sequence[str] | set[str]) -> dict[str, tuple[int, str]]:
    """Return number and state of those of the names that the store has."""
    if not names:
        return {}
    found = select(tasks.c.name, tasks.c.id, tasks.c.state).where(database.among(tasks.c.name, list(names)))
    return {name: (number, state) for name, number, state in connection.execute(found)}


def _demands(columns: TaskColumns) -> list[str]:
    """Return each row's demand as a JSON object, without what it does not ask."""
    named = [(json.dumps(name), column) for name, column in columns.demand.items()]
    if not named:
        return ["{}"] * len(columns)
    asked = [[f"{name}:{number}" if number else "" for number in column] for name, column in named]
    return ["{" + ",".join(filter(None, row)) + "}" for row in zip(*asked, strict=True)]


def _devices(columns: TaskColumns) -> tuple[list[int], list[int]]:
    if columns.devices is None:
        return [0] * len(columns), [0] * len(columns)
    whole = [asked // 1000 for asked in columns.devices]
    return whole, [asked % 1000 for asked in columns.devices]
