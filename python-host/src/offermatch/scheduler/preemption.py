"""Which running tasks end so that tasks that matter more can begin: the matcher's plan, for the queues that allow it.

    placed ──> what is left ──┐
    tasks without an offer ───┼──> the matcher's plan, verified ──> noted in the store ──> ended ──> settled ──> launched
    what runs ────────────────┘

The plan is of contract 0.3.0; docs/scheduler.md says who preempts whom, and what is never ended.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from offermatch.matcher import BaseMatcher
from offermatch.model import Requirement, Running, Settings
from offermatch.scheduler.gangs import members_of
from offermatch.scheduler.places import without
from offermatch.scheduler.queues import DEFAULT, Queue
from offermatch.scheduler.seats import Units
from offermatch.scheduler.store.records import GroupState, Preemption, Processable, Victim
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["has_limits", "left_over", "plan_preemption", "waiting_for_ends", "wanting"]

_MOST = 1000
"""Tasks for which one cycle plans at most."""
_ROUNDS = 8
"""A plan is made so often at most, each time without the gangs of which it has too few members."""
_PLACE = "offermatch.place"


def waiting_for_ends(found: Processable, pending: Collection[int]) -> set[int]:
    """Return the rows for which others are about to end, or for members that begin with them.

    Args:
        found: The tasks.
        pending: The numbers of tasks for which others are about to end.
    """
    units = Units(found)
    return {one for row, number in enumerate(found.ids) if number in pending for one in (row, *units.of(row))}


def has_limits(group: GroupState) -> bool:
    """Return whether a group has a rule that a plan could break, as the contract's plan knows no groups."""
    return group.together is not None or bool(group.at_most)


def wanting(
    found: Processable,
    placed: Collection[int],
    queues: Sequence[Queue],
    waiting: Collection[int],
    held_back: Collection[int] = (),
) -> dict[tuple[str, ...], list[tuple[int, ...]]]:
    """Return for which tasks others may end, by the queues of these: rows that begin together, in their order.

    Args:
        found: The tasks in their order.
        placed: The rows that have an offer.
        queues: Every queue.
        waiting: The rows for which others are about to end already.
        held_back: The rows that a quota would hold back.
    """
    allowed = {queue.name: tuple(sorted(queue.preempts)) for queue in queues if queue.preempts}
    if not allowed:
        return {}
    units, seen, count = Units(found), set(placed), 0
    members = members_of(found)
    wants: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for row in range(len(found.ids)):
        victims = allowed.get(DEFAULT if found.queues is None else found.queues[row])
        if victims is None or row in seen or row in waiting:
            continue
        group = found.groups.get(found.group_of[row]) if found.group_of is not None else None
        seen.update(members[group.id] if group is not None and group.needed else (row,))
        if group is None or not has_limits(group):
            unit = units.of(row)
            if any(one in held_back for one in unit):
                continue
            count += len(unit)
            if count > _MOST:
                break
            wants.setdefault(victims, []).append(unit)
    return wants


def left_over(
    offers: OfferColumns, columns: TaskColumns, rows: Sequence[int], names: Sequence[str], devices: Sequence[Sequence[int]]
) -> OfferColumns:
    """Return what is left of offers once tasks have what they were given.

    Args:
        offers: What was free.
        columns: The tasks.
        rows: The rows of the tasks that were placed.
        names: The offer of each.
        devices: The devices of each, by their numbers on the offer.
    """
    places = {name: place for place, name in enumerate(offers.names)}
    left = offers.changeable()
    for row, name, numbers in zip(rows, names, devices, strict=True):
        place = places.get(name)
        if place is None:
            continue
        for dimension, column in columns.demand.items():
            if column[row]:
                left.available[dimension][place] -= min(column[row], left.available[dimension][place])
        if numbers and columns.devices is not None:
            free = left.devices.of(place)
            for number in numbers:
                free[number] -= min(1000, columns.devices[row], free[number])
            left.devices.set(place, free)
    return left


def plan_preemption(
    matcher: BaseMatcher,
    found: Processable,
    wants: Mapping[tuple[str, ...], Sequence[tuple[int, ...]]],
    offers: OfferColumns,
    settings: Settings,
    running: Sequence[Victim],
) -> list[list[Preemption]]:
    """Return who is to end for whom, as the matcher plans it: together what begins together.

    Args:
        matcher: Who plans.
        found: The tasks.
        wants: For which others may end, as of ``wanting``.
        offers: What is left of offers that may have tasks and of which nothing is held.
        settings: How to rank offers; in shared mode.
        running: All that runs.

    Raises:
        MatcherError: The matcher failed, or its plan does not hold.
    """
    planned: list[list[Preemption]] = []
    for queues, units in wants.items():
        # Of offers that a plan is about already, no other one is made.
        taken = {one.offer for together in planned for one in together}
        there = without(offers, taken)
        victims, rows = _victims(there, [one for one in running if one.offer not in taken], queues)
        if not victims:
            continue
        asked = list(units)
        for _ in range(_ROUNDS):
            moves = _planned(matcher, found, asked, there, settings, rows)
            whole = [unit for unit in asked if all(row in moves for row in unit)]
            broken = [unit for unit in asked if len(unit) > 1 and unit not in whole]
            if not broken:
                break
            # What was planned beside a part of a gang need not hold without it. First those leave that came first: what was
            # theirs in vain may be what others are short of.
            gone = set(broken[: (len(broken) + 1) // 2])
            asked = [unit for unit in asked if unit not in gone]
        else:
            whole = []
        for unit in whole:
            if any(moves[row][1] for row in unit):
                planned.append(
                    [Preemption(found.ids[row], moves[row][0], [victims[at].id for at in moves[row][1]]) for row in unit]
                )
    return planned


def _planned(
    matcher: BaseMatcher,
    found: Processable,
    units: Sequence[tuple[int, ...]],
    offers: OfferColumns,
    settings: Settings,
    running: Sequence[Running],
) -> dict[int, tuple[str, Sequence[int]]]:
    """Return the offer and the victims of each row that a plan names."""
    rows = [row for unit in units for row in unit]
    strange = [name for name in found.columns.demand if name not in offers.available]
    rows = [row for row in rows if not any(found.columns.demand[name][row] for name in strange)]
    if not rows or not len(offers):
        return {}
    demand = {name: column for name, column in found.columns.demand.items() if name not in strange}
    columns = replace(found.columns, demand=demand).picked(rows)
    avoided = {at: found.avoided[row] for at, row in enumerate(rows) if row in found.avoided}
    if avoided:
        requirements = [*(columns.requirements or [()] * len(columns))]
        for at, names in avoided.items():
            requirements[at] = (*requirements[at], Requirement(_PLACE, tuple(names), excludes=True))
        columns.requirements = requirements
        named: list[str | None] = [*offers.names]
        offers = replace(offers, attributes={**offers.attributes, _PLACE: named})
    with matcher.open(offers, settings, attributes=columns.attributes_asked, measures=columns.measures_asked) as pool:
        moves = pool.preempt(columns, [found.priorities[row] for row in rows], running)
    return {rows[move.task]: (move.offer, move.victims) for move in moves}


def _victims(offers: OfferColumns, running: Sequence[Victim], queues: Collection[str]) -> tuple[list[Victim], list[Running]]:
    """Return the tasks that may end, and the same as the matcher hears of them.

    Of an offer of which cluster and store do not tell the same, nothing ends: what would be free is not known.
    """
    places = {name: place for place, name in enumerate(offers.names)}
    on: dict[str, list[Victim]] = {}
    for one in running:
        if one.offer in places:
            on.setdefault(one.offer, []).append(one)
    capacity = offers.capacity or offers.available
    victims: list[Victim] = []
    rows: list[Running] = []
    for name, here in on.items():
        place = places[name]
        numbers = _devices(here, offers.devices.of(place))
        mine = [one for one in here if one.may_end and one.queue in queues]
        used = {dimension: sum(one.demand.get(dimension, 0) for one in mine) for dimension in capacity}
        if any(used[one] + offers.available[one][place] > capacity[one][place] for one in used):
            continue
        for one in mine:
            if not set(one.demand) <= set(capacity):
                continue
            victims.append(one)
            devices = dict.fromkeys(numbers.get(one.id, ()), 1000)
            rows.append(Running(name, one.priority, max(0, int(1000 * one.since)), one.demand, devices))
    return victims, rows


def _devices(here: Sequence[Victim], free: Sequence[int]) -> dict[int, Sequence[int]]:
    """Return which whole devices each task can be said to hold.

    The store does not know the numbers. Where as many devices are taken as whole ones are held, any numbers will do: once a
    task ends, as many are free. Otherwise nobody knows what becomes free, and the end of a task frees no device.
    """
    taken = [number for number, left in enumerate(free) if left == 0]
    if sum(one.devices // 1000 for one in here) != len(taken):
        return {}
    numbers = iter(taken)
    return {one.id: [next(numbers) for _ in range(one.devices // 1000)] for one in here if one.devices >= 1000}
