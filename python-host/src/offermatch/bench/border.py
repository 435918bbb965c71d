"""Measures the border: rows to columns, columns into the component, answer back; and, apart from it, names and verification.

From outside, the copy into the component's memory and back cannot be told from the matching. So it is measured alone:

  copy in   the same tables with a wrong number of rows, which the matcher refuses once it has copied and read them
  copy out  the tasks given to one offer that holds them all, less the tasks given to one that holds none: an answer of
            full size less an empty one. What the matcher does to place each of them is in it, so it is an upper bound.

What is left of a call is the matching. `verify` is the verification, `of the call` its share of a whole call of `match`,
and `with numpy` both once the program has loaded numpy: the least of several rounds over the least. Sources:
`dataclasses` are rows, `buffers` are columns of another library, checked and copied on the way in, `columns` are TaskColumns
and OfferColumns that were built before.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from sys import float_info
from time import perf_counter
from typing import Any

from offermatch.errors import LyingMatcherError
from offermatch.matcher import Matcher
from offermatch.model import Offer, Settings, Timings
from offermatch.quantity import SMALLEST, as_written
from offermatch.sample import Sample
from offermatch.session import Backend
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.interner import Interner
from offermatch.tables.numbering import offer_table, task_table
from offermatch.tables.offers import OfferColumns
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import OfferTable
from offermatch.tables.tasks import TaskColumns

__all__ = ["border", "table"]

_BORDER = ("columns", "lower", "copy in", "copy out", "lift")
_APART = ("names", "matching", "verify", "of the call", "with numpy", "of the call with numpy")
_SHARES = ("of the call", "of the call with numpy")
_Source = Callable[[], tuple[TaskColumns, OfferColumns]]


def border(sample: Sample, rounds: int) -> dict[str, Any]:
    """Return milliseconds a stage, by source; each the least of several rounds."""
    matcher = Matcher.load()
    tasks, offers = sample.rows()
    ready = (task_columns(tasks), offer_columns(offers))
    sources: dict[str, _Source] = {
        "dataclasses": lambda: (task_columns(tasks), offer_columns(offers)),
        "buffers": _buffers(*ready),
        "columns": lambda: ready,
    }
    found: dict[str, Any] = {"sample": str(sample), "crossing": matcher.crossing, "unit": "ms", "border": {}}
    for name, source in sources.items():
        measured = [_round(matcher, source) for _ in range(rounds)]
        best = {stage: min(one[stage] for one in measured) for stage in measured[0]}
        # The difference of the least, not the least difference, which noise would make zero.
        best["copy out"] = max(0.0, best.pop("full") - best.pop("empty"))
        copied = best["copy in"] + best["copy out"]
        best["matching"] = max(0.0, best.pop("call") - copied)
        in_ms = {stage: round(best[stage] * 1000, 3) for stage in (*_BORDER, "names", "matching", "verify")}
        found["border"][name] = {**in_ms, "total": round(sum(in_ms[stage] for stage in _BORDER), 3)}
        found["border"][name]["of the call"] = round(best["verify"] / best["match"], 4)
    # Once it is loaded there is no way back, so this comes last.
    numpy = find_spec("numpy") is not None and import_module("numpy") is not None
    for name, source in sources.items():
        verify, whole = (
            map(min, zip(*(_verified(matcher, source) for _ in range(rounds)), strict=True)) if numpy else (None, 1)
        )
        found["border"][name]["with numpy"] = verify and round(verify * 1000, 3)
        found["border"][name]["of the call with numpy"] = verify and round(verify / whole, 4)
    return found


def _verified(matcher: Matcher, source: _Source) -> tuple[float, float]:
    """Return the seconds of the verification and of the call with it."""
    begin = perf_counter()
    answer = matcher.match(*source())
    return answer.timings.verify, perf_counter() - begin


def _buffers(tasks: TaskColumns, offers: OfferColumns) -> _Source:
    """Return a function that builds both tables from columns that only have the buffer protocol."""
    demand = {name: memoryview(column) for name, column in tasks.demand.items()}
    available = {name: memoryview(column) for name, column in offers.available.items()}
    capacity = {name: memoryview(column) for name, column in (offers.capacity or {}).items()}

    def build() -> tuple[TaskColumns, OfferColumns]:
        offered = OfferColumns.build(offers.names, available, capacity=capacity, units=SMALLEST)
        return TaskColumns.build(tasks.names, demand, units=SMALLEST), offered

    return build


def _round(matcher: Matcher, source: _Source) -> dict[str, float]:
    gc.collect()
    begin = perf_counter()
    tasks, offers = source()
    columns = perf_counter() - begin
    answer = matcher.match(tasks, offers)
    whole = perf_counter() - begin
    begin = perf_counter()
    dict(zip(answer.task_names, answer.offer_names, strict=True))
    names = perf_counter() - begin
    done = answer.timings
    full, empty = _to_one_offer(matcher, tasks, sum), _to_one_offer(matcher, tasks, lambda _: 0)
    return {
        "columns": columns + done.columns,
        "lower": done.lower,
        "call": done.call,
        "copy in": _copy_in(matcher, tasks, offers),
        "full": full.call,
        "empty": empty.call,
        "lift": full.lift,
        "names": names,
        "verify": done.verify,
        "match": whole,
    }


def _copy_in(matcher: Matcher, tasks: TaskColumns, offers: OfferColumns) -> float:
    """Return the seconds of an opening and of an assignment that are refused for their number of rows."""
    dimensions = tuple(offers.available)
    interner = Interner(())
    offered, asked = offer_table(offers, dimensions, interner), task_table(tasks, dimensions, interner)
    timings = Timings()
    with suppress(LyingMatcherError):
        _open(matcher, replace(offered, rows=offered.rows + 1), dimensions, timings)
    none = offer_table(OfferColumns.build([], {}), dimensions, interner)
    backend = _open(matcher, none, dimensions, Timings())
    with suppress(LyingMatcherError):
        backend.assign(replace(asked, rows=asked.rows + 1), timings)
    backend.close()
    return timings.call


def _open(matcher: Matcher, table: OfferTable, dimensions: tuple[str, ...], timings: Timings) -> Backend:
    return matcher.backend(table, Shape(len(dimensions)), SettingColumns("shared", float_info.max), timings)


def _to_one_offer(matcher: Matcher, tasks: TaskColumns, size: Callable[[Iterable[int]], int]) -> Timings:
    """Return where the time goes when all tasks are given to one offer whose size is drawn from the demand."""
    offer = Offer("one", as_written({name: size(column) for name, column in tasks.demand.items()}))
    with matcher.open([offer], Settings("shared")) as pool:
        return pool.assign(tasks).timings


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    border = measured["border"]
    lines = [f"{measured['sample']}, crossing: {measured['crossing']}; milliseconds", ""]
    lines.append(f"{'':<22}" + "".join(f"{name:>14}" for name in border))
    for stage in (*_BORDER, "total", "", *_APART):
        cells = [found[stage] if stage else "" for found in border.values()]
        form = "14.1%" if stage in _SHARES else "14.2f"
        numbers = "".join(f"{cell:>{form}}" if isinstance(cell, float) else f"{cell or '':>14}" for cell in cells)
        lines.append(f"{'border' if stage == 'total' else stage:<22}" + numbers)
    return "\n".join(line.rstrip() for line in lines) + "\n"
