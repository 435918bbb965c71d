"""Threads that call a matcher while something is done beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["PAUSE", "beside"]

PAUSE = 0.002
"""Seconds a caller waits between calls, so that threads do not stand in one another's way where there are fewer cores."""


def beside(work: Callable[[threading.Event], None], callers: int, act: Callable[[threading.Event], None]) -> None:
    """Have threads work until an act of this thread is over.

    Args:
        work: What each thread does until the event is set.
        callers: How many threads there are.
        act: What is done meanwhile; the event is set early where a thread has failed.

    Raises:
        BaseException: What a thread failed with.
    """
    over, failed = threading.Event(), list[BaseException]()

    def guarded() -> None:
        try:
            work(over)
        except BaseException as error:  # noqa: BLE001 - it is raised where the threads are waited for
            failed.append(error)
            over.set()

    threads = [threading.Thread(target=guarded, name="caller", daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        act(over)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
