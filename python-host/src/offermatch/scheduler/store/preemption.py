"""Running tasks that end for tasks that matter more: noted here with the room they leave, ended by whoever holds them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select, update

from offermatch.scheduler.store import reservations
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.history import plain, remember
from offermatch.scheduler.store.records import Preemption, Reservation, Victim
from offermatch.scheduler.store.schema import groups, tasks
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["ending_for", "preempt", "running"]

_MOST_NAMED = 8


def running(connection: Connection, database: Database) -> list[Victim]:
    """Return everything that holds a part of an offer."""
    columns = (tasks.c.id, tasks.c.name, tasks.c.queue, tasks.c.priority, tasks.c.offer, tasks.c.demand)
    others = (tasks.c.devices, tasks.c.device_share, tasks.c.changed_at, tasks.c.state)
    ends = (tasks.c.cancel_reason, tasks.c.evict_reason, groups.c.least)
    found = (
        select(*columns, *others, *ends)
        .select_from(tasks.outerjoin(groups, groups.c.id == tasks.c.group_id))
        .where(tasks.c.owner.is_not(None))
        .order_by(tasks.c.id)
    )
    parsed: dict[str, dict[str, int]] = {}
    victims = []
    for number, name, queue, priority, offer, demand, whole, share, since, state, *ending, least in database.rows(
        connection, found
    ):
        if demand not in parsed:
            parsed[demand] = json.loads(demand)
        may_end = state == "running" and ending == [None, None] and (least or 0) < 2
        held = 1000 * whole + share
        victims.append(Victim(number, name, queue, priority, offer or "", parsed[demand], held, since, may_end))
    return victims


def ending_for(connection: Connection) -> dict[int, list[str]]:
    """Return for which tasks others are about to end, with the names of these."""
    found: dict[int, list[str]] = {}
    ends = select(tasks.c.evicted_for, tasks.c.name).where(tasks.c.owner.is_not(None), tasks.c.evicted_for.is_not(None))
    for number, name in connection.execute(ends.order_by(tasks.c.id)):
        found.setdefault(number, []).append(name)
    return found


def preempt(connection: Connection, database: Database, planned: Sequence[Preemption], at: float) -> Collection[int]:
    """Note who is to end for whom, and hold the room that is left; return the numbers of the tasks that are to end.

    All of it is one transaction: whoever dies afterwards, the attempts are ended, their tasks are ready again, and the room
    is the other task's. What has changed since the plan was made, a task that is not ready or a victim that has ended, takes
    the plan of that task with it.
    """
    numbers = [one.id for one in planned] + [victim for one in planned for victim in one.victims]
    columns = (tasks.c.id, tasks.c.name, tasks.c.state, tasks.c.priority, tasks.c.queue, tasks.c.offer)
    locked = select(*columns, tasks.c.evict_reason, tasks.c.cancel_reason).where(database.among(tasks.c.id, numbers))
    there = {row.id: row for row in connection.execute(locked.order_by(tasks.c.id).with_for_update())}

    def ends(number: int, offer: str) -> bool:
        row = there[number]
        stays = row.evict_reason is None and row.cancel_reason is None
        return bool(row.state == "running" and row.offer == offer and stays)

    held, victims, preempting = {}, [], []
    for one in planned:
        if there[one.id].state != "ready" or not all(ends(victim, one.offer) for victim in one.victims):
            continue
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
