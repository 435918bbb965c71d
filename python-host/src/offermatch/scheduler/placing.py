"""Which of the ready tasks begin where: their order, the room that is held, and the matcher's answer.

    order_tasks ──> room that is held ──> match_tasks_to_offers ──> several queues, and tasks that were overtaken?
         ^                                                                          │ twice at most
         └───────────────── their queues are not charged with them <────────────────┘

An order cannot know for which tasks there is no room beside the others. Charged with such tasks, a queue would seem to have
its share without anything of it begun, and one whose tasks are small would get more than its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping

from offermatch.matcher import BaseMatcher
from offermatch.model import Settings
from offermatch.scheduler import stages
from offermatch.scheduler.cluster.abc import Cluster
from offermatch.scheduler.cycle import Cycle, Stopwatch
from offermatch.scheduler.order import Ordered, Waiting, largest_free, order_tasks, total_capacity
from offermatch.scheduler.queues import Queue, parts_of, unknown_quotas
from offermatch.scheduler.room import Room, hold_room
from offermatch.scheduler.store import Store
from offermatch.scheduler.store.records import Processable, Reservation
from offermatch.tables.offers import OfferColumns
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["Placing", "waiting_of"]

_LOG = logging.getLogger("offermatch.scheduler")
_ROUNDS = 3
"""How often a cycle asks the matcher at most."""


class Placing:
    """Places tasks, cycle after cycle, and knows which of them were overtaken in the last one."""

    def __init__(
        self, store: Store, cluster: Cluster, settings: Settings, *, ageing: float = 0.0, reserve_after: float = 300.0
    ) -> None:
        """Start with nobody overtaken; the arguments are those of ``Scheduler``."""
        self._store, self._cluster, self._settings = store, cluster, settings
        self._ageing, self._reserve_after = ageing, reserve_after
        self._overtaken: set[int] = set()
        self._told: set[tuple[str, str]] = set()

    def place(
        self,
        matcher: BaseMatcher,
        found: Processable,
        offered: OfferColumns,
        offers: OfferColumns,
        cycle: Cycle,
        watch: Stopwatch,
        see: Callable[[Processable, stages.Matched, Room], None],
    ) -> tuple[Processable, stages.Matched, Room]:
        """Return the tasks in their order, which of them are placed where, and what is held.

        Args:
            matcher: Who decides.
            found: The ready tasks.
            offered: All that the cluster offers.
            offers: What of that may have tasks.
            cycle: The record, which hears what was counted.
            watch: Times the stages.
            see: Looks, before the last stage ends, at what is returned.

        Raises:
            StoreError: The store.
            MatcherError: The matcher.
        """
        store, cluster = self._store, self._cluster
        queues, running = store.holding()
        self._tell_unknown(cycle, queues, offered)
        before = store.reservations()
        room, reserved = Room(offers), set(before)
        stuck: set[int] = set()
        idle = store.idle() if stages.asking_nothing(found.columns) else None
        for turn in range(_ROUNDS):
            ordered = self._ordered(found, queues, running, offered, offers, reserved, stuck, watch)
            asked = found.picked(ordered.rows)
            with watch.span("match_tasks_to_offers") as span:
                if turn == 0:
                    room = self._room(asked, offers, before, queues)
                    reserved = set(room.reservations)
                now = cluster.now()
                matched = stages.match_tasks_to_offers(matcher, asked, offers, self._settings, room, now, offered, idle)
                more = stages.overtaken(asked, matched)
                last = turn == _ROUNDS - 1 or not matched.ids or not ordered.shares or more <= stuck
                # Counts of all turns are added up.
                span.counts["placed"] = len(matched.ids) if last else 0
                if last:
                    cycle.shares = ordered.shares
                    cycle.refuse("over-quota", len(ordered.over_quota))
                    cycle.placed = len(matched.ids)
                    cycle.reserved, cycle.backfilled = len(room.reservations), matched.backfilled
                    cycle.utilisation = matched.utilisation
                    see(asked, matched, room)
                    break
            stuck |= more
        self._overtaken = more
        return asked, matched, room

    def _tell_unknown(self, cycle: Cycle, queues: list[Queue], offered: OfferColumns) -> None:
        """Say once of each quota on a dimension that no offer has that it limits nothing."""
        if not len(offered):
            return
        cycle.unknown_quotas = unknown_quotas(queues, offered.available)
        for one in cycle.unknown_quotas:
            if one not in self._told:
                self._told.add(one)
                queue, dimension = (visible(name, LONGEST_NAME) for name in one)
                _LOG.warning("the quota of the queue %s limits nothing: no offer has the dimension %s", queue, dimension)

    def _ordered(
        self,
        found: Processable,
        queues: list[Queue],
        running: Mapping[str, Mapping[str, int]],
        offered: OfferColumns,
        offers: OfferColumns,
        reserved: Collection[int],
        stuck: Collection[int],
        watch: Stopwatch,
    ) -> Ordered:
        with watch.span("order_tasks") as span:
            ordered = order_tasks(
                waiting_of(found),
                queues,
                running,
                total_capacity(offered),
                largest_free(offers),
                held=[row for row, number in enumerate(found.ids) if number in reserved] if reserved else (),
                stuck={row for row, number in enumerate(found.ids) if number in stuck} if stuck else (),
                ageing=self._ageing,
                kept_after=self._reserve_after,
                now=self._cluster.now(),
            )
            if not stuck:
                span.counts.update({"tasks": len(ordered.rows), "over-quota": len(ordered.over_quota)})
        return ordered

    def _room(
        self, found: Processable, offers: OfferColumns, before: Mapping[int, Reservation], queues: list[Queue]
    ) -> Room:
        """Return what is held for tasks that have waited too long."""
        now = self._cluster.now()
        # A task that nobody behind it has overtaken only waits for its turn, unless it is the first of all.
        late = now - self._reserve_after
        without = [row for row, since in enumerate(found.since) if since <= late and found.ids[row] in self._overtaken]
        if not without and not before:
            return Room(offers)
        room = hold_room(found, offers, before, without, self._store.endings(), now, parts_of(queues))
        if room.reservations != before:
            self._store.reserve(room.reservations, before)
        return room


def waiting_of(found: Processable) -> Waiting:
    """Return ready tasks as the order takes them."""
    needed = {number: group.needed for number, group in found.groups.items() if group.needed}
    return Waiting(found.columns, found.ids, found.queues, found.priorities, found.since, found.group_of, needed)
