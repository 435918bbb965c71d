"""What the Dask scheduler remembers of our launches: who holds what, and how each ended.

It lives in the Dask scheduler, because that is what outlives both the workers and whoever launches. Every decision is made
on its event loop, one after the other: whether a key is new, whether there is room, and, asked by the worker just before a
task begins, whether it may begin. So a key begins at most once, whatever Dask sends again and to whom.

    take ──> reserved ──(the worker asks: begin)──> begun ──> done | failed | lost
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distributed import Scheduler
from distributed.core import Status
from distributed.diagnostics.plugin import SchedulerPlugin

from offermatch.quantity import MAXIMUM, unit_of
from offermatch.scheduler.cluster.abc import Launch, Launched, Outcome, Report
from offermatch.scheduler.cluster.servers import Server, Taken, malformed
from offermatch.scheduler.cluster.settled import KEPT_SECONDS, Settled
from offermatch.tables.devices import WHOLLY_FREE

__all__ = ["NAME", "ForgottenError", "Ledger", "ledger_call"]

NAME = "offermatch"
"""The plugin's name at the scheduler."""

_SECONDS_TO_SEND = 60.0
_MOST_DEVICES = 1024
_MEASURE = "measure."
"""What the name of a resource begins with that is a measure, as that of a column of CSV does."""
_UNLIMITED = 2**50
"""What stands for the memory of a worker that has no limit: more than any server has."""


@dataclass(slots=True)
class _Run:
    """One launch that was taken, or a key that was cancelled before it came: that has no worker."""

    report: Report
    worker: str = ""
    client: str = ""
    taken: Taken = field(default_factory=lambda: Taken({}))
    taken_at: float = field(default_factory=time.monotonic)
    sent_at: float = 0.0
    begun: bool = False
    cancelled: bool = False
    settled: bool = False


class Ledger(SchedulerPlugin):
    """The plugin. It is registered once, by whoever launches first."""

    name = NAME
    idempotent = True

    def __init__(self, kept_seconds: float = KEPT_SECONDS) -> None:
        """Remember nothing yet, and later each launch for so long at least."""
        self._runs: dict[str, _Run] = {}
        self._settled = Settled(kept_seconds)
        self._servers: dict[str, Server] = {}
        self._keys: dict[str, dict[str, None]] = {}
        self._declared: dict[str, Any] = {}
        self._odd: dict[str, str] = {}
        self._scheduler: Any = None

    async def start(self, scheduler: Scheduler) -> None:
        """Take the workers there are, and the workers' questions."""
        self._scheduler = scheduler
        for address in scheduler.workers:
            self.add_worker(scheduler, address)
        scheduler.handlers["offermatch_begin"] = self.begin
        scheduler.handlers["offermatch_end"] = self.end

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        """A worker has come: a new server, with nothing running."""
        self._keys[worker] = {}
        self._declare(worker, scheduler.workers[worker])

    def remove_worker(self, scheduler: Scheduler, worker: str, *, stimulus_id: str = "", **kwargs: Any) -> None:
        """A worker is gone, and what it ran is lost."""
        del stimulus_id, kwargs
        server = self._servers.pop(worker, None)
        self._declared.pop(worker, None)
        self._odd.pop(worker, None)
        for key in self._keys.pop(worker, {}):
            run = self._runs[key]
            name = server.name if server is not None else worker
            run.report = Report(key, "lost", f"the worker {name} is gone", time.time())
            # Dask would wait for a worker of this address and run it there; ours is a new attempt, with a new key.
            self._forget(scheduler, key)

    def update_graph(self, scheduler: Scheduler, *, keys: set[Any], **kwargs: Any) -> None:
        """Launches have arrived: from here on the ledger wants them, whatever becomes of who sent them."""
        del kwargs
        ours = [key for key in keys if key in self._runs and self._runs[key].report.outcome == "running"]
        scheduler.client_desires_keys(ours, NAME)

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        """Write down what a task cannot say itself: that Dask could not run it, or let go of it before it began."""
        del start, args, kwargs
        run = self._runs.get(key) if finish in ("erred", "memory", "forgotten") else None
        if run is None:
            return
        if finish != "forgotten":
            # Not now: the scheduler is between two states.
            asyncio.get_running_loop().call_soon(self._forget, self._scheduler, key)
        if run.report.outcome != "running":
            return
        if finish == "erred":
            self._close(run, "failed", str(self._scheduler.tasks[key].exception_text), time.time())
        elif not run.begun:
            self._close(run, "lost", "Dask let go of it before it began", time.time())

    def _declare(self, address: str, state: Any) -> None:
        """Take what a worker declares; one that declares what no server can have makes no offer, and is named."""
        self._declared[address] = declared = (state.nthreads, state.memory_limit, dict(state.resources))
        self._servers.pop(address, None)
        self._odd.pop(address, None)
        name = str(state.name)
        if any(server.name == name for server in self._servers.values()):
            # Dask tells the worker 0 and the worker "0" apart; offers have names alone.
            name = f"{name} at {address}"
        try:
            server = self._servers[address] = _server(name, state.host, *declared)
        except ValueError as error:
            self._odd[address] = str(error)
            return
        for key in self._keys[address]:
            for dimension, asked in self._runs[key].taken.demand.items():
                server.free[dimension] = server.free.get(dimension, 0) - asked
            for number, thousandths in self._runs[key].taken.devices:
                if number < len(server.devices):
                    server.devices[number] -= thousandths

    # ---- asked by workers ----------------------------------------------------------------------------------------

    def begin(self, key: str, worker: str) -> bool:
        """Return whether the task may begin on this worker: once, and only if it is still wanted there."""
        run = self._runs.get(key)
        if run is None or run.begun or run.worker != worker or run.report.outcome != "running":
            return False
        run.begun = True
        return True

    def end(self, key: str, worker: str, outcome: Outcome, reason: str, at: float) -> None:
        """Write down how a task ended."""
        run = self._runs.get(key)
        if run is not None and run.worker == worker and run.report.outcome == "running":
            if run.cancelled and outcome == "failed":
                reason = f"cancelled; {reason}" if reason != "cancelled" else reason
            self._close(run, outcome, reason, at)

    # ---- asked by whoever launches -------------------------------------------------------------------------------

    def servers(self) -> list[Server]:
        """Return every worker that can be used and takes tasks, with what is free."""
        self._sweep()
        # A worker may be told of other resources while it lives.
        for address, state in self._scheduler.workers.items():
            if self._declared.get(address) != (state.nthreads, state.memory_limit, dict(state.resources)):
                self._declare(address, state)
        return [server for address, server in self._servers.items() if not self._shut(address)]

    def odd(self) -> dict[str, str]:
        """Return why which worker, by its address, makes no offer."""
        shut = {address: reason for address in self._servers if (reason := self._shut(address))}
        return {**shut, **self._odd}

    def take(self, launches: Sequence[Launch], client: str) -> list[tuple[Launched, str]]:
        """Return what becomes of each launch, and the worker it is to be sent to; no worker where nothing is to be sent."""
        self._sweep()
        addresses = {server.name: address for address, server in self._servers.items() if not self._shut(address)}
        return [self._take(launch, addresses.get(launch.offer), client) for launch in launches]

    def reports(self, keys: Sequence[str]) -> list[Report]:
        """Return where each launch stands."""
        self._sweep()
        return [self._runs[key].report if key in self._runs else Report(key, "unknown") for key in keys]

    def cancel(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Settle what has not begun, and return what has, by worker: that is for the worker to end."""
        begun: dict[str, list[str]] = {}
        now = time.time()
        for key in keys:
            run = self._runs.get(key)
            if run is None:
                self._runs[key] = _Run(Report(key, "failed", "cancelled", now))
            elif run.report.outcome == "running":
                run.cancelled = True
                if run.begun:
                    begun.setdefault(run.worker, []).append(key)
                else:
                    self._close(run, "failed", "cancelled", now)
                    self._forget(self._scheduler, key)
        return begun

    def forget(self, keys: Sequence[str]) -> None:
        """Forget these keys once they are old enough."""
        for key in keys:
            run = self._runs.get(key)
            if run is not None and run.report.outcome != "running" and not run.settled:
                run.settled = True
                self._settled.add(key, run.sent_at)
        for key in self._settled.due(time.time()):
            del self._runs[key]
            # Its worker may have told that it ended and Dask not yet: that then finds no run whose task is to be let go.
            self._forget(self._scheduler, key)

    def give_up(self, key: str) -> None:
        """Forget a key that was taken and cannot be sent."""
        run = self._runs.get(key)
        if run is not None and not run.begun and run.report.outcome == "running":
            self._close(run, "lost", "", 0.0)
            del self._runs[key]

    def _take(self, launch: Launch, address: str | None, client: str) -> tuple[Launched, str]:
        key = launch.key
        if key in self._runs:
            return Launched(key), ""
        late = self._settled.late(launch)
        if late:
            return Launched(key, "launch-late", late), ""
        wrong = malformed(launch)
        if wrong:
            return Launched(key, "payload-refused", wrong), ""
        if address is None:
            return Launched(key, "offer-gone", f"there is no worker {launch.offer}"), ""
        server = self._servers[address]
        short = server.shortage(launch)
        if short:
            return Launched(key, "offer-full", f"{launch.offer}: {short}"), ""
        self._runs[key] = _Run(Report(key, "running"), address, client, server.take(launch), sent_at=launch.sent_at)
        self._keys[address][key] = None
        return Launched(key), address

    def _shut(self, address: str) -> str:
        """Return why a worker takes no new tasks; empty where it does. What runs there goes on."""
        status = self._scheduler.workers[address].status
        if status is Status.running:
            return ""
        # A launch for a worker that is being retired, as an adaptive cluster does it, would wait there until it is gone.
        return "it is paused, as its memory is nearly full" if status is Status.paused else f"it is {status.name}"

    def _close(self, run: _Run, outcome: Outcome, reason: str, at: float) -> None:
        run.report = Report(run.report.key, outcome, reason, at)
        if run.worker in self._servers:
            self._servers[run.worker].give_back(run.taken)
            del self._keys[run.worker][run.report.key]

    def _sweep(self) -> None:
        """Give up what was taken and not sent: whoever took it is gone, or has had the time. It cannot begin after that."""
        clients, tasks = self._scheduler.clients, self._scheduler.tasks
        late = time.monotonic() - _SECONDS_TO_SEND
        waiting = [self._runs[key] for keys in self._keys.values() for key in keys if key not in tasks]
        for run in [run for run in waiting if not run.begun and (run.client not in clients or run.taken_at < late)]:
            self._close(run, "lost", "whoever launched it did not come to send it", time.time())

    @staticmethod
    def _forget(scheduler: Scheduler, key: str) -> None:
        state = scheduler.tasks.get(key)
        for client in list(state.who_wants or ()) if state is not None else ():
            scheduler.client_releases_keys([key], client.client_key)


class ForgottenError(Exception):
    """The Dask scheduler has no ledger."""


def ledger_call(method: str, *args: Any, dask_scheduler: Any = None) -> Any:
    """Call a method of the ledger, on the Dask scheduler; for ``Client.run_on_scheduler``.

    Raises:
        ForgottenError: It is not the Dask scheduler where the ledger was registered.
    """
    ledger = dask_scheduler.plugins.get(NAME)
    if ledger is None:
        raise ForgottenError("it was started anew, and has forgotten what it ran")
    return getattr(ledger, method)(*args)


def _server(name: str, host: str, threads: int, memory: int | None, resources: Mapping[str, float]) -> Server:
    """Return a worker as a server: its threads are cores, and what it declares besides is what it declares.

    Raises:
        ValueError: It declares what no server can have.
    """
    if memory is not None and not 0 <= memory <= MAXIMUM:
        raise ValueError(f"its limit of memory is {memory!r}, which is no amount from 0 to {MAXIMUM}")
    free = {"cpu": 1000 * threads, "memory": int(memory or _UNLIMITED)}
    devices: list[int] = []
    measures: dict[str, float] = {}
    for resource, amount in resources.items():
        if resource.startswith(_MEASURE):
            measure = resource.removeprefix(_MEASURE)
            if not measure or not math.isfinite(amount):
                raise ValueError(f"it declares {amount!r} of {resource}, which is no number of a measure with a name")
            measures[measure] = float(amount)
            continue
        most = _MOST_DEVICES if resource.upper() == "GPU" else MAXIMUM // unit_of(resource).bare
        if not 0 <= amount <= most:
            raise ValueError(f"it declares {amount!r} of {resource}, which is no amount from 0 to {most}")
        if resource.upper() == "GPU":
            whole = math.floor(amount)
            # A part of a device is offered as its thousandths.
            part = math.floor(WHOLLY_FREE * (amount - whole))
            devices = [WHOLLY_FREE] * whole + ([part] if part else [])
        else:
            free[resource] = math.floor(amount * unit_of(resource).bare)
    return Server(name, free, attributes={"host": host}, devices=devices, measures=measures)
