"""How a command that runs for long ends: soon after SIGINT or SIGTERM, whatever it is in the middle of.

    signal ──> a byte in a socket ──> a thread asks the command to stop ──> after a second the process ends

Python runs the handler of a signal in the main thread, between two steps of its own: not while that thread is in a database
driver, in a compiler or in a matcher. The byte is written at once. The store holds against a process that dies at any point,
so one that does not stop in time is ended like that: its lease runs out, and another scheduler goes on.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

__all__ = ["GRACE", "stopped_by_signals"]

GRACE = 1.0
"""Seconds that a command has to stop by itself."""

_LOG = logging.getLogger("offermatch")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Have the first SIGINT or SIGTERM during a block call a function, and end the process if it lives on for long.

    A second signal ends it at once. To be used in the main thread; what a process does after the block counts, too.
    """
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    previous = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=_heed, args=(heard, stop), name="offermatch-signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        for number, handler in before.items():
            signal.signal(number, handler)
        # Without a signal the thread ends here; after one it has a process to end.
        told.close()


def _heed(heard: socket.socket, stop: Callable[[], None]) -> None:
    number = _next(heard, None)
    if number is None:
        heard.close()
        return
    stopping = threading.Thread(target=stop, name="offermatch-stop", daemon=True)
    stopping.start()
    again = _next(heard, GRACE)
    if again is None:
        # The log may wait for somebody who does not read it.
        telling = threading.Thread(target=_tell, daemon=True)
        telling.start()
        telling.join(0.2)
    os._exit(128 + number)


def _tell() -> None:
    _LOG.warning("still busy %g s after it was asked to stop: ended as it is; the store holds, its lease runs out", GRACE)


def _next(heard: socket.socket, seconds: float | None) -> int | None:
    """Return the number of the next signal; None when there is none within some seconds, or none any more."""
    until = None if seconds is None else monotonic() + seconds
    while True:
        left = None if until is None else until - monotonic()
        if left is not None and left <= 0:
            return None
        if not select.select([heard], [], [], left)[0]:
            return None
        content = heard.recv(1)
        if not content:
            if left is not None:
                sleep(max(left, 0))
            return None
        if content[0] in _SIGNALS:
            return content[0]
