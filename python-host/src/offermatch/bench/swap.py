"""Measures what swapping the matcher costs those who call it: threads match all the time while a slot swaps every 50 ms.

Each swap is a whole one: the manifest is read, the digest compared, the component loaded and judged, the pointer moved.
The conformance cases are left out: they come before the moment that is measured, and take a swap's time many times over.
Every answer is compared with that of the matcher which gave it; a call that fails, or is answered otherwise, ends the
benchmark.

Four phases take turns, so that what else the machine does hits each of them: threads that call no matcher, but compute in
Python for as long as a call takes; callers alone; candidates judged and not promoted; swapped. The program
`offermatch-host bench swap` measures the same.

The other matcher is the same component with a note appended, so that its digest is another, unless one is given.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from offermatch.bench.callers import PAUSE, beside
from offermatch.errors import LyingMatcherError
from offermatch.matcher import Matcher
from offermatch.policies import BUNDLED
from offermatch.sample import Sample
from offermatch.slot.manifest import Manifest
from offermatch.slot.slot import Slot
from offermatch.tables.input import offer_columns, task_columns

__all__ = ["swap", "table"]

_NOTE = b"\x00\x06\x05other"
"""A custom section: what a component does not run."""
_PHASES = ("no matcher", "alone", "judged", "swapped")
_ROUNDS = 6
"""Parts in which the measurement is done."""
_CONTROL = 3
"""A phase without swaps lasts this part of the one with swaps."""
_STALL = 2.0
"""Milliseconds the worst caller may wait beyond the normal p99."""

_COLUMNS = (
    ("calls", "calls", "{:,}"),
    ("acts", "judged", "{:,}"),
    ("first", "by the one", "{:,}"),
    ("second", "by the other", "{:,}"),
    ("median_ms", "median", "{:.2f} ms"),
    ("p99_ms", "p99", "{:.2f} ms"),
    ("p999_ms", "p99.9", "{:.2f} ms"),
    ("worst_ms", "worst", "{:.2f} ms"),
    ("running_ms", "worst, running", "{:.2f} ms"),
)


@dataclass
class _Calls:
    """The calls of all threads in one phase.

    Attributes:
        seconds: The time of each.
        running: The longest, of times from which waiting for a core is taken; None where the system does not say.
        given: Calls answered by each of the two matchers.
        acts: The time of each candidate judged, in seconds.
    """

    seconds: list[float] = field(default_factory=list)
    running: float | None = None
    given: list[int] = field(default_factory=lambda: [0, 0])
    acts: list[float] = field(default_factory=list)

    def add(self, other: _Calls) -> None:
        """Put other calls to these."""
        self.seconds = sorted(self.seconds + other.seconds)
        self.running = max((one for one in (self.running, other.running) if one is not None), default=None)
        self.given = [mine + its for mine, its in zip(self.given, other.given, strict=True)]
        self.acts += other.acts

    def quantile(self, part: float) -> float:
        """Return the milliseconds that this part of the calls does not exceed."""
        return self.seconds[int((len(self.seconds) - 1) * part)] * 1000

    def row(self, name: str) -> dict[str, Any]:
        """Return what is shown of them."""
        figures = {key: round(self.quantile(part), 4) for key, part in _QUANTILES.items()}
        running = None if self.running is None else round(self.running * 1000, 4)
        given = {"first": self.given[0], "second": self.given[1]}
        return {"name": name, "calls": len(self.seconds), "acts": len(self.acts), **given, **figures, "running_ms": running}


_QUANTILES = {"median_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999, "worst_ms": 1.0}


class _Turns:
    """Two components that take turns, and what they are to answer."""

    def __init__(self, folder: Path, sample: Sample, matchers: list[Matcher]) -> None:
        """Write their manifests."""
        tasks, offers = sample.rows()
        self.rows = task_columns(tasks), offer_columns(offers)
        self.manifests = [_manifest(folder, matcher) for matcher in matchers]
        self.digests = [matcher.digest for matcher in matchers]
        self.expected = [matcher.match(*self.rows).digest for matcher in matchers]
        self.slot = Slot(matchers[0])
        self._spin = self._length(matchers[0])

    def _length(self, matcher: Matcher) -> int:
        """Return the numbers that a thread goes through in the time of a call."""
        call = median(_seconds(lambda: matcher.match(*self.rows)) for _ in range(20))
        return max(1, int(call / median(_seconds(lambda: _spin(10_000)) for _ in range(20)) * 10_000))

    def called(self, phase: str, callers: int, length: float, every: float) -> _Calls:
        """Call the slot from several threads for some time."""
        found: list[_Calls] = []
        calls, end = _Calls(), perf_counter() + length

        def act(over: threading.Event) -> None:
            while (begin := perf_counter()) < end and not over.is_set():
                if phase in ("judged", "swapped"):
                    self._act(phase, len(calls.acts))
                    calls.acts.append(perf_counter() - begin)
                time.sleep(every)

        beside(lambda over: found.append(self._call(phase, over)), callers, act)
        for one in found:
            calls.add(one)
        return calls

    def _act(self, phase: str, number: int) -> None:
        # The first is in use when the benchmark begins.
        manifest = self.manifests[(number + 1) % 2]
        if phase == "judged":
            self.slot.judge(Manifest.read(manifest))
        else:
            self.slot.swap(manifest)

    def _call(self, phase: str, over: threading.Event) -> _Calls:
        """Call the slot until it is over."""
        calls, answer = _Calls(), None
        with _waited() as waited:
            while not over.is_set():
                before, begin = waited(), perf_counter()
                if phase == "no matcher":
                    _spin(self._spin)
                else:
                    answer = self.slot.match(*self.rows)
                taken = perf_counter() - begin
                calls.seconds.append(taken)
                if before is not None:
                    calls.running = max(calls.running or 0.0, taken - ((waited() or before) - before))
                if answer is not None:
                    calls.given[self._giver(answer.matcher_digest, answer.digest)] += 1
                time.sleep(PAUSE)
        return calls

    def _giver(self, matcher: str, answer: str) -> int:
        who = self.digests.index(matcher) if matcher in self.digests else None
        if who is None or answer != self.expected[who]:
            raise LyingMatcherError(
                "answer-refused", "an answer that is not its matcher's", "report it; no swap may do that"
            )
        return who


def swap(
    sample: Sample,
    seconds: float = 60.0,
    callers: int = 4,
    every_milliseconds: int = 50,
    other: Path | None = None,
    component: Path = BUNDLED,
    switch_interval_milliseconds: float | None = None,
) -> dict[str, Any]:
    """Return what was measured.

    Args:
        sample: What the callers match.
        seconds: How long the slot swaps.
        callers: How many threads call.
        every_milliseconds: From one swap to the next.
        other: The second component.
        component: The first.
        switch_interval_milliseconds: For how long a thread may keep the interpreter's lock; as it is unless given.

    Raises:
        MatcherError: A component cannot be used, a call failed, or was answered otherwise.
    """
    measured = {phase: _Calls() for phase in _PHASES}
    with tempfile.TemporaryDirectory() as folder, _switched(switch_interval_milliseconds) as interval:
        if other is None:
            other = Path(folder) / "other.wasm"
            other.write_bytes(component.read_bytes() + _NOTE)
        turns = _Turns(Path(folder), sample, [Matcher.load(path) for path in (component, other)])
        for _ in range(_ROUNDS):
            for phase, calls in measured.items():
                length = seconds / _ROUNDS / (1 if phase == "swapped" else _CONTROL)
                calls.add(turns.called(phase, callers, length, every_milliseconds / 1000))
    stall = measured["swapped"].quantile(1.0) - measured["alone"].quantile(0.99)
    return {
        "bench": "swap",
        "title": f"A swap every {every_milliseconds} ms under {callers} calling threads, {seconds:g} s",
        "sample": str(sample),
        "switch_interval_ms": interval,
        "notes": _notes(measured, interval),
        "rows": [calls.row(phase) for phase, calls in measured.items()],
        "targets": [
            {
                "what": "no call lost, none answered by a mixture, every answer right",
                "found": f"{len(measured['swapped'].seconds):,} calls",
                "met": True,
            },
            {
                "what": f"worst caller at most {_STALL:g} ms beyond the normal p99",
                "found": f"{stall:.2f} ms",
                "met": stall <= _STALL,
            },
        ],
    }


def _notes(measured: dict[str, _Calls], interval: float) -> list[str]:
    spinning, alone, judged, swapped = measured.values()
    normal = alone.quantile(0.99)
    beyond = [calls.quantile(1.0) - normal for calls in (alone, judged, swapped)]
    acts = [f"{median(calls.acts) * 1000:.1f} ms {what}" for calls, what in ((judged, "judged"), (swapped, "swapped"))]
    notes = [
        (
            "every answer is compared with that of the matcher which gave it; a call that fails, or is answered otherwise, "
            "ends the benchmark"
        ),
        (
            "a swap is a whole one: manifest, digest, component (its machine code from the cache), world, description; no "
            "conformance cases"
        ),
        (
            f"the worst caller waits, beyond the p99 of callers alone: {beyond[0]:.2f} ms alone, {beyond[1]:.2f} ms while "
            f"candidates are judged, {beyond[2]:.2f} ms while they are promoted, too; one that calls no matcher "
            f"{spinning.quantile(1.0) - spinning.quantile(0.99):.2f} ms beyond its own"
        ),
        f"a thread may keep the interpreter's lock for {interval:g} ms; a candidate takes {acts[0]}, {acts[1]} (median)",
    ]
    if swapped.running is not None:
        running = max(0.0, swapped.running * 1000 - normal)
        notes.append(
            f"without the time in which a caller was ready and had no core, {running:.2f} ms while they are promoted"
        )
    return notes


@contextmanager
def _switched(milliseconds: float | None) -> Iterator[float]:
    """Let threads keep the interpreter's lock for so long, during a block; the time in force, in milliseconds."""
    before = sys.getswitchinterval()
    if milliseconds is not None:
        sys.setswitchinterval(milliseconds / 1000)
    try:
        yield round(sys.getswitchinterval() * 1000, 3)
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _waited() -> Iterator[Callable[[], float | None]]:
    """Tell for how many seconds this thread has been ready to run and had no core, where the system counts that."""
    try:
        descriptor = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    except OSError:
        yield lambda: None
        return
    try:
        # Nanoseconds on a core, nanoseconds waited for one, turns.
        yield lambda: int(os.pread(descriptor, 128, 0).split()[1]) / 1e9
    finally:
        os.close(descriptor)


def _spin(numbers: int) -> int:
    total = 0
    for number in range(numbers):
        total ^= number
    return total


def _seconds(run: Callable[[], Any]) -> float:
    begin = perf_counter()
    run()
    return perf_counter() - begin


def _manifest(folder: Path, matcher: Matcher) -> Path:
    found, path = matcher.description, matcher.path.resolve()
    place = folder / f"{matcher.digest[-8:]}.json"
    content = {"matcher": found.name, "version": found.version, "policy": found.policy}
    content |= {"path": str(path), "digest": matcher.digest, "conformance": "none"}
    place.write_text(json.dumps(content))
    return place


def table(measured: dict[str, Any]) -> str:
    """Return what was measured, for people."""
    cells = [["", *(heading for _, heading, _ in _COLUMNS)]]
    for row in measured["rows"]:
        values = ["-" if row[key] is None else shown.format(row[key]) for key, _, shown in _COLUMNS]
        cells.append([row["name"], *values])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [measured["title"], "─" * len(measured["title"])]
    for first, *rest in cells:
        lines.append(
            "  ".join([first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))])
        )
    lines += [f"  {note}" for note in measured["notes"]]
    lines += [f"  {'reached' if one['met'] else 'MISSED ':<7}  {one['what']}: {one['found']}" for one in measured["targets"]]
    return "\n".join(lines) + "\n"
