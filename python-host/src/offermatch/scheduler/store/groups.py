"""Groups of tasks in the store: which tasks are together, under which rules, and how each group stands.

A name belongs to one group as long as a task of it is open. Once all have ended, the name may be used again: then it is
another group, for which what has ended before does not count.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, case, func, insert, select, update

from offermatch.errors import InputError
from offermatch.model import Group
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.history import plain
from offermatch.scheduler.store.records import GroupClaims, GroupState, rules_of
from offermatch.scheduler.store.schema import groups, tasks
from offermatch.scheduler.submission import Checked
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["claim_members", "evict_partial_starts", "grouped", "mates", "note_started", "states_of"]

_OPEN = ("pending", "ready", "claimed", "running")
_STAYS = and_(tasks.c.state.in_(("claimed", "running")), tasks.c.cancel_reason.is_(None), tasks.c.evict_reason.is_(None))


def grouped(connection: Connection, database: Database, found: Checked) -> list[int | None]:
    """Return the number of the group of each row of a submission; groups that are new are made.

    Raises:
        InputError: ``group-malformed`` where the store has another open group of this name.
    """
    given = found.columns.groups
    if given is None:
        return [None] * len(found.columns)
    firsts = {group.name: row for row, group in reversed(list(enumerate(given))) if group is not None}
    together = {group.name for group, asked in zip(given, found.fails_together, strict=True) if group is not None and asked}
    known = _open_groups(connection, database, list(firsts))
    numbers = {}
    for name, row in sorted(firsts.items(), key=lambda one: one[1]):
        group = given[row]
        assert group is not None  # noqa: S101 - for the type checker
        values = _values(group, found, row, fails_together=name in together)
        there = known.get(name)
        if there is None:
            made = connection.execute(insert(groups).values(name=name, started=0, claims=0, **values).returning(groups.c.id))
            numbers[name] = made.scalar_one()
            continue
        numbers[name], before = there
        if values != before:
            changed = _joined(group, before, values, found, row)
            connection.execute(update(groups).where(groups.c.id == numbers[name]).values(**changed))
    return [None if group is None else numbers[group.name] for group in given]


def _open_groups(
    connection: Connection, database: Database, names: Sequence[str]
) -> dict[str, tuple[int, dict[str, object]]]:
    """Return number and columns of the groups of these names that have open tasks."""
    is_open = select(tasks.c.id).where(tasks.c.group_id == groups.c.id, tasks.c.state.in_(_OPEN)).exists()
    rows = connection.execute(
        select(groups).where(database.among(groups.c.name, names), is_open).order_by(groups.c.id)
    ).mappings()
    return {row["name"]: (row["id"], {key: row[key] for key in _COLUMNS}) for row in rows}


_COLUMNS = ("least", "together", "at_most", "fails_together", "queue", "priority")


def _values(group: Group, found: Checked, row: int, *, fails_together: bool) -> dict[str, object]:
    return {
        "least": group.least,
        "together": group.together,
        "at_most": json.dumps(dict(group.at_most), sort_keys=True) if group.at_most else None,
        "fails_together": int(fails_together),
        "queue": found.queues[row],
        "priority": found.priorities[row],
    }


def _joined(
    group: Group, before: Mapping[str, object], values: Mapping[str, object], found: Checked, row: int
) -> dict[str, object]:
    """Return the columns of an open group that more tasks join."""
    shown, place = visible(group.name, LONGEST_NAME), found.columns.place(row, "group")
    for key in ("queue", "priority"):
        if values[key] != before[key]:
            message = f"the members of the group {shown!r} have the {key} {before[key]}, and this one has {values[key]}"
            raise InputError("group-malformed", message, f"give all members of a group one {key}", place)
    rules = ("least", "together", "at_most")
    bare = not before["least"] and before["together"] is None and before["at_most"] is None
    if not group.is_name_only and not bare and any(values[key] != before[key] for key in rules):
        message = f"the store has open tasks of another group {shown!r}: {_shown(before)}"
        hint = "give it the same rules, or its name alone, or let those tasks end before"
        raise InputError("group-malformed", message, hint, place)
    joined = before if group.is_name_only else values
    return {**before, **{key: joined[key] for key in rules}, "fails_together": _either(before, values)}


def _either(before: Mapping[str, object], values: Mapping[str, object]) -> int:
    return int(bool(before["fails_together"] or values["fails_together"]))


def _shown(row: Mapping[str, Any]) -> str:
    return rules_of(row["least"], row["together"], json.loads(row["at_most"] or "{}"))


def states_of(connection: Connection, database: Database, numbers: Iterable[int]) -> dict[int, GroupState]:
    """Return how groups stand, by their numbers."""
    wanted = list(dict.fromkeys(numbers))
    if not wanted:
        return {}
    found = {
        row.id: GroupState(
            row.id,
            row.name,
            row.least,
            row.together,
            json.loads(row.at_most or "{}"),
            bool(row.fails_together),
            bool(row.started),
            row.claims,
        )
        for row in connection.execute(select(groups).where(database.among(groups.c.id, wanted)))
    }
    stays = case((_STAYS, 1), else_=0)
    columns = (tasks.c.group_id, tasks.c.state, tasks.c.offer, stays)
    counted = select(*columns, func.count()).where(database.among(tasks.c.group_id, wanted)).group_by(*columns)
    for number, state, offer, staying, count in database.rows(connection, counted):
        one = found[number]
        one.counts[state] = one.counts.get(state, 0) + count
        if state in ("claimed", "running"):
            one.occupants[offer] = one.occupants.get(offer, 0) + count
            if staying:
                one.staying[offer] = one.staying.get(offer, 0) + count
    return found


def claim_members(
    connection: Connection, database: Database, joining: GroupClaims | None, ids: Sequence[int]
) -> Collection[int]:
    """Count the claim of members of groups, and return the groups whose members somebody else has claimed meanwhile.

    Where members were placed stands against those that run: a claim that came between may have changed that.
    """
    wanted = sorted({joining.of[one] for one in ids if one in joining.of}) if joining is not None else []
    if joining is None or not wanted:
        return ()
    # In one order, so that no two schedulers wait for each other.
    locked = select(groups.c.id, groups.c.claims).where(database.among(groups.c.id, wanted)).order_by(groups.c.id)
    there = {row.id: row.claims for row in connection.execute(locked.with_for_update())}
    free = [number for number in wanted if there.get(number) == joining.claims[number]]
    if free:
        mine = update(groups).where(database.among(groups.c.id, free))
        connection.execute(mine.values(claims=groups.c.claims + 1))
    anew = [number for number in free if number in joining.starting]
    if anew:
        # Fewer than it needs are not to stay.
        connection.execute(update(groups).where(database.among(groups.c.id, anew)).values(started=0))
    return set(wanted).difference(free)


def note_started(connection: Connection, database: Database, running: Sequence[int]) -> None:
    """Note which groups of tasks that run now have as many members as they need."""
    starts = select(groups.c.id).where(groups.c.started == 0, groups.c.least > 1)
    if not running or connection.execute(starts.limit(1)).first() is None:
        return
    own = select(tasks.c.group_id).where(database.among(tasks.c.id, running), tasks.c.group_id.in_(starts))
    of = states_of(connection, database, list(connection.execute(own.distinct()).scalars())).values()
    whole = [one.id for one in of if one.counts.get("done", 0) + one.counts.get("running", 0) >= one.least]
    if whole:
        connection.execute(update(groups).where(groups.c.id.in_(whole)).values(started=1))


def evict_partial_starts(connection: Connection, database: Database, numbers: Iterable[int]) -> int:
    """Have ended what runs of groups that did not start whole; return of how many tasks.

    A group has started once as many members as it needs were seen to run together, or are done. Where that cannot be any
    more without another attempt, what was launched is to end, so that it holds nothing in vain.
    """
    evicted = 0
    for one in states_of(connection, database, numbers).values():
        there = one.counts.get("done", 0) + sum(one.staying.values())
        if not one.started and 0 < there < one.least:
            reason = f"only {there} of the {one.least} members that its group {one.name} needs were started"
            stays = update(tasks).where(tasks.c.group_id == one.id, _STAYS)
            evicted += connection.execute(stays.values(evict_reason=plain(reason))).rowcount
    return evicted


def mates(connection: Connection, database: Database, ended: Sequence[int]) -> list[tuple[int, str, str, int]]:
    """Return the groups of these tasks that fail together: number and name, and name and number of one of the tasks."""
    found = (
        select(groups.c.id, groups.c.name, func.min(tasks.c.name), func.min(tasks.c.id))
        .join(tasks, tasks.c.group_id == groups.c.id)
        .where(database.among(tasks.c.id, ended), groups.c.fails_together == 1)
        .group_by(groups.c.id, groups.c.name)
    )
    return [(number, name, task, first) for number, name, task, first in connection.execute(found)]
