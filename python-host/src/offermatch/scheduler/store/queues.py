"""Queues in the store: who they are, what their tasks hold, and submissions that none of them could ever run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, select

from offermatch.errors import InputError, StoreError
from offermatch.model import DEVICES
from offermatch.scheduler.queues import DEFAULT, Queue, amount, checked_queues
from offermatch.scheduler.store.schema import READY, queues, tasks
from offermatch.scheduler.submission import Checked
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["all_queues", "held", "refuse_unrunnable", "remove_queue", "set_queues", "waiting"]

_OPEN = ("pending", "ready", "claimed", "running")


def all_queues(connection: Connection) -> list[Queue]:
    """Return every queue by name; the default one is always there."""
    rows = connection.execute(select(queues).order_by(queues.c.name))
    found = [
        Queue(row.name, row.weight, json.loads(row.quota or "{}"), row.parent or "", tuple(json.loads(row.preempts or "[]")))
        for row in rows
    ]
    if all(queue.name != DEFAULT for queue in found):
        found.append(Queue(DEFAULT))
    return sorted(found, key=lambda queue: queue.name)


def set_queues(connection: Connection, given: Sequence[Queue], at: float, source: str) -> None:
    """Make queues, or change those of the same names.

    Raises:
        InputError: ``setting-malformed``, ``duplicate-name``, ``queue-unknown``, ``queue-cycle``.
    """
    found = checked_queues(given, source, all_queues(connection))
    if not found:
        return
    connection.execute(delete(queues).where(queues.c.name.in_([queue.name for queue in found])))
    connection.execute(
        insert(queues),
        [
            {
                "name": queue.name,
                "weight": float(queue.weight),
                "quota": json.dumps(dict(queue.quota)) if queue.quota else None,
                "parent": queue.parent or None,
                "preempts": json.dumps(list(queue.preempts)) if queue.preempts else None,
                "changed_at": at,
            }
            for queue in found
        ],
    )


def remove_queue(connection: Connection, name: str) -> None:
    """Remove a queue that no open task and no other queue is in.

    Raises:
        InputError: ``queue-unknown``.
        StoreError: ``queue-busy``.
    """
    known = {queue.name: queue for queue in all_queues(connection)}
    if name not in known:
        hint = "'offermatch queues list' shows what there is"
        raise InputError("queue-unknown", f"there is no queue {visible(name, LONGEST_NAME)!r}", hint, "queues")
    below = [queue.name for queue in known.values() if queue.parent == name]
    mine = (tasks.c.queue == name, tasks.c.state.in_(_OPEN))
    left = connection.execute(select(func.count()).select_from(tasks).where(*mine)).scalar_one()
    if below or left:
        message = f"{visible(name, LONGEST_NAME)!r} has {left} open tasks and {len(below)} queues below it"
        raise StoreError("queue-busy", message, "let them end, or cancel or move them, before")
    preempting = [queue.name for queue in known.values() if name in queue.preempts and queue.name != name]
    if preempting:
        message = f"{visible(preempting[0], LONGEST_NAME)!r} ends running tasks of {visible(name, LONGEST_NAME)!r}"
        raise StoreError("queue-busy", message, "let that queue preempt no tasks of it, before")
    connection.execute(delete(queues).where(queues.c.name == name))


def held(connection: Connection) -> dict[str, dict[str, int]]:
    """Return what the tasks of each queue hold, by dimension; devices as ``devices``, in thousandths."""
    columns = (tasks.c.queue, tasks.c.demand, tasks.c.devices, tasks.c.device_share)
    # The owner is what an index finds; whatever is claimed or runs has one.
    mine = (tasks.c.owner.is_not(None), tasks.c.state.in_(("claimed", "running")))
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(*columns, func.count().label("number")).where(*mine).group_by(*columns)):
        used = found.setdefault(row.queue, {})
        for name, asked in json.loads(row.demand).items():
            used[name] = used.get(name, 0) + asked * row.number
        devices = 1000 * row.devices + row.device_share
        if devices:
            used[DEVICES] = used.get(DEVICES, 0) + devices * row.number
    return found


def waiting(connection: Connection) -> dict[str, int]:
    """Return how many tasks of each queue are ready."""
    found = select(tasks.c.queue, func.count()).where(tasks.c.state == READY).group_by(tasks.c.queue)
    return {row[0]: row[1] for row in connection.execute(found)}


def refuse_unrunnable(connection: Connection, found: Checked) -> None:
    """Refuse tasks of a queue that nobody made, and tasks that ask more than a quota would ever let them have.

    Raises:
        InputError: ``queue-unknown`` or ``over-quota``.
    """
    known = {queue.name: queue for queue in all_queues(connection)}
    columns = found.columns
    limits: dict[str, Mapping[str, tuple[int, str]]] = {}
    for row, name in enumerate(found.queues):
        limit = limits.get(name)
        if limit is None:
            if name not in known:
                hint = f"make it with 'offermatch queues set {visible(name, LONGEST_NAME)}', or name one of " + ", ".join(
                    list(known)[:8]
                )
                raise InputError("queue-unknown", f"there is no queue {name!r}", hint, columns.place(row, "queue"))
            limit = limits[name] = _least(name, known)
        for dimension, (most, owner) in limit.items():
            column = columns.devices if dimension == DEVICES else columns.demand.get(dimension)
            if column is not None and column[row] > most:
                asked = f"{amount(dimension, column[row])} {dimension}"
                message = f"it asks {asked}, and the queue {owner!r} may hold {amount(dimension, most)} in all"
                raise InputError("over-quota", message, "ask less, or raise the quota", columns.place(row, dimension))
    _refuse_gangs(found, limits)


def _refuse_gangs(found: Checked, limits: Mapping[str, Mapping[str, tuple[int, str]]]) -> None:
    """Refuse gangs whose members could never begin together within a quota."""
    columns = found.columns
    members: dict[str, list[int]] = {}
    for row, group in enumerate(columns.groups or ()):
        if group is not None and group.least > 1 and limits[found.queues[row]]:
            members.setdefault(group.name, []).append(row)
    for rows in members.values():
        group = columns.groups[rows[0]] if columns.groups is not None else None
        least = group.least if group is not None else 0
        if len(rows) < least:
            # The others are there, or come later.
            continue
        for dimension, (most, owner) in limits[found.queues[rows[0]]].items():
            column = columns.devices if dimension == DEVICES else columns.demand.get(dimension)
            asked = sum(sorted(column[row] for row in rows)[:least]) if column is not None else 0
            if asked > most:
                message = (
                    f"the {least} members that its group needs at once ask {amount(dimension, asked)} {dimension}, and the "
                    f"queue {owner!r} may hold {amount(dimension, most)} in all"
                )
                hint = "ask less, or for fewer at once, or raise the quota"
                raise InputError("over-quota", message, hint, columns.place(rows[0], "group.least"))


def _least(name: str, known: Mapping[str, Queue]) -> dict[str, tuple[int, str]]:
    """Return the smallest quota in each dimension from a queue up, and the queue that has it."""
    found: dict[str, tuple[int, str]] = {}
    while name:
        for dimension, most in known[name].quota.items():
            if dimension not in found or most < found[dimension][0]:
                found[dimension] = (most, name)
        name = known[name].parent
    return found
