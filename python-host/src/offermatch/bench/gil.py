"""Measures what is left to another Python thread: how fast it counts while this one matches, beside how fast when idle.

A thread counts in a plain loop and notes the time every 200 additions. Its speed in any window of time is then known: in the
calls into the component alone, and over whole cycles with rows to columns and verification, which hold the GIL.

Another busy core slows a thread down even where it waits for no GIL, the more the busier the machine is. So one row is the
control: this thread hashes meanwhile, in C and without the GIL. The last column is beside that row.
"""

from __future__ import annotations

import hashlib
import threading
import time
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from time import perf_counter
from typing import Any, cast

from offermatch.matcher import Matcher
from offermatch.policies import BUNDLED
from offermatch.sample import Sample
from offermatch.tables.input import offer_columns, task_columns
from offermatch.wasm.component import Code
from offermatch.wasm.instance import Instance

__all__ = ["Background", "WatchedCode", "gil", "table"]

_STEP = 200
"""Additions between two notes of the time."""
_BLOCK = 8_000_000
"""Bytes hashed at a time: about as long as a call into the component."""
Window = tuple[float, float]


class Background:
    """A thread that counts, from entering to leaving this context."""

    def __init__(self) -> None:
        """Make the thread."""
        self._times = array("d")
        self._stop = False
        self._thread = threading.Thread(target=self._count, name="background", daemon=True)

    def __enter__(self) -> Background:
        """Start counting."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting."""
        self._stop = True
        self._thread.join()

    def _count(self) -> None:
        count, note, clock = 0, self._times.append, perf_counter
        while not self._stop:
            for _ in range(_STEP):
                count += 1
            note(clock())

    def idle(self, seconds: float) -> float:
        """Return the operations per millisecond while this thread sleeps."""
        begin = perf_counter()
        time.sleep(seconds)
        return self.speed([(begin, perf_counter())])

    def control(self) -> Window:
        """Return the window in which this thread hashed, in C and without the GIL."""
        begin = perf_counter()
        hashlib.sha256(bytes(_BLOCK))
        return begin, perf_counter()

    def speed(self, windows: Sequence[Window]) -> float:
        """Return the operations per millisecond in these windows of time."""
        steps = sum(bisect_left(self._times, end) - bisect_left(self._times, begin) for begin, end in windows)
        milliseconds = 1000 * sum(end - begin for begin, end in windows)
        return steps * _STEP / milliseconds if milliseconds else 0.0


class WatchedCode(Code):
    """The bundled component, which notes when it is called.

    Attributes:
        windows: Begin and end of each call. wasmtime-py's conversion of columns is in it, their digits are not.
    """

    def __init__(self) -> None:
        """Compile it."""
        super().__init__(BUNDLED, content=BUNDLED.read_bytes())
        self.windows: list[Window] = []

    def instance(self) -> Instance:
        """Return a fresh instance that is watched."""
        return cast("Instance", _Watched(super().instance(), self.windows))


class _Watched:
    def __init__(self, inner: Instance, windows: list[Window]) -> None:
        self._inner, self._windows = inner, windows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def call(self, *given: Any, **options: Any) -> Any:
        """Call, and note begin and end."""
        begin = perf_counter()
        try:
            return self._inner.call(*given, **options)
        finally:
            self._windows.append((begin, perf_counter()))


def gil(sample: Sample, rounds: int) -> dict[str, Any]:
    """Return operations per millisecond of a background thread, idle and while this thread matches."""
    code = WatchedCode()
    matcher = Matcher(code)
    code.windows.clear()
    tasks, offers = sample.rows()
    ready = (task_columns(tasks), offer_columns(offers))
    control: list[Window] = []
    cycles: dict[str, list[Window]] = {"cycles from dataclasses": [], "cycles from columns": []}
    with Background() as background:
        before = background.idle(0.3)
        tables: tuple[tuple[Any, Any], ...] = ((tasks, offers), ready)
        for name, given in zip(cycles, tables, strict=True):
            for _ in range(rounds):
                begin = perf_counter()
                matcher.match(*given)
                cycles[name].append((begin, perf_counter()))
                # Between the cycles, so that both meet the same load of the machine.
                control.append(background.control())
        idle = (before + background.idle(0.3)) / 2
    busy = background.speed(control)
    rows = {"idle": idle, "hashing without the GIL": busy, "calls into the component": background.speed(code.windows)}
    rows |= {name: background.speed(windows) for name, windows in cycles.items()}
    found = [
        {
            "while": name,
            "operations_per_ms": round(speed, 1),
            "of_idle": round(speed / idle, 4),
            "of_control": round(speed / busy, 4) if busy else None,
        }
        for name, speed in rows.items()
    ]
    return {"sample": str(sample), "crossing": matcher.crossing, "rounds": rounds, "rows": found}


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    lines = [
        f"{measured['sample']}, crossing: {measured['crossing']}; a background thread's additions per millisecond",
        "",
        f"{'this thread':<28}{'per ms':>10}{'of idle':>10}{'of control':>12}",
    ]
    for row in measured["rows"]:
        control = "-" if row["of_control"] is None else f"{row['of_control']:.0%}"
        lines.append(f"{row['while']:<28}{row['operations_per_ms']:>10,.0f}{row['of_idle']:>10.0%}{control:>12}")
    return "\n".join(lines) + "\n"
