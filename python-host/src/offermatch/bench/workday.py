"""A day of the scheduler on a simulated cluster of which some servers are broken: its tasks, and what is seen of it.

a generated day ──> queues, gangs, large tasks, time limits ──> cycle after cycle ──> who began when, who held what
"""

from __future__ import annotations

import math
import tempfile
from array import array
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING

from offermatch.errors import OffermatchError
from offermatch.matcher import Matcher
from offermatch.model import Group

if TYPE_CHECKING:
    from offermatch.scheduler.cluster.simulated import SimulatedCluster
    from offermatch.scheduler.day.workload import Workload
    from offermatch.scheduler.store import Store
    from offermatch.scheduler.store.records import Reservation
    from offermatch.scheduler.submission import Submission

__all__ = ["LARGE_CORES", "QUEUES", "Seen", "lived", "submissions", "weights"]

QUEUES = {"batch": (1.0, 0.19), "production": (2.0, 0.33), "research": (3.0, 0.48)}
"""The weight of each queue, and its part of the tasks: about its share, so that all come to wait."""
LARGE_CORES = 96
"""What the tasks that need most of a server of 100 or 150 CPUs ask."""

_BROKEN_SECONDS = 5.0
"""How soon a task fails on a broken server."""
_LARGE = 0.01
"""The part of the tasks that is large."""
_GANGS, _LEAST, _MOST = 0.01, 3, 8
"""The part of the tasks that begins a gang, and how many members it has."""
_LIMITED = 0.75
"""The part of the tasks with a time limit, of one to two times what they take."""
_LACKING = 0.05
"""A queue waits where what waits of it is as much as this part of its share: it could have more at once."""


@dataclass
class Seen:
    """What a day was like.

    Attributes:
        starts: When the attempt of each task that was not ended on a broken server began; -1 where none did.
        used: CPU thousandths times seconds on servers that work.
        shares: By cycle in which all queues waited for long enough, what each held.
        promised: For tasks that room is held for, by row: when time limits first said that it would be there.
        held: By row: since when room is held.
        tried: The rows of which an attempt began somewhere.
        late: The rows whose room was not there when it was promised.
        passed: The rows without room while it was held for a later task of their queue.
        attempts: How many launches the cluster took.
        wasted: How many of them came to a broken server.
        left_out: The most broken servers that were left out at a time.
        counts: Tasks by state at the end.
        cycles: How many there were.
        seconds: How long they took here.
    """

    starts: array[float]
    used: float = 0.0
    shares: list[dict[str, float]] = field(default_factory=list)
    promised: dict[int, float] = field(default_factory=dict)
    held: dict[int, float] = field(default_factory=dict)
    tried: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)
    passed: set[int] = field(default_factory=set)
    attempts: int = 0
    wasted: int = 0
    left_out: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    cycles: int = 0
    seconds: float = 0.0


def weights() -> dict[str, float]:
    """Return the part of the cluster that is each queue's when all wait."""
    whole = sum(weight for weight, _ in QUEUES.values())
    return {name: weight / whole for name, (weight, _) in QUEUES.items()}


def submissions(work: Workload, random: Random) -> list[Submission]:
    """Return the tasks in the order of their arrival, which is the order of the workload's rows."""
    from offermatch.scheduler.submission import Submission  # noqa: PLC0415 - needs the extra

    names, parts = list(QUEUES), [part for _, part in QUEUES.values()]
    rows: list[Submission] = []
    left, gang, queue = 0, 0, names[0]
    for row, (name, seconds) in enumerate(zip(work.tasks.names, work.durations, strict=True)):
        group: Group | str | None = None
        if left:
            group, left = f"gang-{gang}", left - 1
        else:
            queue = random.choices(names, parts)[0]
            size = random.randint(_LEAST, _MOST)
            if random.random() < _GANGS and row + size <= len(work.tasks):
                gang, left = row, size - 1
                group = Group(f"gang-{gang}", least=size)
        cores, memory = work.tasks.demand["cpu"][row] // 1000, work.tasks.demand["memory"][row]
        if group is None and random.random() < _LARGE:
            cores, memory = LARGE_CORES, LARGE_CORES * (memory // cores)
        limit = seconds * (1.0 + random.random()) if random.random() < _LIMITED else None
        demand = {"cpu": cores, "memory": memory}
        rows.append(
            Submission(name, demand, payload={"seconds": seconds}, queue=queue, time_limit=limit, group=group, retries=5)
        )
    return rows


def lived(
    work: Workload,
    rows: Sequence[Submission],
    broken: frozenset[str],
    interval: float,
    reserve_after: float,
    progress: Callable[[float], None],
) -> Seen:
    """Return what the scheduler does in the day.

    Args:
        work: The day.
        rows: Its tasks as they are submitted, in the order of their arrival.
        broken: The servers that fail all that comes to them.
        interval: Seconds between two cycles.
        reserve_after: See ``Scheduler``.
        progress: Hears which part of the day is over.

    Raises:
        OffermatchError: What ended a cycle.
    """
    from offermatch.scheduler.loop import Scheduler  # noqa: PLC0415 - needs the extra
    from offermatch.scheduler.queues import Queue  # noqa: PLC0415 - likewise
    from offermatch.scheduler.store import Store  # noqa: PLC0415 - likewise

    seen = Seen(array("d", [-1.0]) * len(rows))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        store = stack.enter_context(Store(f"sqlite:///{Path(folder) / 'tasks.db'}"))
        store.set_queues([Queue(name, weight) for name, (weight, _) in QUEUES.items()], at=0.0)
        cluster = _cluster(work, broken, seen)
        stack.callback(cluster.close)
        scheduler = stack.enter_context(Scheduler(store, cluster, Matcher.load(), reserve_after=reserve_after))
        watch = _Watch(work, rows, store, seen, interval, reserve_after)
        submitted = 0
        while (now := cluster.now()) < work.seconds:
            arrived = submitted
            # A further member of a gang is submitted with its first one.
            while arrived < len(rows) and (work.arrivals[arrived] <= now or isinstance(rows[arrived].group, str)):
                arrived += 1
            if arrived > submitted:
                store.submit(rows[submitted:arrived], at=now)
                watch.submitted(submitted, arrived, now)
                submitted = arrived
            begin = perf_counter()
            cycle = scheduler.cycle()
            seen.seconds += perf_counter() - begin
            seen.cycles += 1
            if cycle.error:
                raise OffermatchError(cycle.error, cycle.message)
            watch.cycle(cycle.shares, now)
            if broken:
                left_out = sum(one.name in broken and one.left_out_until > now for one in store.places())
                seen.left_out = max(seen.left_out, left_out)
            until = min(now + interval, work.seconds)
            while (left := until - cluster.now()) > 0:
                cluster.wait(left)
            progress(until / work.seconds)
        seen.counts = store.counts()
    return seen


class _Watch:
    """Sees, cycle by cycle, who waits and for whom room is held."""

    def __init__(
        self,
        work: Workload,
        rows: Sequence[Submission],
        store: Store,
        seen: Seen,
        interval: float,
        reserve_after: float,
    ) -> None:
        self._rows, self._store, self._seen = rows, store, seen
        self._interval, self._reserve_after = interval, reserve_after
        self._mean = sum(work.durations) / (len(work.durations) or 1)
        self._lacking = {name: _LACKING * part * sum(work.servers.available["cpu"]) for name, part in weights().items()}
        self._submitted: dict[int, float] = {}
        self._before: set[int] = set()
        self._waited_since = math.inf

    def submitted(self, first: int, end: int, now: float) -> None:
        """Hear that tasks were submitted."""
        self._submitted.update(dict.fromkeys(range(first, end), now))

    def cycle(self, shares: Mapping[str, float], now: float) -> None:
        """Look at what a cycle leaves."""
        seen = self._seen
        self._submitted = {row: at for row, at in self._submitted.items() if seen.starts[row] < 0}
        waiting = dict.fromkeys(QUEUES, 0.0)
        for row in self._submitted:
            waiting[self._rows[row].queue] += 1000 * int(self._rows[row].demand["cpu"])
        all_wait = all(waiting[name] >= lacking for name, lacking in self._lacking.items())
        self._waited_since = min(self._waited_since, now) if all_wait else math.inf
        # What ran before all queues waited is theirs until it ends.
        if now - self._waited_since >= self._mean and shares:
            seen.shares.append({name: shares.get(name, 0.0) for name in QUEUES})
        # A store numbers tasks in the order in which they are submitted, from 1.
        self._promises({number - 1: one for number, one in self._store.reservations().items()}, now)

    def _promises(self, reservations: Mapping[int, Reservation], now: float) -> None:
        seen = self._seen
        for row, one in reservations.items():
            if seen.held.get(row) != one.since:
                seen.held[row] = one.since
                seen.promised.pop(row, None)
            if one.until is not None:
                seen.promised.setdefault(row, one.until)
            # What has ended by then is seen by the next cycle.
            if now > seen.promised.get(row, math.inf) + self._interval + 1.0:
                seen.late.add(row)
        new = {self._rows[row].queue: row for row in sorted(reservations) if row not in self._before}
        self._before = set(reservations)
        if new:
            # Of those that were never tried it is known that they have waited since they were submitted.
            seen.passed.update(
                row
                for row, at in self._submitted.items()
                if row < new.get(self._rows[row].queue, -1)
                and row not in reservations
                and row not in seen.tried
                and at <= now - self._reserve_after
            )


def _cluster(work: Workload, broken: frozenset[str], seen: Seen) -> SimulatedCluster:
    """Return a cluster of which some servers fail all that comes to them."""
    from offermatch.scheduler.cluster.abc import Launch, Launched  # noqa: PLC0415 - needs the extra
    from offermatch.scheduler.cluster.simulated import SimulatedCluster  # noqa: PLC0415 - likewise

    rows = {name: row for row, name in enumerate(work.tasks.names)}

    class Day(SimulatedCluster):
        def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
            now = self.now()
            fails = {"seconds": _BROKEN_SECONDS, "fails": "the server is broken"}
            answers = super().launch([one._replace(payload=fails) if one.offer in broken else one for one in launches])
            for one, answer in zip(launches, answers, strict=True):
                if answer.refusal is not None:
                    continue
                seen.attempts += 1
                row = rows[one.task]
                seen.tried.add(row)
                if one.offer in broken:
                    seen.wasted += 1
                    continue
                seen.starts[row] = now
                seen.used += one.demand["cpu"] * min(work.durations[row], work.seconds - now)
            return answers

    return Day(work.servers, clock="virtual")
