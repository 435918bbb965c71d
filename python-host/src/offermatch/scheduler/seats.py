"""Where there will be room first for tasks that wait: for one, or for the members of a gang that begin together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from offermatch.model import DEVICES, OFFER
from offermatch.scheduler.gangs import members_of
from offermatch.scheduler.store.records import GroupState, Processable
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["Ending", "Seats", "Units", "asked_of", "free_at", "summed"]

Ending = tuple[float, Mapping[str, int]]
"""When a task ends at the latest, and what is free by that."""


class Units:
    """Which tasks begin together."""

    def __init__(self, found: Processable) -> None:
        """Look at the groups of tasks."""
        self._found, self._members = found, members_of(found)

    def of(self, row: int) -> tuple[int, ...]:
        """Return the rows of the tasks that have to begin with this one: those that its gang needs, or itself."""
        number = self._found.group_of[row] if self._found.group_of is not None else 0
        needed = self._found.groups[number].needed if number else 0
        return tuple(self._members[number][:needed]) if needed else (row,)


class Seats:
    """Chooses offers for tasks.

    Attributes:
        taken: The rows of the offers that are taken.
    """

    def __init__(
        self, found: Processable, offers: OfferColumns, endings: Mapping[str, Sequence[Ending]], now: float
    ) -> None:
        """Begin with nothing taken; the arguments are those of ``hold_room``."""
        self.taken: set[int] = set()
        self._found, self._offers, self._endings, self._now = found, offers, endings, now
        self._capacity = offers.capacity or offers.available
        self._places = {name: place for place, name in enumerate(offers.names)} if found.groups else {}

    def take(self, seated: Mapping[int, int]) -> None:
        """Take the offers of these tasks."""
        self.taken.update(seated.values())

    def soonest(self, unit: Sequence[int]) -> dict[int, int] | None:
        """Return the offers, by the rows of the tasks, that have room for all of them first, or else need least."""
        number = self._found.group_of[unit[0]] if self._found.group_of is not None else 0
        group = self._found.groups[number] if number else None
        best: tuple[tuple[float, float], dict[int, int]] | None = None
        for candidates in self._candidates(group):
            seated = self._seated(unit, group, candidates)
            if seated is not None and (best is None or seated[0] < best[0]):
                best = seated
        return None if best is None else best[1]

    def _candidates(self, group: GroupState | None) -> list[Sequence[int]]:
        """Return the offers on which a group may be: once, or once for each value on which it is together."""
        every = range(len(self._offers.names))
        if group is None or group.together is None:
            return [every]
        column = self._offers.attributes.get(group.together)
        if column is None:
            return []
        bound = {column[self._places[name]] for name in group.occupants if name in self._places} - {None, ""}
        by_value: dict[str, list[int]] = {}
        for place in every:
            value = column[place]
            if value and (not bound or value in bound):
                by_value.setdefault(value, []).append(place)
        return list(by_value.values())

    def _seated(
        self, unit: Sequence[int], group: GroupState | None, candidates: Sequence[int]
    ) -> tuple[tuple[float, float], dict[int, int]] | None:
        seated: dict[int, int] = {}
        promised: dict[int, dict[str, int]] = {}
        latest = short = 0.0
        limits = self._limits(group)
        for row in unit:
            best = self._best(row, candidates, promised, lambda place: all(limit.admits(place) for limit in limits))
            if best is None:
                return None
            until, missing, place = best
            latest, short = max(latest, until), short + missing
            seated[row] = place
            promised[place] = summed(promised.get(place, {}), asked_of(self._found.columns, row))
            for limit in limits:
                limit.count(place, 1)
        return (latest, short), seated

    def _limits(self, group: GroupState | None) -> list[_Limit]:
        if group is None:
            return []
        found = []
        for name, most in group.at_most.items():
            values = self._offers.names if name == OFFER else self._offers.attributes.get(name, [])
            limit = _Limit(values, most)
            for offer, count in group.occupants.items():
                if offer in self._places:
                    limit.count(self._places[offer], count)
            found.append(limit)
        return found

    def _best(
        self,
        row: int,
        candidates: Sequence[int],
        promised: Mapping[int, Mapping[str, int]],
        admits: Callable[[int], bool],
    ) -> tuple[float, float, int] | None:
        """Return when which offer has room, by the time limits of what runs there, and how much it lacks now."""
        found, offers = self._found, self._offers
        own = asked_of(found.columns, row)
        if any(name not in self._capacity for name in own if name != DEVICES):
            return None
        requirements = found.columns.requirements_of(row)
        avoided = found.avoided.get(row, ())
        best: tuple[float, float, int] | None = None
        for place in candidates:
            name = offers.names[place]
            if place in self.taken or name in avoided:
                continue
            before = promised.get(place)
            asked = own if before is None else summed(before, own)
            if any(self._capacity[one][place] < number for one, number in asked.items() if one != DEVICES):
                continue
            devices = asked.get(DEVICES, 0)
            # Of shares that would have to be on several devices, no sum says whether they fit.
            shares = before is not None and (own.get(DEVICES, 0) % 1000 or before.get(DEVICES, 0) % 1000)
            if devices and (1000 * len(offers.devices.of(place)) < devices or shares):
                continue
            if not all(offers.meets(one, place) for one in requirements) or not admits(place):
                continue
            until, _ = free_at(asked, offers, place, self._endings.get(name, ()), self._now)
            short = [
                (number - offers.available[one][place]) / self._capacity[one][place]
                for one, number in asked.items()
                if one != DEVICES and number > offers.available[one][place]
            ]
            if devices:
                short.append(missing_devices(offers, place, devices) / (1000 * len(offers.devices.of(place))))
            key = (float("inf") if until is None else until, max(short, default=0.0), place)
            if best is None or key < best:
                best = key
        return best


class _Limit:
    """At most so many members on one value; an unset value serves nobody."""

    def __init__(self, values: Sequence[str | None], most: int) -> None:
        self._values, self._most = values, most
        self._counts: dict[str, int] = {}

    def admits(self, place: int) -> bool:
        value = self._values[place] if self._values else None
        return bool(value) and self._counts.get(value or "", 0) < self._most

    def count(self, place: int, members: int) -> None:
        value = self._values[place] if self._values else None
        if value:
            self._counts[value] = self._counts.get(value, 0) + members


def asked_of(columns: TaskColumns, row: int) -> dict[str, int]:
    """Return what a task asks, by dimension; devices as ``devices``, in thousandths."""
    found = {name: column[row] for name, column in columns.demand.items() if column[row]}
    return {**found, DEVICES: columns.devices[row]} if columns.devices and columns.devices[row] else found


def summed(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of two, by dimension."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def free_at(
    asked: Mapping[str, int], offers: OfferColumns, place: int, endings: Sequence[Ending], now: float
) -> tuple[float | None, dict[str, int]]:
    """Return when there is room for what is asked, None where nobody knows, and what of it will have ended by then."""
    short = {
        name: number - offers.available[name][place]
        for name, number in asked.items()
        if name != DEVICES and number > offers.available[name][place]
    }
    devices = asked.get(DEVICES, 0)
    if devices and missing_devices(offers, place, devices):
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


def missing_devices(offers: OfferColumns, place: int, asked: int) -> int:
    """Return how many thousandths of devices an offer lacks."""
    free = offers.devices.of(place)
    if asked < 1000:
        return max(0, asked - max(free, default=0))
    return max(0, asked - 1000 * sum(one == 1000 for one in free))
