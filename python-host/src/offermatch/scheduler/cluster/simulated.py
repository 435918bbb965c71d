"""A cluster in memory: tasks take time, fail, and lose their server when told to, in virtual or in real time.

What is free is counted exactly, so a launch beyond it is refused as a real cluster would refuse it. In virtual time
``wait`` jumps to the next event, and a day takes as long as its launches take to count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from threading import Condition
from typing import Any, Literal

from offermatch.errors import ClusterError, InputError
from offermatch.formats.files import read_offers
from offermatch.model import Offer
from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Outcome, Report
from offermatch.scheduler.cluster.adapters import Access
from offermatch.scheduler.cluster.servers import Server, Taken, malformed, offers_of, servers_of
from offermatch.scheduler.cluster.settled import KEPT_SECONDS, Settled
from offermatch.tables.offers import OfferColumns
from offermatch.tables.remarks import refuse_unknown_units

__all__ = ["Clock", "SimulatedCluster", "connect", "talk_servers"]

Clock = Literal["virtual", "real"]
"""Whether time passes when ``wait`` is called, or by itself."""

_GIB = 2**30


def talk_servers() -> list[Offer]:
    """Return the servers of the talk's cluster: 2,000 with 250,000 CPUs and 1.2 PiB of memory in all."""
    small, large = {"cpu": 100, "memory": 503 * _GIB}, {"cpu": 150, "memory": 755 * _GIB}
    return [Offer(f"server-{row}", small if row % 2 else large) for row in range(2000)]


@dataclass(slots=True)
class _Run:
    """One launch that was taken, or a key that was cancelled before it came: that has no server."""

    server: Server | None
    taken: Taken
    ends_as: Outcome
    ends_because: str
    sent_at: float = 0.0
    settled: bool = False
    outcome: Outcome = "running"
    reason: str = ""
    finished_at: float | None = None


class SimulatedCluster(Cluster):
    """Servers that exist in this process only.

    A payload may say ``{"seconds": 2.5}``, how long its task takes, and ``{"fails": "why"}``, that it then fails; the
    cluster's own settings say it for the others.
    """

    name = "simulated"

    def __init__(
        self,
        servers: Sequence[Offer] | OfferColumns,
        *,
        clock: Clock = "virtual",
        start: float | None = None,
        seconds: float | Callable[[Random], float] = 60.0,
        failure_rate: float = 0.0,
        losses_per_day: float = 0.0,
        repair_seconds: float = 3600.0,
        inputs: Mapping[str, Any] | None = None,
        fetch_seconds: float = 0.0,
        kept_seconds: float = KEPT_SECONDS,
        seed: int = 1,
    ) -> None:
        """Start with all of what the servers offer free.

        Args:
            servers: What there is; ``talk_servers()``, a sample's offers, a file's.
            clock: ``virtual`` or ``real``.
            start: What the clock shows at the start, in seconds since the epoch: 0 where virtual, and now where real,
                unless given.
            seconds: How long a task takes whose payload does not say: a number, or what draws one.
            failure_rate: The chance that a task fails, at some moment of its time; 0 to 1.
            losses_per_day: How many servers of the cluster are lost in a day, on average.
            repair_seconds: How long a server that was lost by chance stays away.
            inputs: What ``fetch`` finds, by name; every name, with itself as the value, unless given.
            fetch_seconds: How long one input takes to fetch, in real time.
            kept_seconds: How long a launch is remembered at least; longer until ``forget`` names it.
            seed: Where chance starts. The same calls at the same times have the same fate.

        Raises:
            InputError: An offer that cannot be used, or ``setting-malformed``.
        """
        for name, value in (("losses_per_day", losses_per_day), ("repair_seconds", repair_seconds)):
            _check(name, value)
        _check("fetch_seconds", fetch_seconds)
        _check("failure_rate", failure_rate, 1.0)
        self._servers = {server.name: server for server in servers_of(servers)}
        self._down: set[str] = set()
        self._runs: dict[str, _Run] = {}
        self._settled = Settled(kept_seconds)
        # Keys by server, in the order of their launch, so that losing a server costs what runs on it.
        self._running: dict[str, dict[str, None]] = {name: {} for name in self._servers}
        self._virtual = clock == "virtual"
        self._clock = start if start is not None else (0.0 if self._virtual else time.time())
        self._started = time.monotonic()
        self._seconds = seconds
        self._failure_rate = failure_rate
        self._loss_interval = 86400.0 / losses_per_day if losses_per_day else math.inf
        self._repair_seconds = repair_seconds
        self._inputs = inputs
        self._fetch_seconds = fetch_seconds
        self._random = Random(seed)  # noqa: S311 - chance that can be repeated, not a secret
        self._order = count()
        # When, in which order, and what: the key of the launch that ends, or what is to be done.
        self._events: list[tuple[float, int, str | Callable[[float], bool]]] = []
        self._happened = 0
        self._closed = False
        self._changed = Condition()
        if losses_per_day:
            self._expect_loss(self._clock)

    def offers(self) -> OfferColumns:
        """Return what is free on every server that is up."""
        with self._changed:
            self._settle()
            if not self._down:
                return offers_of(list(self._servers.values()))
            return offers_of([server for name, server in self._servers.items() if name not in self._down])

    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return what there is, each after ``fetch_seconds`` of real time."""
        self._check_open()
        if not self._fetch_seconds:
            return [self._found(name) for name in inputs]

        # As many as may be fetched at once come at once, and all are given back together.
        time.sleep(-(-len(inputs) // max(1, concurrency)) * self._fetch_seconds)
        return [self._found(name) for name in inputs]

    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Start tasks where there is room for them."""
        with self._changed:
            now = self._settle()
            answers = [self._launch(launch, now) for launch in launches]
            self._changed.notify_all()
        return answers

    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return where each of these launches stands."""
        with self._changed:
            self._settle()
            runs = self._runs
            answers = []
            for key in keys:
                run = runs.get(key)
                answers.append(
                    Report(key, "unknown") if run is None else Report(key, run.outcome, run.reason, run.finished_at)
                )
            return answers

    def cancel(self, keys: Sequence[str]) -> None:
        """End these launches as failed; those that have not come yet, too."""
        with self._changed:
            now = self._settle()
            for key in keys:
                if key not in self._runs:
                    self._runs[key] = _Run(None, Taken({}), "failed", "cancelled")
                self._end(key, "failed", "cancelled", now)

    def forget(self, keys: Sequence[str]) -> None:
        """Forget these keys once they are old enough."""
        with self._changed:
            now = self._settle()
            for key in keys:
                run = self._runs.get(key)
                if run is not None and run.outcome != "running" and not run.settled:
                    run.settled = True
                    self._settled.add(key, run.sent_at)
            for key in self._settled.due(now):
                del self._runs[key]

    def now(self) -> float:
        """Return the cluster's clock."""
        return self._clock if self._virtual else self._clock + (time.monotonic() - self._started)

    def steady(self) -> float:
        """Return the cluster's clock, which goes on by itself."""
        return self.now()

    def wait(self, seconds: float) -> None:
        """Let so much time pass, or less where a task ends, or a server comes or goes, before."""
        with self._changed:
            before = self._happened
            deadline = self._settle() + max(0.0, seconds)
            while self._happened == before and self.now() < deadline:
                until = min(deadline, self._events[0][0]) if self._events else deadline
                if self._virtual:
                    self._clock = max(self._clock, until)
                else:
                    self._changed.wait(until - self.now())
                self._settle()

    def close(self) -> None:
        """Take no more calls."""
        self._closed = True

    # ---- on demand -----------------------------------------------------------------------------------------------

    def finish(self, key: str) -> None:
        """End a launch well, now; one that has ended, or is unknown, stays as it is."""
        with self._changed:
            self._happens(self._end(key, "done", "", self._settle()))

    def fail(self, key: str, reason: str = "told to fail") -> None:
        """End a launch as failed, now; one that has ended, or is unknown, stays as it is."""
        with self._changed:
            self._happens(self._end(key, "failed", reason, self._settle()))

    def lose(self, server: str) -> None:
        """Take a server away, now, and with it what runs there.

        Raises:
            ClusterError: ``server-unknown``.
        """
        with self._changed:
            self._server(server)
            self._happens(self._lose(server, self._settle()))

    def restore(self, server: str) -> None:
        """Bring a server back, now, empty.

        Raises:
            ClusterError: ``server-unknown``.
        """
        with self._changed:
            self._server(server)
            self._settle()
            self._happens(self._restore(server))

    # ---- within ``_changed`` -------------------------------------------------------------------------------------

    def _launch(self, launch: Launch, now: float) -> Launched:
        key, _, offer, _, _, _, payload, sent_at = launch
        if key in self._runs:
            return Launched(key)
        late = self._settled.late(launch)
        if late:
            return Launched(key, "launch-late", late)
        wrong = malformed(launch)
        seconds, fails = payload.get("seconds"), payload.get("fails", "")
        if seconds is None:
            seconds = self._seconds(self._random) if callable(self._seconds) else self._seconds
        if wrong or type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
            return Launched(key, "payload-refused", wrong or f"seconds is {seconds!r}, which is no time, 0 or more")
        server = self._servers.get(offer)
        if server is None or offer in self._down:
            return Launched(key, "offer-gone", f"{offer} " + ("does not exist" if server is None else "is lost"))
        short = server.shortage(launch)
        if short:
            return Launched(key, "offer-full", f"{offer}: {short}")
        outcome: Outcome = "failed" if fails else "done"
        reason = str(fails) if fails else ""
        if self._failure_rate and self._random.random() < self._failure_rate:
            seconds, outcome, reason = seconds * self._random.random(), "failed", "failed by chance"
        self._runs[key] = _Run(server, server.take(launch), outcome, reason, sent_at)
        self._running[offer][key] = None
        heappush(self._events, (now + seconds, next(self._order), key))
        return Launched(key)

    def _end(self, key: str, outcome: Outcome, reason: str, when: float) -> bool:
        run = self._runs.get(key)
        if run is None or run.outcome != "running":
            return False
        run.outcome, run.reason, run.finished_at = outcome, reason, when
        if run.server is not None:
            run.server.give_back(run.taken)
            del self._running[run.server.name][key]
        return True

    def _lose(self, server: str, when: float) -> bool:
        if server in self._down:
            return False
        for key in list(self._running[server]):
            self._end(key, "lost", f"{server} was lost", when)
        self._down.add(server)
        return True

    def _restore(self, server: str) -> bool:
        there = server in self._down
        self._down.discard(server)
        return there

    def _expect_loss(self, now: float) -> None:
        def lose(when: float) -> bool:
            up = [name for name in self._servers if name not in self._down]
            lost = self._random.choice(up) if up else ""
            if lost:
                self._lose(lost, when)
                self._expect(when + self._repair_seconds, lambda _: self._restore(lost))
            self._expect_loss(when)
            return bool(lost)

        self._expect(now + self._random.expovariate(1.0) * self._loss_interval, lose)

    def _expect(self, at: float, event: str | Callable[[float], bool]) -> None:
        heappush(self._events, (at, next(self._order), event))

    def _happens(self, something: bool) -> None:
        self._happened += something
        self._changed.notify_all()

    def _settle(self) -> float:
        """Let everything happen whose time has come, and return the time."""
        self._check_open()
        now = self.now()
        while self._events and self._events[0][0] <= now:
            at, _, event = heappop(self._events)
            if isinstance(event, str):
                run = self._runs.get(event)
                # One that ended before its time may be forgotten by now.
                self._happened += run is not None and self._end(event, run.ends_as, run.ends_because, at)
            else:
                self._happened += event(at)
        return now

    def _check_open(self) -> None:
        if self._closed:
            raise ClusterError("cluster-closed", "the simulated cluster was closed", "open another one")

    def _found(self, name: str) -> Fetched:
        if self._inputs is None:
            return Fetched(name, name)
        return Fetched(name, self._inputs[name]) if name in self._inputs else Fetched(name, None, "there is no such input")

    def _server(self, name: str) -> Server:
        if name not in self._servers:
            raise ClusterError("server-unknown", f"there is no server {name!r}", "name one of the cluster's servers")
        return self._servers[name]


def _check(name: str, value: float, most: float = math.inf) -> None:
    if not 0 <= value <= most or value == math.inf:
        hint = "give a number from 0" + (f" to {most:g}" if most < math.inf else "")
        raise InputError("setting-malformed", f"{value!r} is out of range", hint, name)


def connect(text: str, access: Access) -> SimulatedCluster:
    """Return the cluster of ``simulated`` or ``simulated:OFFERS-FILE``, in real time."""
    access.unused(text)
    path = text.partition(":")[2]
    if not path:
        return SimulatedCluster(talk_servers(), clock="real")
    offers = read_offers(Path(path))
    refuse_unknown_units(offers.available, offers)
    return SimulatedCluster(offers, clock="real")
