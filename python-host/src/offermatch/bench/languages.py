"""Measures matchers beside one another: their size, their imports, a cold start, and 1,000 tasks with 1,000 offers.

A cold start is that of a process that has the compiled component in its cache: reading it, an instance, an empty pool.
`assign` is the call alone, in exclusive mode, the fastest of several rounds; the bundled matcher has the first row.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from offermatch.limits import Limits
from offermatch.matcher import Matcher
from offermatch.policies import BUNDLED
from offermatch.sample import Sample
from offermatch.wasm.component import Code

__all__ = ["languages", "table"]

_SAMPLE = Sample("uniform", 1000, 1000)


def languages(matchers: Sequence[Path], rounds: int) -> dict[str, Any]:
    """Return what each matcher costs, the bundled one first."""
    limits = Limits.in_force(call_milliseconds=600_000)
    rows = [_row(path, limits, rounds) for path in (BUNDLED, *matchers)]
    return {"machine": _machine(), "sample": "uniform:1000x1000", "rounds": rounds, "rows": rows}


def _row(path: Path, limits: Limits, rounds: int) -> dict[str, Any]:
    tasks, offers = _SAMPLE.rows()
    begin = perf_counter()
    Matcher.load(path, limits=limits)
    first = perf_counter() - begin
    starts, calls = [], []
    for _ in range(rounds):
        begin = perf_counter()
        matcher = Matcher.load(path, limits=limits)
        with matcher.open([]) as pool:
            pool.assign([])
        starts.append(perf_counter() - begin)
        with matcher.open(offers) as pool:
            calls.append(pool.assign(tasks).timings.call)
    return {
        "matcher": matcher.description.name,
        "bytes": path.stat().st_size,
        "imports": list(Code(path, limits).inspection.imports),
        "first_load_ms": first * 1000,
        "cold_start_ms": min(starts) * 1000,
        "assign_ms": min(calls) * 1000,
    }


def _machine() -> str:
    return f"{os.cpu_count()} {platform.machine()} cores, {platform.system()}, Python {platform.python_version()}"


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people, as a table of Markdown."""
    fastest = measured["rows"][0]["assign_ms"]
    lines = [
        f"{measured['sample']}, exclusive, best of {measured['rounds']} rounds; {measured['machine']}",
        "",
        "| matcher | component | imports | cold start | assign | of the bundled one |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in measured["rows"]:
        size = f"{row['bytes'] / 1e6:.1f} MB" if row["bytes"] >= 1e6 else f"{row['bytes'] / 1e3:.0f} kB"
        imports = ", ".join(name.partition("@")[0] for name in row["imports"]) or "none"
        times = f"{row['cold_start_ms']:.1f} ms | {row['assign_ms']:.1f} ms | {row['assign_ms'] / fastest:.0f}x"
        lines.append(f"| {row['matcher']} | {size} | {imports} | {times} |")
    return "\n".join(lines) + "\n"
