"""Why a task is where it is: from its row, what it needs, its pause, and what the cluster offered when last seen."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from offermatch.matcher import ReferenceMatcher
from offermatch.model import AnyRequirement, Explanation, Requirement
from offermatch.scheduler.gangs import is_apart, unserved, with_groups
from offermatch.scheduler.places import Places, without
from offermatch.scheduler.preemption import has_limits
from offermatch.scheduler.queues import amount, held_below, unknown_quotas
from offermatch.scheduler.seats import Units, asked_of, summed
from offermatch.scheduler.store import Store
from offermatch.scheduler.store.changes import LONGEST_PAUSE
from offermatch.scheduler.store.ready import AVOIDED_SECONDS
from offermatch.scheduler.store.records import GroupState, Processable, Shown, Sighting
from offermatch.tables.devices import WHOLLY_FREE, Devices
from offermatch.tables.offers import OfferColumns
from offermatch.tables.remedies import remedies
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import LONGEST_NAME, LONGEST_REASON, visible
from offermatch.wasm.contract import CONTRACT

__all__ = ["why"]

_MOST_NAMED = 10


def why(store: Store, name: str, now: float) -> list[str]:
    """Return the reasons for which a task is where it is, one a line, what holds it up first; its queue and its group last.

    Raises:
        StoreError: ``task-unknown``.
    """
    shown = store.shown(name)
    return [*_reasons(store, shown, now), *_belongs(store, shown)]


def _reasons(store: Store, shown: Shown, now: float) -> list[str]:
    row = shown.columns
    reason = f": {row['reason']}" if row["reason"] else ""
    if shown.state == "pending":
        waits = [f"{needed} ({state})" for needed, state in shown.needs.items() if state != "done"]
        more = f" and {len(waits) - _MOST_NAMED} more" if len(waits) > _MOST_NAMED else ""
        return [f"it needs {', '.join(waits[:_MOST_NAMED])}{more}"]
    if shown.state in ("claimed", "running"):
        lines = [f"it is {shown.state} on {row['offer']}, attempt {row['attempt']}"]
        ends = row["cancel_reason"] or row["evict_reason"]
        return [*lines, f"it is to be ended: {ends}"] if ends else lines
    if shown.state == "failed":
        return [f"{row['failures']} attempts failed, with {row['retries']} retries, and {row['losses']} were lost{reason}"]
    if shown.state != "ready":
        return [f"it is {shown.state}{reason}"]
    return _ready(store, shown, now)


def _belongs(store: Store, shown: Shown) -> list[str]:
    """Return whose share a task runs from, and with whom."""
    row, group = shown.columns, shown.group
    lines = [f"it is in the queue {visible(row['queue'], LONGEST_NAME)}, with priority {row['priority']}"]
    queues = {queue.name: queue for queue in store.queues()}
    above, name = [], row["queue"]
    while name in queues:
        above.append(queues[name])
        name = queues[name].parent
    if not above:
        lines.append("nobody has made this queue: it counts as one of weight 1 without a quota")
    sighting = store.sighting() if any(queue.quota for queue in above) else None
    lines += [
        f"the quota of the queue {visible(queue, LONGEST_NAME)} on {visible(dimension, LONGEST_NAME)} limits nothing: "
        "no offer has that dimension"
        for queue, dimension in (unknown_quotas(above, sighting.offers.available) if sighting is not None else ())
    ]
    if group is not None:
        needs = f"{group.needed} more have to begin at once, " if group.needed else ""
        counts = ", ".join(f"{count} {state}" for state, count in sorted(group.counts.items()))
        lines.append(f"it is in the group {visible(group.name, LONGEST_NAME)} ({group.rules}): {needs}{counts}")
    return lines


def _ready(store: Store, shown: Shown, now: float) -> list[str]:
    row, group = shown.columns, shown.group
    found = store.asked_with(row["id"], group.id if group is not None and group.needed else None)
    sighting = store.sighting()
    whole = row["id"] in found.ids and (group is None or len(found.ids) >= group.needed)
    place = found.ids.index(row["id"]) if whole else 0
    never = _never(found, place, sighting, now) if sighting is not None and whole else []
    lines = list(never)
    pause = row["not_before"]
    if pause is not None and now < pause <= now + LONGEST_PAUSE:
        lines.append(
            f"it pauses for {pause - now:.0f} s more after {row['failures'] + row['losses']} attempts: {row['reason']}"
        )
    avoided = json.loads(row["avoided"] or "[]")
    if avoided and now < pause + AVOIDED_SECONDS:
        lines.append(
            f"it avoids {', '.join(avoided)}, where attempts failed, for {pause + AVOIDED_SECONDS - now:.0f} s more"
        )
    lines += _members(store, group, now) if group is not None else []
    lines += _order(store, row, found, now)
    if sighting is None:
        return [*lines, "it is ready, and no task has been without an offer since the store was made; does a scheduler run?"]
    closed = Places().closed(store.places(), now)
    there = {place: told for place, told in closed.items() if place in set(sighting.offers.names)}
    lines += [f"{place} gets nothing new: {told}" for place, told in list(there.items())[:_MOST_NAMED]]
    lines += [f"and {len(there) - _MOST_NAMED} more places"] if len(there) > _MOST_NAMED else []
    lines += _rules(found, group, sighting)
    lines += _preempting(store, shown)
    if never or not whole:
        return lines
    return [*lines, *_placing(found, place, without(sighting.offers, there), _seen(sighting, now))]


def _members(store: Store, group: GroupState, now: float) -> list[str]:
    """Return for whom of its group a task waits."""
    if not group.needed:
        return []
    waiting = store.members(group.id)
    pauses = [(name, pause) for name, state, pause in waiting if state == "ready" and pause is not None and pause > now]
    pauses = [(name, pause) for name, pause in pauses if pause <= now + LONGEST_PAUSE]
    pending = [name for name, state, _ in waiting if state == "pending"]
    ready = group.counts.get("ready", 0) - len(pauses)
    if ready >= group.needed:
        return []
    are = "is" if ready == 1 else "are"
    name = visible(group.name, LONGEST_NAME)
    line = f"its group {name} needs {group.needed} members to begin at once, and {ready} {are} ready"
    others = [f"{visible(name, LONGEST_NAME)} (pending)" for name in pending]
    others += [f"{visible(name, LONGEST_NAME)} (pauses for {pause - now:.0f} s)" for name, pause in pauses]
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    missing = group.needed - ready - len(others)
    gone = group.counts.get("failed", 0) + group.counts.get("cancelled", 0)
    waits = [f"it waits for {', '.join(others[:_MOST_NAMED])}{more}"] if others else []
    waits += [f"it waits for {missing} more to be submitted"] if missing > 0 else []
    waits += (
        [f"{gone} {'has' if gone == 1 else 'have'} failed or {'was' if gone == 1 else 'were'} cancelled"] if gone else []
    )
    return [f"{line}: {'; '.join(waits)}"]


def _rules(found: Processable, group: GroupState | None, sighting: Sighting) -> list[str]:
    """Return which rule of a task the matcher does not serve, and where a member of its group cannot be seen."""
    lines = [
        f"the matcher {visible(sighting.matcher, LONGEST_NAME)} does not serve {rule}, which it asks for: run the scheduler "
        "with one that does, such as the one of the package"
        for rule in dict.fromkeys(unserved(found, sighting.rules).values())
    ]
    if group is not None and is_apart(group, set(sighting.offers.names)):
        there = next(name for name in group.occupants if name not in set(sighting.offers.names))
        lines.append(f"a member of its group runs on {visible(there, LONGEST_NAME)}, which the cluster does not offer now")
    return lines


def _preempting(store: Store, shown: Shown) -> list[str]:
    """Return whether running tasks may end for a task of a queue that preempts."""
    row, group = shown.columns, shown.group
    victims = next((queue.preempts for queue in store.queues() if queue.name == row["queue"]), ())
    if not victims or row["id"] in store.ending_for():
        return []
    named = f"its queue preempts tasks of {', '.join(visible(name, LONGEST_NAME) for name in victims[:_MOST_NAMED])}"
    if group is not None and has_limits(group):
        return [f"{named}, but none ends for a member of a group with together or at most"]
    lower, may_end = store.running_below(victims, row["priority"])
    others = ": members of gangs do not, nor what is to end anyhow" if may_end < lower else ""
    return [f"{named}: of {lower} that run with a priority below {row['priority']}, {may_end} may end{others}"]


def _order(store: Store, row: Mapping[str, Any], found: Processable, now: float) -> list[str]:
    """Return what the order of tasks, quotas and held room have to do with it."""
    lines = []
    queues, held = store.holding()
    known = {queue.name: queue for queue in queues}
    asked: dict[str, int] = {}
    unit = Units(found).of(found.ids.index(row["id"])) if row["id"] in found.ids else ()
    for member in unit:
        asked = summed(asked, asked_of(found.columns, member))
    asks = "it asks" if len(unit) < 2 else "its gang asks"
    name = row["queue"]
    while name and name in known:
        queue = known[name]
        for dimension, most in queue.quota.items():
            used = held_below(name, queues, held).get(dimension, 0)
            if asked.get(dimension, 0) and used + asked[dimension] > most:
                quota, there = amount(dimension, most), amount(dimension, used)
                never = ": it can never run there" if asked[dimension] > most else ""
                lines.append(
                    f"the quota of the queue {visible(name, LONGEST_NAME)} is {quota} {visible(dimension, LONGEST_NAME)}: "
                    f"{there} are held, and {asks} {amount(dimension, asked[dimension])}{never}"
                )
        name = queue.parent
    for number, one in store.reservations().items():
        offer = visible(one.offer, LONGEST_NAME)
        if number == row["id"]:
            until = "" if one.until is None else f", and there by time limits in {max(0.0, one.until - now):.0f} s"
            lines.append(f"room is held for it on {offer} since {max(0.0, now - one.since):.0f} s{until}")
            ending = store.ending_for().get(number, [])
            named = ", ".join(visible(name, LONGEST_NAME) for name in ending[:_MOST_NAMED])
            lines += [f"it waits for the end of {named}, which it preempts"] if ending else []
        else:
            lines.append(f"room on {offer} is held for another task that has waited longer")
    # A gang stands where the first of its members does.
    ahead = store.ahead(row["queue"], row["priority"], min([row["id"], *found.ids]))
    if ahead:
        are = "task is" if ahead == 1 else "tasks are"
        lines.append(f"{ahead} ready {are} before it in the queue {visible(row['queue'], LONGEST_NAME)}")
    return lines


def _never(found: Processable, row: int, sighting: Sighting, now: float) -> list[str]:
    """Return why a task, with those that its gang needs, could not begin even with nothing running; nothing if it could."""
    seen, offers = _seen(sighting, now), sighting.offers
    if not len(offers):
        return []
    columns, lines = found.columns, []
    for name, column in columns.demand.items():
        shown_name, asked = visible(name, LONGEST_NAME), column[row]
        capacity = (offers.capacity or offers.available).get(name)
        if capacity is None and any(column):
            lines.append(f"{seen} had no offer with {shown_name}: it can never run there")
        elif capacity is not None and asked > (most := max(capacity)):
            lines.append(
                f"it asks {amount(name, asked)} {shown_name}, and the largest of {len(offers)} offers has "
                f"{amount(name, most)}: it can never run there"
            )
    if lines:
        return lines
    for one in columns.requirements_of(row):
        name = _subject(one)
        known = offers.attributes if isinstance(one, Requirement) else offers.measures
        if name not in known and not (isinstance(one, Requirement) and one.excludes):
            kind = "attribute" if isinstance(one, Requirement) else "measure"
            lines.append(f"no offer has the {kind} {visible(name, LONGEST_NAME)} that it requires")
    unit = Units(found).of(row)
    unit = unit if row in unit else (*unit[:-1], row)
    devices = Devices(offers.devices.offsets, array("Q", [WHOLLY_FREE]) * offers.devices.count)
    empty = replace(offers, available=offers.capacity or offers.available, devices=devices, occupants={})
    alone = replace(found, groups={number: replace(one, occupants={}) for number, one in found.groups.items()})
    taker, missing = _asked_reference(alone.picked(unit), unit.index(row), empty)
    if taker is not None or missing is None:
        return lines
    return [*lines, _explained(missing, columns, row, f"{seen} even with nothing running,")]


def _placing(found: Processable, row: int, offers: OfferColumns, seen: str) -> list[str]:
    """Return what the offers that were last seen lack for a task, and for those that begin with it.

    Args:
        found: The task, and the other members of its gang.
        row: Its row.
        offers: What was seen of the offers that may have tasks.
        seen: When that was, as the beginning of a sentence.
    """
    if not len(offers):
        return [f"{seen} had no offer that may have tasks"]
    taker, missing = _asked_reference(found, row, offers)
    if taker is not None:
        shown = visible(taker, LONGEST_NAME)
        return [f"{seen} had room for it on {shown}: tasks before it in the order took that, or the next cycle places it"]
    if missing is None:
        return []
    help_for_it = [f"what would help: {visible(one, LONGEST_REASON)}" for one in remedies(missing)]
    return [_explained(missing, found.columns, row, seen), *help_for_it]


def _asked_reference(found: Processable, row: int, offers: OfferColumns) -> tuple[str | None, Explanation | None]:
    """Return the offer that a task would get, or why there is none."""
    demand = {name: column for name, column in found.columns.demand.items() if any(column)}
    tasks, offers = with_groups(replace(found.columns, demand=demand), found, offers)
    answer = ReferenceMatcher(CONTRACT).match(tasks, offers, mode="shared", explain=True, bad_rows="leave-out")
    if row in answer.task_rows:
        return answer.offer_names[answer.task_rows.index(row)], None
    return None, {one.task: one for one in answer.explanations}.get(tasks.names[row])


def _seen(sighting: Sighting, now: float) -> str:
    return f"the cluster, as it was {max(0.0, now - sighting.at):.0f} s ago,"


def _explained(found: Explanation, columns: TaskColumns, row: int, seen: str) -> str:
    requirements = columns.requirements_of(row)
    parts = [
        f"{count} have too little {visible(name, LONGEST_NAME)} free" for name, count in found.by_dimension.items() if count
    ]
    parts += [
        f"{count} do not meet its requirement on {visible(_subject(one), LONGEST_NAME)}"
        for one, count in zip(requirements, found.by_requirement, strict=False)
        if count
    ]
    parts += [f"{found.by_devices} have no devices for it"] if found.by_devices else []
    for name, check in (found.checks or {}).items():
        asked = visible(found.words.get(name, ""), LONGEST_NAME)
        if check.fails and name == "together":
            runs = found.members is not None and found.members.running > 0
            other = f"another {asked} than the members of its group that run, or none" if runs else f"no {asked}"
            parts.append(f"{check.fails} have {other}")
        elif check.fails and name.startswith("limit "):
            parts.append(f"on {check.fails} there may be {asked} of the members of its group, and as many are there")
    parts += [f"{found.by_score} score too high"] if found.by_score else []
    shown = f"{seen} had {found.offers} offers" + (f", of which {', '.join(parts)}" if parts else "")
    if found.members is not None and found.members.least > found.members.placed + found.members.running:
        members = found.members
        ones = f"{members.placed + members.running} of the {members.least} members of its group that have to begin at once"
        return f"{shown}, and {ones} would find an offer"
    return shown


def _subject(one: AnyRequirement) -> str:
    return one.attribute if isinstance(one, Requirement) else one.measure
