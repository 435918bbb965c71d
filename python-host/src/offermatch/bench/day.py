"""A day of the whole scheduler in virtual time, with a tenth of broken servers, beside the same day without them.

The scheduler itself runs, cycle after cycle, on a SQLite file and a simulated cluster: three queues of different weights,
gangs, tasks that need most of a server, and from noon on more work than the cluster can do. Every task that comes to a
broken server fails there within seconds. The other day has the servers that work and nothing else, so that both can do the
same.

What is held against what it must reach (docs/scheduler.md says why):

    starved     tasks whose room was not there when the time limits said, and tasks for which no room was held while it was
                for a later one of their queue: none
    shares      of each queue, on average over the time when all have work for more than they lack: within 5 % of its weight
    failures    cost at most 2 % of the servers that work, and let no task fail for good

How long tasks wait is shown by their kind. With more work than the cluster can do, waiting grows with the work that is left.
The exit code is 1 where something was missed.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from offermatch.bench.workday import LARGE_CORES, QUEUES, Seen, lived, submissions, weights
from offermatch.extras import require

if TYPE_CHECKING:
    from offermatch.scheduler.day.workload import Workload
    from offermatch.scheduler.submission import Submission

__all__ = ["day", "missed", "table"]

TASKS, SERVERS, INTERVAL = 8_500, 100, 480.0
"""A twentieth of the talk's cluster, which takes a minute or two; all of it takes half an hour."""
LOAD = 1.0
"""What the tasks ask of the CPUs of all servers in 24 hours. With a tenth of them broken, that is too much from noon on."""
RESERVE_AFTER = 300.0
"""The seconds of waiting after which the scheduler holds room."""
MOST_FROM_WEIGHT, MOST_LOST = 0.05, 0.02
"""How far a share may be from its weight, as a part of it, and how much utilisation failures may cost."""

_BROKEN = 10
"""One server in so many is broken."""
_SEED = 18


def day(
    tasks: int = TASKS,
    servers: int = SERVERS,
    *,
    hours: float = 24.0,
    interval: float = INTERVAL,
    load: float = LOAD,
    seed: int = 1,
    reserve_after: float = RESERVE_AFTER,
    progress: Callable[[str, float], None] = lambda *_: None,
) -> dict[str, Any]:
    """Return the figures of both days. The same arguments give the same ones, but for the time that it takes.

    Args:
        tasks: How many arrive in 24 hours, from 1.
        servers: How many servers, the broken ones among them.
        hours: How much of the day is looked at, from midnight.
        interval: Seconds between two cycles.
        load: What the tasks ask of the CPUs of all servers, large tasks aside.
        seed: Where chance starts.
        reserve_after: The seconds of waiting after which the scheduler holds room.
        progress: Hears which day it is, and the part of it that is over.

    Raises:
        InputError: ``extra-missing`` or ``setting-malformed``.
        OffermatchError: What ended a cycle.
    """
    require("scheduler", "sqlalchemy", "alembic", "rich")
    from offermatch.scheduler.day.workload import generated  # noqa: PLC0415 - needs the extra

    work = generated(tasks, servers, seed=seed, load=load, hours=hours)
    rows = submissions(work, Random(seed + _SEED))  # noqa: S311 - chance that can be repeated, not a secret
    chance = Random(seed)  # noqa: S311 - likewise
    broken = frozenset(chance.sample(work.servers.names, servers // _BROKEN))
    found = {}
    for title, bad in (("without failures", frozenset[str]()), ("a tenth of the servers broken", broken)):
        kept = work.servers
        if not bad:
            kept = kept.picked([row for row, name in enumerate(kept.names) if name not in broken])

        def hear(part: float, title: str = title) -> None:
            progress(title, part)

        seen = lived(replace(work, servers=kept), rows, bad, interval, reserve_after, hear)
        found[title] = _figures(work, rows, seen, broken, reserve_after)
    calm, rough = found.values()
    return {
        "tasks": len(rows),
        "servers": servers,
        "broken": len(broken),
        "hours": hours,
        "interval": interval,
        "large": sum(one.demand["cpu"] == LARGE_CORES for one in rows),
        "gangs": len({one.group if isinstance(one.group, str) else one.group.name for one in rows if one.group}),
        "mean_seconds": sum(work.durations) / (len(work.durations) or 1),
        "days": found,
        "lost_to_failures": calm["utilisation"] - rough["utilisation"],
        "machine": {
            "cpus": os.cpu_count(),
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
        },
    }


def missed(measured: dict[str, Any]) -> list[str]:
    """Return what was not reached, in sentences."""
    found = []
    for title, one in measured["days"].items():
        if one["late"]:
            found.append(f"{title}: the room of {one['late']:,} tasks was not there when time limits said")
        if one["passed"]:
            found.append(
                f"{title}: no room was held for {one['passed']:,} tasks while it was for a later one of their queue"
            )
        if one["cycles_all_waited"] == 0:
            found.append(f"{title}: there was no time when all queues waited for as long as a task runs")
        found += [
            f"{title}: {queue} has {share:.1%} of what the queues hold, and its weight's part is {weight:.1%}"
            for queue, (share, weight) in one["shares"].items()
            if abs(share / weight - 1.0) > MOST_FROM_WEIGHT
        ]
        if one["counts"].get("failed", 0) or one["counts"].get("cancelled", 0):
            found.append(f"{title}: a task failed for good, though nothing but broken servers failed it")
    if measured["lost_to_failures"] > MOST_LOST:
        found.append(
            f"failures cost {measured['lost_to_failures']:.1%} of the servers that work, of {MOST_LOST:.0%} at most"
        )
    return found


def table(measured: dict[str, Any]) -> str:
    """Return the figures for people, with what they must reach, and what was not reached."""
    days = measured["days"]
    titles = [*days, "must be"]

    def figures(label: str, shown: Callable[[dict[str, Any]], str], must: str = "") -> tuple[str, list[str]]:
        return label, [*map(shown, days.values()), must]

    rows = [
        figures(
            "CPUs in use, of servers that work", lambda one: f"{one['utilisation']:.1%}", f"{MOST_LOST:.0%} less at most"
        ),
        *(
            figures(
                f"share of {name}",
                lambda one, name=name: f"{one['shares'][name][0]:.1%}" if name in one["shares"] else "-",  # type: ignore[misc]
                f"{part * (1 - MOST_FROM_WEIGHT):.1%} to {part * (1 + MOST_FROM_WEIGHT):.1%}",
            )
            for name, part in weights().items()
        ),
        figures("cycles in which all queues waited", lambda one: f"{one['cycles_all_waited']:,}", "1 or more"),
        figures("room was held for", lambda one: f"{one['held']:,} tasks"),
        figures("it was not there when promised", lambda one: f"{one['late']:,}", "0"),
        figures("it was held for a later one first", lambda one: f"{one['passed']:,}", "0"),
        figures("waited for it to be held, longest", lambda one: f"{one['longest_line']:,.0f} s"),
        figures("waited for held room, longest", lambda one: f"{one['longest_held']:,.0f} s"),
        figures("overtaken in its queue, longest", lambda one: f"{one['overtaken_longest']:,.0f} s"),
        *(
            figures(f"{name} waited, {label}", lambda one, name=name, key=key: f"{one['waits'][name][key]:,.0f} s")  # type: ignore[misc]
            for key, label in (("median", "median"), ("p99", "99 % below"))
            for name in ("small", "large", "gang")
        ),
        figures("tasks done", lambda one: f"{one['counts'].get('done', 0):,}"),
        figures("failed for good", lambda one: f"{one['counts'].get('failed', 0):,}", "0"),
        figures("attempts", lambda one: f"{one['attempts']:,}"),
        figures("on broken servers", lambda one: f"{one['wasted']:,}"),
        figures("broken servers left out, most", lambda one: f"{one['left_out']:,}"),
        figures("a cycle, mean", lambda one: f"{one['seconds'] / (one['cycles'] or 1):.2f} s"),
    ]
    first = max(len(label) for label, _ in rows)
    widths = [max(len(title), *(len(cells[at]) for _, cells in rows)) for at, title in enumerate(titles)]
    tasks = f"{measured['tasks']:,} tasks ({measured['large']:,} large, {measured['gangs']:,} gangs)"
    servers = f"{measured['servers']:,} servers ({measured['broken']:,} broken)"
    every = f"of {measured['mean_seconds']:,.0f} s on average, a cycle every {measured['interval']:g} s"
    lines = [f"{measured['hours']:g} hours, {servers}, {tasks} {every}", ""]
    for label, cells in [("", titles), *rows]:
        shown = "  ".join(f"{one:>{width}}" for one, width in zip(cells, widths, strict=True))
        lines.append(f"{label:<{first}}  {shown}".rstrip())
    lines += ["", f"failures cost {measured['lost_to_failures']:.2%} of the servers that work"]
    verdicts = [f"MISSED: {one}" for one in missed(measured)]
    limits = f"shares within {MOST_FROM_WEIGHT:.0%} of their weights, failures cost {MOST_LOST:.0%} at most"
    reached = f"reached: no task starved, {limits}"
    return "\n".join([*lines, *(verdicts or [reached]), ""])


def _figures(
    work: Workload, rows: Sequence[Submission], seen: Seen, broken: frozenset[str], reserve_after: float
) -> dict[str, Any]:
    from offermatch.scheduler.day.figures import percentile  # noqa: PLC0415 - needs the extra

    names = work.servers.names
    there = sum(cpus for name, cpus in zip(names, work.servers.available["cpu"], strict=True) if name not in broken)
    held = {name: sum(one[name] for one in seen.shares) for name in QUEUES} if seen.shares else {}
    whole = sum(held.values()) or 1.0
    waits: dict[str, list[float]] = {"small": [], "large": [], "gang": []}
    for row, one in enumerate(rows):
        kind = "gang" if one.group else "large" if one.demand["cpu"] == LARGE_CORES else "small"
        waits[kind].append((seen.starts[row] if seen.starts[row] >= 0 else work.seconds) - work.arrivals[row])
    return {
        "utilisation": seen.used / (there * work.seconds or 1),
        "shares": {name: (held[name] / whole, weight) for name, weight in weights().items() if held},
        "cycles_all_waited": len(seen.shares),
        "overtaken_longest": max(_overtaken(work, rows, seen.starts), default=0.0),
        "held": len(seen.held),
        "late": len(seen.late),
        "passed": len(seen.passed),
        "longest_line": max((since - reserve_after - work.arrivals[row] for row, since in seen.held.items()), default=0.0),
        "longest_held": max(
            ((seen.starts[row] if seen.starts[row] >= 0 else work.seconds) - since for row, since in seen.held.items()),
            default=0.0,
        ),
        "waits": {
            name: {"median": percentile(sorted(each), 0.5), "p99": percentile(sorted(each), 0.99)}
            for name, each in waits.items()
        },
        "counts": seen.counts,
        "attempts": seen.attempts,
        "wasted": seen.wasted,
        "left_out": seen.left_out,
        "cycles": seen.cycles,
        "seconds": seen.seconds,
    }


def _overtaken(work: Workload, rows: Sequence[Submission], starts: Sequence[float]) -> list[float]:
    """Return for how long each task waited while later ones of its queue had begun."""
    found = []
    # From the last to the first: the earliest start of all that came later, by queue.
    earliest = dict.fromkeys(QUEUES, math.inf)
    for row in range(len(rows) - 1, -1, -1):
        queue = rows[row].queue
        begun = starts[row] if starts[row] >= 0 else work.seconds
        found.append(max(0.0, begun - max(earliest[queue], work.arrivals[row])))
        if starts[row] >= 0:
            earliest[queue] = min(earliest[queue], starts[row])
    return found
