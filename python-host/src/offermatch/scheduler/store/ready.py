"""What a cycle reads: only the columns it needs, and nothing of a task that is not its turn."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from operator import add
from typing import Any

from sqlalchemy import Connection, Select, func, select

from offermatch.scheduler.queues import DEFAULT
from offermatch.scheduler.store.changes import LONGEST_PAUSE
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.groups import states_of
from offermatch.scheduler.store.leases import Lease
from offermatch.scheduler.store.records import GroupState, Processable, Underway, Wanted
from offermatch.scheduler.store.rules import preferences_of, requirements_of
from offermatch.scheduler.store.schema import READY, payloads, store, tasks
from offermatch.tables.tasks import TaskColumns

__all__ = [
    "AVOIDED_SECONDS",
    "ahead",
    "counts",
    "key_of",
    "of_group",
    "one_task",
    "processable",
    "store_name",
    "underway",
    "wanted",
]

AVOIDED_SECONDS = 600.0
"""How long after its pause a task avoids the places where its attempts failed."""


def store_name(connection: Connection) -> str:
    """Return what tells this store's keys from those of others."""
    return str(connection.execute(select(store.c.name)).scalar_one())


def key_of(name: str, number: int, attempt: int) -> str:
    """Return the key of an attempt: the same whenever and by whomever it is asked."""
    return f"{name}-{number}-{attempt}"


def processable(
    connection: Connection,
    database: Database,
    most: int,
    behind: Mapping[str, tuple[int, int]],
    names: Sequence[str],
    at: float,
) -> Processable:
    """Return tasks whose dependencies are all done and whose pause is over, at most so many, queue by queue."""
    found: list[Any] = []
    last: dict[str, tuple[int, int]] = {}
    for left, name in zip(range(len(names), 0, -1), names, strict=True):
        # What one queue leaves of its part is for those that follow.
        part = max(1, (most - len(found)) // left)
        page = _queue(connection, database, name, part, behind.get(name), at)
        if len(page) >= part:
            last[name] = _position(page[-1])
        found += page
    return _processable(connection, database, found, last, at, cut=True)


def of_group(connection: Connection, database: Database, group: int, at: float) -> Processable:
    """Return the ready members of a group, those that pause, too."""
    page = _asked(None).where(tasks.c.state == "ready", tasks.c.group_id == group).order_by(tasks.c.id)
    return _processable(connection, database, database.rows(connection, page), {}, at, cut=False)


def one_task(connection: Connection, database: Database, number: int, at: float) -> Processable:
    """Return one task."""
    page = database.rows(connection, _asked(None).where(tasks.c.id == number))
    return _processable(connection, database, page, {}, at, cut=False)


def _processable(
    connection: Connection,
    database: Database,
    found: list[Any],
    last: Mapping[str, tuple[int, int]],
    at: float,
    *,
    cut: bool,
) -> Processable:
    """Return rows as columns; where they were cut, with the rest of their gangs."""
    if not found:
        return Processable([], TaskColumns([], {}))
    groups = states_of(connection, database, filter(None, (row[-1] for row in found)))
    found = [*found, *(_rest_of_gangs(connection, database, found, groups, at) if cut else ())]
    ids, priorities, names_of, demands, requirements, devices, shares, *waits, preferences, group_of = zip(
        *found, strict=True
    )
    pauses, avoided, queues, since, limits = waits
    asked = array("Q", map(add, map((1000).__mul__, devices), shares)) if any(devices) or any(shares) else None
    table = TaskColumns(list(names_of), _columns(demands), asked, requirements_of(requirements))
    table.preferences = preferences_of(preferences)
    # A place where an attempt failed is avoided while others may do: not for ever, lest a task wait that only it serves.
    lately = {
        row: json.loads(places)
        for row, (places, pause) in enumerate(zip(avoided, pauses, strict=True))
        if places and pause is not None and at < pause + AVOIDED_SECONDS
    }
    several = None if set(queues) == {DEFAULT} else queues
    numbers = [number or 0 for number in group_of] if groups else None
    return Processable(list(ids), table, last, lately, several, priorities, since, limits, numbers, groups)


def _rest_of_gangs(
    connection: Connection, database: Database, found: Sequence[Any], groups: Mapping[int, GroupState], at: float
) -> list[Any]:
    """Return the members that a page has cut off from groups whose members begin together."""
    gangs = [number for number, group in groups.items() if group.needed]
    if not gangs:
        return []
    known = {row[0] for row in found}
    page = _asked(at).where(tasks.c.state == "ready", database.among(tasks.c.group_id, gangs)).order_by(tasks.c.id)
    return [row for row in database.rows(connection, page) if row[0] not in known]


def _queue(
    connection: Connection, database: Database, name: str, most: int, behind: tuple[int, int] | None, at: float
) -> list[Any]:
    if behind is None:
        return _page(connection, database, name, most, at)
    # The head is looked at in every cycle, so that the order of the queue is kept for whatever may fit.
    found = _page(connection, database, name, most // 2, at)
    start = max([behind, *[_position(row) for row in found[-1:]]], key=_order)
    return found + _page(connection, database, name, most - len(found), at, start)


def _page(
    connection: Connection, database: Database, name: str, most: int, at: float, after: tuple[int, int] | None = None
) -> list[Any]:
    """Return ready tasks of a queue in its order, from behind a priority and number on."""
    found = _asked(at).where(tasks.c.state == READY, tasks.c.queue == name)
    if after is not None:
        priority, number = after
        # The first condition is where the index begins.
        later = (tasks.c.priority < priority) | (tasks.c.id > number)
        found = found.where(tasks.c.priority <= priority, later)
    return database.rows(connection, found.order_by(tasks.c.priority.desc(), tasks.c.id).limit(most))


def _asked(at: float | None) -> Select[Any]:
    """Return the columns of tasks whose pause is over, or of all."""
    asked = (tasks.c.name, tasks.c.demand, tasks.c.requirements, tasks.c.devices, tasks.c.device_share)
    since = func.coalesce(tasks.c.ready_at, tasks.c.submitted_at)
    waits = (tasks.c.not_before, tasks.c.avoided, tasks.c.queue, since, tasks.c.time_limit)
    rules = (tasks.c.preferences, tasks.c.group_id)
    found = select(tasks.c.id, tasks.c.priority, *asked, *waits, *rules)
    if at is None:
        return found
    # A pause that lies further ahead than one lasts was written while the clock was ahead.
    over = tasks.c.not_before.is_(None) | (tasks.c.not_before <= at) | (tasks.c.not_before > at + LONGEST_PAUSE)
    return found.where(over)


def _position(row: Any) -> tuple[int, int]:
    number, priority, *_ = row
    return priority, number


def _order(position: tuple[int, int]) -> tuple[int, int]:
    priority, number = position
    return -priority, number


def ahead(connection: Connection, queue: str, priority: int, number: int) -> int:
    """Return how many ready tasks of a queue go before a task of this priority and number."""
    before = (tasks.c.priority > priority) | ((tasks.c.priority == priority) & (tasks.c.id < number))
    found = select(func.count()).select_from(tasks).where(tasks.c.state == READY, tasks.c.queue == queue, before)
    return int(connection.execute(found).scalar_one())


def counts(connection: Connection) -> dict[str, int]:
    """Return how many tasks are in each state."""
    found = connection.execute(select(tasks.c.state, func.count().label("number")).group_by(tasks.c.state))
    return {row.state: row.number for row in found}


def underway(connection: Connection, database: Database, lease: Lease, name: str) -> list[Underway]:
    """Return what a lease holds."""
    columns = (tasks.c.id, tasks.c.attempt, tasks.c.state, tasks.c.cancel_reason, tasks.c.fenced, tasks.c.offer)
    ends = (tasks.c.changed_at + tasks.c.time_limit, tasks.c.time_limit, tasks.c.evict_reason, tasks.c.group_id)
    found = database.rows(connection, select(*columns, *ends).where(tasks.c.owner == lease.owner).order_by(tasks.c.id))
    return [
        Underway(number, key_of(name, number, attempt), state == "running", reason, bool(fenced), offer or "", *others)
        for number, attempt, state, reason, fenced, offer, *others in found
    ]


def wanted(connection: Connection, database: Database, ids: Sequence[int]) -> dict[int, Wanted]:
    """Return payload and inputs of those of the tasks that have any."""
    found = database.rows(connection, select(payloads).where(database.among(payloads.c.task_id, ids)))
    if not found:
        return {}
    numbers, own, inputs = zip(*found, strict=True)
    return dict(zip(numbers, map(Wanted, _parsed(own), _parsed(inputs)), strict=True))


def _columns(demands: Sequence[str]) -> dict[str, array[int]]:
    """Return one column a dimension of JSON objects."""
    rows = _parsed(demands)
    first: dict[str, int] = rows[0]
    try:
        columns = {name: array("Q", [row[name] for row in rows]) for name in first}
    except KeyError:
        columns = {}
    if columns and all(len(row) == len(first) for row in rows):
        return columns
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: array("Q", [row.get(name, 0) for row in rows]) for name in names}


def _parsed(texts: Sequence[str]) -> list[Any]:
    # One call for all is several times faster than a call for each.
    return json.loads("[" + ",".join(texts) + "]")  # type: ignore[no-any-return]
