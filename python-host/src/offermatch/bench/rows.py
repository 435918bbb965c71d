"""Measures what rows cost by what they are made of: processor time of a whole `match`, in exclusive mode.

The same tasks and offers, as rows and as tables. `columns` were built before, so that they are the least there is; `of flat
dataclasses` is the share of these. `with zones, capacities` are rows that say as much as those of a cluster; their answer is
the same, as every task may take every zone. Every answer is compared with the first. pandas, polars and pyarrow are measured
where they are installed. Times are the least of several rounds, which take turns.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from time import process_time
from typing import Any

from offermatch.errors import LyingMatcherError
from offermatch.matcher import Matcher
from offermatch.model import Offer, Task, is_in
from offermatch.sample import Sample
from offermatch.tables.input import offer_columns, task_columns

__all__ = ["rows", "table"]

_FLAT = "flat dataclasses"
_ZONED = "with zones, capacities"
_DIMENSIONS = ("cpu", "memory")
_ZONES = tuple(map(str, range(10)))


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as a scheduler of its own may have it."""

    name: str
    cpu: Any
    memory: Any


def rows(sample: Sample, rounds: int) -> dict[str, Any]:
    """Return milliseconds of processor time by what the rows are made of, and the share of flat dataclasses."""
    matcher = Matcher.load()
    sources = _sources(sample)
    best = dict.fromkeys(sources, float("inf"))
    digest = ""
    for _ in range(rounds):
        for name, (tasks, offers, options) in sources.items():
            gc.collect()
            begin = process_time()
            answer = matcher.match(tasks, offers, **options)
            best[name] = min(best[name], process_time() - begin)
            digest = digest or answer.digest
            if answer.digest != digest:
                raise LyingMatcherError("answer-refused", f"{name} have another answer", "this is a bug", name)
    measured = {name: round(seconds * 1000, 3) for name, seconds in best.items()}
    shares = {name: round(seconds / best[_FLAT], 3) for name, seconds in best.items()}
    return {"sample": str(sample), "unit": "ms of processor time", "rows": measured, "of flat dataclasses": shares}


def _sources(sample: Sample) -> dict[str, tuple[Any, Any, dict[str, Any]]]:
    tasks, offers = sample.rows()
    flat: dict[str, Any] = {"dimensions": _DIMENSIONS}
    asked = [_Row(row.name, *(row.demand[name] for name in _DIMENSIONS)) for row in tasks]
    offered = [_Row(row.name, *(row.available[name] for name in _DIMENSIONS)) for row in offers]

    def keyed(listed: list[_Row]) -> list[dict[str, Any]]:
        return [{"name": row.name, "cpu": row.cpu, "memory": row.memory} for row in listed]

    def columns(listed: list[_Row]) -> dict[str, list[Any]]:
        return {name: [getattr(row, name) for row in listed] for name in ("name", *_DIMENSIONS)}

    sources: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        _FLAT: (asked, offered, flat),
        "Task and Offer": (tasks, offers, {}),
        _ZONED: _in_zones(tasks, offers),
        "dictionaries": (
            [{"name": row.name, "demand": dict(row.demand)} for row in tasks],
            [{"name": row.name, "available": dict(row.available)} for row in offers],
            {},
        ),
        "flat dictionaries": (keyed(asked), keyed(offered), flat),
        "dictionary of lists": (columns(asked), columns(offered), {}),
    }
    frames: dict[str, Callable[[Any], Callable[..., Any]]] = {
        "pandas": lambda library: library.DataFrame,
        "polars": lambda library: library.DataFrame,
        "pyarrow": lambda library: library.table,
    }
    whole = task_columns(tasks), offer_columns(offers)
    cores = [[quantity / 1000 for quantity in column["cpu"]] for column in (whole[0].demand, whole[1].available)]
    for name, maker in frames.items():
        if find_spec(name) is not None:
            make = maker(import_module(name))
            given = (
                {"name": whole[0].names, "cpu": cores[0], "memory": list(whole[0].demand["memory"])},
                {"name": whole[1].names, "cpu": cores[1], "memory": list(whole[1].available["memory"])},
            )
            sources[name] = (make(given[0]), make(given[1]), {})
    sources["columns"] = (*whole, {})
    return sources


def _in_zones(tasks: list[Task], offers: list[Offer]) -> tuple[list[Task], list[Offer], dict[str, Any]]:
    """Return rows that say more: offers in ten zones with their capacities, and tasks each of which names all ten."""
    required = [is_in("zone", [*_ZONES[first:], *_ZONES[:first]]) for first in range(len(_ZONES))]
    asked = [replace(row, requirements=[required[at % len(required)]]) for at, row in enumerate(tasks)]
    offered = [
        replace(row, capacity=dict(row.available), attributes={"zone": _ZONES[at % len(_ZONES)]})
        for at, row in enumerate(offers)
    ]
    return asked, offered, {}


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    lines = [f"{measured['sample']}; milliseconds of processor time, and the share of flat dataclasses", ""]
    shares = measured["of flat dataclasses"]
    lines += [f"{name:<24}{found:>10.2f}{shares[name]:>10.2f}" for name, found in measured["rows"].items()]
    return "\n".join(lines) + "\n"
