"""One cycle of the scheduler, stage by stage, beside the simple ways and the talk's figures.

The store holds 170,000 tasks: some done, and layers of 20,000 that each need two or three of the layer before. The simulated
cluster offers 20,000 servers and takes some milliseconds to fetch an input; each task of a layer has one of its own. The
measured cycle is a whole one: it hears that the 20,000 of the cycle before are done, which makes the next 20,000 ready, and
matches, claims, prepares and launches those.

The simple ways are those of the talk's story. They are measured on a part of the tasks, the share stands in the table, and
the time is divided by it: tasks as nested objects through an ORM, one query for the dependencies of each; the loop over
tasks and offers in Python (on lists as long as they are in the whole cycle); one input fetched after the other.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from offermatch.bench.svg import bars
from offermatch.bench.talk import python_loop, time_text
from offermatch.errors import OffermatchError
from offermatch.extras import require
from offermatch.fallback.fallback import FallbackMatcher
from offermatch.matcher import Matcher
from offermatch.model import Settings, Task
from offermatch.sample import Sample

__all__ = ["cycle", "table", "write_svg"]

_TALK = {
    "get_processable_tasks": ("2 min 21 s", "32 s"),
    "match_tasks_to_offers": ("3 min 16 s", "seconds"),
    "prepare_payloads": ("2 min 30 s", "23 s"),
    "the whole cycle": ("8 min", "about 1 min"),
}
_NOTE = "the talk's figures are of its production cycle, whose numbers of tasks and offers are not known"
_TARGET_SECONDS = 5.0
_FETCH_SECONDS = 0.0075
"""One after the other, 20,000 inputs take the talk's 2 min 30 s."""
_CONCURRENCY = 256
_ROUNDS = 6
"""Cycles, of which the first has nothing to hear of one before; the fastest of the others is shown."""


def cycle(
    store_url: str | None = None,
    *,
    tasks: int = 170_000,
    processable: int = 20_000,
    offers: int = 20_000,
    seconds: float = 4.0,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Return what was measured.

    Args:
        store_url: An empty database; a temporary SQLite file unless given.
        tasks: Tasks in the store, at least seven times ``processable``.
        processable: How many of them are ready in each cycle.
        offers: What the cluster offers.
        seconds: About how long each of the simple ways may take.
        progress: Told what is being measured.

    Raises:
        InputError: ``extra-missing``.
        OffermatchError: What ended a cycle.
    """
    require("scheduler", "sqlalchemy", "alembic", "rich")
    with tempfile.TemporaryDirectory() as folder:
        url = store_url or f"sqlite:///{Path(folder) / 'tasks.db'}"
        return _measured(url, Sample("uniform", processable, offers), tasks, seconds, progress)


def _measured(url: str, sample: Sample, tasks: int, seconds: float, progress: Callable[[str], None]) -> dict[str, Any]:
    from offermatch.bench.nested import nested_objects  # noqa: PLC0415 - needs the extra
    from offermatch.scheduler.cluster.simulated import SimulatedCluster  # noqa: PLC0415
    from offermatch.scheduler.loop import Scheduler  # noqa: PLC0415
    from offermatch.scheduler.store import Store  # noqa: PLC0415

    asked, offered = sample.rows()
    rows = _submissions(asked, tasks)
    cluster = SimulatedCluster(offered, clock="virtual", seconds=1.0, fetch_seconds=_FETCH_SECONDS)
    matcher = Matcher.load()
    with Store(url) as store:
        progress(f"submitting {tasks:,} tasks")
        begin = perf_counter()
        store.submit(rows)
        submitted = perf_counter() - begin
        # What only the measurement holds must not be walked by the collector of garbage in every cycle.
        del rows
        _do_first(store, tasks - _layers(tasks, len(asked)) * len(asked))
        cycles = []
        spent = _processor_times()
        settings = Settings("exclusive")
        with Scheduler(
            store,
            cluster,
            FallbackMatcher(matcher),
            settings=settings,
            concurrency=_CONCURRENCY,
            observers=[spent],
        ) as scheduler:
            for number in range(_ROUNDS):
                progress(f"cycle {number + 1} of {_ROUNDS}")
                record = scheduler.cycle()
                if record.error:
                    raise OffermatchError(record.error, record.message)
                cycles.append(record)
                cluster.wait(2.0)
        progress("tasks as nested objects through an ORM")
        nested = nested_objects(url, seconds)
    # The first cycle has no results to collect from one before.
    best = min(cycles[1:], key=lambda one: one.seconds)
    progress("the loop over tasks and offers in Python")
    loop = python_loop(sample, seconds)
    progress("inputs one after the other")
    few = [f"input-{number}" for number in range(min(len(asked), max(1, int(seconds / _FETCH_SECONDS))))]
    begin = perf_counter()
    cluster.fetch(few, concurrency=1)
    fetched = perf_counter() - begin
    simple = {
        "get_processable_tasks": (nested.seconds, nested.fraction),
        "match_tasks_to_offers": loop,
        "prepare_payloads": (fetched * len(asked) / len(few), len(few) / len(asked)),
    }
    return {
        "store": "PostgreSQL" if url.startswith("postgresql") else "SQLite",
        "tasks": tasks,
        "processable": best.queue,
        "offers": best.offers,
        "placed": best.placed,
        "launched": best.launched,
        "ended": dict(best.ended),
        "submit_seconds": submitted,
        "fetch_seconds": _FETCH_SECONDS,
        "concurrency": _CONCURRENCY,
        "cycles_seconds": [one.seconds for one in cycles],
        "seconds": best.seconds,
        "stages": [
            _stage(stage, sum(spent.of(span) for span in best.spans if span.name == stage.name), simple)
            for stage in best.stages()
        ],
        "machine": {
            "cpus": os.cpu_count(),
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
            "matcher": matcher.digest,
        },
        "notes": [_NOTE],
    }


def _layers(tasks: int, processable: int) -> int:
    """Return in how many layers of processable tasks the store is worked off; what is left of its tasks is done already."""
    return max(_ROUNDS, (tasks - processable) // processable)


def _submissions(asked: Sequence[Task], tasks: int) -> list[Any]:
    """Return tasks in layers: each task of one needs two or three of the layer before, so that all become ready at once."""
    from offermatch.scheduler.submission import Submission  # noqa: PLC0415

    wide, layers = len(asked), _layers(tasks, len(asked))
    first = tasks - layers * wide
    rows = [Submission(f"done-{number}") for number in range(first)]
    before = [f"done-{number}" for number in range(first)]
    for layer in range(layers):
        names = [f"layer-{layer}-{task.name}" for task in asked]
        for at, (name, task) in enumerate(zip(names, asked, strict=True)):
            needs = {before[(at * 7 + step * 31) % len(before)] for step in range(2 + at % 2)} if before else ()
            rows.append(Submission(name, task.demand, needs=tuple(needs), payload={"layer": layer}, inputs=(f"input-{at}",)))
        before = names
    return rows


def _do_first(store: Any, number: int) -> None:
    """Have the first tasks done, by the way every task takes."""
    from offermatch.scheduler.store import Verdict  # noqa: PLC0415

    lease = store.lease(600.0)
    while number > 0:
        ids = store.processable(min(number, 100_000)).ids
        claims = store.claim(lease, ids, ["before"] * len(ids))
        store.settle(lease, [Verdict(claim.id, "done") for claim in claims])
        number -= len(ids)
    store.end(lease)


def _processor_times() -> Any:
    """Return what notes the processor time of each stage: on a busy machine it tells more than the clock."""
    from offermatch.scheduler.cycle import Observer, Span  # noqa: PLC0415

    class Spent(Observer):
        def __init__(self) -> None:
            self._seconds: dict[int, float] = {}

        @contextmanager
        def span(self, span: Span) -> Iterator[None]:
            begin = process_time()
            yield
            self._seconds[id(span)] = process_time() - begin

        def of(self, span: Span) -> float:
            return self._seconds[id(span)]

    return Spent()


def _stage(span: Any, processor: float, simple: dict[str, tuple[float, float]]) -> dict[str, Any]:
    before, after = _TALK.get(span.name, ("", ""))
    way = simple.get(span.name)
    return {
        "name": span.name,
        "start": span.start,
        "seconds": span.seconds,
        "processor_seconds": processor,
        "simple_seconds": way[0] if way else None,
        "simple_fraction": way[1] if way else None,
        "talk_before": before,
        "talk_after": after,
    }


def _simple_whole(measured: dict[str, Any]) -> float:
    """Return the cycle with the simple ways in the place of ours."""
    stages = measured["stages"]
    total: float = sum(one["seconds"] if one["simple_seconds"] is None else one["simple_seconds"] for one in stages)
    return total


def table(measured: dict[str, Any]) -> str:
    """Return what was measured, for people."""
    lines = [
        f"One cycle on {measured['store']}, {measured['tasks']:,} tasks in the store",
        f"{measured['processable']:,} processable, {measured['offers']:,} offers, {measured['launched']:,} launched",
        f"{measured['ended'].get('done', 0):,} of the cycle before done",
        "",
        f"{'':<34}{'here':>10}{'CPU':>10}{'the simple way':>16}{'measured':>10}    {'the talk: before':<18}after",
    ]
    before, after = _TALK["the whole cycle"]
    whole = {
        "name": "the whole cycle",
        "seconds": measured["seconds"],
        "processor_seconds": sum(one["processor_seconds"] for one in measured["stages"]),
        "simple_seconds": _simple_whole(measured),
        "simple_fraction": None,
        "talk_before": before,
        "talk_after": after,
    }
    for one in [*measured["stages"], whole]:
        way, part = one["simple_seconds"], one["simple_fraction"]
        shown = time_text(way * 1000) if way is not None else ""
        share = f"{part:.1%}" if part is not None else ""
        known = f"{one['talk_before']:<18}{one['talk_after']}"
        here = f"{time_text(one['seconds'] * 1000):>10}{time_text(one['processor_seconds'] * 1000):>10}"
        lines.append(f"{one['name']:<34}{here}{shown:>16}{share:>10}    {known}".rstrip())
    target = "reached" if measured["seconds"] <= _TARGET_SECONDS else "MISSED"
    lines += [
        "",
        f"target: all stages within {_TARGET_SECONDS:g} s: {target}",
        f"submitted in bulk: {measured['tasks']:,} tasks in {time_text(measured['submit_seconds'] * 1000)}",
        f"one input takes {measured['fetch_seconds'] * 1000:g} ms to fetch; {measured['concurrency']} at a time here",
        *measured["notes"],
    ]
    return "\n".join(lines) + "\n"


def write_svg(measured: dict[str, Any], folder: Path) -> Path:
    """Draw the stages beside the simple ways, and return the picture's path."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for one in measured["stages"]:
        if one["simple_seconds"] is not None:
            milliseconds = one["simple_seconds"] * 1000
            drawn.append((f"simple: {one['name']}", milliseconds, time_text(milliseconds)))
        milliseconds = max(one["seconds"] * 1000, 0.001)
        drawn.append((one["name"], milliseconds, time_text(milliseconds)))
    whole = _simple_whole(measured) * 1000
    drawn.append(("simple: the whole cycle", whole, time_text(whole)))
    drawn.append(("the whole cycle", measured["seconds"] * 1000, time_text(measured["seconds"] * 1000)))
    title = f"One cycle: {measured['tasks']:,} tasks stored, {measured['processable']:,} x {measured['offers']:,} matched"
    path = folder / "cycle.svg"
    path.write_text(bars(title, f"{measured['store']}; logarithmic scale; shorter is better", drawn, log=True))
    return path
