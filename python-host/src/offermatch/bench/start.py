"""Measures the start: compiling, taking the compiled component from the cache, a fresh instance, the smallest calls.

Each is the median of several rounds, the cache a temporary directory. `process` is a whole Python process that imports the
package and loads the matcher, with the cache filled.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from wasmtime.component import Component

from offermatch.limits import Limits
from offermatch.matcher import Matcher
from offermatch.policies import BUNDLED
from offermatch.sample import Sample
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns
from offermatch.wasm.cache import compiled
from offermatch.wasm.component import Code
from offermatch.wasm.engine import configuration, shared_engine

__all__ = ["start", "table"]

_CALLS = 100
"""Calls in one round of what takes microseconds."""


def start(rounds: int) -> dict[str, Any]:
    """Return milliseconds for each part of a start."""
    content, limits = BUNDLED.read_bytes(), Limits.in_force()
    with tempfile.TemporaryDirectory() as folder, _cache_in(folder) as environment:

        def compile_and_keep() -> None:
            for entry in Path(folder).glob("*/*.cwasm"):
                entry.unlink()
            compiled(shared_engine(limits), content, configuration(limits), Component)

        found = {"compile, and fill the cache": _median(compile_and_keep, rounds)}
        found["compiled component from the cache"] = _median(
            lambda: compiled(shared_engine(limits), content, configuration(limits), Component), rounds
        )
        found["Matcher.load(), cached: judged and its crossing checked"] = _median(Matcher.load, rounds)
        program = [sys.executable, "-c", "import offermatch; offermatch.Matcher.load()"]
        found["process, cached"] = _median(
            lambda: subprocess.run(program, check=True, env=environment),  # noqa: S603 - this interpreter
            max(1, rounds // 3),
        )
        code, matcher = Code(BUNDLED), Matcher.load()
        found["instantiate"] = _median(code.instance, rounds, _CALLS)
        empty = (TaskColumns.build([], {}), OfferColumns.build([], {}))
        found["match() of empty tables, with its instance"] = _median(lambda: matcher.match(*empty), rounds, _CALLS)
        one = Sample("uniform", 1, 200).rows()
        with matcher.open(one[1]) as pool:
            none = TaskColumns.build([], {})
            found["assign() of no task to an open pool"] = _median(lambda: pool.assign(none), rounds, _CALLS)
    return {"unit": "ms", "rounds": rounds, "rows": {name: round(value, 4) for name, value in found.items()}}


@contextmanager
def _cache_in(folder: str) -> Iterator[dict[str, str]]:
    """Use a cache of its own, and return the environment that says so."""
    before = os.environ.get("OFFERMATCH_CACHE")
    os.environ["OFFERMATCH_CACHE"] = str(Path(folder) / "cache")
    try:
        yield dict(os.environ)
    finally:
        if before is None:
            del os.environ["OFFERMATCH_CACHE"]
        else:
            os.environ["OFFERMATCH_CACHE"] = before


def _median(call: Callable[[], object], rounds: int, repeat: int = 1) -> float:
    """Return the milliseconds of one call."""
    seconds = []
    for _ in range(rounds):
        begin = perf_counter()
        for _ in range(repeat):
            call()
        seconds.append((perf_counter() - begin) / repeat)
    return median(seconds) * 1000


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    width = max(map(len, measured["rows"]))
    lines = [f"milliseconds, median of {measured['rounds']} rounds", ""]
    lines += [f"{name:<{width}}{value:>12.3f}" for name, value in measured["rows"].items()]
    return "\n".join(lines) + "\n"
