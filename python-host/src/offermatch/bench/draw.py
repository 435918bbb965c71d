"""Draws what ``offermatch-host bench ... --json FILE`` has measured.

`kinds` and `talk` become bars, `growth` becomes lines; the other benchmarks have no picture.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from offermatch.bench import svg
from offermatch.bench.talk import time_text
from offermatch.errors import InputError
from offermatch.reading import read_bounded

__all__ = ["draw"]

_MOST_BYTES = 16 * 2**20
"""The figures of all benchmarks are some 100 kB."""


def draw(path: Path, folder: Path) -> list[Path]:
    """Write the pictures of a file of figures, and return their paths.

    Args:
        path: What ``--json`` wrote.
        folder: Where to draw; made where it is not there.

    Raises:
        InputError: ``file-unreadable`` or ``file-malformed`` for a file that is not what a benchmark wrote.
    """
    document = _read(path)
    hint = f"benchmarks with a picture are {', '.join(_DRAWN)}"
    try:
        found = list(_pictures(document.get("benches") or [document]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError("file-malformed", f"a figure that is drawn is not there: {error}", hint, str(path)) from error
    if not found:
        raise InputError("file-malformed", "nothing in it has a picture", hint, str(path))
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, picture in found:
        written.append(folder / f"{name}.svg")
        written[-1].write_text(picture)
    return written


def _read(path: Path) -> dict[str, Any]:
    hint = "give what offermatch-host bench NAME --json FILE wrote"
    try:
        document = json.loads(read_bounded(path, _MOST_BYTES))
    except OSError as error:
        raise InputError("file-unreadable", f"{error.strerror or error}", hint, str(path)) from error
    except ValueError as error:
        raise InputError("file-malformed", str(error), hint, str(path)) from error
    if not isinstance(document, dict):
        raise InputError("file-malformed", "it is not the figures of a benchmark", hint, str(path))
    return document


def _pictures(benches: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the name and the picture of each figure."""
    for bench in benches:
        if drawn := _DRAWN.get(bench.get("bench", "")):
            yield from drawn(bench["rows"])


def _kinds(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for mode in dict.fromkeys(row["mode"] for row in rows):
        title = f"Component against the plain loop in the native core, {mode}"
        found = [(row["name"], row["times_faster"], _times(row["times_faster"])) for row in rows if row["mode"] == mode]
        yield f"kinds-{mode}", svg.bars(title, "times as fast, logarithmic", found, log=True, label=_times)


def _talk(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for tasks, offers in dict.fromkeys((row["tasks"], row["offers"]) for row in rows):
        title = f"{tasks:,} x {offers:,} uniform, exclusive: one cycle"
        found = [
            (row["name"], row["total_ms"], time_text(row["total_ms"]))
            for row in rows
            if (row["tasks"], row["offers"]) == (tasks, offers)
        ]
        yield f"talk-{tasks}x{offers}", svg.bars(title, "logarithmic; shorter is better", found, log=True)


def _growth(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, shape, is_equal in (
        ("growth-tenth", "a tenth of the offers", False),
        ("growth-equal", "as many offers", True),
    ):
        found: dict[str, list[tuple[float, float]]] = {}
        for row in rows:
            if (row["tasks"] == row["offers"]) == is_equal:
                found.setdefault(f"{row['name']}, {row['mode']}", []).append((row["tasks"], row["total_ms"]))
        title = f"Component: one cycle, {shape}"
        yield name, svg.lines(title, "milliseconds, logarithmic", "tasks, logarithmic", list(found.items()), log=True)


def _times(number: float) -> str:
    return f"{number:,.0f}x" if number >= 10 else f"{number:.1f}x"


_DRAWN: dict[str, Callable[[list[dict[str, Any]]], Iterator[tuple[str, str]]]] = {
    "talk": _talk,
    "kinds": _kinds,
    "growth": _growth,
}
