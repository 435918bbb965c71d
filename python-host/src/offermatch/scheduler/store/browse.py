"""What people do with tasks: look at them, cancel them, try them again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, func, null, select, update

from offermatch.errors import InputError, StoreError
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.following import cancel_followers
from offermatch.scheduler.store.groups import states_of
from offermatch.scheduler.store.history import remember
from offermatch.scheduler.store.queues import all_queues
from offermatch.scheduler.store.records import Change, Listed, Shown
from offermatch.scheduler.store.schema import State, dependencies, history, payloads, tasks
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["cancel", "listed", "members", "retry", "shown"]

_ENDED = ("failed", "cancelled")


def listed(connection: Connection, database: Database, state: str | None, most: int) -> list[Listed]:
    """Return tasks, those that changed last first."""
    reason = func.coalesce(tasks.c.reason, tasks.c.offer, "").label("why")
    found = select(tasks.c.name, tasks.c.state, tasks.c.priority, reason, tasks.c.queue, tasks.c.group_id)
    if state is not None:
        found = found.where(tasks.c.state == state)
    rows = connection.execute(found.order_by(tasks.c.changed_at.desc(), tasks.c.id.desc()).limit(most)).all()
    groups = states_of(connection, database, [row.group_id for row in rows if row.group_id is not None])
    return [Listed(row.name, row.state, row.priority, row.why, row.queue, groups.get(row.group_id)) for row in rows]


def shown(connection: Connection, database: Database, name: str) -> Shown:
    """Return all about one task.

    Raises:
        StoreError: ``task-unknown``.
    """
    _check_text([name])
    row = connection.execute(select(tasks).where(tasks.c.name == name)).mappings().first()
    if row is None:
        raise _unknown([name])
    own = connection.execute(select(payloads).where(payloads.c.task_id == row["id"])).first()
    needs = connection.execute(
        select(tasks.c.name, tasks.c.state)
        .join(dependencies, dependencies.c.needs_id == tasks.c.id)
        .where(dependencies.c.task_id == row["id"])
        .order_by(tasks.c.id)
    )
    columns = (history.c.at, history.c.state, history.c.attempt, history.c.offer, history.c.reason)
    changes = connection.execute(select(*columns).where(history.c.task_id == row["id"]).order_by(history.c.id))
    return Shown(
        name,
        row["state"],
        dict(row),
        json.loads(own.payload) if own else {},
        json.loads(own.inputs) if own else [],
        {row.name: row.state for row in needs},
        [Change(*change) for change in changes],
        states_of(connection, database, [row["group_id"]]).get(row["group_id"]) if row["group_id"] is not None else None,
    )


def members(connection: Connection, group: int, most: int) -> list[tuple[str, State, float | None]]:
    """Return name, state and end of the pause of members of a group that have not begun, first those that are pending."""
    columns = (tasks.c.name, tasks.c.state, tasks.c.not_before)
    found = select(*columns).where(tasks.c.group_id == group, tasks.c.state.in_(("pending", "ready")))
    rows = connection.execute(found.order_by(tasks.c.state, tasks.c.not_before.desc(), tasks.c.id).limit(most))
    return [(name, state, pause) for name, state, pause in rows]


def cancel(connection: Connection, database: Database, names: Sequence[str], reason: str, at: float) -> dict[str, State]:
    """Cancel tasks and what needs them; return the state of each by name. One that a cluster may have is ended by the
    scheduler that holds it, in its next cycle.

    Raises:
        StoreError: ``task-unknown``.
    """  # noqa: D205
    ids = _numbers(connection, database, names)
    mine = database.among(tasks.c.id, list(ids.values()))
    # Those that wait come first: one that is being claimed at this moment is found among the claimed afterwards.
    ended = list(
        connection.execute(
            update(tasks)
            .where(mine, tasks.c.state.in_(("pending", "ready")))
            .values(state="cancelled", reason=reason, blocked_by=null(), changed_at=at)
            .returning(tasks.c.id)
        ).scalars()
    )
    remember(connection, database, ended)
    cancel_followers(connection, database, ended, at)
    connection.execute(
        update(tasks)
        .where(mine, tasks.c.state.in_(("claimed", "running")), tasks.c.cancel_reason.is_(None))
        .values(cancel_reason=reason)
    )
    return _states(connection, database, ids)


def retry(connection: Connection, database: Database, names: Sequence[str], at: float) -> dict[str, State]:
    """Give failed and cancelled tasks another chance, and what was cancelled because of them; return the state of each.

    Raises:
        StoreError: ``task-unknown``, or ``task-blocked`` where a task needs another that failed or was cancelled.
        InputError: ``queue-unknown``, where the queue of a task was removed meanwhile.
    """
    ids = _numbers(connection, database, names)
    roots = select(tasks.c.id).where(database.among(tasks.c.id, list(ids.values())), tasks.c.state.in_(_ENDED))
    again = list(connection.execute(roots).scalars())
    blocked = select(tasks.c.id).where(tasks.c.state == "cancelled", database.among(tasks.c.blocked_by, again))
    followers = list(connection.execute(blocked).scalars())
    _refuse_queueless(connection, database, [*again, *followers])
    needed = tasks.alias()
    open_needs = (
        select(func.count())
        .select_from(dependencies.join(needed, needed.c.id == dependencies.c.needs_id))
        .where(dependencies.c.task_id == tasks.c.id, needed.c.state != "done")
        .scalar_subquery()
    )
    changed = list(
        connection.execute(
            update(tasks)
            .where(database.among(tasks.c.id, [*again, *followers]))
            .values(
                state="pending",
                waits_for=open_needs,
                failures=0,
                losses=0,
                not_before=null(),
                avoided=null(),
                reason="tried again",
                blocked_by=null(),
                changed_at=at,
            )
            .returning(tasks.c.id)
        ).scalars()
    )
    # A task that needs one which stays failed or cancelled cannot go on.
    stuck = connection.execute(
        select(dependencies.c.task_id, needed.c.id, needed.c.name, needed.c.state)
        .join(needed, needed.c.id == dependencies.c.needs_id)
        .where(database.among(dependencies.c.task_id, changed), needed.c.state.in_(_ENDED))
    ).all()
    for row in stuck:
        if row.task_id in again:
            name = next(name for name, number in ids.items() if number == row.task_id)
            raise StoreError("task-blocked", f"{name!r} needs {row.name!r}, which was {row.state}", "retry that, too")
    cancel_followers(connection, database, sorted({row.id for row in stuck}), at)
    connection.execute(
        update(tasks)
        .where(database.among(tasks.c.id, changed), tasks.c.state == "pending", tasks.c.waits_for == 0)
        .values(state="ready", ready_at=at)
    )
    remember(connection, database, changed)
    return _states(connection, database, ids)


def _refuse_queueless(connection: Connection, database: Database, ids: Sequence[int]) -> None:
    """Refuse to let tasks begin in a queue that is not there any more: it would have no quota, and weight 1."""
    known = [queue.name for queue in all_queues(connection)]
    strange = (database.among(tasks.c.id, ids), tasks.c.queue.not_in(known))
    row = connection.execute(select(tasks.c.name, tasks.c.queue).where(*strange).limit(1)).first()
    if row is not None:
        hint = f"make it again with 'offermatch queues set {visible(row.queue, LONGEST_NAME)}', or submit the task anew"
        raise InputError("queue-unknown", f"there is no queue {row.queue!r} any more", hint, f"{row.name}, queue")


def _numbers(connection: Connection, database: Database, names: Sequence[str]) -> dict[str, int]:
    _check_text(names)
    found = connection.execute(select(tasks.c.name, tasks.c.id).where(database.among(tasks.c.name, names)))
    ids = {row.name: row.id for row in found}
    unknown = [name for name in names if name not in ids]
    if unknown:
        raise _unknown(unknown)
    return ids


def _check_text(names: Sequence[str]) -> None:
    """Refuse what no store can hold, lest the database say so in words of its own."""
    unknown = [name for name in names if "\0" in name or any("\ud800" <= one <= "\udfff" for one in name)]
    if unknown:
        raise _unknown(unknown)


def _states(connection: Connection, database: Database, ids: dict[str, int]) -> dict[str, State]:
    numbers = database.among(tasks.c.id, list(ids.values()))
    found = connection.execute(select(tasks.c.name, tasks.c.state).where(numbers))
    return {row.name: row.state for row in found}


def _unknown(names: Sequence[str]) -> StoreError:
    shown = ", ".join(repr(visible(name, LONGEST_NAME)) for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
    return StoreError("task-unknown", f"the store has no task {shown}", "'offermatch tasks list' shows what there is")
