"""Measures what those who call wait for while a large candidate is compiled and judged, in this process and in another.

Threads match all the time. Three phases take turns, so that what else the machine does hits each of them: callers alone; a
candidate compiled on threads of this process and judged on one, as slots did before; the same candidate judged as slots do,
in a process of its own. The candidate is the bundled matcher with a further module that nothing calls.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from wasmtime.component import Component

from offermatch.bench.callers import PAUSE, beside
from offermatch.limits import Limits
from offermatch.matcher import Matcher
from offermatch.policies import BUNDLED
from offermatch.sample import Sample
from offermatch.slot.manifest import Manifest, judge_here
from offermatch.slot.slot import Slot
from offermatch.tables.input import offer_columns, task_columns
from offermatch.wasm.elsewhere import compiling_here
from offermatch.wasm.engine import ClockedEngine

__all__ = ["judge", "large", "leb128", "table"]

_PHASES = ("alone", "in this process", "in another")


def judge(sample: Sample, megabytes: int = 20, callers: int = 4, rounds: int = 3) -> dict[str, Any]:
    """Return the milliseconds of calls in each phase.

    Args:
        sample: What the callers match.
        megabytes: The size of the candidate.
        callers: How many threads call.
        rounds: How often each phase has its turn.

    Raises:
        MatcherError: The candidate was refused, or a call failed.
    """
    tasks, offers = sample.rows()
    rows = task_columns(tasks), offer_columns(offers)
    slot, limits = Slot(), Limits.in_force()
    before = os.environ.get("OFFERMATCH_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "candidate.wasm"
        path.write_bytes(content := large(BUNDLED.read_bytes(), megabytes * 1_000_000))
        said, digest = slot.description, "sha256:" + hashlib.sha256(content).hexdigest()
        manifest = Manifest(said.name, said.version, said.policy, path, digest)
        kept = str(Path(folder) / "cache")
        os.environ["OFFERMATCH_CACHE"] = kept
        Matcher.load(path)

        def here() -> None:
            os.environ["OFFERMATCH_CACHE"] = kept
            with compiling_here():
                Component(ClockedEngine(limits), content)
                judge_here(manifest, [], limits, content)

        def elsewhere() -> None:
            os.environ["OFFERMATCH_CACHE"] = "off"
            slot.judge(manifest)

        acts: dict[str, Callable[[], None]] = {"in this process": here, "in another": elsewhere}
        found: dict[str, list[float]] = {phase: [] for phase in _PHASES}
        took: dict[str, list[float]] = {phase: [] for phase in _PHASES}
        try:
            for _ in range(rounds):
                for phase in _PHASES:
                    last = took["in another"][-1] if took["in another"] else 5.0
                    act = acts.get(phase, lambda last=last: time.sleep(last))
                    begin = perf_counter()
                    found[phase] += _called(lambda: slot.match(*rows), callers, act)
                    took[phase].append(perf_counter() - begin)
        finally:
            if before is None:
                del os.environ["OFFERMATCH_CACHE"]
            else:
                os.environ["OFFERMATCH_CACHE"] = before
    figures = [_row(phase, sorted(found[phase]), median(took[phase])) for phase in _PHASES]
    return {"bench": "judge", "sample": str(sample), "megabytes": megabytes, "callers": callers, "rows": figures}


def large(component: bytes, size: int) -> bytes:
    """Return a component with a further module of about so many bytes, which takes its time to compile."""
    body = b"\x20\x00" + b"".join(b"\x41" + leb128(at % 60) + b"\x6a\x20\x00\x73" for at in range(400)) + b"\x0b"
    body = leb128(len(body) + 1) + b"\0" + body
    count = size // len(body)
    sections = (
        (1, b"\x01\x60\x01\x7f\x01\x7f"),
        (3, leb128(count) + b"\0" * count),
        (10, leb128(count) + body * count),
    )
    module = b"\0asm\1\0\0\0" + b"".join(bytes([number]) + leb128(len(one)) + one for number, one in sections)
    return component + b"\1" + leb128(len(module)) + module


def leb128(number: int) -> bytes:
    """Return a number as WebAssembly writes it."""
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _called(call: Callable[[], object], callers: int, act: Callable[[], None]) -> list[float]:
    """Return the seconds of the calls that threads make while something is done."""
    found: list[float] = []

    def work(over: threading.Event) -> None:
        while not over.is_set():
            begin = perf_counter()
            call()
            found.append(perf_counter() - begin)
            time.sleep(PAUSE)

    beside(work, callers, lambda _: act())
    return found


def _row(phase: str, seconds: list[float], took: float) -> dict[str, Any]:
    def at(part: float) -> float:
        return round(seconds[int((len(seconds) - 1) * part)] * 1000, 3)

    figures = {"median_ms": at(0.5), "p99_ms": at(0.99), "worst_ms": at(1.0)}
    return {"name": phase, "calls": len(seconds), **figures, "seconds": round(took, 2)}


def table(measured: dict[str, Any]) -> str:
    """Return what was measured, for people."""
    title = f"{measured['callers']} threads match {measured['sample']} while {measured['megabytes']} MB are judged"
    lines = [title, "─" * len(title), f"{'':16}{'calls':>8}{'median':>12}{'p99':>12}{'worst':>12}{'judged in':>12}"]
    for row in measured["rows"]:
        times = "".join(f"{row[key]:>9.2f} ms" for key in ("median_ms", "p99_ms", "worst_ms"))
        took = "-" if row["name"] == "alone" else f"{row['seconds']:.1f} s"
        lines.append(f"{row['name']:16}{row['calls']:>8,}{times}{took:>12}")
    return "\n".join(lines) + "\n"
