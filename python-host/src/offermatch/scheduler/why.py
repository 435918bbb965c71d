"""Why a task is where it is: from its row, what it needs, its pause, and what the cluster offered when last seen."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from offermatch.matcher import ReferenceMatcher
from offermatch.model import DEVICES, Explanation, Requirement
from offermatch.scheduler.places import Places, without
from offermatch.scheduler.queues import held_below
from offermatch.scheduler.store import Store
from offermatch.scheduler.store.changes import LONGEST_PAUSE
from offermatch.scheduler.store.ready import AVOIDED_SECONDS
from offermatch.scheduler.store.told import Shown, Sighting
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.remedies import remedies
from offermatch.visible import LONGEST_NAME, LONGEST_REASON, visible
from offermatch.wasm.contract import CONTRACT

__all__ = ["why"]

_MOST_NAMED = 10


def why(store: Store, name: str, now: float) -> list[str]:
    """Return the reasons for which a task is where it is, one a line, what holds it up first.

    Raises:
        StoreError: ``task-unknown``.
    """
    shown = store.shown(name)
    row = shown.columns
    reason = f": {row['reason']}" if row["reason"] else ""
    if shown.state == "pending":
        waits = [f"{needed} ({state})" for needed, state in shown.needs.items() if state != "done"]
        more = f" and {len(waits) - _MOST_NAMED} more" if len(waits) > _MOST_NAMED else ""
        return [f"it needs {', '.join(waits[:_MOST_NAMED])}{more}"]
    if shown.state in ("claimed", "running"):
        lines = [f"it is {shown.state} on {row['offer']}, attempt {row['attempt']}"]
        return [*lines, f"it is to be ended: {row['cancel_reason']}"] if row["cancel_reason"] else lines
    if shown.state == "failed":
        return [f"{row['failures']} attempts failed, with {row['retries']} retries, and {row['losses']} were lost{reason}"]
    if shown.state != "ready":
        return [f"it is {shown.state}{reason}"]
    return _ready(store, shown, now)


def _ready(store: Store, shown: Shown, now: float) -> list[str]:
    row, lines = shown.columns, []
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
    lines += _order(store, row, now)
    sighting = store.sighting()
    if sighting is None:
        return [*lines, "it is ready, and no task has been without an offer since the store was made; does a scheduler run?"]
    closed = Places().closed(store.places(), now)
    there = {place: told for place, told in closed.items() if place in set(sighting.offers.names)}
    lines += [f"{place} gets nothing new: {told}" for place, told in list(there.items())[:_MOST_NAMED]]
    lines += [f"and {len(there) - _MOST_NAMED} more places"] if len(there) > _MOST_NAMED else []
    return [*lines, *_placing(shown, sighting, without(sighting.offers, there), now)]


def _order(store: Store, row: Mapping[str, Any], now: float) -> list[str]:
    """Return what the order of tasks, quotas and held room have to do with it."""
    lines = []
    queues, held = store.holding()
    known = {queue.name: queue for queue in queues}
    asked: dict[str, int] = {**json.loads(row["demand"]), DEVICES: 1000 * row["devices"] + row["device_share"]}
    name = row["queue"]
    while name and name in known:
        queue = known[name]
        for dimension, most in queue.quota.items():
            used = held_below(name, queues, held).get(dimension, 0)
            if asked.get(dimension, 0) and used + asked[dimension] > most:
                shown = visible(dimension, LONGEST_NAME)
                lines.append(
                    f"the quota of the queue {visible(name, LONGEST_NAME)} is {most} {shown}: {used} are held, and it asks "
                    f"{asked[dimension]}" + (": it can never run there" if asked[dimension] > most else "")
                )
        name = queue.parent
    for number, one in store.reservations().items():
        offer = visible(one.offer, LONGEST_NAME)
        if number == row["id"]:
            until = "" if one.until is None else f", and there by time limits in {max(0.0, one.until - now):.0f} s"
            lines.append(f"room is held for it on {offer} since {max(0.0, now - one.since):.0f} s{until}")
        else:
            lines.append(f"room on {offer} is held for another task that has waited longer")
    ahead = store.ahead(row["queue"], row["priority"], row["id"])
    if ahead:
        lines.append(f"{ahead} ready tasks are before it in the queue {visible(row['queue'], LONGEST_NAME)}")
    return lines


def _placing(shown: Shown, sighting: Sighting, offers: OfferColumns, now: float) -> list[str]:
    """Return what the offers that were last seen lack for a task."""
    row = shown.columns
    demand: dict[str, int] = json.loads(row["demand"])
    seen = f"the cluster, as it was {max(0.0, now - sighting.at):.0f} s ago,"
    if not len(offers):
        return [f"{seen} had no offer that may have tasks"]
    lines = []
    for name, asked in demand.items():
        shown_name = visible(name, LONGEST_NAME)
        capacity = (offers.capacity or offers.available).get(name)
        if capacity is None:
            lines.append(f"{seen} had no offer with {shown_name}: it can never run there")
        elif asked > (most := max(capacity)):
            lines.append(
                f"it asks {asked} {shown_name}, and the largest of {len(offers)} offers has {most}: it can never run there"
            )
    if lines:
        return lines
    requirements = [
        Requirement(name, tuple(values), excludes) for name, values, excludes in json.loads(row["requirements"] or "[]")
    ]
    for one in requirements:
        if one.attribute not in offers.attributes and not one.excludes:
            lines.append(f"no offer has the attribute {visible(one.attribute, LONGEST_NAME)} that it requires")
    devices = _one(1000 * row["devices"] + row["device_share"])
    task = TaskColumns([shown.name], {name: _one(asked) for name, asked in demand.items()}, devices, [requirements])
    reference = ReferenceMatcher(CONTRACT)
    answer = reference.match(task, offers, mode="shared", explain=True)
    if len(answer):
        taker = visible(answer.offer_names[0], LONGEST_NAME)
        return [
            *lines,
            f"{seen} had room for it on {taker}: tasks before it in the order took that, or the next cycle places it",
        ]
    empty = replace(offers, available=offers.capacity or offers.available)
    if offers.device_offsets is not None:
        empty = replace(empty, device_free=_full(len(offers.device_free)))
    never = reference.match(task, empty, mode="shared", explain=True)
    if not len(never):
        return [*lines, _explained(never.explanations[0], requirements, f"{seen} even with nothing running,")]
    help_for_it = [f"what would help: {visible(one, LONGEST_REASON)}" for one in remedies(answer.explanations[0])]
    return [*lines, _explained(answer.explanations[0], requirements, seen), *help_for_it]


def _explained(found: Explanation, requirements: Sequence[Requirement], seen: str) -> str:
    parts = [
        f"{count} have too little {visible(name, LONGEST_NAME)} free" for name, count in found.by_dimension.items() if count
    ]
    parts += [
        f"{count} do not meet its requirement on {visible(one.attribute, LONGEST_NAME)}"
        for one, count in zip(requirements, found.by_requirement, strict=True)
        if count
    ]
    parts += [f"{found.by_devices} have no devices for it"] if found.by_devices else []
    parts += [f"{found.by_score} score too high"] if found.by_score else []
    return f"{seen} had {found.offers} offers, of which {', '.join(parts)}"


def _full(devices: int) -> array[int]:
    return array("Q", [1000]) * devices


def _one(value: int) -> array[int]:
    return array("Q", [value])
