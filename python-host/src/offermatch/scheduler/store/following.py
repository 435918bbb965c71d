"""What follows from the end of tasks: for those that need them, and for those of a group that fails together."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.groups import mates
from offermatch.scheduler.store.history import changed, plain
from offermatch.scheduler.store.schema import dependencies, tasks

__all__ = ["cancel_followers", "restart_mates"]

_WAITING = ("pending", "ready")
_HELD = ("claimed", "running")


def cancel_followers(connection: Connection, database: Database, ended: Sequence[int], at: float) -> int:
    """Cancel everything that tasks which failed or were cancelled take with them, and return how many.

    That is what waits for them, over any number of steps, and the other members of their groups where these fail together.
    A member that a cluster may have is ended by the scheduler that holds it.
    """
    cancelled = 0
    while ended:
        followers = _cancel_dependents(connection, database, ended, at)
        followers += _cancel_mates(connection, database, [*ended, *followers], at)
        cancelled += len(followers)
        ended = followers
    return cancelled


def restart_mates(connection: Connection, database: Database, failed: Sequence[int]) -> None:
    """Have ended the attempts of the other members of groups that fail together, so that all are tried again together."""
    for group, name, task, _ in mates(connection, database, failed) if failed else ():
        reason = f"its group {name} fails together, and an attempt at {task} failed"
        others = tasks.c.group_id == group, tasks.c.state.in_(_HELD), tasks.c.evict_reason.is_(None)
        connection.execute(update(tasks).where(*others).values(evict_reason=plain(reason)))


def _cancel_mates(connection: Connection, database: Database, ended: Sequence[int], at: float) -> list[int]:
    cancelled: list[int] = []
    for group, name, task, first in mates(connection, database, ended):
        reason = f"its group {name} fails together, and {task} failed or was cancelled"
        of = tasks.c.group_id == group
        waits = update(tasks).where(of, tasks.c.state.in_(_WAITING))
        found = changed(
            connection, database, waits.values(state="cancelled", blocked_by=first, reason=plain(reason), changed_at=at)
        )
        cancelled += [number for number, _, _ in found]
        runs = update(tasks).where(of, tasks.c.state.in_(_HELD), tasks.c.cancel_reason.is_(None))
        connection.execute(runs.values(cancel_reason=plain(reason), blocked_by=first))
    return cancelled


def _cancel_dependents(connection: Connection, database: Database, ended: Sequence[int], at: float) -> list[int]:
    """Cancel everything that waits, over any number of steps, for tasks that failed or were cancelled; return them."""
    if not ended:
        return []
    waiting = (
        select(dependencies.c.needs_id)
        .join(tasks, tasks.c.id == dependencies.c.task_id)
        .where(database.among(dependencies.c.needs_id, ended), tasks.c.state == "pending")
        .distinct()
    )
    roots = connection.execute(
        select(tasks.c.id, tasks.c.name, tasks.c.state).where(tasks.c.id.in_(waiting)).order_by(tasks.c.id)
    ).all()
    cancelled: list[int] = []
    for root in roots:
        # What an earlier root has had cancelled is not pending any more, so no task is walked to twice.
        down = (
            select(dependencies.c.task_id)
            .join(tasks, tasks.c.id == dependencies.c.task_id)
            .where(dependencies.c.needs_id == root.id, tasks.c.state == "pending")
            .cte("down", recursive=True)
        )
        down = down.union(
            select(dependencies.c.task_id)
            .join(down, dependencies.c.needs_id == down.c.task_id)
            .join(tasks, tasks.c.id == dependencies.c.task_id)
            .where(tasks.c.state == "pending")
        )
        found = changed(
            connection,
            database,
            update(tasks)
            .where(tasks.c.id.in_(select(down.c.task_id)), tasks.c.state == "pending")
            .values(
                state="cancelled", blocked_by=root.id, reason=f"it needs {root.name}, which was {root.state}", changed_at=at
            ),
        )
        cancelled += [number for number, _, _ in found]
    return cancelled
