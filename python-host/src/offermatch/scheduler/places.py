"""Which places get no tasks: those that an operator has cordoned, and those where one thing after the other goes wrong.

    refusals only, in three cycles that sent something there ─┐
    three different tasks fail there, and none ends well ─────┴──> left out: 10 s, then 20, 40, up to 10 minutes
    that is over, and nothing ended well there yet ──────────────> on trial: room for one task, which no failure costs a
                                                                   retry, and left out when it fails
    a task ends well there ──────────────────────────────────────> counted anew, from 10 s

What one task does anywhere says little of a place, so its own failures count once. Where every place would be left out, none
is: then it is the tasks, or all places alike, and leaving them out serves nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from offermatch.scheduler.store import Store
from offermatch.scheduler.store.places import LONGEST_LEFT_OUT
from offermatch.scheduler.store.records import Place, Processable
from offermatch.tables.offers import OfferColumns
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["Places", "with_trials", "without"]

_LOG = logging.getLogger("offermatch.scheduler")
_ENOUGH = 3
_SHORTEST = 10.0


@dataclass(slots=True)
class _Record:
    """What happened at one place since something last went well there."""

    refusals: int = 0
    failed: set[int] = field(default_factory=set)


class Places:
    """What this scheduler has seen of places; what follows from it is in the store, for all schedulers."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._records: dict[str, _Record] = {}
        self._strikes: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._few = False

    def closed(self, found: Sequence[Place], now: float) -> dict[str, str]:
        """Return the places that get nothing new, each with why."""
        closed = {}
        for place in found:
            self._strikes[place.name], self._until[place.name] = place.strikes, place.left_out_until
            if place.cordoned:
                closed[place.name] = f"{'drained' if place.draining else 'cordoned'}: {place.reason or 'no reason given'}"
            # Further ahead than it can be: the clock was ahead when it was written.
            elif now < place.left_out_until <= now + LONGEST_LEFT_OUT:
                closed[place.name] = f"left out for {place.left_out_until - now:.0f} s more: {place.reason}"
        return closed

    def suspects(self, name: str) -> bool:
        """Return whether a failure there is held against the place: it was left out, and nothing has ended well there since.

        Where as much is true of half of all places, it is the tasks that fail.
        """
        return self._few and bool(self._strikes.get(name))

    def on_trial(self, found: Sequence[Place], now: float, offered: int) -> set[str]:
        """Return the places that were left out, and where nothing has ended well since, of so many that are offered."""
        closed = self.closed(found, now)
        self._few = 2 * sum(bool(place.strikes) for place in found) < offered
        return {place.name for place in found if place.strikes and place.name not in closed}

    def ended(self, store: Store, done: Collection[str], failed: Collection[tuple[str, int]], now: float) -> None:
        """Hear where tasks ended well, and which task failed where."""
        for name in done:
            self._records.pop(name, None)
            if self._strikes.get(name):
                self._strikes[name] = 0
                store.leave_out(name, 0.0, 0, "", now)
        for name, task in failed:
            if name in done:
                continue
            record = self._records.setdefault(name, _Record())
            record.failed.add(task)
            if self._strikes.get(name):
                # What ran there when it was left out says nothing new.
                if now >= self._until[name]:
                    self._leave_out(store, name, "a task failed there again, and none has ended well", now)
            elif len(record.failed) >= _ENOUGH:
                self._leave_out(store, name, f"{len(record.failed)} different tasks failed there, and none ended well", now)

    def launched(self, store: Store, taken: Collection[str], refused: Collection[str], now: float) -> None:
        """Hear which places took launches in a cycle, and which refused some as full or gone."""
        for name in set(taken):
            if name in self._records:
                self._records[name].refusals = 0
        for name in set(refused) - set(taken):
            record = self._records.setdefault(name, _Record())
            record.refusals += 1
            if record.refusals >= _ENOUGH:
                self._leave_out(store, name, f"it refused all it was sent in {record.refusals} cycles", now)

    def _leave_out(self, store: Store, name: str, reason: str, now: float) -> None:
        strikes = self._strikes.get(name, 0) + 1
        seconds = min(LONGEST_LEFT_OUT, _SHORTEST * 2 ** min(strikes - 1, 10))
        self._strikes[name], self._until[name] = strikes, now + seconds
        self._records.pop(name, None)
        store.leave_out(name, now + seconds, strikes, reason, now)
        _LOG.warning("%s is left out for %g s: %s", visible(name, LONGEST_NAME), seconds, reason)


def with_trials(
    found: Processable, offers: OfferColumns, names: Collection[str], cycle: int
) -> tuple[Processable, OfferColumns]:
    """Return tasks and offers such that a place on trial has room for one of the tasks, another one in each cycle.

    A task that has failed lately goes to none of them: its retries are not for trials.
    """
    rows = [row for row, name in enumerate(offers.names) if name in names]
    if not rows or not found.ids:
        return found, offers
    trials = [offers.names[row] for row in rows]
    tried, columns = offers.changeable(), found.columns
    for at, row in enumerate(rows, cycle):
        task = at % len(found.ids)
        for name, column in tried.available.items():
            column[row] = min(column[row], columns.demand[name][task] if name in columns.demand else 0)
        if not (columns.devices and columns.devices[task]):
            tried.devices.set(row, [0] * len(offers.devices.of(row)))
    avoided = {row: [*before, *(name for name in trials if name not in before)] for row, before in found.avoided.items()}
    return replace(found, avoided=avoided), tried


def without(offers: OfferColumns, closed: Collection[str]) -> OfferColumns:
    """Return the offers that are not closed."""
    rows = [row for row, name in enumerate(offers.names) if name not in closed]
    if len(rows) == len(offers):
        return offers
    return replace(offers.picked(rows), left_out=offers.left_out)
