"""Measures what swapping the matcher costs those who call it: threads match all the time while a slot swaps every 50 ms.

Each swap is a whole one: the manifest is read, the digest compared, the component loaded and judged, the pointer moved.
The conformance cases are left out: they come before the moment that is measured, and take a swap's time many times over.
Every answer is checked against the right one of the matcher that gave it. Three phases tell what costs what: nobody swaps; a
thread judges as often but promotes nothing (the control: loading takes a core and the GIL now and then, swap or not); the
slot swaps.

The other matcher is the same component with a note appended, so that its digest is another, unless one is given.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from offermatch._rows import offer_columns, task_columns
from offermatch.manifest import Manifest, judged
from offermatch.matcher import BUNDLED, Matcher
from offermatch.sample import Sample
from offermatch.slot import Slot

__all__ = ["swap", "table"]

_NOTE = b"\x00\x06\x05other"
"""A custom section: what a component does not run."""
_CONTROL = 4
"""The first two phases last this part of the third, each."""


class _Caller(threading.Thread):
    """Matches until it is told to stop.

    Attributes:
        seconds: The time of each call.
        given: How many answers each matcher gave, by its digest.
        wrong: Answers that are not the right one of the matcher that gave them.
        lost: Calls that ended in an error.
    """

    def __init__(self, slot: Slot, rows: tuple[Any, Any], right: dict[str, str]) -> None:
        super().__init__(name="caller", daemon=True)
        self.seconds: list[float] = []
        self.given: dict[str, int] = {}
        self.wrong = self.lost = 0
        self._slot, self._rows, self._right = slot, rows, right
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def run(self) -> None:
        while not self._stopped.is_set():
            begin = perf_counter()
            try:
                answer = self._slot.match(*self._rows)
            except Exception:  # noqa: BLE001 - whatever it is, the call is lost
                self.lost += 1
                continue
            self.seconds.append(perf_counter() - begin)
            self.given[answer.matcher_digest] = self.given.get(answer.matcher_digest, 0) + 1
            self.wrong += answer.digest != self._right.get(answer.matcher_digest)


def swap(
    sample: Sample,
    seconds: float = 60.0,
    callers: int = 4,
    every_milliseconds: int = 50,
    other: Path | None = None,
    component: Path = BUNDLED,
) -> dict[str, Any]:
    """Return what was measured.

    Args:
        sample: What the callers match.
        seconds: How long the slot swaps.
        callers: How many threads call.
        every_milliseconds: Between the beginnings of two swaps, or more where one takes longer.
        other: The second component.
        component: The first.

    Raises:
        MatcherError: A component cannot be used.
    """
    tasks, offers = sample.rows()
    rows = task_columns(tasks), offer_columns(offers)
    with tempfile.TemporaryDirectory() as folder:
        if other is None:
            other = Path(folder) / "other.wasm"
            other.write_bytes(component.read_bytes() + _NOTE)
        matchers = [Matcher.load(path) for path in (component, other)]
        manifests = [_manifest(Path(folder), matcher) for matcher in matchers]
        right = {matcher.digest: matcher.match(*rows).digest for matcher in matchers}
        slot = Slot(matchers[0])

        def phase(length: float, act: Callable[[Path], Any] | None) -> dict[str, Any]:
            threads = [_Caller(slot, rows, right) for _ in range(callers)]
            for thread in threads:
                thread.start()
            acted = _act(manifests, length, every_milliseconds / 1000, act)
            for thread in threads:
                thread.stop()
            return _summary(threads, acted)

        phases = {
            "quiet": phase(seconds / _CONTROL, None),
            "control": phase(seconds / _CONTROL, lambda manifest: judged(Manifest.read(manifest))),
            "swapping": phase(seconds, slot.swap),
        }
    stall = phases["swapping"]["worst"] - phases["quiet"]["p99"]
    settings = {"sample": str(sample), "seconds": seconds, "callers": callers, "every_milliseconds": every_milliseconds}
    return {**settings, "phases": phases, "worst_beyond_quiet_p99": stall}


def _manifest(folder: Path, matcher: Matcher) -> Path:
    found, path = matcher.description, matcher.path.resolve()
    place = folder / f"{matcher.digest[-8:]}.json"
    content = {"matcher": found.name, "version": found.version, "policy": found.policy}
    content |= {"path": str(path), "digest": matcher.digest, "conformance": "none"}
    place.write_text(json.dumps(content))
    return place


def _act(manifests: list[Path], length: float, every: float, act: Callable[[Path], Any] | None) -> list[float]:
    """Act on the manifests in turn for a while, and return the time of each."""
    end = perf_counter() + length
    taken: list[float] = []
    while (begin := perf_counter()) < end:
        if act is None:
            time.sleep(min(0.1, max(0.0, end - begin)))
            continue
        act(manifests[(len(taken) + 1) % 2])
        taken.append(perf_counter() - begin)
        time.sleep(max(0.0, every - taken[-1]))
    return taken


def _summary(threads: list[_Caller], acted: list[float]) -> dict[str, Any]:
    times = sorted(second for thread in threads for second in thread.seconds) or [0.0]
    given: dict[str, int] = {}
    for thread in threads:
        for digest, count in thread.given.items():
            given[digest] = given.get(digest, 0) + count
    return {
        "calls": len(times),
        "lost": sum(thread.lost for thread in threads),
        "wrong": sum(thread.wrong for thread in threads),
        "given": given,
        "swaps": len(acted),
        "swap_median": sorted(acted)[len(acted) // 2] if acted else None,
        "median": times[len(times) // 2],
        "p99": times[len(times) * 99 // 100],
        "p999": times[len(times) * 999 // 1000],
        "worst": times[-1],
    }


def table(measured: dict[str, Any]) -> str:
    """Return what was measured, for people."""
    lines = [
        f"{measured['callers']} threads match {measured['sample']} while a slot swaps for {measured['seconds']:g} s",
        f"every {measured['every_milliseconds']} ms; times of a call in ms",
        "",
        f"{'':<10}{'calls':>9}{'lost':>6}{'wrong':>7}{'swaps':>7}{'median':>9}{'p99':>9}{'p99.9':>9}{'worst':>9}",
    ]
    for name, found in measured["phases"].items():
        numbers = "".join(f"{found[key] * 1000:>9.2f}" for key in ("median", "p99", "p999", "worst"))
        lines.append(f"{name:<10}{found['calls']:>9,}{found['lost']:>6}{found['wrong']:>7}{found['swaps']:>7,}{numbers}")
    swapping = measured["phases"]["swapping"]
    lines += [
        "",
        f"answers by matcher  {', '.join(f'{count:,}' for count in swapping['given'].values())}",
        f"one swap            {(swapping['swap_median'] or 0.0) * 1000:.1f} ms (median), on its own thread",
        f"worst call while swapping, beyond the quiet p99  {measured['worst_beyond_quiet_p99'] * 1000:.2f} ms",
    ]
    return "\n".join(lines) + "\n"
