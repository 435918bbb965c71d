"""The loop: one cycle after the other until it is stopped, whatever happens to the store or the cluster meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from offermatch.errors import InputError, MatcherError, OffermatchError, StoreError
from offermatch.fallback.fallback import FallbackMatcher
from offermatch.matcher import BaseMatcher, Matcher
from offermatch.model import Settings
from offermatch.scheduler import stages
from offermatch.scheduler.cluster.abc import Cluster
from offermatch.scheduler.cycle import Cycle, Observer, Stopwatch
from offermatch.scheduler.gangs import incomplete, unserved
from offermatch.scheduler.garbage import fewer_collections
from offermatch.scheduler.launches import Launches
from offermatch.scheduler.order import over_quota, total_capacity
from offermatch.scheduler.places import Places, with_trials, without
from offermatch.scheduler.placing import Placing, waiting_of
from offermatch.scheduler.preemption import left_over, plan_preemption, waiting_for_ends, wanting
from offermatch.scheduler.prepare import Preparation
from offermatch.scheduler.refused import refused_by
from offermatch.scheduler.reports import collect_reports
from offermatch.scheduler.room import Room
from offermatch.scheduler.store import Lease, Store
from offermatch.scheduler.store.records import Place, Processable
from offermatch.tables.offers import OfferColumns

__all__ = ["Scheduler"]

_LOG = logging.getLogger("offermatch.scheduler")
_LONGEST_PAUSE = 10.0
"""Seconds between two tries to reach what is away."""
_SECONDS_SEEN = 10.0
"""Seconds between two sightings of the cluster."""
_SLICE = 0.25
"""Seconds after which a wait looks whether it is to end."""


class Scheduler:
    """Runs cycles on one store and one cluster. A context manager that ends its lease.

    Any number of schedulers may share a store. ``stop`` may be called from any thread and from a signal handler.

    Attributes:
        store: The tasks.
        cluster: Where they go.
        matcher: Who places them.
    """

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        matcher: BaseMatcher | None = None,
        *,
        settings: Settings | None = None,
        interval: float = 1.0,
        lease_seconds: float = 30.0,
        most_tasks: int = 100_000,
        ageing: float = 0.0,
        reserve_after: float = 300.0,
        bound: bool = False,
        concurrency: int = 64,
        stages_at_once: int = 4,
        program: str | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        """Put the parts together; nothing happens yet.

        Args:
            store: The tasks.
            cluster: Where they go.
            matcher: Who places them; the bundled one with the reference matcher as its fallback unless given.
            settings: How to rank offers; shared mode unless given.
            interval: Seconds between the beginnings of two cycles, on the cluster's clock.
            lease_seconds: How long the claims of a scheduler that says nothing any more stay its own.
            most_tasks: How many processable tasks a cycle looks at. Where more are ready and some of those found no offer,
                half of what the next cycle looks at lies behind them.
            ageing: The seconds of waiting that are worth one step of priority within a queue; 0 for none.
            reserve_after: The seconds of waiting after which room is held for a task that finds no offer.
            bound: Whether each cycle says how many tasks any matcher could have placed at most.
            concurrency: How many inputs are fetched at once.
            stages_at_once: How many inputs are staged at once.
            program: The Rust program that stages.
            observers: Who listens.

        Raises:
            MatcherError: The bundled matcher cannot be loaded.
        """
        self.store = store
        self.cluster = cluster
        self.matcher = matcher or FallbackMatcher(Matcher.load())
        self._settings = (settings or Settings("shared")).checked()
        self._interval = interval
        self._bound = bound
        self._lease_seconds = lease_seconds
        self._most_tasks = most_tasks
        self._concurrency = concurrency
        self._stages_at_once = stages_at_once
        self._program = program
        self._observers = list(observers)
        self._placing = Placing(store, cluster, self._settings, ageing=ageing, reserve_after=reserve_after)
        self._behind: Mapping[str, tuple[int, int]] = {}
        self._places = Places()
        self._seen = -_SECONDS_SEEN
        self._cycles = 0
        self._failures = 0
        self._lease: Lease | None = None
        self._stopped = threading.Event()
        self._closed = threading.Event()
        self._heart: threading.Thread | None = None

    def __enter__(self) -> Scheduler:
        """Return the scheduler."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def stop(self) -> None:
        """End the loop, and the cycle under way after its present stage; nothing more is launched."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped."""
        return self._stopped.is_set()

    def close(self) -> None:
        """Stop, and end the lease, so that another scheduler can take over at once."""
        self._stopped.set()
        self._closed.set()
        if self._heart is not None:
            self._heart.join()
        if self._lease is not None:
            try:
                self.store.end(self._lease)
            except StoreError as error:
                _LOG.warning("the lease could not be ended, and runs out in %g s: %s", self._lease_seconds, error)
            self._lease = None

    def run(self, *, cycles: int | None = None, until_idle: bool = False) -> None:
        """Run cycles until stopped. What ends a cycle is told to observers and the log, and tried again.

        Args:
            cycles: End after so many.
            until_idle: End when no task is ready, waiting or running.
        """
        ran = 0
        while not self.stopped and (cycles is None or ran < cycles):
            begin = self._steady()
            cycle = self.cycle()
            ran += 1
            if cycle.error:
                self._pause()
                continue
            self._failures = 0
            if until_idle and not cycle.launched and not self._open_tasks():
                return
            if cycles is None or ran < cycles:
                self._wait(begin + self._interval)

    def cycle(self) -> Cycle:
        """Run one cycle and return its record; an error that ends it stands there, ``unexpected`` where it is a bug."""
        self._cycles += 1
        cycle = Cycle(self._cycles, time.time())
        watch = Stopwatch(cycle, self._observers)
        try:
            cycle.at = self.cluster.now()
            with watch.whole(), fewer_collections():
                try:
                    self._run(cycle, watch)
                except Exception as error:  # noqa: BLE001 - a bug in one cycle must not end those that follow
                    self._end(cycle, error)
        except Exception as error:  # noqa: BLE001 - of an observer, or the cluster's clock
            self._end(cycle, error)
        return cycle

    def _end(self, cycle: Cycle, error: Exception) -> None:
        if isinstance(error, OffermatchError):
            cycle.error, cycle.message = error.code, error.line
            _LOG.error("cycle %d ended: %s: %s", cycle.number, error.code, error.line)
            if error.code == "lease-lost":
                self._lease = None
        else:
            cycle.error, cycle.message = "unexpected", f"{type(error).__name__}: {error}"
            _LOG.error("cycle %d ended: unexpected: %s", cycle.number, cycle.message, exc_info=error)

    def _run(self, cycle: Cycle, watch: Stopwatch) -> None:
        store, cluster = self.store, self.cluster
        lease = self._held()
        known = store.places()
        draining = {place.name for place in known if place.draining}
        with watch.span("collect_reports") as span:
            cycle.ended = collect_reports(store, lease, cluster, self._places, draining)
            span.counts.update({str(state): number for state, number in cycle.ended.items()})
        if self.stopped:
            return
        # What failed just now may have a place left out.
        known = store.places() if cycle.ended else known
        with watch.span("get_resource_offers_from_cluster") as span:
            offered = stages.get_resource_offers_from_cluster(cluster)
            offers = self._open_places(offered, known)
            cycle.offers = span.counts["offers"] = len(offers)
        with watch.span("get_processable_tasks") as span:
            found = stages.get_processable_tasks(store, self._most_tasks, self._behind, cluster.now())
            cycle.queue = span.counts["tasks"] = len(found.ids)
            found = self._askable(found, offered, cycle)
            trials = self._places.on_trial(known, cluster.now(), len(offered))
            found, offers = with_trials(found, offers, trials, self._cycles)

        def see(found: Processable, matched: stages.Matched, room: Room) -> None:
            self._see(offered, cycle, found, matched, room)
            if self._bound:
                cycle.possible = stages.possible(found, offers, self._settings.mode)

        found, matched, room = self._placing.place(self.matcher, found, offered, offers, cycle, watch, see)
        # What nothing can serve must not hide those behind it for ever.
        self._behind = found.last if cycle.placed < cycle.queue else {}
        self._tell_matcher(cycle, matched)
        cycle.refuse("unknown-dimension", matched.unknown_dimension)
        cycle.refuse("no-offer", len(found.ids) - cycle.placed - matched.unknown_dimension)
        if not self.stopped:
            self._preempt(found, matched, room, cycle, watch)
        if self.stopped or not matched.ids:
            return
        launched = Launches(store, lease, cluster, watch, self._stopped)
        with Preparation(
            store,
            cluster,
            found.columns,
            concurrency=self._concurrency,
            stages_at_once=self._stages_at_once,
            program=self._program,
            stopped=self._stopped,
        ) as preparation:
            launched.run(matched, preparation)
        self._places.launched(store, launched.taken, launched.full, cluster.now())

    def _askable(self, found: Processable, offered: OfferColumns, cycle: Cycle) -> Processable:
        """Return the tasks that the matcher can be asked about."""
        refused = unserved(found, self.matcher.description.rules)
        waits = incomplete(found, set(offered.names)).difference(refused)
        if not refused and not waits:
            return found
        cycle.refuse("rule-unserved", len(refused))
        cycle.refuse("gang-incomplete", len(waits))
        return found.picked([row for row in range(len(found.ids)) if row not in refused and row not in waits])

    def _preempt(self, found: Processable, matched: stages.Matched, room: Room, cycle: Cycle, watch: Stopwatch) -> None:
        """Have running tasks end for tasks that matter more, where queues allow it."""
        if len(matched.ids) == len(found.ids) or self._settings.mode != "shared":
            return
        queues, held = self.store.holding()
        if not any(queue.preempts for queue in queues) or not self.matcher.description.preempts:
            return
        with watch.span("preempt_tasks") as span:
            waiting = waiting_for_ends(found, self.store.ending_for())
            over = over_quota(waiting_of(found), {*matched.rows, *waiting}, queues, held, total_capacity(room.offers))
            wants = wanting(found, matched.rows, queues, waiting, over)
            if wants:
                running, left = self.store.running(), without(self._left(found, matched, room), room.held)
                planned = plan_preemption(self.matcher, found, wants, left, self._settings, running)
                cycle.preempted = len(self.store.preempt(planned, self.cluster.now()))
            span.counts["preempted"] = cycle.preempted

    def _left(self, found: Processable, matched: stages.Matched, room: Room) -> OfferColumns:
        """Return what those that were placed leave of what everybody may have."""
        # What runs in held room is taken from that, and not from what others may have.
        count = len(matched.devices)
        left = left_over(room.offers, found.columns, matched.rows[:count], matched.offers[:count], matched.devices)
        return without(left, set(matched.offers)) if self._settings.mode == "exclusive" else left

    def _open_places(self, offered: OfferColumns, known: Sequence[Place]) -> OfferColumns:
        """Return the offers that may have tasks."""
        closed = self._places.closed(known, self.cluster.now())
        found = without(offered, closed)
        if len(offered) and not len(found):
            # All that is left out for its failures is let in again; what is cordoned stays.
            found = without(offered, {place.name for place in known if place.cordoned})
        return found

    def _see(self, offered: OfferColumns, cycle: Cycle, found: Processable, matched: stages.Matched, room: Room) -> None:
        """Keep what there was when tasks found no offer, now and then, for whoever asks why, and count what refused them.

        It is kept, too, while a quota is on a dimension that no offer has.
        """
        waits = cycle.placed < cycle.queue
        if not waits:
            cycle.unplaced = {}
        if not (waits or cycle.unknown_quotas) or time.monotonic() < self._seen + _SECONDS_SEEN:
            return
        self._seen = time.monotonic()
        self.store.see(offered, self.cluster.now(), self.matcher.description)
        if waits:
            rows = sorted(set(range(len(found.ids))).difference(matched.rows))
            try:
                cycle.unplaced = refused_by(self.matcher, found, rows, self._left(found, matched, room), self._settings)
            except (InputError, MatcherError) as error:
                _LOG.warning("nobody can say what refuses tasks: %s: %s", error.code, error.line)

    def _tell_matcher(self, cycle: Cycle, matched: stages.Matched) -> None:
        answer = matched.answer
        if answer is None or answer.matcher is None:
            return
        cycle.matcher = f"{answer.matcher.name} {answer.matcher.version}"
        cycle.digest = answer.matcher_digest
        reason = answer.fallback_reason
        if reason is not None:
            cycle.fallback = reason.code if isinstance(reason, OffermatchError) else type(reason).__name__

    def _held(self) -> Lease:
        if self._lease is None:
            self._lease = self.store.lease(self._lease_seconds)
        if self._heart is None:
            self._heart = threading.Thread(target=self._beat, name="offermatch-lease", daemon=True)
            self._heart.start()
        return self._lease

    def _beat(self) -> None:
        """Renew the lease while a stage takes long."""
        while not self._closed.wait(self._lease_seconds / 3):
            lease = self._lease
            if lease is not None and not lease.held(0.5):
                try:
                    self.store.renew(lease)
                except OffermatchError as error:
                    # A launch looks at the lease itself; here there is only another try.
                    _LOG.warning("the lease could not be renewed: %s", error)
                except Exception:  # noqa: BLE001 - the next try may do better
                    _LOG.exception("the lease could not be renewed")

    def _open_tasks(self) -> int:
        try:
            counts = self.store.counts()
        except StoreError:
            return 1
        return sum(counts.get(state, 0) for state in ("pending", "ready", "claimed", "running"))

    def _pause(self) -> None:
        self._stopped.wait(min(_LONGEST_PAUSE, 0.1 * 2**self._failures))
        self._failures = min(self._failures + 1, 10)

    def _steady(self) -> float:
        try:
            return self.cluster.steady()
        except Exception:  # noqa: BLE001 - the cycle that follows says what is wrong with the cluster
            return 0.0

    def _wait(self, until: float) -> None:
        try:
            while not self.stopped and (left := until - self.cluster.steady()) > 0:
                self.cluster.wait(min(left, _SLICE))
        except Exception:  # noqa: BLE001 - the next cycle says what is wrong with it
            _LOG.exception("the cluster cannot wait")
            self._pause()
