"""One side of ``before.py``: measures the package that Python finds, one order a line of standard input.

What is imported and called here is what both an old version and this one have; where a module has moved, both places are
tried.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import pandas
import polars
import pyarrow

from offermatch import Matcher, OfferColumns, TaskColumns
from offermatch.model import Offer, Settings, Task
from offermatch.sample import Sample
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.store import Store

try:
    from offermatch.bench.cycle import _CONCURRENCY, _FETCH_SECONDS, _ROUNDS, _do_first, _layers, _submissions
except ImportError:
    from offermatch._bench.cycle import (  # type: ignore[no-redef, import-not-found]
        _CONCURRENCY,
        _FETCH_SECONDS,
        _ROUNDS,
        _do_first,
        _layers,
        _submissions,
    )
try:
    from offermatch.fallback.fallback import FallbackMatcher
except ImportError:
    from offermatch.fallback import FallbackMatcher  # type: ignore[no-redef, attr-defined]
try:
    from offermatch.tables.input import offer_columns, task_columns
except ImportError:
    from offermatch._rows import offer_columns, task_columns  # type: ignore[no-redef, import-not-found]

_SECONDS = 0.4
"""How long one small call is repeated in a round."""


def cycle(url: str, tasks: int, processable: int) -> dict[str, Any]:
    """Return the seconds of a submission and of each cycle but the first, which has no ends to hear of.

    Args:
        url: An empty database.
        tasks: Tasks in the store.
        processable: How many of them each cycle finds, places and launches; as many offers there are.
    """
    asked, offered = Sample("uniform", processable, processable).rows()
    rows = _submissions(asked, tasks)
    cluster = SimulatedCluster(offered, clock="virtual", seconds=1.0, fetch_seconds=_FETCH_SECONDS)
    with Store(url) as store:
        begin = perf_counter()
        store.submit(rows)
        submitted = perf_counter() - begin
        del rows
        _do_first(store, tasks - _layers(tasks, processable) * processable)
        found, spent, stages = [], [], []
        settings = Settings("exclusive")
        with Scheduler(store, cluster, FallbackMatcher(Matcher.load()), settings=settings, concurrency=_CONCURRENCY) as loop:
            for _ in range(_ROUNDS):
                busy = process_time()
                record = loop.cycle()
                spent.append(process_time() - busy)
                if record.error or record.launched != processable:
                    raise RuntimeError(f"{record.error}: {record.message}: {record.launched} launched")
                found.append(record.seconds)
                parts: dict[str, float] = {}
                for span in record.spans:
                    parts[span.name] = parts.get(span.name, 0.0) + span.seconds
                stages.append(parts)
                if record.number > 1 and record.ended.get("done") != processable:
                    raise RuntimeError(f"of the cycle before, {record.ended} ended")
                cluster.wait(2.0)
        if store.counts().get("done", 0) < processable * (_ROUNDS - 1):
            raise RuntimeError(f"the store has {store.counts()}")
    best = min(range(1, _ROUNDS), key=found.__getitem__)
    return {"submit": submitted, "cycles": found[1:], "processor": spent[1:], "stages": stages[best]}


def small() -> dict[str, float]:
    """Return the seconds of each small call: the fastest of many."""
    matcher = Matcher.load()
    found = {}
    tasks, offers = Sample("uniform", 10_000, 2_000).rows()
    found["match 10,000 x 2,000, dataclasses"] = _fastest(lambda: matcher.match(tasks, offers))
    columns = task_columns(tasks), offer_columns(offers)
    found["match 10,000 x 2,000, columns"] = _fastest(lambda: matcher.match(*columns))
    one = [Task("task", {"cpu": 1})], [Offer("offer", {"cpu": 4})]
    found["match 1 x 1, rows"] = _fastest(lambda: matcher.match(*one))
    table = task_columns(one[0]), offer_columns(one[1])
    found["match 1 x 1, columns"] = _fastest(lambda: matcher.match(*table))
    row = [Task("task", {"cpu": 1, "memory": 1 << 20})]
    column = task_columns(row)
    offered = [Offer(f"offer-{number}", {"cpu": 10**9, "memory": 1 << 50}) for number in range(2_000)]
    with matcher.open(offered, Settings("shared")) as pool:
        found["assign 1, row"] = _fastest(lambda: pool.assign(row))
        found["assign 1, column"] = _fastest(lambda: pool.assign(column))
        turn = [0]

        def both() -> None:
            turn[0] = (turn[0] + 1) % 2_000
            pool.update(changed=[offered[turn[0]]])
            pool.assign(column)

        found["update 1 and assign 1"] = _fastest(both)
    return {**found, **_frames(matcher)}


def _frames(matcher: Matcher) -> dict[str, float]:
    """Return the seconds of a cycle from columns of each library."""
    tasks, offers = Sample("uniform", 20_000, 20_000).rows()
    asked = {name: [row.demand[name] for row in tasks] for name in tasks[0].demand}
    offered = {name: [row.available[name] for row in offers] for name in offers[0].available}
    made: dict[str, Callable[[Any], Any]] = {"pandas": pandas.Series, "polars": polars.Series, "Arrow": pyarrow.array}
    found = {}
    for library, column in made.items():
        names = column([row.name for row in tasks]), column([row.name for row in offers])
        columns = [{name: column(values) for name, values in table.items()} for table in (asked, offered)]

        def cycle_of(names: Any = names, columns: Any = columns) -> object:
            tables = TaskColumns.build(names[0], columns[0]), OfferColumns.build(names[1], columns[1])
            return matcher.match(*tables)

        found[f"match 20,000 x 20,000, {library}"] = _fastest(cycle_of)
    return found


def _fastest(call: Callable[[], object]) -> float:
    call()
    best, until = float("inf"), perf_counter() + _SECONDS
    while (begin := perf_counter()) < until:
        call()
        best = min(best, perf_counter() - begin)
    return best


_ORDERS: dict[str, Callable[..., Any]] = {"cycle": cycle, "small": small}


def main() -> None:
    """Answer each order with a line of JSON."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = _ORDERS[order.pop("measure")](**order)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
