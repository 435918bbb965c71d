"""Lets other threads run between the steps of a long job.

A thread that waits for the GIL gets it after 5 ms at the latest, which is long beside a small cycle. A job in the background
does better to hand it over of its own accord, after every step of a millisecond or so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["breathe", "considerate"]

_PAUSE = 5e-5
"""Seconds; a sleep of none at all would take the GIL back before anybody has woken."""


class _Job(threading.local):
    """The work of one thread."""

    considerate = False


_job = _Job()


@contextmanager
def considerate() -> Iterator[None]:
    """Let the steps of this thread make way for others, during a block."""
    before = _job.considerate
    _job.considerate = True
    try:
        yield
    finally:
        _job.considerate = before


def breathe() -> None:
    """Make way for other threads, if the job is to be considerate."""
    if _job.considerate:
        time.sleep(_PAUSE)
