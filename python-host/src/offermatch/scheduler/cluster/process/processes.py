"""This machine as a cluster of one server: launches are real processes under limits. What ``offermatch agent`` serves.

    launch ──> journal (fsynced) ──> supervisor process ──> command
    restart ──> journal ──> outcome written? ended so.  lock held? adopted.  neither? lost.

A key stands in the journal before anything starts, so no crash makes it start twice. Linux only.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from offermatch import machine
from offermatch.errors import ClusterError, InputError
from offermatch.model import Offer
from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Output, Report, Stream
from offermatch.scheduler.cluster.payload import Command
from offermatch.scheduler.cluster.process.journal import Journal
from offermatch.scheduler.cluster.process.supervised import LOCK, MOST_OUTPUT, outcome, prepare, start, supervisor
from offermatch.scheduler.cluster.servers import Taken, malformed, servers_of
from offermatch.scheduler.cluster.settled import Settled

__all__ = ["ProcessCluster"]

_LOG = logging.getLogger(__name__)
_KEPT_SECONDS = 86400.0
_LEAST_RUNNING = 16
_FILES_EACH, _FILES_BESIDE = 2, 40
"""Descriptors that a run and its start hold, and those that everything else may need (connections are bounded apart)."""
_MANY_FILES = 65536
_FEW = 1000
"""Lines of a journal that are not worth writing anew."""


@dataclass(slots=True)
class _Run:
    """One launch that was taken."""

    key: str
    directory: Path
    taken: Taken
    report: Report
    process: subprocess.Popen[bytes] | None = None
    cancelled: bool = False
    sent_at: float = 0.0
    settled: bool = False

    def entries(self) -> list[dict[str, object]]:
        """Return what the journal has to say of it."""
        report = self.report
        if report.outcome == "running":
            found = [_taken(self.key, self.taken, self.sent_at)]
            return [*found, {"cancelled": self.key, "at": time.time()}] if self.cancelled else found
        # What it held has been given back.
        return [_taken(self.key, Taken({}), self.sent_at), _ended(report)]


class ProcessCluster(Cluster):
    """One server that runs commands as processes. The payload is ``_payload.Command``; docs/clusters.md describes it.

    Each command has a directory of its own below ``runs``, with ``payload.json``, ``stdout`` and ``stderr``.
    """

    name = "processes"

    def __init__(
        self,
        server: Offer,
        directory: Path,
        *,
        inputs: Path | None = None,
        limit_memory: bool = True,
        kept_seconds: float = _KEPT_SECONDS,
        most_running: int | None = None,
        most_output: int = MOST_OUTPUT,
    ) -> None:
        """Start, or start again, with the journal in a directory.

        Args:
            server: What this machine offers in all.
            directory: Where the journal and the runs are; made where it is not there.
            inputs: The directory in which inputs are found by their names.
            limit_memory: Whether a command may have no more address space than its demand of ``memory``, where its payload
                does not say otherwise.
            most_running: How many commands run at once, whatever they ask; four for each processor, and at least 16,
                unless given. Open files of this process may allow for fewer.
            most_output: Bytes of standard output, and of standard error, that are kept of a command.
            kept_seconds: How long a run is remembered at least, with its directory; longer until ``forget`` names it.

        Raises:
            ClusterError: ``journal-busy``, ``journal-unusable`` or ``journal-malformed``.
            InputError: The server cannot be used.
        """
        self._server = servers_of([server])[0]
        self._inputs = None if inputs is None else inputs.resolve()
        self._limit_memory = limit_memory
        wanted = max(_LEAST_RUNNING, 4 * machine.threads()) if most_running is None else most_running
        # A launch that finds no descriptor is refused before it is written down.
        self._most_running = max(1, min(wanted, (raised_files() - _FILES_BESIDE) // _FILES_EACH))
        self._most_output = most_output
        self._directory = directory.resolve()
        try:
            (self._directory / "runs").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "give a directory that can be written to"
            raise ClusterError("journal-unusable", error.strerror or str(error), hint, str(directory)) from error
        self._changed = threading.Condition()
        self._runs: dict[str, _Run] = {}
        self._settled = Settled(kept_seconds)
        self._ends = 0
        self._closed = False
        self._journal = Journal(self._directory / "journal.jsonl")
        try:
            for entry in self._journal.entries:
                self._remember(entry)
        except ClusterError:
            self._journal.close()
            raise
        self._journal.entries.clear()
        for run in self._runs.values():
            if run.report.outcome != "running":
                if run.settled:
                    self._settled.add(run.key, run.sent_at)
            else:
                # An end that could not be written down is found again, and told again.
                run.settled = False
                if run.cancelled:
                    self._signal(run)
                self._watch(run)

    def offers(self) -> Sequence[Offer]:
        """Return what is free."""
        with self._changed:
            self._check_open()
            return [self._server.offer()]

    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return the path and size of each file below the directory of inputs."""
        del concurrency
        self._check_open()
        return [self._found(name) for name in inputs]

    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Start commands where there is room for them."""
        with self._changed:
            self._check_open()
            return [self._launch(launch) for launch in launches]

    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return where each of these launches stands."""
        with self._changed:
            self._check_open()
            return [self._runs[key].report if key in self._runs else Report(key, "unknown") for key in keys]

    def cancel(self, keys: Sequence[str]) -> None:
        """Kill these commands, with every process of their group, and remember the keys that have not come yet."""
        with self._changed:
            self._check_open()
            for key in keys:
                run = self._runs.get(key)
                if run is None:
                    self._journal.append({"cancelled": key, "at": (now := time.time())}, vital=True)
                    self._runs[key] = self._never(key, now)
                    continue
                if run.report.outcome != "running" or run.cancelled:
                    continue
                # Written first: a supervisor that dies of the signal before it can write an outcome was cancelled, too.
                self._journal.append({"cancelled": key, "at": time.time()}, vital=True)
                run.cancelled = True
                self._signal(run)

    def output(self, key: str, stream: Stream, most: int = 65536) -> Output | None:
        """Return the end of what a command has written, while its directory is kept."""
        with self._changed:
            self._check_open()
            run = self._runs.get(key)
        if run is None:
            return None
        try:
            with (run.directory / stream).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - most))
                return Output(file.read(most).decode(errors="replace"), size)
        except FileNotFoundError:
            return None

    def forget(self, keys: Sequence[str]) -> None:
        """Forget these runs once they are old enough, and remove their directories."""
        with self._changed:
            self._check_open()
            new = [run for run in map(self._runs.get, dict.fromkeys(keys)) if run is not None and self._may_go(run)]
            if new:
                self._journal.append({"settled": [run.key for run in new]})
                for run in new:
                    run.settled = True
                    self._settled.add(run.key, run.sent_at)
            due = [self._runs[key] for key in self._settled.due(time.time())]
            if due:
                # Written first: what is refused from now on is refused by whoever opens the directory next, too.
                self._journal.append({"forgotten": [run.key for run in due], "horizon": self._settled.horizon})
                for run in due:
                    del self._runs[run.key]
                self._shorten()
        for run in due:
            shutil.rmtree(run.directory, ignore_errors=True)

    def wait(self, seconds: float) -> None:
        """Wait until a command ends, at most so long."""
        with self._changed:
            before = self._ends
            self._changed.wait_for(lambda: self._ends != before or self._closed, max(0.0, seconds))

    def close(self) -> None:
        """Let go of the journal; commands go on, and are adopted by whoever opens the directory next."""
        with self._changed:
            if not self._closed:
                self._closed = True
                self._journal.close()
                self._changed.notify_all()

    # ---- within ``_changed`` -------------------------------------------------------------------------------------

    def _running(self) -> int:
        return sum(run.report.outcome == "running" for run in self._runs.values())

    def _may_go(self, run: _Run) -> bool:
        return run.report.outcome != "running" and run.sent_at > 0.0 and not run.settled

    def _shorten(self) -> None:
        """Write the journal anew where most of it is about what is forgotten."""
        if self._journal.lines < _FEW + 4 * len(self._runs):
            return
        entries: list[dict[str, object]] = [{"forgotten": [], "horizon": self._settled.horizon}]
        for run in self._runs.values():
            entries += run.entries()
        settled = [run.key for run in self._runs.values() if run.settled]
        try:
            self._journal.rewrite([*entries, {"settled": settled}])
        except ClusterError as error:
            _LOG.error("the journal stays as long as it is: %s", error)

    def _launch(self, launch: Launch) -> Launched:
        if launch.key in self._runs:
            return Launched(launch.key)
        late = self._settled.late(launch)
        if late:
            return Launched(launch.key, "launch-late", late)
        wrong = malformed(launch)
        if wrong:
            return Launched(launch.key, "payload-refused", wrong)
        if launch.offer != self._server.name:
            return Launched(launch.key, "offer-gone", f"this is {self._server.name}, not {launch.offer}")
        try:
            Command.of(launch.payload)
        except InputError as error:
            return Launched(launch.key, "payload-refused", error.message)
        short = self._server.shortage(launch)
        if short:
            return Launched(launch.key, "offer-full", f"{self._server.name}: {short}")
        if (running := self._running()) >= self._most_running:
            return Launched(
                launch.key, "offer-full", f"{self._server.name}: {running} commands run, which is the most it runs"
            )
        taken = self._server.take(launch)
        try:
            directory = self._place(launch.key)
            prepare(
                directory,
                launch,
                limit_memory=self._limit_memory,
                dies_with_us=False,
                most_output=self._most_output,
                devices=[number for number, _ in taken.devices] if self._server.devices else None,
            )
            self._journal.append({**_taken(launch.key, taken, launch.sent_at), "at": time.time()})
        except (OSError, ClusterError) as error:
            self._server.give_back(taken)
            _LOG.error("launch %s cannot be written down: %s", launch.key, error)
            return Launched(launch.key, "unreachable", f"{self._server.name} cannot write it down: {error}")
        run = self._runs[launch.key] = _Run(
            launch.key, directory, taken, Report(launch.key, "running"), sent_at=launch.sent_at
        )
        self._start(run)
        return Launched(launch.key)

    def _start(self, run: _Run) -> None:
        try:
            run.process = start(run.directory)
        except OSError as error:
            _LOG.error("launch %s cannot be started: %s", run.key, error)
            self._end(run, Report(run.key, "failed", f"it cannot be started: {error}", time.time()))
            return
        self._watch(run)

    def _signal(self, run: _Run) -> None:
        """Ask the supervisor to end the command, if there still is one."""
        if run.process is not None:
            run.process.send_signal(signal.SIGTERM)
            return
        with (run.directory / LOCK).open("a+b") as lock:
            # While the lock is held its holder lives, so the number is no other process's; it is written at once.
            while _held(lock.fileno()):
                number = supervisor(lock.fileno())
                if number is not None:
                    os.kill(number, signal.SIGTERM)
                    return
                time.sleep(0.01)

    def _watch(self, run: _Run) -> None:
        threading.Thread(target=self._await_end, args=[run], name=f"watch {run.key}", daemon=True).start()

    def _end(self, run: _Run, report: Report) -> None:
        if run.report.outcome == "running":
            run.report = report
            self._server.give_back(run.taken)
            self._ends += 1
            self._changed.notify_all()
            if not self._closed:
                try:
                    self._journal.append(_ended(report), vital=True)
                except ClusterError as error:
                    # The next process finds the outcome where the supervisor has written it.
                    _LOG.error("the end of %s cannot be written down: %s", run.key, error)

    def _remember(self, entry: dict[str, object]) -> None:
        """Take one line of the journal."""
        match entry:
            case {"taken": str(key), "demand": dict(demand), "devices": list(devices), **rest}:
                there = range(len(self._server.devices))
                taken = Taken(demand, [(number, thousandths) for number, thousandths in devices if number in there])
                self._hold(taken)
                sent_at = rest.get("sent_at")
                run = self._runs[key] = _Run(key, self._place(key), taken, Report(key, "running"))
                run.sent_at = float(sent_at) if isinstance(sent_at, (int, float)) else 0.0
            case {"cancelled": str(key), "at": float(at)}:
                self._runs.setdefault(key, self._never(key, at)).cancelled = True
            case {
                "ended": str(key),
                "outcome": "done" | "failed" | "lost" as outcome,
                "reason": str(reason),
                "at": float(at),
            } if key in self._runs:
                run = self._runs[key]
                run.report = Report(key, outcome, reason, at)
                self._server.give_back(run.taken)
            case {"settled": list(keys)}:
                for key in keys:
                    if key in self._runs:
                        self._runs[key].settled = True
            case {"forgotten": list(keys), "horizon": float() | int() as horizon}:
                self._settled.horizon = max(self._settled.horizon, horizon)
                for key in keys:
                    self._runs.pop(key, None)
            case _:
                hint = "it is of another version; give this agent a directory of its own"
                raise ClusterError("journal-malformed", f"{entry!r} is no entry", hint, str(self._directory))

    def _never(self, key: str, at: float) -> _Run:
        """Return what stands for a key that was cancelled before it came."""
        return _Run(key, self._place(key), Taken({}), Report(key, "failed", "cancelled", at), cancelled=True)

    def _hold(self, taken: Taken) -> None:
        """Take what a launch of an earlier process holds, whatever this process was told that there is."""
        for dimension, asked in taken.demand.items():
            self._server.free[dimension] = self._server.free.get(dimension, 0) - asked
        for number, thousandths in taken.devices:
            self._server.devices[number] -= thousandths

    # ---- on any thread -------------------------------------------------------------------------------------------

    def _await_end(self, run: _Run) -> None:
        with (run.directory / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
        if run.process is not None:
            run.process.wait()
        report = outcome(run.directory, run.key, cancelled=run.cancelled)
        with self._changed:
            self._end(run, report)

    def _place(self, key: str) -> Path:
        return self._directory / "runs" / hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]

    def _found(self, name: str) -> Fetched:
        if self._inputs is None:
            return Fetched(name, None, "this agent was given no directory of inputs")
        try:
            path = (self._inputs / name).resolve()
            if not path.is_relative_to(self._inputs) or not path.is_file():
                return Fetched(name, None, "there is no such input")
            return Fetched(name, {"path": str(path), "size": path.stat().st_size})
        except (OSError, ValueError) as error:
            return Fetched(name, None, f"it cannot be read: {error}")

    def _check_open(self) -> None:
        if self._closed:
            raise ClusterError("cluster-closed", "this cluster was closed", "open it again; what ran is adopted")


def raised_files() -> int:
    """Let this process open as many files as it may, and return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        soft = hard if hard != resource.RLIM_INFINITY else max(soft, _MANY_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def _taken(key: str, taken: Taken, sent_at: float) -> dict[str, object]:
    return {"taken": key, "demand": dict(taken.demand), "devices": list(taken.devices), "sent_at": sent_at}


def _ended(report: Report) -> dict[str, object]:
    return {"ended": report.key, "outcome": report.outcome, "reason": report.reason, "at": report.finished_at}


def _held(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(lock, fcntl.LOCK_UN)
    return False
