"""The collector of garbage, while a cycle or a submission runs.

A cycle makes some ten objects for each task, and nearly all of them end with it, by their counts. The collector, which runs
after every few hundred new objects and now and then walks all there are, finds nothing then, and took a quarter of a cycle.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["fewer_collections"]

_OBJECTS = 1_000_000
"""New objects after which the collector runs all the same: what other threads leave to it does not grow without bound."""

_lock = Lock()
_inside = 0
_before = (700, 10, 10)


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Have the collector run less often. What is enclosed may overlap, on several threads."""
    global _inside, _before  # noqa: PLW0603 - the collector is one for the whole process, too
    with _lock:
        _inside += 1
        if _inside == 1:
            _before = gc.get_threshold()
            # A collector that is switched off, or runs less often than this, stays as it is.
            if 0 < _before[0] < _OBJECTS:
                gc.set_threshold(_OBJECTS, *_before[1:])
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                gc.set_threshold(*_before)
