"""Which keys a cluster may forget without ever starting one twice.

A key may be forgotten once the store has its end. But a launch with that key may still be on its way: a request that was
tried again, or one of a scheduler that was held up for hours. So whoever forgets remembers one time instead of all keys:
when the latest of them was sent. A launch that was sent no later, and whose key is unknown, may be one of those, and is
refused; its task gets another key. No clock is believed for that: all that is compared is what launches say of themselves.
Keys are kept for some time, so that launches that are merely slow, or whose sender's clock is behind, are taken.
"""

from __future__ import annotations

from heapq import heappop, heappush

from offermatch.scheduler.cluster.abc import Launch

__all__ = ["KEPT_SECONDS", "Settled"]

KEPT_SECONDS = 3600.0
"""How long after it was sent a launch is remembered at least."""


class Settled:
    """What is waiting to be forgotten.

    Attributes:
        horizon: When the latest launch that was forgotten had been sent; 0.0 where none was.
    """

    def __init__(self, kept_seconds: float = KEPT_SECONDS, horizon: float = 0.0) -> None:
        """Forget nothing before it is so old."""
        self.horizon = horizon
        self._kept = kept_seconds
        self._waiting: list[tuple[float, str]] = []

    def late(self, launch: Launch) -> str:
        """Return why a launch whose key is unknown must not start; empty where it may."""
        if not 0.0 < launch.sent_at <= self.horizon:
            return ""
        behind = self.horizon - launch.sent_at
        return f"it was sent {behind:.0f} s before launches that are forgotten by now; is the clock of its sender behind?"

    def add(self, key: str, sent_at: float) -> None:
        """Take a key that has ended, here and in the store. It is to be given once."""
        if sent_at > 0.0:
            heappush(self._waiting, (sent_at, key))

    def due(self, now: float) -> list[str]:
        """Return the keys that are to be forgotten now; from here on launches that were sent no later are refused."""
        found = []
        while self._waiting and self._waiting[0][0] <= now - self._kept:
            sent_at, key = heappop(self._waiting)
            self.horizon = max(self.horizon, sent_at)
            found.append(key)
        return found
