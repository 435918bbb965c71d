"""Changes of state.

Each runs inside one transaction, writes its line of history, and touches only rows that stand as expected.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, case, func, literal, null, select, update

from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.following import cancel_followers, restart_mates
from offermatch.scheduler.store.groups import claim_members, note_started
from offermatch.scheduler.store.history import changed, moved, plain
from offermatch.scheduler.store.leases import Lease
from offermatch.scheduler.store.records import GroupClaims, Verdict
from offermatch.scheduler.store.schema import State, dependencies, tasks

__all__ = ["FIRST_PAUSE", "LONGEST_PAUSE", "MOST_LOSSES", "claim", "fence", "settle"]

FIRST_PAUSE = 1
"""Seconds from the first failure of a task to its next attempt; each further one doubles them."""

LONGEST_PAUSE = 300
"""Seconds between two attempts at most."""

MOST_LOSSES = 10
"""How many attempts of a task may be lost with their server and are followed by another."""

_MOST_DOUBLINGS = 10
_MOST_AVOIDED = 8
_HELD = ("claimed", "running")
_KEPT = {"evict_reason": null(), "evicted_for": null()}
"""An attempt that has ended is not to be ended any more."""


def claim(
    connection: Connection,
    database: Database,
    lease: Lease,
    ids: Sequence[int],
    offers: Sequence[str],
    at: float,
    joining: GroupClaims | None = None,
) -> list[tuple[int, int]]:
    """Claim those of the tasks that are still ready, and return number and attempt of each.

    A row that another scheduler is about to claim is passed over, not waited for. ``joining`` says what there is to know of
    their groups.
    """
    changed_groups = claim_members(connection, database, joining, ids)
    if joining is not None and changed_groups:
        kept = [at for at, number in enumerate(ids) if joining.of.get(number) not in changed_groups]
        ids, offers = [ids[at] for at in kept], [offers[at] for at in kept]
    if not ids:
        return []
    given = database.given(id=ids, offer=[plain(offer) for offer in offers])
    # On SQLite nobody else writes meanwhile.
    free = tasks.c.state == "ready"
    if not database.sqlite:
        picked = select(tasks.c.id).where(database.among(tasks.c.id, ids), free).with_for_update(skip_locked=True)
        free = tasks.c.id.in_(select(picked.cte("picked").c.id))
    claimed = changed(
        connection,
        database,
        update(tasks)
        .where(tasks.c.id == given.c.id, free)
        .values(
            state="claimed",
            owner=lease.owner,
            offer=given.c.offer,
            attempt=tasks.c.attempt + 1,
            fenced=0,
            reason=null(),
            changed_at=at,
        ),
    )
    return [(number, attempt) for number, attempt, _ in claimed]


def fence(connection: Connection, database: Database, lease: Lease, ids: Sequence[int]) -> None:
    """Note that the cluster is about to be told never to start these attempts."""
    mine = and_(database.among(tasks.c.id, ids), tasks.c.owner == lease.owner)
    connection.execute(update(tasks).where(mine).values(fenced=1))


def settle(
    connection: Connection, database: Database, lease: Lease, verdicts: Sequence[Verdict], at: float
) -> dict[State, int]:
    """Record what became of attempts that this lease holds, with all that follows, and return how many came to each state.

    A verdict on what the lease does not hold (any more) is passed over: whoever holds it will hear it, too.
    """
    counts: dict[State, int] = {}

    def count(state: State, number: int) -> None:
        if number:
            counts[state] = counts.get(state, 0) + number

    by_outcome: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_outcome.setdefault(verdict.outcome, []).append(verdict)
    held = and_(tasks.c.owner == lease.owner, tasks.c.state.in_(_HELD))

    running = [verdict.id for verdict in by_outcome.get("running", ())]
    if running:
        claimed = and_(tasks.c.owner == lease.owner, tasks.c.state == "claimed")
        started = moved(connection, database, running, claimed, "running", at, {})
        count("running", len(started))
        note_started(connection, database, started)

    done = [verdict.id for verdict in by_outcome.get("done", ())]
    if done:
        nothing_left = {"owner": null(), "reason": null(), "cancel_reason": null(), **_KEPT}
        done = moved(connection, database, done, held, "done", at, nothing_left)
        count("done", len(done))
        count("ready", _release_dependents(connection, database, done, at))

    ended: list[int] = []
    failed: list[int] = []
    for outcome in ("failed", "lost", "again"):
        rows = by_outcome.get(outcome)
        if not rows:
            continue
        # Nobody else changes what this lease holds while this transaction is alone.
        columns = select(tasks.c.id, tasks.c.offer, tasks.c.avoided)
        mine = {
            row.id: _avoided(row.avoided, row.offer)
            for row in connection.execute(columns.where(database.among(tasks.c.id, [row.id for row in rows]), held))
        }
        rows = [row for row in rows if row.id in mine]
        if not rows:
            continue
        reasons = [plain(row.reason) for row in rows]
        given = database.given(id=[row.id for row in rows], reason=reasons, avoided=[mine[row.id] for row in rows])
        budgets = {
            "failed": (tasks.c.failures, tasks.c.failures >= tasks.c.retries),
            # Of losses a task has no say, so they have a budget of their own.
            "lost": (tasks.c.losses, tasks.c.losses >= MOST_LOSSES),
        }
        counted: dict[str, Any] = {}
        if outcome in budgets:
            used, _ = budgets[outcome]
            counted["losses" if outcome == "lost" else "failures"] = used + 1
            pause = FIRST_PAUSE * literal(1).op("<<")(case((used > _MOST_DOUBLINGS, _MOST_DOUBLINGS), else_=used))
            counted["not_before"] = at + case((pause > LONGEST_PAUSE, LONGEST_PAUSE), else_=pause)
            counted["avoided"] = given.c.avoided
        found = changed(
            connection,
            database,
            update(tasks)
            .where(tasks.c.id == given.c.id)
            .values(
                state=case(
                    (tasks.c.cancel_reason.is_not(None), "cancelled"),
                    *([(budgets[outcome][1], "failed")] if outcome in budgets else []),
                    else_="ready",
                ),
                reason=func.coalesce(tasks.c.cancel_reason, tasks.c.evict_reason, given.c.reason),
                cancel_reason=null(),
                **_KEPT,
                **counted,
                # What has run begins to wait anew; what never began has waited all the time.
                ready_at=case((tasks.c.state == "running", literal(at)), else_=tasks.c.ready_at),
                owner=null(),
                offer=null(),
                changed_at=at,
            ),
        )
        for number, _, state in found:
            count(state, 1)
            if state != "ready":
                ended.append(number)
            elif outcome in budgets:
                failed.append(number)
    count("cancelled", cancel_followers(connection, database, ended, at))
    restart_mates(connection, database, failed)
    return counts


def _release_dependents(connection: Connection, database: Database, done: Sequence[int], at: float) -> int:
    """Count down what waits for tasks that are done now, and return how many tasks became ready."""
    if not done:
        return 0
    fewer = (
        select(dependencies.c.task_id, func.count().label("number"))
        .where(database.among(dependencies.c.needs_id, done))
        .group_by(dependencies.c.task_id)
        .subquery()
    )
    last = tasks.c.waits_for == fewer.c.number
    found = changed(
        connection,
        database,
        update(tasks)
        .where(tasks.c.id == fewer.c.task_id, tasks.c.state == "pending")
        .values(
            waits_for=tasks.c.waits_for - fewer.c.number,
            state=case((last, "ready"), else_=tasks.c.state),
            changed_at=case((last, literal(at)), else_=tasks.c.changed_at),
            ready_at=case((last, literal(at)), else_=null()),
        ),
        "ready",
    )
    return sum(state == "ready" for _, _, state in found)


def _avoided(before: str | None, offer: str | None) -> str:
    """Return the places where attempts failed, with one more, the latest first."""
    names = [name for name in json.loads(before or "[]") if name != offer]
    return json.dumps([*([offer] if offer else []), *names][:_MOST_AVOIDED])
