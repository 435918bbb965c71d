"""Lines of history: every change of a task's state writes one, in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Update, insert, select

from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.schema import State, history, tasks

__all__ = ["changed", "plain", "remember"]

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
    found: list[tuple[Any, ...]]
    if database.sqlite:
        found = database.rows(connection, statement.returning(tasks.c.id, tasks.c.attempt, tasks.c.state))
        remember(connection, database, [number for number, _, state in found if into in (None, state)])
    else:
        new = statement.returning(*_LINE).cte("changed")
        lines = select(*new.c) if into is None else select(*new.c).where(new.c.state == into)
        noted = insert(history).from_select(_LINE_COLUMNS, lines).cte("noted")
        found = database.rows(connection, select(new.c.id, new.c.attempt, new.c.state).add_cte(noted))
    return [(number, attempt, state) for number, attempt, state in found]


def plain(reason: str) -> str | None:
    """Return text that every database takes: whatever a cluster says must not stop the cycle."""
    return reason.replace("\0", " ").encode(errors="replace").decode()[:2000] or None
