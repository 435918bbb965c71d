"""Servers that are reached over HTTP: one agent on each, or a gateway in front of many.

Requests go out concurrently, with a bound, on an event loop of the adapter's own. Every request may be repeated, so every
one is: reads change nothing, and a launch carries its key. An agent that hangs, fails or makes no sense is told by its
address in ``problems`` and in the log, and the others go on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from random import SystemRandom
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from offermatch.errors import ClusterError, InputError
from offermatch.model import Offer
from offermatch.scheduler.cluster import _wire
from offermatch.scheduler.cluster._extra import needed
from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Outcome, Report

__all__ = ["HttpCluster"]

_LOG = logging.getLogger(__name__)
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
# What is wrong with the request itself; any other status is the agent's, and may be mended there.
_REFUSED = frozenset({400, 413, 415, 422})
_MOST_ANSWER = 64 * 2**20
_REMEMBERED_KEYS = 1_000_000
_LAUNCH_STATUSES = (200, 409)
_JSON = {"Content-Type": "application/json"}

# Where several agents were asked about a key: one of them ran it, others may have been told that it is cancelled, or do
# not answer ("running"), or never heard of it.
_TRUEST: tuple[Outcome, ...] = ("done", "lost", "running", "failed", "unknown")

_Found = TypeVar("_Found")

_BEGUN: ContextVar[float] = ContextVar("_BEGUN")
"""When the call began that a request belongs to."""


class HttpCluster(Cluster):
    """Agents by their addresses. docs/cluster-http.openapi.yaml is what they answer.

    Attributes:
        problems: What is wrong with which agent, by its address, as of the last call that asked it.
    """

    name = "http"

    def __init__(
        self,
        agents: Sequence[str],
        *,
        token: str | None = None,
        concurrency: int = 64,
        timeout_seconds: float = 5.0,
        attempts: int = 3,
        backoff_seconds: float = 0.1,
        lost_after_seconds: float | None = None,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        """Name the agents; nothing is asked yet.

        Args:
            agents: Their addresses, such as ``http://127.0.0.1:8321``. Of two that make an offer of one name, the first
                in this list is believed.
            token: What they want to see.
            concurrency: How many requests are under way at most.
            timeout_seconds: How long one request may take, all of its attempts together.
            attempts: How often a request is tried.
            backoff_seconds: The longest pause after the first attempt; it doubles with each.
            lost_after_seconds: After so long without an answer, what an agent ran is reported lost. A server that is cut
                off and goes on would then run a task that is launched anew elsewhere; so it is never, unless given.
            verify: How certificates are judged.

        Raises:
            ClusterError: ``extra-missing``.
            InputError: ``setting-malformed``.
        """
        self._agents = [_address(agent) for agent in agents]
        for name, value in (("concurrency", concurrency), ("attempts", attempts)):
            if type(value) is not int or value < 1:
                raise InputError("setting-malformed", f"{value!r} is no number above 0", "give a whole number", name)
        if not timeout_seconds > 0 or not self._agents or len(set(self._agents)) < len(self._agents):
            message = f"{len(self._agents)} agents and a timeout of {timeout_seconds}"
            raise InputError("setting-malformed", message, "name one agent at least, each once, and some time", "agents")
        self._httpx = needed("httpx", "http")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._concurrency, self._attempts, self._backoff = concurrency, attempts, backoff_seconds
        self._timeout, self._lost_after, self._verify = timeout_seconds, lost_after_seconds, verify
        self._chance = SystemRandom()
        self.problems: dict[str, str] = {}
        # When each agent answered last: at first, when it was named.
        self._heard = dict.fromkeys(self._agents, time.monotonic())
        # When each agent last let a request wait too long.
        self._hung: dict[str, float] = {}
        self._owners: dict[str, str] = {}
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="offermatch http", daemon=True)
        self._thread.start()
        self._client = self._run(self._connect())

    def offers(self) -> Sequence[Offer]:
        """Return what all agents offer.

        Raises:
            ClusterError: ``cluster-unreachable`` where none of them answers.
        """
        found = self._run(self._each(self._agents, self._offers))
        if all(isinstance(one, ClusterError) for one in found):
            told = "; ".join(map(str, found[:3]))
            raise ClusterError("cluster-unreachable", f"none of {len(found)} agents answers: {told}", "start an agent")
        owners: dict[str, str] = {}
        offers: list[Offer] = []
        for agent, one in zip(self._agents, found, strict=True):
            if isinstance(one, ClusterError):
                # What it offered stays its own, lest another agent take the name while it is away.
                owners |= {name: owner for name, owner in self._owners.items() if owner == agent and name not in owners}
                continue
            seen: set[str] = set()
            for offer in one:
                owner = owners.setdefault(offer.name, agent)
                if owner != agent or offer.name in seen:
                    self._tell(agent, f"it offers {offer.name!r}, which {owner} offers already")
                    continue
                seen.add(offer.name)
                offers.append(offer)
        self._owners = owners
        return offers

    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return what the first agent that has it says of each input."""
        return self._run(self._each(inputs, self._fetch, concurrency))

    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Send each launch to the agent that made the offer."""
        self._check_open()
        if any(launch.offer not in self._owners and launch.key not in self._keys for launch in launches):
            self.offers()
        # A key goes where it went before, and twice in one call it goes once.
        once = {launch.key: launch for launch in reversed(launches)}
        found = self._run(self._each(list(once.values()), self._launch))
        answers = dict(zip(once, found, strict=True))
        return [answers[launch.key] for launch in launches]

    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return what the agents say of each key; who cannot be asked is taken to run what was sent to it."""
        once = list(dict.fromkeys(keys))
        answers = self._run(self._reports(once))
        return [answers[key] for key in keys]

    def cancel(self, keys: Sequence[str]) -> None:
        """Ask the agents to end these launches.

        Raises:
            ClusterError: ``cluster-unreachable`` where one that may run them does not answer.
        """
        asked = self._by_agent(keys)
        found = self._run(self._each(list(asked.items()), self._cancel))
        failed = [str(one) for one in found if one is not None]
        if failed:
            raise ClusterError("cluster-unreachable", "; ".join(failed), "cancel again when it answers")

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

    async def _connect(self) -> Any:
        httpx = self._httpx
        limits = httpx.Limits(max_connections=self._concurrency, max_keepalive_connections=self._concurrency)
        self._room = asyncio.Semaphore(self._concurrency)
        # Proxies of the environment are for the outside; agents are inside.
        return httpx.AsyncClient(
            headers=self._headers, limits=limits, timeout=self._timeout, trust_env=False, verify=self._verify
        )

    async def _each(
        self, things: Sequence[Any], ask: Callable[[Any], Coroutine[Any, Any, _Found]], concurrency: int | None = None
    ) -> list[_Found]:
        room = asyncio.Semaphore(max(1, concurrency or self._concurrency))

        async def one(thing: Any) -> _Found:
            async with room:
                return await ask(thing)

        return await asyncio.gather(*map(one, things))

    async def _offers(self, agent: str) -> list[Offer] | ClusterError:
        return await self._asked(agent, "GET", "/v1/offers", _wire.offers_from)

    async def _fetch(self, name: str) -> Fetched:
        reason = ""
        for agent in self._agents:
            path = f"/v1/inputs?name={quote(name, safe='', errors='replace')}"
            found = await self._asked(agent, "GET", path, lambda body: _wire.fetched_from(body, name), statuses=(200, 404))
            if isinstance(found, Fetched) and not found.reason:
                return found
            reason = reason or (found.reason if isinstance(found, Fetched) else str(found))
        return Fetched(name, None, reason)

    async def _launch(self, launch: Launch) -> Launched:
        key = launch.key
        agent = self._keys.get(key) or self._owners.get(launch.offer)
        if agent is None:
            return Launched(key, "offer-gone", f"no agent offers {launch.offer}")
        try:
            encoded = quote(key, safe="", errors="surrogateescape")
            body = json.dumps(_wire.launch_of(launch), allow_nan=False).encode()
        except (ValueError, TypeError, RecursionError) as error:
            return Launched(key, "payload-refused", f"it cannot be sent as JSON: {error}")
        # Kept before it is sent: an answer that never comes leaves the launch there all the same.
        self._keep(key, agent)
        found = await self._asked(
            agent,
            "POST",
            "/v1/launches",
            lambda body: _wire.launched_from(body, key),
            body,
            {"Idempotency-Key": encoded},
            _LAUNCH_STATUSES,
        )
        if isinstance(found, ClusterError):
            found = Launched(key, "payload-refused" if found.code == "request-refused" else "unreachable", str(found))
        if found.refusal not in (None, "unreachable"):
            self._keys.pop(key, None)
        return found

    async def _reports(self, keys: Sequence[str]) -> dict[str, Report]:
        asked = self._by_agent(keys)
        parts = [
            (agent, wanted[at : at + _wire.MOST_KEYS])
            for agent, wanted in asked.items()
            for at in range(0, len(wanted), _wire.MOST_KEYS)
        ]
        answers: dict[str, Report] = {}
        owners: dict[str, str | None] = {}
        for (agent, wanted), found in zip(parts, await self._each(parts, self._report), strict=True):
            if isinstance(found, ClusterError):
                reports = [self._unheard(agent, key, found) for key in wanted]
                owners |= dict.fromkeys(wanted)
            else:
                reports = found
            for report in reports:
                key, before = report.key, answers.get(report.key)
                if before is None or _TRUEST.index(report.outcome) < _TRUEST.index(before.outcome):
                    answers[key] = report
                    if key not in owners or owners[key] is not None:
                        owners[key] = agent
        for key, owner in owners.items():
            if owner is not None and answers[key].outcome != "unknown":
                self._keep(key, owner)
        return answers

    async def _report(self, part: tuple[str, Sequence[str]]) -> list[Report] | ClusterError:
        agent, keys = part
        body = json.dumps({"keys": list(keys)}).encode()
        return await self._asked(agent, "POST", "/v1/reports", lambda answer: _wire.reports_from(answer, keys), body)

    async def _cancel(self, part: tuple[str, Sequence[str]]) -> ClusterError | None:
        agent, keys = part
        for at in range(0, len(keys), _wire.MOST_KEYS):
            body = json.dumps({"keys": list(keys[at : at + _wire.MOST_KEYS])}).encode()
            found = await self._asked(agent, "POST", "/v1/cancellations", _wire.decoded, body)
            if isinstance(found, ClusterError):
                return found
        return None

    async def _asked(
        self,
        agent: str,
        method: str,
        path: str,
        read: Callable[[bytes], _Found],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        statuses: Sequence[int] = (200,),
    ) -> _Found | ClusterError:
        """Ask one agent until it answers, the attempts are used up, or the time is; what is wrong is told and returned."""
        wrong = f"it does not answer within {self._timeout:g} s"
        code = "agent-unreachable"
        deadline = time.monotonic() + self._timeout
        for attempt in range(self._attempts):
            if self._hung.get(agent, 0.0) > _BEGUN.get():
                # It has made this call wait once; a thousand launches need not wait one after the other.
                break
            if attempt:
                pause = self._chance.uniform(0, self._backoff * 2 ** (attempt - 1))
                if time.monotonic() + pause >= deadline:
                    break
                await asyncio.sleep(pause)
            try:
                left = max(0.001, deadline - time.monotonic())
                status, answer = await asyncio.wait_for(self._send(agent, method, path, body, headers), left)
                if status in statuses:
                    found = read(answer)
                    self._heard[agent] = time.monotonic()
                    self.problems.pop(agent, None)
                    return found
                wrong = f"it answers {method} {path.partition('?')[0]} with status {status}{_told(answer)}"
                if status not in _AGAIN:
                    code = "request-refused" if status in _REFUSED else code
                    break
            except ClusterError as error:
                code, wrong = error.code, f"it answers {method} {path.partition('?')[0]} with {error.message}"
                break
            except (asyncio.TimeoutError, self._httpx.TimeoutException):
                wrong = f"it does not answer within {self._timeout:g} s"
                self._hung[agent] = time.monotonic()
            except (self._httpx.HTTPError, self._httpx.InvalidURL, OSError) as error:
                wrong = f"it cannot be reached: {error or type(error).__name__}"
        return self._tell(agent, wrong, code)

    async def _send(
        self, agent: str, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        async with (
            self._room,
            self._client.stream(method, agent + path, content=body, headers={**_JSON, **(headers or {})}) as response,
        ):
            answer = bytearray()
            async for piece in response.aiter_bytes():
                answer += piece
                if len(answer) > _MOST_ANSWER:
                    raise _wire.malformed(f"more than {_MOST_ANSWER} bytes")
            return response.status_code, bytes(answer)

    # ---- on any thread -------------------------------------------------------------------------------------------

    def _by_agent(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return who is to be asked about which key: whoever it was sent to, or everybody."""
        asked: dict[str, list[str]] = {}
        for key in keys:
            owner = self._keys.get(key)
            for agent in [owner] if owner else self._agents:
                asked.setdefault(agent, []).append(key)
        return asked

    def _unheard(self, agent: str, key: str, error: ClusterError) -> Report:
        silence = time.monotonic() - self._heard[agent]
        if self._lost_after is not None and silence > self._lost_after and self._keys.get(key) == agent:
            return Report(key, "lost", f"{agent} has not answered for {silence:.0f} s", time.time())
        return Report(key, "running", f"nobody knows: {error}")

    def _keep(self, key: str, agent: str) -> None:
        self._keys[key] = agent
        while len(self._keys) > _REMEMBERED_KEYS:
            self._keys.popitem(last=False)

    def _tell(self, agent: str, wrong: str, code: str = "message-malformed") -> ClusterError:
        if self.problems.get(agent) != wrong:
            _LOG.warning("agent %s: %s", agent, wrong)
        self.problems[agent] = wrong
        return ClusterError(code, wrong, "look at the agent's log", agent)

    def _run(self, work: Coroutine[Any, Any, _Found]) -> _Found:
        if self._closed:
            work.close()
            self._check_open()

        async def begun() -> _Found:
            _BEGUN.set(time.monotonic())
            return await work

        return asyncio.run_coroutine_threadsafe(begun(), self._loop).result()

    def _check_open(self) -> None:
        if self._closed:
            raise ClusterError("cluster-closed", "this cluster was closed", "open another one")


def _address(agent: str) -> str:
    parts = urlsplit(agent)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        hint = "give an address such as http://127.0.0.1:8321"
        raise InputError("setting-malformed", f"{agent!r} is no address of an agent", hint, "agents")
    return agent.rstrip("/")


def _told(answer: bytes) -> str:
    """Return what an agent says of an error, in brackets; empty where it says nothing that can be read."""
    try:
        error = _wire.decoded(answer)["error"]
        return f" ({error['code']}: {error['message']})"
    except (ClusterError, KeyError, TypeError):
        return ""
