"""Running tasks that end for tasks that matter more: noted here with the room they leave, ended by whoever holds them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, and_, case, func, select, update

from offermatch.scheduler.store import reservations
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.history import plain, remember
from offermatch.scheduler.store.records import Preemption, Reservation, Victim
from offermatch.scheduler.store.schema import groups, tasks
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["ending_for", "preempt", "running", "running_below"]

_MOST_NAMED = 8
_WITH_GROUPS = tasks.outerjoin(groups, groups.c.id == tasks.c.group_id)
_STAYS = and_(tasks.c.state == "running", tasks.c.cancel_reason.is_(None), tasks.c.evict_reason.is_(None))
_MAY_END = and_(_STAYS, func.coalesce(groups.c.least, 0) < 2)
"""It is known to run, is not to end anyhow, and is no member of a gang, which would run with fewer than it needs."""


def running(connection: Connection, database: Database) -> list[Victim]:
    """Return everything that holds a part of an offer."""
    columns = (tasks.c.id, tasks.c.name, tasks.c.queue, tasks.c.priority, tasks.c.offer, tasks.c.demand)
    others = (tasks.c.devices, tasks.c.device_share, tasks.c.changed_at, case((_MAY_END, 1), else_=0))
    found = select(*columns, *others).select_from(_WITH_GROUPS).where(tasks.c.owner.is_not(None)).order_by(tasks.c.id)
    parsed: dict[str, dict[str, int]] = {}
    victims = []
    for number, name, queue, priority, offer, demand, whole, share, since, may_end in database.rows(connection, found):
        if demand not in parsed:
            parsed[demand] = json.loads(demand)
        held = 1000 * whole + share
        victims.append(Victim(number, name, queue, priority, offer or "", parsed[demand], held, since, bool(may_end)))
    return victims


def running_below(connection: Connection, names: Collection[str], priority: int) -> tuple[int, int]:
    """Return how many running tasks of these queues have a lower priority, and how many of them may end for others."""
    mine = (tasks.c.owner.is_not(None), tasks.c.queue.in_(names), tasks.c.priority < priority)
    found = select(func.count(), func.coalesce(func.sum(case((_MAY_END, 1), else_=0)), 0))
    row = connection.execute(found.select_from(_WITH_GROUPS).where(*mine)).one()
    return row[0], row[1]


def ending_for(connection: Connection) -> dict[int, list[str]]:
    """Return for which tasks others are about to end, with the names of these."""
    found: dict[int, list[str]] = {}
    ends = select(tasks.c.evicted_for, tasks.c.name).where(tasks.c.owner.is_not(None), tasks.c.evicted_for.is_not(None))
    for number, name in connection.execute(ends.order_by(tasks.c.id)):
        found.setdefault(number, []).append(name)
    return found


def preempt(
    connection: Connection, database: Database, planned: Sequence[Sequence[Preemption]], at: float
) -> Collection[int]:
    """Note who is to end for whom, and hold the room that is left; return the numbers of the tasks that are to end.

    All of it is one transaction: whoever dies afterwards, the attempts are ended, their tasks are ready again, and the room
    is the other task's. What has changed since the plan was made, a task that is not ready or a victim that has ended, takes
    the plan of that task with it, and of those that begin with it.
    """
    every = [one for together in planned for one in together]
    numbers = [one.id for one in every] + [victim for one in every for victim in one.victims]
    columns = (tasks.c.id, tasks.c.name, tasks.c.state, tasks.c.priority, tasks.c.queue, tasks.c.offer)
    locked = select(*columns, case((_MAY_END, 1), else_=0).label("may_end")).select_from(_WITH_GROUPS)
    mine = locked.where(database.among(tasks.c.id, numbers)).order_by(tasks.c.id)
    there = {row.id: row for row in connection.execute(mine.with_for_update(of=tasks))}

    def stands(one: Preemption) -> bool:
        ends = (there[victim] for victim in one.victims)
        return there[one.id].state == "ready" and all(row.may_end and row.offer == one.offer for row in ends)

    held, victims, preempting = {}, [], []
    for one in (one for together in planned if all(map(stands, together)) for one in together):
        row = there[one.id]
        held[one.id] = Reservation(one.offer, at, None)
        if not one.victims:
            continue
        names = [visible(there[victim].name, LONGEST_NAME) for victim in one.victims]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        ended = f"{', '.join(names[:_MOST_NAMED])}{more} on {visible(one.offer, LONGEST_NAME)}"
        preempting.append((one.id, f"it preempts {ended}"))
        by = f"{visible(row.name, LONGEST_NAME)} (priority {row.priority}, queue {visible(row.queue, LONGEST_NAME)})"
        victims += [(victim, f"preempted by {by}", one.id) for victim in one.victims]
    reservations.keep(connection, database, held, ())
    for number, reason in preempting:
        connection.execute(update(tasks).where(tasks.c.id == number).values(reason=plain(reason), changed_at=at))
    for number, reason, task in victims:
        connection.execute(update(tasks).where(tasks.c.id == number).values(evict_reason=plain(reason), evicted_for=task))
    remember(connection, database, [number for number, _ in preempting])
    return [number for number, _, _ in victims]
