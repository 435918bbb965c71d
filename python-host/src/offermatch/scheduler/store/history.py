"""Lines of history: every change of a task's state writes one, in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Update, and_, insert, literal, null, select, update

from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.schema import State, history, tasks

__all__ = ["changed", "moved", "plain", "remember"]

_LINE = (tasks.c.id, tasks.c.changed_at, tasks.c.state, tasks.c.attempt, tasks.c.offer, tasks.c.reason)
_LINE_COLUMNS = ("task_id", "at", "state", "attempt", "offer", "reason")
"""A line of history, and what it is made of."""


def remember(connection: Connection, database: Database, ids: Sequence[int]) -> None:
    """Copy what has just changed into the history."""
    if not ids:
        return
    lines = select(*_LINE).where(database.among(tasks.c.id, ids))
    connection.execute(insert(history).from_select(_LINE_COLUMNS, lines))


def changed(
    connection: Connection, database: Database, statement: Update, into: State | None = None
) -> list[tuple[int, int, State]]:
    """Update tasks, write their lines of history, and return number, attempt and state of each.

    Args:
        connection: The transaction.
        database: Where.
        statement: The update.
        into: The state that is worth a line; any unless given.
    """
    if database.sqlite:
        found: list[Any] = database.rows(connection, statement.returning(tasks.c.id, tasks.c.attempt, tasks.c.state))
        remember(connection, database, [number for number, _, state in found if into in (None, state)])
    else:
        new = statement.returning(*_LINE).cte("changed")
        lines = select(*new.c) if into is None else select(*new.c).where(new.c.state == into)
        noted = insert(history).from_select(_LINE_COLUMNS, lines).cte("noted")
        found = database.rows(connection, select(new.c.id, new.c.attempt, new.c.state).add_cte(noted))
    return found


def moved(
    connection: Connection,
    database: Database,
    ids: Sequence[int],
    stands: ColumnElement[bool],
    state: State,
    at: float,
    values: Mapping[str, Any],
) -> list[int]:
    """Bring tasks to one state, write their lines of history, without a reason, and return their numbers.

    Args:
        connection: The transaction.
        database: Where.
        ids: The tasks.
        stands: How a task stands that is brought there; the others stay as they are.
        state: Where to.
        at: When.
        values: What else changes of them.
    """
    mine = and_(database.among(tasks.c.id, ids), stands)
    brought = update(tasks).where(mine).values(state=state, changed_at=at, **values)
    if not database.sqlite:
        return [number for number, _, _ in changed(connection, database, brought)]
    # Their lines come first: how many these are says whether it is all of them, and SQLite, where nobody else writes
    # meanwhile, need not give back each row.
    known = tasks.c.id, literal(at), literal(state), tasks.c.attempt, tasks.c.offer, null()
    lines = insert(history).from_select(_LINE_COLUMNS, select(*known).where(mine))
    if connection.execute(lines, execution_options={"preserve_rowcount": True}).rowcount != len(ids):
        ids = list(connection.execute(select(tasks.c.id).where(mine)).scalars())
    connection.execute(brought)
    return list(ids)


def plain(reason: str) -> str | None:
    """Return text that every database takes: whatever a cluster says must not stop the cycle."""
    if reason.isascii() and "\0" not in reason:
        return reason[:2000] or None
    return reason.replace("\0", " ").encode(errors="replace").decode()[:2000] or None
