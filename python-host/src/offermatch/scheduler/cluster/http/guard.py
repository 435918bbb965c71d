"""Connections of strangers: how many there may be, and how long one may take over a request."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["LONGEST_HEADERS", "Guard", "guarded"]

LONGEST_HEADERS = 16 * 2**10
"""Bytes of a request line with its headers."""


class Guard:
    """What all connections of one server share.

    Attributes:
        most: Connections at once.
        seconds: From the first moment of a request until all of it has been read.
    """

    def __init__(self, most: int, seconds: float) -> None:
        """Start with no connection."""
        self.most, self.seconds = most, seconds
        self._open = 0
        self._strangers: OrderedDict[Any, asyncio.Transport] = OrderedDict()

    def admit(self, client: Any, transport: asyncio.Transport) -> bool:
        """Take a connection in; where there is no room, the oldest that has shown no right to be here makes some."""
        if self._open >= self.most:
            if not self._strangers:
                return False
            self._strangers.popitem(last=False)[1].abort()
        self._open += 1
        self._strangers[client] = transport
        return True

    def trust(self, client: Any) -> None:
        """Keep a connection on which a request was allowed."""
        self._strangers.pop(client, None)

    def leave(self, client: Any) -> None:
        """Let go of a connection that has ended."""
        self._open -= 1
        self._strangers.pop(client, None)


def guarded(guard: Guard) -> type[H11Protocol]:
    """Return uvicorn's protocol under a guard."""

    class Guarded(H11Protocol):
        _timer: asyncio.TimerHandle | None = None
        _admitted = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._admitted = guard.admit(self.client, transport)
            if not self._admitted:
                transport.abort()
            self._keep_time()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._keep_time()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._admitted:
                self._admitted = False
                guard.leave(self.client)
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _keep_time(self) -> None:
            # uvicorn ends connections that are idle between two requests, and no others.
            if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
                if self._timer is None:
                    self._timer = self.loop.call_later(guard.seconds, self._abort)
            elif self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _abort(self) -> None:
            self.transport.abort()

    return Guarded
