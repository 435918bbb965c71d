"""The talk's table in one run on this machine: loops in Python and in Rust, and the component from both.

All rows match the same generated tasks to the same offers, exclusive, lowest score first, and every answer of the loops in
Python is checked against the component's. A slow loop looks at every n-th task only; what the tasks between them take is
replayed from the known answer, so that the list is as long as it would be, and the time is multiplied by n. The share that
was measured stands in the table.

`fit check` is the time spent on which offers fit; inside the component it cannot be told apart. `background` is how fast
another Python thread counts meanwhile, beside how fast when this one sleeps, and when it hashes in C without the GIL: for
the loops over the whole run, for the component over the calls into it (`bench gil` has whole cycles too).
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any, NamedTuple

from offermatch.bench.gil import Background, WatchedCode
from offermatch.bench.loops import LOOPS, Loop, Row, rows_of
from offermatch.errors import LyingMatcherError, MatcherError
from offermatch.matcher import Matcher
from offermatch.sample import Sample
from offermatch.tables.input import offer_columns, task_columns

__all__ = ["BASELINE", "SIZES", "python_loop", "table", "talk", "time_text"]

SIZES = ((10_000, 2_000), (20_000, 20_000))
QUICK_SIZES = ((1_000, 200), (2_000, 2_000))
BASELINE = "native loop, 1 thread"
"""The row of the Rust host that ratios are to."""

_PUBLISHED = {
    "Python loop, 1 thread": "3 min 16 s",
    "native loop": "seconds",
}
_PUBLISHED_NOTE = (
    "published: the talk's production cycle (match_tasks_to_offers took 3 min 16 s of an 8-minute cycle in Python, seconds "
    "in Rust), whose numbers of tasks and offers are not known; no other figure of the talk's table is at hand"
)
_SECONDS, _QUICK_SECONDS = 4.0, 0.4
"""Time that one slow loop may take."""


class _Known(NamedTuple):
    """The answer everything is checked against: the offer row of each task, -1 for none, and the scales of the score."""

    offers: list[int]
    scales: tuple[int, int]


class _Measured(NamedTuple):
    seconds: float
    fit_seconds: float | None
    fraction: float
    background: float | None
    background_of_control: float | None


def talk(rust_host: Path | None, *, quick: bool, progress: Callable[[str], None]) -> dict[str, Any]:
    """Return the table as an object for machines.

    Args:
        rust_host: The Rust program, for the native rows; None leaves them out.
        quick: Whether to use small sizes and little time, to see that it works.
        progress: Told what is being measured.

    Raises:
        MatcherError: The Rust program failed, or a loop and the component differ.
    """
    sizes = QUICK_SIZES if quick else SIZES
    seconds = _QUICK_SECONDS if quick else _SECONDS
    matcher = Matcher.load()
    rows: list[dict[str, Any]] = []
    for tasks, offers in sizes:
        sample = Sample("uniform", tasks, offers)
        for name, measure in _measures(matcher, sample, seconds).items():
            progress(f"{name}, {tasks:,} x {offers:,}")
            rows.append(_row(name, sample, measure()))
    notes = [_PUBLISHED_NOTE]
    if rust_host is None:
        notes.append("no native rows: give the Rust program with --rust-host")
    else:
        progress(f"native rows, by {rust_host}")
        native, note = _native(rust_host)
        rows += [row for row in native if (row["tasks"], row["offers"]) in sizes]
        notes += [note] if note else []
        if native and not {(row["tasks"], row["offers"]) for row in native} & set(sizes):
            notes.append("the native rows are of other sizes and are left out")
    _add_ratios(rows)
    machine = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "wasmtime": version("wasmtime"),
        "matcher": matcher.digest,
        "crossing": matcher.crossing,
    }
    return {"quick": quick, "machine": machine, "rows": rows, "notes": notes}


def python_loop(sample: Sample, seconds: float) -> tuple[float, float]:
    """Return how long the loop in Python takes on one thread, and the part of the tasks that was measured.

    Args:
        sample: What is matched.
        seconds: About how long it may take.
    """
    found = _measures(Matcher.load(), sample, seconds)["Python loop, 1 thread"]()
    return found.seconds, found.fraction


def _measures(matcher: Matcher, sample: Sample, seconds: float) -> dict[str, Callable[[], _Measured]]:
    tasks, offers = sample.rows()
    columns = (task_columns(tasks), offer_columns(offers))
    answer = matcher.match(*columns)
    chosen = dict(zip(answer.task_rows, answer.offer_rows, strict=True))
    scales = (max(columns[1].available["cpu"]), max(columns[1].available["memory"]))
    known = _Known([chosen.get(row, -1) for row in range(len(tasks))], scales)
    asked, offered = rows_of(*columns)
    workers = max(2, os.cpu_count() or 2)
    measures: dict[str, Callable[[], _Measured]] = {}
    for name, loop in LOOPS.items():
        opened = partial(loop, offered, scales, workers)
        measures[name.format(workers=workers)] = partial(_measure_loop, opened, asked, len(offered), known, seconds)
    for name, given in {"from Python dataclasses": (tasks, offers), "from Python columns": columns}.items():
        measures[f"component, {name}"] = partial(_measure_component, matcher, given, answer.digest, seconds)
    return measures


def _measure_loop(opened: Any, tasks: Sequence[Row], offers: int, known: _Known, seconds: float) -> _Measured:
    with opened() as loop:
        # A few looks at the full list tell how many are to be had; the list is half as long on the average.
        begin = perf_counter()
        for task in tasks[:3]:
            loop.best(task)
        each = (perf_counter() - begin) / 3
    every = max(1, math.ceil(each * min(len(tasks), offers) / 2 / seconds))
    with opened() as loop:
        spent, fit, looks = _replay(loop, tasks, offers, known, every)
    with opened() as loop, Background() as background:
        idle = [background.idle(0.2)]
        control = [background.control() for _ in range(10)]
        begin = perf_counter()
        _replay(loop, tasks, offers, known, every * 2)
        speed = background.speed([(begin, perf_counter())])
        control += [background.control() for _ in range(10)]
        idle.append(background.idle(0.2))
    factor = len(tasks) / looks
    share = looks / len(tasks)
    return _Measured(spent * factor, fit * factor, share, speed / fmean(idle), _ratio(speed, background.speed(control)))


def _replay(loop: Loop, tasks: Sequence[Row], offers: int, known: _Known, every: int) -> tuple[float, float, int]:
    """Return the seconds of every n-th look, those of its fit check, and how many looks there were."""
    listed = list(range(offers))
    position_of = list(range(offers))
    spent = fit = 0.0
    looks = 0
    for row, task in enumerate(tasks):
        expected = -1 if known.offers[row] < 0 else position_of[known.offers[row]]
        if row % every == every // 2:
            begin = perf_counter()
            found = loop.best(task)
            spent += perf_counter() - begin
            fit += found.fit_seconds
            looks += 1
            if found.position != expected:
                message = f"the loop gave task row {row} position {found.position}, the component {expected}"
                raise LyingMatcherError("answer-refused", message, "run 'make test'; the two must never differ")
        if expected >= 0:
            loop.remove(expected)
            last = listed[-1]
            listed[expected] = last
            position_of[last] = expected
            listed.pop()
    return spent, fit, looks


def _measure_component(matcher: Matcher, given: tuple[Any, Any], digest: str, seconds: float) -> _Measured:
    best = math.inf
    until = perf_counter() + seconds / 4
    while perf_counter() < until:
        begin = perf_counter()
        answer = matcher.match(*given)
        best = min(best, perf_counter() - begin)
    if answer.digest != digest:
        raise LyingMatcherError("answer-refused", "the same input gave another answer", "do not use this matcher")
    code = WatchedCode()
    seen = Matcher(code)
    code.windows.clear()
    with Background() as background:
        idle, control = [background.idle(0.2)], []
        until = perf_counter() + seconds / 4
        while perf_counter() < until:
            seen.match(*given)
            control.append(background.control())
        speed = background.speed(code.windows)
        idle.append(background.idle(0.2))
    return _Measured(best, None, 1.0, speed / fmean(idle), _ratio(speed, background.speed(control)))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _row(name: str, sample: Sample, found: _Measured) -> dict[str, Any]:
    return {
        "name": name,
        "tasks": sample.tasks,
        "offers": sample.offers,
        "fraction": found.fraction,
        "total_ms": found.seconds * 1000,
        "fit_check_ms": None if found.fit_seconds is None else found.fit_seconds * 1000,
        "background": found.background,
        "background_of_control": found.background_of_control,
    }


def _native(program: Path) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of the Rust program, and a note where it has none."""
    command = [str(program), "bench", "talk", "--json", "-"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=1800)  # noqa: S603 - named by the caller
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], f"no native rows: {program} did not run: {error}"
    if done.returncode != 0:
        cause = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        return [], f"no native rows: {program} bench talk left with {done.returncode}: {cause}"
    try:
        return [_native_row(row) for row in json.loads(done.stdout)["rows"]], ""
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "build both hosts from the same source"
        raise MatcherError("answer-refused", f"its JSON is not the table: {error!r}", hint, str(program)) from error


def _native_row(row: dict[str, Any]) -> dict[str, Any]:
    fit = row.get("fit_check_ms")
    return {
        "name": str(row["name"]),
        "tasks": int(row["tasks"]),
        "offers": int(row["offers"]),
        "fraction": float(row.get("fraction", 1.0)),
        "total_ms": float(row["total_ms"]),
        "fit_check_ms": None if fit is None else float(fit),
        "background": None,
        "background_of_control": None,
    }


def _add_ratios(rows: list[dict[str, Any]]) -> None:
    baseline = {(row["tasks"], row["offers"]): row["total_ms"] for row in rows if row["name"] == BASELINE}
    for row in rows:
        native = baseline.get((row["tasks"], row["offers"]))
        row["faster_than_native_loop"] = native / row["total_ms"] if native and row["total_ms"] else None
        published = (text for name, text in _PUBLISHED.items() if row["name"].startswith(name))
        row["published"] = next(published, None)


def table(measured: dict[str, Any]) -> str:
    """Return the table for people."""
    machine = measured["machine"]
    system = f"{machine['cpus']} CPUs ({machine['machine']}), {machine['system']}"
    lines = [f"{system}, Python {machine['python']}, wasmtime {machine['wasmtime']}, crossing: {machine['crossing']}"]
    if measured["quick"]:
        lines.append("quick: small sizes and short measurements, to see that it works; not for comparisons")
    width = max(len(row["name"]) for row in measured["rows"])
    names = {"total": 12, "fit check": 12, "measured": 10, "background": 12, "of control": 12, "speed": 11, "published": 14}
    head = " " * width + "".join(f"{name:>{columns}}" for name, columns in names.items())
    for size in dict.fromkeys((row["tasks"], row["offers"]) for row in measured["rows"]):
        lines += ["", f"{size[0]:,} tasks x {size[1]:,} offers, exclusive", head]
        rows = [row for row in measured["rows"] if (row["tasks"], row["offers"]) == size]
        lines += [_line(row, width) for row in sorted(rows, key=lambda row: -row["total_ms"])]
    lines += [
        "",
        "total: wall time of one cycle; for the component from rows, or columns, to the verified answer",
        "measured: the share of the tasks that was looked at, spread evenly; the total is for all of them",
        "background: speed of another Python thread meanwhile, of its speed when this one sleeps",
        "of control: the same, of its speed when this one hashes in C, without the GIL: what a busy core costs it anyway",
        f"speed: how many times as fast as the {BASELINE}",
    ]
    return "\n".join([*lines, *measured["notes"]]) + "\n"


def _line(row: dict[str, Any], width: int) -> str:
    share = "all" if row["fraction"] >= 1 else f"{row['fraction']:.2%}"
    ratio = "-" if row["faster_than_native_loop"] is None else ratio_text(row["faster_than_native_loop"])
    background, control = ("-" if row[key] is None else f"{row[key]:.0%}" for key in ("background", "background_of_control"))
    return (
        f"{row['name']:<{width}}{time_text(row['total_ms']):>12}{time_text(row['fit_check_ms']):>12}{share:>10}"
        f"{background:>12}{control:>12}{ratio:>11}{row['published'] or '-':>14}"
    )


def ratio_text(ratio: float) -> str:
    """Return a ratio with about three digits."""
    return f"{ratio:,.0f}x" if ratio >= 10 else f"{ratio:.2f}x" if ratio >= 0.1 else f"{ratio:.4f}x"


def time_text(milliseconds: float | None) -> str:
    """Return a time with about three digits and its unit."""
    if milliseconds is None:
        return "-"
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:,.1f} s"
    return f"{milliseconds:,.0f} ms" if milliseconds >= 100 else f"{milliseconds:.2f} ms"
