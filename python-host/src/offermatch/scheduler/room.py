"""Room that is held for tasks which have waited too long, and what may run in it meanwhile.

    task without an offer, waited too long ──> the offer that will have room for it first ──> held: no other task gets it
                                                                                         └──> a task that ends before may

It is EASY backfill (Lifka, 1995) on offers: where time limits say when enough of an offer is free, what ends before that may
run in the held room. Where they do not, the room is held as it becomes free, on the offer that needs least. Members of a
gang that have to begin together have their room held together.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from offermatch.model import DEVICES
from offermatch.scheduler.queues import DEFAULT
from offermatch.scheduler.seats import Ending, Seats, Units, asked_of, free_at, summed
from offermatch.scheduler.store.records import Processable, Reservation
from offermatch.tables.devices import Devices
from offermatch.tables.offers import OfferColumns

__all__ = ["Ending", "Room", "held_offers", "hold_room", "short_tasks"]

_ONE_IN = 20
"""At most one offer in so many is held, and at least one."""
_LOOKS = 64
"""How often one cycle looks at every offer for one more to hold."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is held.

    Attributes:
        offers: What tasks without a reservation may have.
        held: What is held of each offer, by dimension.
        reservations: For which tasks, by their number.
        fitting: The numbers of the tasks that fit on their held offer now, each with that offer.
    """

    offers: OfferColumns
    held: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reservations: Mapping[int, Reservation] = field(default_factory=dict)
    fitting: Mapping[int, str] = field(default_factory=dict)


def hold_room(
    found: Processable,
    offers: OfferColumns,
    before: Mapping[int, Reservation],
    without: Sequence[int],
    endings: Mapping[str, Sequence[Ending]],
    now: float,
    parts: Mapping[str, float] | None = None,
) -> Room:
    """Return what is held for whom. Nothing but the arguments decides it.

    Args:
        found: The tasks in their order.
        offers: What is free.
        before: The reservations there are. A task keeps its offer as long as both are there.
        without: The rows of the tasks that have waited too long and found no offer, in their order.
        endings: What ends by when on each offer, of what has a time limit.
        now: The time.
        parts: The part of the cluster that is each queue's by its weight; all alike unless given.
    """
    at = {number: row for row, number in enumerate(found.ids)} if before else {}
    places = {name: row for row, name in enumerate(offers.names)}
    units = Units(found)
    seats = Seats(found, offers, endings, now)
    chosen: list[tuple[float, dict[int, int]]] = []
    for unit, since in _kept(found, before, units, at, places):
        chosen.append((since, {row: places[before[found.ids[row]].offer] for row in unit}))
        seats.take(chosen[-1][1])
    known = {row for _, seated in chosen for row in seated}
    turns = _in_turns(found, [row for row in without if row not in known], known, parts or {})
    most = max(len({_queue(found, row) for row in (*known, *turns)}), len(offers) // _ONE_IN)
    looks, seen = 0, set[object]()
    for row in turns:
        if len(seats.taken) >= most or looks == _LOOKS:
            break
        unit = units.of(row)
        kind = _kind(found, unit)
        if known.intersection(unit) or kind in seen:
            continue
        looks += 1
        known.update(unit)
        seated = seats.soonest(unit)
        if seated is None:
            # No offer has what it asks; the same goes for all that ask the same.
            seen.update({kind} - {None})
            continue
        # The first of all may hold more: a gang that asks for many offers would never begin. Another one waits until there
        # is room for all of it, and those behind it wait, too.
        if seats.taken and len(seats.taken.union(seated.values())) > most:
            break
        chosen.append((now, seated))
        seats.take(seated)
    if not chosen:
        return Room(offers)
    return _held(found, offers, chosen, endings, now)


def _in_turns(found: Processable, without: Sequence[int], known: Collection[int], parts: Mapping[str, float]) -> list[int]:
    """Return rows so that the queue for which least room is held, for its weight, is the first to have more.

    A queue that has more than its share comes last in the order, and its small tasks overtake its large ones all the same.
    """
    turns = Counter(_queue(found, row) for row in known)
    numbered: list[tuple[float, int, int]] = []
    for row in without:
        queue = _queue(found, row)
        numbered.append((turns[queue] / parts.get(queue, 1.0), len(numbered), row))
        turns[queue] += 1
    return [row for _, _, row in sorted(numbered)]


def _kind(found: Processable, unit: Sequence[int]) -> object:
    """Return what is equal where tasks that begin alone ask the same; None for others."""
    (row, *others), columns = unit, found.columns
    if others or (found.group_of is not None and found.group_of[row]) or found.avoided.get(row):
        return None
    return (tuple(sorted(asked_of(columns, row).items())), tuple(columns.requirements_of(row)))


def _queue(found: Processable, row: int) -> str:
    return DEFAULT if found.queues is None else found.queues[row]


def _kept(
    found: Processable,
    before: Mapping[int, Reservation],
    units: Units,
    at: Mapping[int, int],
    places: Mapping[str, int],
) -> list[tuple[tuple[int, ...], float]]:
    """Return the rows that keep their room, with those that have to begin together, and since when they have it."""
    kept, seen = [], set[int]()
    for number, one in before.items():
        row = at.get(number)
        if row is None or row in seen:
            continue
        unit = units.of(row)
        seen.update((row, *unit))
        others = [before.get(found.ids[other]) for other in unit]
        if row in unit and all(other is not None and other.offer in places for other in others):
            kept.append((unit, one.since))
    return kept


def _held(
    found: Processable,
    offers: OfferColumns,
    chosen: Sequence[tuple[float, Mapping[int, int]]],
    endings: Mapping[str, Sequence[Ending]],
    now: float,
) -> Room:
    """Return what is held for these rows, each on its offer."""
    free = offers.changeable()
    held: dict[str, dict[str, int]] = {}
    reservations, fitting = {}, {}
    promised: dict[int, dict[str, int]] = {}
    ready: dict[int, dict[str, int]] = {}
    for since, seated in chosen:
        asked: dict[int, dict[str, int]] = {}
        for row, place in seated.items():
            asked[place] = summed(asked.get(place, {}), asked_of(found.columns, row))
        until: float | None = now
        freed: dict[int, Mapping[str, int]] = {}
        for place, own in asked.items():
            promised[place] = summed(promised.get(place, {}), own)
            end, freed[place] = free_at(promised[place], offers, place, endings.get(offers.names[place], ()), now)
            until = None if until is None or end is None else max(until, end)
        for row, place in seated.items():
            reservations[found.ids[row]] = Reservation(offers.names[place], since, until)
        if until is not None and until <= now:
            fitting.update({found.ids[row]: offers.names[place] for row, place in seated.items()})
            for place, own in asked.items():
                ready[place] = summed(ready.get(place, {}), own)
            continue
        for place, own in asked.items():
            name = offers.names[place]
            held[name] = summed(held.get(name, {}), _hold(free, place, own, freed[place], ready.get(place, {})))
    return Room(free if held else offers, held, reservations, fitting)


def short_tasks(found: Processable, placed: Sequence[int], room: Room, now: float) -> list[tuple[int, tuple[str, ...]]]:
    """Return the rows of tasks that found no offer and may run in held room, each with the offers of which it may.

    They end, by their time limit, before the room is needed. Tasks with devices are none of them, nor are those of groups.
    """
    needed: dict[str, float | None] = {}
    for one in room.reservations.values():
        if one.offer in room.held:
            before = needed.get(one.offer, one.until)
            needed[one.offer] = None if one.until is None or before is None else min(before, one.until)
    ends = sorted(((until, name) for name, until in needed.items() if until is not None), reverse=True)
    if not ends:
        return []
    taken, devices = set(placed), found.columns.devices
    taken.update(row for row, group in enumerate(found.group_of or ()) if group)
    short = []
    for row, limit in enumerate(found.time_limits):
        if limit is not None and now + limit <= ends[0][0] and row not in taken and not (devices and devices[row]):
            short.append((row, tuple(name for until, name in ends if now + limit <= until)))
    return short


def held_offers(offers: OfferColumns, room: Room) -> OfferColumns:
    """Return the held room as a table, without devices."""
    rows = [row for row, name in enumerate(offers.names) if name in room.held]
    kept = offers.picked(rows)
    return replace(
        kept,
        devices=Devices(),
        available={one: array("Q", [room.held[name].get(one, 0) for name in kept.names]) for one in kept.available},
        capacity=kept.capacity or kept.available,
    )


def _hold(
    free: OfferColumns, place: int, asked: Mapping[str, int], freed: Mapping[str, int], ready: Mapping[str, int]
) -> dict[str, int]:
    """Take out of an offer what is held of it, beside what is there for others already, and return that."""
    held = {}
    for name, number in asked.items():
        if name == DEVICES:
            if not ready.get(DEVICES):
                _hold_devices(free, place, number)
            continue
        column = free.available[name]
        held[name] = min(max(0, column[place] - ready.get(name, 0)), max(0, number - freed.get(name, 0)))
        column[place] -= held[name]
    return held


def _hold_devices(free: OfferColumns, place: int, asked: int) -> None:
    devices = free.devices.of(place)
    for one in sorted(range(len(devices)), key=lambda one: -devices[one])[: asked // 1000 or 1]:
        devices[one] -= min(asked, devices[one])
    free.devices.set(place, devices)
