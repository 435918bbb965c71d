"""Measures the border: rows to columns, columns into the component, answer back, names, verification.

The matching itself cannot be told from the copy into the component's memory from outside. So the same tables are sent once
more with nothing to decide: the offers into a pool, and the tasks to a pool of one offer that holds them all, which gives an
answer of full size. What that costs is the border's share of the call; the rest is the matching.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable
from time import perf_counter
from typing import Any

from offermatch._rows import offer_columns, task_columns
from offermatch.columns import OfferColumns, TaskColumns
from offermatch.matcher import Matcher
from offermatch.model import Offer, Settings, Timings
from offermatch.sample import Sample

__all__ = ["border", "table"]

_STAGES = ("columns", "lower", "call", "lift", "names", "verify")


def border(sample: Sample, rounds: int) -> dict[str, Any]:
    """Return milliseconds a stage, from dataclasses and from columns; each the least of several rounds."""
    matcher = Matcher.load()
    tasks, offers = sample.rows()
    ready = (task_columns(tasks), offer_columns(offers))
    total = min(matcher.match(*ready).timings.call for _ in range(max(1, rounds // 2)))
    sources: dict[str, Callable[[], tuple[TaskColumns, OfferColumns]]] = {
        "dataclasses": lambda: (task_columns(tasks), offer_columns(offers)),
        "columns": _column_source(*ready),
    }
    result: dict[str, Any] = {"sample": str(sample), "crossing": matcher.crossing, "unit": "ms", "border": {}}
    for name, source in sources.items():
        best = dict.fromkeys(_STAGES, float("inf"))
        for _ in range(rounds):
            for stage, seconds in _round(matcher, source).items():
                best[stage] = min(best[stage], seconds)
        found = {stage: round(seconds * 1000, 3) for stage, seconds in best.items()}
        result["border"][name] = {**found, "total": round(sum(found.values()), 3)}
    result["matching"] = round(total * 1000 - result["border"]["dataclasses"]["call"], 3)
    return result


def _column_source(tasks: TaskColumns, offers: OfferColumns) -> Callable[[], tuple[TaskColumns, OfferColumns]]:
    """Return a function that builds both tables from columns that only have the buffer protocol."""
    demand = {name: memoryview(column) for name, column in tasks.demand.items()}
    available = {name: memoryview(column) for name, column in offers.available.items()}
    capacity = {name: memoryview(column) for name, column in (offers.capacity or {}).items()}

    def build() -> tuple[TaskColumns, OfferColumns]:
        return TaskColumns.build(tasks.names, demand), OfferColumns.build(offers.names, available, capacity=capacity)

    return build


def _round(matcher: Matcher, source: Callable[[], tuple[TaskColumns, OfferColumns]]) -> dict[str, float]:
    gc.collect()
    begin = perf_counter()
    tasks, offers = source()
    columns = perf_counter() - begin
    opened = _open_timings(matcher, offers)
    with matcher.open([_giant(tasks)], Settings("shared")) as pool:
        answer = pool.assign(tasks)
    begin = perf_counter()
    dict(zip(answer.task_names, answer.offer_names, strict=True))
    names = perf_counter() - begin
    done = answer.timings
    return {
        "columns": columns + done.columns,
        "lower": opened.lower + done.lower,
        "call": opened.call + done.call,
        "lift": opened.lift + done.lift,
        "names": names,
        "verify": done.verify,
    }


def _open_timings(matcher: Matcher, offers: OfferColumns) -> Timings:
    """Return where the time of opening a pool goes."""
    empty = TaskColumns.build([], {name: array("Q") for name in offers.available})
    return matcher.match(empty, offers).timings


def _giant(tasks: TaskColumns) -> Offer:
    return Offer("giant", {name: sum(column) for name, column in tasks.demand.items()})


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    lines = [f"{measured['sample']}, crossing: {measured['crossing']}; milliseconds", ""]
    lines.append(f"{'':<10}" + "".join(f"{name:>14}" for name in measured["border"]))
    for stage in (*_STAGES, "total"):
        lines.append(f"{stage:<10}" + "".join(f"{found[stage]:>14.2f}" for found in measured["border"].values()))
    return "\n".join([*lines, "", f"matching, apart from the border: {measured['matching']:.2f} ms"]) + "\n"
