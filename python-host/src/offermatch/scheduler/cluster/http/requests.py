"""Requests to agents: many at once with a bound, tried again within a time; what is wrong is told by the address."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from importlib import import_module
from random import SystemRandom
from typing import Any, TypeVar

from offermatch.errors import ClusterError
from offermatch.scheduler.cluster.http import wire
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["Requests"]

_LOG = logging.getLogger("offermatch.scheduler.cluster.http")
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
# What is wrong with the request itself; any other status is the agent's, and may be mended there.
_REFUSED = frozenset({400, 413, 415, 422})
_MOST_ANSWER = 32 * 2**20
_LONG_ANSWER = 64 * 2**10
"""Bytes of an answer that are read beside the loop, lest the others' time runs out meanwhile."""
_MOST_TIMEOUTS_SPARED = 12
_NOT_FOUND = 404
# What unfolds on arrival has no bound on the wire, so nothing that is compressed is asked for or taken.
_JSON = {"Content-Type": "application/json", "Accept-Encoding": "identity"}

_Found = TypeVar("_Found")

_BEGUN: ContextVar[float] = ContextVar("_BEGUN")
"""When the call began that a request belongs to."""


class Requests:
    """An HTTP client on an event loop of its own.

    Attributes:
        timeout: Seconds that one request may take, all of its attempts together, from when it is sent.
        problems: What is wrong with which agent, as of the last request to it.
        heard: When each agent answered last, on the monotonic clock: at first, when it was named.
    """

    def __init__(
        self,
        agents: Sequence[str],
        *,
        token: str | None,
        concurrency: int,
        timeout_seconds: float,
        attempts: int,
        backoff_seconds: float,
        verify: ssl.SSLContext | bool,
    ) -> None:
        """Start the loop; nothing is asked yet. ``HttpCluster`` says what the arguments are."""
        self._httpx = import_module("httpx")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._concurrency, self._attempts, self._backoff = concurrency, attempts, backoff_seconds
        self.timeout, self._verify = timeout_seconds, verify
        self._chance = SystemRandom()
        self.problems: dict[str, str] = {}
        self.heard = dict.fromkeys(agents, time.monotonic())
        # When each agent last let a request wait too long, in how many calls in a row, and until when it is not asked.
        self._hung: dict[str, float] = {}
        self._hangs: dict[str, int] = {}
        self._spared: dict[str, float] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="offermatch http", daemon=True)
        self._thread.start()
        self._client = self.run(self._connect())

    def run(self, work: Coroutine[Any, Any, _Found]) -> _Found:
        """Return what comes of work on the loop; from any thread."""
        if self._closed:
            work.close()
            self.check_open()

        async def begun() -> _Found:
            _BEGUN.set(time.monotonic())
            return await work

        return asyncio.run_coroutine_threadsafe(begun(), self._loop).result()

    def check_open(self) -> None:
        """Refuse to go on once this is closed."""
        if self._closed:
            raise ClusterError("cluster-closed", "this cluster was closed", "open another one")

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # ---- on the loop ---------------------------------------------------------------------------------------------

    async def each(
        self, things: Sequence[Any], ask: Callable[[Any], Coroutine[Any, Any, _Found]], concurrency: int | None = None
    ) -> list[_Found]:
        """Ask about each thing, so many at a time, and return the answers in their order."""
        room = asyncio.Semaphore(max(1, concurrency or self._concurrency))

        async def one(thing: Any) -> _Found:
            async with room:
                return await ask(thing)

        return await asyncio.gather(*map(one, things))

    async def asked(
        self,
        agent: str,
        method: str,
        path: str,
        read: Callable[[bytes], _Found],
        body: bytes | None = None,
        statuses: Sequence[int] = (200,),
    ) -> _Found | ClusterError:
        """Ask one agent until it answers, the attempts are used up, or the time is; what is wrong is told and returned."""
        wrong = f"it does not answer within {self.timeout:g} s"
        code = "agent-unreachable"
        left = self.timeout
        shown = f"{method} {path.partition('?')[0]}"
        for attempt in range(self._attempts):
            if attempt:
                pause = self._chance.uniform(0, self._backoff * 2 ** (attempt - 1))
                if pause >= left:
                    break
                left -= pause
                await asyncio.sleep(pause)
            # Room first: a request that waits here for others has not been sent, and its time does not run.
            async with self._room:
                if self._hung.get(agent, 0.0) > _BEGUN.get() or self._spared.get(agent, 0.0) > time.monotonic():
                    # It made this call wait, or the last one: neither a thousand launches nor every cycle need wait for it.
                    break
                begin = time.monotonic()
                try:
                    status, answer = await asyncio.wait_for(self._send(agent, method, path, body), max(0.001, left))
                except ClusterError as error:
                    code, wrong = error.code, f"it answers {shown} with {error.message}"
                    break
                except (asyncio.TimeoutError, self._httpx.TimeoutException):
                    wrong = f"it does not answer within {self.timeout:g} s"
                    self._has_hung(agent)
                    break
                except (self._httpx.HTTPError, self._httpx.InvalidURL, OSError) as error:
                    wrong = visible(f"it cannot be reached: {error or type(error).__name__}")
                    continue
                finally:
                    left -= time.monotonic() - begin
            if status in statuses:
                try:
                    found = await asyncio.to_thread(read, answer) if len(answer) > _LONG_ANSWER else read(answer)
                except ClusterError as error:
                    code, wrong = error.code, f"it answers {shown} with {error.message}"
                    break
                self.heard[agent] = time.monotonic()
                self.problems.pop(agent, None)
                self._hangs.pop(agent, None)
                return found
            wrong = f"it answers {shown} with status {status}{_reason(answer)}"
            if status == _NOT_FOUND and path == wire.OFFERS:
                code, older = "agent-old", f"it does not speak version {wire.VERSION} of the wire format"
                wrong = f"{older}; an agent of an older offermatch is to be upgraded ({wrong})"
            if status not in _AGAIN:
                code = "request-refused" if status in _REFUSED else code
                break
        return self.tell(agent, wrong, code)

    def _has_hung(self, agent: str) -> None:
        """Note that an agent does not answer, and ask it less and less: each time may cost a cycle all of its timeout."""
        now = time.monotonic()
        if self._hung.get(agent, 0.0) <= _BEGUN.get():
            self._hangs[agent] = hangs = self._hangs.get(agent, 0) + 1
            self._spared[agent] = now + self.timeout * min(2 ** (hangs - 1), _MOST_TIMEOUTS_SPARED)
        self._hung[agent] = now

    async def _send(self, agent: str, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        async with self._client.stream(method, agent + path, content=body, headers=_JSON) as response:
            coding = response.headers.get("Content-Encoding", "identity")
            if coding != "identity":
                raise wire.malformed(f"a body in the coding {visible(coding, LONGEST_NAME)!r}, which was not asked for")
            answer = bytearray()
            async for piece in response.aiter_raw():
                answer += piece
                if len(answer) > _MOST_ANSWER:
                    raise wire.malformed(f"more than {_MOST_ANSWER} bytes")
            return response.status_code, bytes(answer)

    def tell(self, agent: str, wrong: str, code: str = "message-malformed") -> ClusterError:
        """Log what is wrong with an agent, if that is news, and return it."""
        if self.problems.get(agent) != wrong:
            _LOG.warning("agent %s: %s", agent, wrong)
        self.problems[agent] = wrong
        return ClusterError(code, wrong, "look at the agent's log", agent)

    async def _connect(self) -> Any:
        httpx = self._httpx
        limits = httpx.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency)
        self._room = asyncio.Semaphore(self._concurrency)
        # Proxies of the environment are for the outside; agents are inside.
        return httpx.AsyncClient(
            headers=self._headers, limits=limits, timeout=self.timeout, trust_env=False, verify=self._verify
        )


def _reason(answer: bytes) -> str:
    """Return what an agent says of an error, in brackets; empty where it says nothing that can be read."""
    try:
        error = wire.decoded(answer)["error"]
        return f" ({visible(error['code'], LONGEST_NAME)}: {visible(error['message'])})"
    except (ClusterError, KeyError, TypeError):
        return ""
