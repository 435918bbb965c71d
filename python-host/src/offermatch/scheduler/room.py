"""Room that is held for tasks which have waited too long, and what may run in it meanwhile.

    task without an offer, waited too long ──> the offer that will have room for it first ──> held: no other task gets it
                                                                                         └──> a task that ends before may

It is EASY backfill (Lifka, 1995) on offers: where time limits say when enough of an offer is free, what ends before that may
run in the held room. Where they do not, the room is held as it becomes free, on the offer that needs least.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from offermatch.model import DEVICES
from offermatch.scheduler.store.told import Processable, Reservation
from offermatch.tables.columns import OfferColumns, TaskColumns

__all__ = ["Ending", "Room", "held_offers", "hold_room", "short_tasks"]

_ONE_IN = 20
"""At most one offer in so many is held, and at least one."""
_NEW = 16
"""Reservations that one cycle adds at most: each looks at every offer."""

Ending = tuple[float, Mapping[str, int]]
"""When a task ends at the latest, and what is free by that."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is held.

    Attributes:
        offers: What tasks without a reservation may have.
        held: What is held of each offer, by dimension.
        reservations: For which tasks, by their number.
        fitting: The rows of the tasks that fit on their held offer now, each with that offer.
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
) -> Room:
    """Return what is held for whom. Nothing but the arguments decides it.

    Args:
        found: The tasks in their order.
        offers: What is free.
        before: The reservations there are. A task keeps its offer as long as both are there.
        without: The rows of the tasks that have waited too long and found no offer, in their order.
        endings: What ends by when on each offer, of what has a time limit.
        now: The time.
    """
    at = {number: row for row, number in enumerate(found.ids)} if before else {}
    places = {name: row for row, name in enumerate(offers.names)}
    kept = {number: one for number, one in before.items() if number in at and one.offer in places}
    taken = {one.offer for one in kept.values()}
    most = max(1, len(offers) // _ONE_IN)
    chosen: list[tuple[int, int, float]] = [(at[number], places[one.offer], one.since) for number, one in kept.items()]
    for row in without[: _NEW + len(kept)]:
        if len(chosen) >= most:
            break
        if found.ids[row] not in kept:
            place = _soonest(found, row, offers, taken, endings, now)
            if place is not None:
                taken.add(offers.names[place])
                chosen.append((row, place, now))
    if not chosen:
        return Room(offers)
    free = replace(
        offers,
        available={name: column[:] for name, column in offers.available.items()},
        device_free=offers.device_free[:],
    )
    held, reservations, fitting = {}, {}, {}
    for row, place, since in chosen:
        name = offers.names[place]
        asked = _asked(found.columns, row)
        until, freed = _free_at(asked, offers, place, endings.get(name, ()), now)
        reservations[found.ids[row]] = Reservation(name, since, until)
        if until is not None and until <= now:
            fitting[row] = name
        else:
            held[name] = _hold(free, place, asked, freed)
    return Room(free if held else offers, held, reservations, fitting)


def short_tasks(found: Processable, placed: Sequence[int], room: Room, now: float) -> list[tuple[int, tuple[str, ...]]]:
    """Return the rows of tasks that found no offer and may run in held room, each with the offers of which it may.

    They end, by their time limit, before the room is needed. Tasks with devices are none of them.
    """
    ends = sorted(
        ((one.until, one.offer) for one in room.reservations.values() if one.until is not None and one.offer in room.held),
        reverse=True,
    )
    if not ends:
        return []
    taken, devices = set(placed), found.columns.devices
    short = []
    for row, limit in enumerate(found.time_limits):
        if limit is not None and now + limit <= ends[0][0] and row not in taken and not (devices and devices[row]):
            short.append((row, tuple(name for until, name in ends if now + limit <= until)))
    return short


def held_offers(offers: OfferColumns, room: Room) -> OfferColumns:
    """Return the held room as a table, without devices."""
    rows = [row for row, name in enumerate(offers.names) if name in room.held]
    names = [offers.names[row] for row in rows]

    def picked(column: Sequence[int]) -> array[int]:
        return array("Q", [column[row] for row in rows])

    return OfferColumns(
        names,
        {one: array("Q", [room.held[name].get(one, 0) for name in names]) for one in offers.available},
        {one: picked(column) for one, column in (offers.capacity or offers.available).items()},
        {one: [column[row] for row in rows] for one, column in offers.attributes.items()},
    )


def _asked(columns: TaskColumns, row: int) -> dict[str, int]:
    found = {name: column[row] for name, column in columns.demand.items() if column[row]}
    return {**found, DEVICES: columns.devices[row]} if columns.devices and columns.devices[row] else found


def _soonest(
    found: Processable,
    row: int,
    offers: OfferColumns,
    taken: set[str],
    endings: Mapping[str, Sequence[Ending]],
    now: float,
) -> int | None:
    """Return the offer that has room first by the time limits of what runs there, or else the one that needs least."""
    asked = _asked(found.columns, row)
    capacity = offers.capacity or offers.available
    if any(name not in capacity for name in asked if name != DEVICES):
        return None
    requirements = found.columns.requirements[row] if found.columns.requirements else ()
    avoided = found.avoided.get(row, ())
    devices = asked.get(DEVICES, 0)
    columns = [(capacity[name], offers.available[name], number) for name, number in asked.items() if name != DEVICES]
    best: tuple[float, float, int] | None = None
    for place, name in enumerate(offers.names):
        if name in taken or name in avoided or any(column[place] < number for column, _, number in columns):
            continue
        if devices and 1000 * len(offers.devices_of(place)) < devices:
            continue
        if not all(offers.meets(one, place) for one in requirements):
            continue
        until, _ = _free_at(asked, offers, place, endings.get(name, ()), now)
        short = [(number - column[place]) / there[place] for there, column, number in columns if number > column[place]]
        if devices:
            short.append(_missing_devices(offers, place, devices) / (1000 * len(offers.devices_of(place))))
        key = (float("inf") if until is None else until, max(short, default=0.0), place)
        if best is None or key < best:
            best = key
    return None if best is None else best[2]


def _free_at(
    asked: Mapping[str, int], offers: OfferColumns, place: int, endings: Sequence[Ending], now: float
) -> tuple[float | None, dict[str, int]]:
    """Return when there is room for what is asked, None where nobody knows, and what of it will have ended by then."""
    short = {
        name: number - offers.available[name][place]
        for name, number in asked.items()
        if name != DEVICES and number > offers.available[name][place]
    }
    devices = asked.get(DEVICES, 0)
    if devices and _missing_devices(offers, place, devices):
        # Which devices are free together, no time limit says.
        return None, {}
    if not short:
        return now, {}
    freed: dict[str, int] = {}
    for end, given in sorted(endings, key=lambda one: one[0]):
        for name, number in given.items():
            freed[name] = freed.get(name, 0) + number
        if all(freed.get(name, 0) >= number for name, number in short.items()):
            # What runs beyond its limit ends any moment.
            return max(end, now + 1.0), freed
    return None, {}


def _missing_devices(offers: OfferColumns, place: int, asked: int) -> int:
    free = offers.devices_of(place)
    if asked < 1000:
        return max(0, asked - max(free, default=0))
    return max(0, asked - 1000 * sum(one == 1000 for one in free))


def _hold(free: OfferColumns, place: int, asked: Mapping[str, int], freed: Mapping[str, int]) -> dict[str, int]:
    """Take out of an offer what is held of it, and return that."""
    held = {}
    for name, number in asked.items():
        if name == DEVICES:
            _hold_devices(free, place, number)
            continue
        column = free.available[name]
        held[name] = min(column[place], max(0, number - freed.get(name, 0)))
        column[place] -= held[name]
    return held


def _hold_devices(free: OfferColumns, place: int, asked: int) -> None:
    offsets = free.device_offsets
    if offsets is None:
        return
    numbers = range(offsets[place], offsets[place + 1])
    freest = sorted(numbers, key=lambda one: (-free.device_free[one], one))
    if asked < 1000:
        for one in freest[:1]:
            free.device_free[one] -= min(asked, free.device_free[one])
        return
    for one in freest[: asked // 1000]:
        free.device_free[one] = 0
