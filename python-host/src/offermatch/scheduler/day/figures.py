"""From days to figures: utilisation, waiting and cycles, as one JSON document; docs/day.md describes it.

Utilisation is counted exactly: the area under it is what each task holds times how long it ran within the day.
"""

from __future__ import annotations

import os
import platform
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from offermatch.scheduler.day.replay import Day, LoopSpeed
from offermatch.scheduler.day.workload import Workload

__all__ = ["BINS", "figures", "percentile", "utilisation", "waits"]

BINS = 144
"""Parts of the day that are shown, of ten minutes each in 24 hours."""
_QUANTILES = tuple(part / 100 for part in range(101))


def figures(
    workload: Workload, days: Sequence[Day], loop: LoopSpeed, matcher: str, assumptions: dict[str, list[str]]
) -> dict[str, Any]:
    """Return what the page shows.

    Args:
        workload: The day.
        days: How each side ran it.
        loop: What the loop's matching time was computed from.
        matcher: What decided, for people.
        assumptions: Sentences, by whether they are measured, taken from the talk or simulated.
    """
    load = workload.load
    scarce = max(load, key=lambda name: load[name])
    return {
        "workload": {
            "name": workload.name,
            "seconds": workload.seconds,
            "tasks": len(workload.tasks),
            "servers": len(workload.servers),
            "capacity": workload.capacity,
            "load": load,
            "scarce": scarce,
            "mean_seconds": sum(workload.durations) / (len(workload.durations) or 1),
        },
        "loop": {
            "tasks": loop.tasks,
            "offers": loop.offers,
            "seconds": loop.seconds,
            "rounds": loop.rounds,
            "seconds_per_pair": loop.seconds_per_pair,
        },
        "assumptions": assumptions,
        "sides": [_side(workload, day, scarce) for day in days],
        "machine": {
            "cpus": os.cpu_count(),
            "machine": platform.machine(),
            "system": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
            "matcher": matcher,
        },
    }


def _side(workload: Workload, day: Day, scarce: str) -> dict[str, Any]:
    used = utilisation(workload, day)
    mean = {name: sum(column) / len(column) for name, column in used.items()}
    waited = sorted(waits(workload, day))
    begun = [row for row, start in enumerate(day.starts) if start >= 0]
    done = sum(day.starts[row] + workload.durations[row] <= workload.seconds for row in begun)
    lengths = sorted(cycle.seconds for cycle in day.cycles)
    matching = sorted(cycle.matching for cycle in day.cycles)
    bins = [_bin(workload, cycle.begin + cycle.seconds) for cycle in day.cycles]
    # A task's share of a server idles from its end until the end of the next cycle but one begins to use it.
    turn = 1.5 * (sum(lengths) / (len(lengths) or 1))
    ran = sum(workload.durations[row] for row in begun) / (len(begun) or 1)
    return {
        "name": day.side.name,
        "title": day.side.title,
        "stages_seconds": {
            "get_processable_tasks": day.side.get_tasks_seconds,
            "match_tasks_to_offers": sum(matching) / (len(matching) or 1),
            "prepare_payloads": day.side.prepare_seconds,
        },
        "utilisation": mean,
        "idle": 1.0 - mean[scarce],
        "idle_expected": turn / (ran + turn) if ran + turn else 0.0,
        "started": len(begun),
        "done": done,
        "waiting_at_end": len(day.starts) - len(begun),
        "wait_seconds": {
            "mean": sum(waited) / (len(waited) or 1),
            "median": percentile(waited, 0.5),
            "p90": percentile(waited, 0.9),
            "p99": percentile(waited, 0.99),
        },
        "wait_seconds_largest": _largest(workload, day, scarce),
        "cycle_seconds": {
            "median": percentile(lengths, 0.5),
            "p90": percentile(lengths, 0.9),
            "most": percentile(lengths, 1.0),
        },
        "matching_seconds": {
            "median": percentile(matching, 0.5),
            "p90": percentile(matching, 0.9),
            "most": percentile(matching, 1.0),
        },
        "cycles": len(day.cycles),
        "looks": sum(cycle.looked for cycle in day.cycles),
        "over_time": {
            "utilisation": used,
            "waiting": _means(bins, [float(cycle.waiting) for cycle in day.cycles]),
            "cycle_seconds": _means(bins, [cycle.seconds for cycle in day.cycles]),
            "matching_seconds": _means(bins, [cycle.matching for cycle in day.cycles]),
        },
        "wait_quantiles": [percentile(waited, part) for part in _QUANTILES],
    }


def _largest(workload: Workload, day: Day, scarce: str) -> dict[str, float]:
    """Return how long the tenth of the tasks waited that ask for most of what is scarce."""
    asked = workload.demand[scarce]
    rows = sorted(range(len(asked)), key=lambda row: -asked[row])[: -(-len(asked) // 10)]
    every = list(waits(workload, day))
    waited = sorted(every[row] for row in rows)
    return {"median": percentile(waited, 0.5), "p90": percentile(waited, 0.9)}


def utilisation(workload: Workload, day: Day, bins: int = BINS) -> dict[str, list[float]]:
    """Return what is used, as a part of what there is, in equal parts of the day, by dimension."""
    width = workload.seconds / bins
    demand = list(workload.demand.values())
    # What begins and ends within a part is added to it; what lasts over whole parts, where it begins and ends to do so.
    areas = [array("d", bytes(8 * (bins + 1))) for _ in demand]
    steps = [array("q", bytes(8 * (bins + 1))) for _ in demand]
    for row, start in enumerate(day.starts):
        if start < 0:
            continue
        end = min(start + workload.durations[row], workload.seconds)
        first, last = min(int(start / width), bins - 1), min(int(end / width), bins - 1)
        head = (min(end, (first + 1) * width) - start) if first < last else end - start
        tail = end - last * width if first < last else 0.0
        for area, step, column in zip(areas, steps, demand, strict=True):
            asked = column[row]
            if asked:
                area[first] += asked * head
                if first < last:
                    area[last] += asked * tail
                    step[first + 1] += asked
                    step[last] -= asked
    return {
        name: [
            (area[at] + whole * width) / (there * width) if there else 0.0
            for at, whole in zip(range(bins), accumulate(step), strict=False)
        ]
        for (name, there), area, step in zip(workload.capacity.items(), areas, steps, strict=True)
    }


def waits(workload: Workload, day: Day) -> Iterator[float]:
    """Give how long each task waited, in seconds; one that was never launched has waited until the end of the day."""
    for arrival, start in zip(workload.arrivals, day.starts, strict=True):
        yield (start if start >= 0 else workload.seconds) - arrival


def percentile(rising: Sequence[float], part: float) -> float:
    """Return the smallest value that at least this part of all values does not exceed; 0 of none."""
    if not rising:
        return 0.0
    return rising[max(0, -int(-part * len(rising) // 1) - 1)]


def _bin(workload: Workload, at: float) -> int:
    return min(BINS - 1, int(at * BINS / workload.seconds))


def _means(bins: Sequence[int], values: Sequence[float]) -> list[float | None]:
    """Return the mean of each part of the day; None where no cycle ended."""
    sums, counts = [0.0] * BINS, [0] * BINS
    for at, value in zip(bins, values, strict=True):
        sums[at] += value
        counts[at] += 1
    return [total / count if count else None for total, count in zip(sums, counts, strict=True)]
