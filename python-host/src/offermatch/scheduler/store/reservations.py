"""Room that is held for tasks: the same for all schedulers of a store."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, insert, select

from offermatch.model import DEVICES
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.records import Reservation
from offermatch.scheduler.store.schema import reservations, tasks

__all__ = ["endings", "keep", "kept"]


def kept(connection: Connection) -> dict[int, Reservation]:
    """Return the reservations of tasks that wait, by the task's number."""
    columns = (reservations.c.task_id, reservations.c.offer, reservations.c.since, reservations.c.until)
    found = select(*columns).join(tasks, tasks.c.id == reservations.c.task_id).where(tasks.c.state == "ready")
    rows = connection.execute(found.order_by(reservations.c.since, reservations.c.task_id))
    return {row.task_id: Reservation(row.offer, row.since, row.until) for row in rows}


def keep(
    connection: Connection, database: Database, given: Mapping[int, Reservation], before: Collection[int] | None = None
) -> None:
    """Keep these reservations, and none of those before; those that others have made since stay."""
    gone = delete(reservations)
    if before is not None:
        gone = gone.where(database.among(reservations.c.task_id, sorted({*before, *given})))
    if before is None or before or given:
        connection.execute(gone)
    if given:
        rows = [{"task_id": number, **one._asdict()} for number, one in given.items()]
        connection.execute(insert(reservations), rows)


def endings(connection: Connection) -> dict[str, list[tuple[float, dict[str, int]]]]:
    """Return when what has a time limit ends at the latest on each offer, and what it gives back."""
    columns = (tasks.c.offer, tasks.c.demand, tasks.c.devices, tasks.c.device_share)
    end = (tasks.c.changed_at + tasks.c.time_limit).label("end")
    mine = (tasks.c.owner.is_not(None), tasks.c.time_limit.is_not(None))
    found: dict[str, list[tuple[float, dict[str, int]]]] = {}
    for row in connection.execute(select(*columns, end).where(*mine)):
        given = json.loads(row.demand)
        devices = 1000 * row.devices + row.device_share
        found.setdefault(row.offer or "", []).append((row.end, {**given, DEVICES: devices} if devices else given))
    return found
