"""Measures offline packing on public kinds of instances: vectors of 3, 5 and 10 dimensions, in equal offers.

The nine classes are those of R. Panigrahy, K. Talwar, L. Uyeda, U. Wieder, "Heuristics for Vector Bin Packing", 2011, as the
generator of C. Mommessin, T. Erlebach, N. V. Shakhlevich draws them ("Classification and evaluation of the algorithms for
vector bin packing", Computers & Operations Research, 2025; its `data` folder). The numbers are drawn by a generator of our
own, so that the instances are the same everywhere.

  offermatch bench pack
  offermatch bench pack --seconds 10 --rust-host target/release/offermatch-host
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from offermatch.errors import MatcherError
from offermatch.pack.search import Kind, Problem
from offermatch.pack.search import pack as search
from offermatch.sample import SplitMix64

__all__ = ["CLASSES", "DIMENSIONS", "TASKS", "instance", "pack", "table"]

CLASSES = tuple(range(1, 10))
TASKS = (50, 100, 200)
DIMENSIONS = (3, 5, 10)
_RANGES = {
    1: (1000, 100, 400),
    2: (1000, 1, 1000),
    3: (1000, 200, 800),
    4: (1000, 50, 200),
    5: (1000, 25, 100),
    6: (150, 20, 100),
}
"""Capacity, least and most of the classes that draw each number alone."""


def instance(number: int, tasks: int, dimensions: int, seed: int) -> tuple[int, list[list[int]]]:
    """Return the capacity, the same in each dimension, and the demands of one instance of a class."""
    random = SplitMix64(seed * 1_000_003 + number * 10_007 + tasks * 101 + dimensions)

    def within(least: int, most: int) -> int:
        return least + random.below(most - least + 1)

    if number in _RANGES:
        capacity, least, most = _RANGES[number]
        return capacity, [[within(least, most) for _ in range(dimensions)] for _ in range(tasks)]
    if number in (7, 8):
        return 150, [_paired(within, dimensions, alike=number == 7) for _ in range(tasks)]
    found: list[list[int]] = []
    while len(found) < tasks:
        # Twice as many units as dimensions, thrown at random, each worth the same.
        thrown = [0] * dimensions
        for _ in range(2 * dimensions):
            thrown[random.below(dimensions)] += 1
        worth = within(10, 40)
        demand = [worth * units + within(0, 1) for units in thrown]
        if max(demand) <= 100:
            found.append(demand)
    return 100, found


def _paired(within: Callable[[int, int], int], dimensions: int, *, alike: bool) -> list[int]:
    """Return a demand of which each two dimensions are about the same, or about the opposite."""
    demand: list[int] = []
    for _ in range(dimensions // 2):
        one = within(20, 99)
        demand += [one, within(one - 10, one + 10) if alike else within(110 - one, 130 - one)]
    return [*demand, within(20, 99)] if dimensions % 2 else demand


def pack(
    seconds: float,
    *,
    classes: Sequence[int] = CLASSES,
    tasks: Sequence[int] = TASKS,
    seeds: int = 1,
    rust_host: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return, for each class, how many offers its instances take at once, after the search, and at least.

    Raises:
        MatcherError: The Rust program fails.
    """
    rows = []
    for number in classes:
        progress(f"class {number}")
        row = {"class": number, "instances": 0, "at_once": 0, "offers": 0, "at_least": 0, "rounds": 0}
        for count, dimensions, seed in product(tasks, DIMENSIONS, range(1, seeds + 1)):
            found = _packed(*instance(number, count, dimensions, seed), seconds, rust_host)
            row["instances"] += 1
            for key, value in found.items():
                row[key] += value
        rows.append(row)
    total = {key: sum(row[key] for row in rows) for key in ("instances", "at_once", "offers", "at_least", "rounds")}
    fewer = 1 - total["offers"] / total["at_once"]
    program = "offermatch" if rust_host is None else str(rust_host)
    return {"program": program, "seconds": seconds, "rows": rows, "total": total, "fewer": round(fewer, 5)}


def _packed(capacity: int, demands: Sequence[Sequence[int]], seconds: float, rust_host: Path | None) -> dict[str, int]:
    if rust_host is None:
        begin = perf_counter()
        problem = Problem(demands, [Kind([capacity] * len(demands[0]))], [None] * len(demands))
        found = search(problem, goes_on=lambda _: perf_counter() - begin < seconds)
        return {"at_once": found.at_once, "offers": len(found.offers), "at_least": found.bound, "rounds": found.rounds}
    names = [f"d{at}" for at in range(len(demands[0]))]
    with TemporaryDirectory() as folder:
        tasks, offers = Path(folder) / "tasks.json", Path(folder) / "offers.json"
        tasks.write_text(
            json.dumps([{"name": str(at), "demand": dict(zip(names, one, strict=True))} for at, one in enumerate(demands)])
        )
        offers.write_text(json.dumps([{"name": "offer", "available": dict.fromkeys(names, capacity)}]))
        command: list[str | Path] = [rust_host, "pack", "--tasks", tasks, "--offers", offers, "--unlimited"]
        command += ["--seconds", str(round(seconds))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the program named
    if done.returncode != 0:
        raise MatcherError("program-failed", done.stderr.strip(), "see what the Rust program says", str(rust_host))
    document = json.loads(done.stdout)
    return {key: document[key] for key in ("at_once", "offers", "at_least", "rounds")}


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    lines = [f"offers used; {measured['program']}, {measured['seconds']:g} s an instance", ""]
    lines.append(f"{'class':<8}{'instances':>10}{'FFD-L2':>9}{'search':>9}{'at least':>10}{'fewer':>9}{'rounds':>14}")
    for row in [*measured["rows"], {"class": "all", **measured["total"]}]:
        fewer = 1 - row["offers"] / row["at_once"]
        counts = f"{row['instances']:>10,}{row['at_once']:>9,}{row['offers']:>9,}{row['at_least']:>10,}"
        lines.append(f"{row['class']:<8}{counts}{fewer:>8.1%} {row['rounds']:>14,}")
    return "\n".join(lines) + "\n"
