"""Measures the functions of ``offermatch.ray`` beside Ray's own, on the same bundles and nodes in one run.

The nodes have room for about two thirds of the bundles. The answers are compared; ours is the median of seven rounds,
Ray's is one.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from offermatch.errors import LyingMatcherError
from offermatch.extras import require
from offermatch.ray import get_bin_pack_residual, get_nodes_for

__all__ = ["ray", "table"]

_ROUNDS = 7


def ray(bundles: int, nodes: int, bundles_to_start_for: int, seed: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """Return milliseconds of both sides for each case.

    Args:
        bundles: For ``get_bin_pack_residual``.
        nodes: Likewise.
        bundles_to_start_for: For ``get_nodes_for``.
        seed: Draws bundles and nodes.
        progress: Hears what is measured next.

    Raises:
        InputError: ``extra-missing`` where Ray is not installed.
    """
    require("ray", "ray")
    version = importlib.import_module("ray").__version__
    theirs = importlib.import_module("ray.autoscaler._private.resource_demand_scheduler")
    scorer = partial(theirs._default_utilization_scorer, node_availability_summary=None)
    rows = []
    for name, ours, other, arguments in _cases(random.Random(seed), bundles, nodes, bundles_to_start_for, scorer):  # noqa: S311
        progress(f"{name}: ours")
        ours(*arguments)
        found, milliseconds = zip(*(_timed(ours, arguments) for _ in range(_ROUNDS)), strict=True)
        progress(f"{name}: Ray's, which takes seconds")
        expected, their_milliseconds = _timed(getattr(theirs, other), arguments)
        if any(answer != expected for answer in found):
            message = f"{name}: the answers differ"
            raise LyingMatcherError("answer-refused", message, "run the tests of offermatch.ray with this version of Ray")
        rows.append({"case": name, "milliseconds": median(milliseconds), "ray_milliseconds": their_milliseconds})
    return {"ray": version, "seed": seed, "rows": rows}


def table(measured: dict[str, Any]) -> str:
    """Return the figures as text."""
    lines = [f"{'Ray ' + measured['ray']:<62}{'Ray':>10}{'offermatch':>12}{'ratio':>9}"]
    for row in measured["rows"]:
        ours, theirs = row["milliseconds"], row["ray_milliseconds"]
        lines.append(f"{row['case']:<62}{theirs:>7.0f} ms{ours:>9.1f} ms{theirs / ours:>8.0f}x")
    return "\n".join(lines) + "\n"


def _cases(
    rng: random.Random, bundles: int, nodes: int, bundles_to_start_for: int, scorer: Any
) -> Iterator[tuple[str, Callable[..., Any], str, tuple[Any, ...]]]:
    for shapes in (40, bundles):
        asked = _bundles(rng, bundles, shapes, most_cpus=8)
        held = [{"CPU": 8.0, "memory": 2.0**35, "GPU": float(rng.choice([0, 4]))} for _ in range(nodes)]
        name = f"get_bin_pack_residual, {bundles:,} bundles of {shapes:,} kinds, {nodes:,} nodes"
        yield name, get_bin_pack_residual, "get_bin_pack_residual", (held, asked)
    asked = _bundles(rng, bundles_to_start_for, 20, most_cpus=4)
    types = {
        name: {"resources": {"CPU": cpus, "memory": cpus * 2.0**32, "GPU": gpus}, "max_workers": bundles_to_start_for}
        for name, cpus, gpus in [("small", 2, 0), ("middle", 4, 0), ("large", 8, 0), ("gpu", 8, 1)]
    }
    name = f"get_nodes_for, {bundles_to_start_for:,} bundles of 20 kinds, {len(types)} node types"
    yield name, get_nodes_for, "get_nodes_for", (types, {}, "small", bundles_to_start_for, asked, scorer)


def _bundles(rng: random.Random, count: int, shapes: int, most_cpus: int) -> list[dict[str, float]]:
    kinds = []
    for _ in range(shapes):
        kind = {"CPU": rng.choice([0.5, 1, 2, most_cpus]), "memory": rng.randint(1, 16) * 2.0**28}
        kinds.append(kind | ({"GPU": rng.choice([0.5, 1])} if rng.random() < 0.25 else {}))
    return [dict(rng.choice(kinds)) for _ in range(count)]


def _timed(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, float]:
    begin = perf_counter()
    answer = function(*arguments)
    return answer, (perf_counter() - begin) * 1000
