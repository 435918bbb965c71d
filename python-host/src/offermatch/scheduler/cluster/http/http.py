"""Servers that are reached over HTTP: one agent on each, or a gateway in front of many.

Requests go out concurrently, with a bound, on an event loop of the adapter's own. Every request may be repeated, so every
one is: reads change nothing, and a launch carries its key. An agent that hangs, fails or makes no sense is told by its
address in ``problems`` and in the log, and the others go on.
"""

from __future__ import annotations

import json
import ssl
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from offermatch.errors import ClusterError, InputError
from offermatch.extras import require
from offermatch.model import Offer
from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Outcome, Output, Refusal, Report, Stream
from offermatch.scheduler.cluster.adapters import Access
from offermatch.scheduler.cluster.http import wire
from offermatch.scheduler.cluster.http.access import pinned, token_of
from offermatch.scheduler.cluster.http.requests import Requests
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["HttpCluster", "connect"]

_REMEMBERED_KEYS = 1_000_000
_BATCH_BYTES = 4 * 2**20

# Where several agents were asked about a key: one of them ran it, others may have been told that it is cancelled, or do
# not answer ("running"), or never heard of it.
_TRUEST: tuple[Outcome, ...] = ("done", "lost", "running", "failed", "unknown")


@dataclass(slots=True)
class _Batch:
    """Launches in one request: keys, and what is sent of each."""

    agent: str
    launches: list[tuple[str, bytes]]
    size: int = 0


class HttpCluster(Cluster):
    """Agents by their addresses. docs/cluster-http.openapi.yaml is what they answer."""

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
            timeout_seconds: How long one request may take, all of its attempts together, from when it is sent.
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
        require("http", "httpx", kind=ClusterError)
        self._concurrency, self._lost_after = concurrency, lost_after_seconds
        self._owners: dict[str, str] = {}
        self._keys: OrderedDict[str, str] = OrderedDict()
        self._uncancelled: dict[str, set[str]] = {agent: set() for agent in self._agents}
        self._requests = Requests(
            self._agents,
            token=token,
            concurrency=concurrency,
            timeout_seconds=timeout_seconds,
            attempts=attempts,
            backoff_seconds=backoff_seconds,
            verify=verify,
        )

    @property
    def problems(self) -> Mapping[str, str]:
        """What is wrong with which agent, by its address, as of the last call that asked it."""
        return self._requests.problems

    def offers(self) -> Sequence[Offer]:
        """Return what all agents offer.

        Raises:
            ClusterError: ``cluster-unreachable`` where none of them answers.
        """
        found = self._requests.run(self._requests.each(self._agents, self._offers))
        if all(isinstance(one, ClusterError) for one in found):
            reasons = "; ".join(map(str, found[:3]))
            raise ClusterError("cluster-unreachable", f"none of {len(found)} agents answers: {reasons}", "start an agent")
        owners: dict[str, str] = {}
        offers: list[Offer] = []
        columns: set[tuple[str, str]] = set()
        for agent, one in zip(self._agents, found, strict=True):
            if isinstance(one, ClusterError):
                # What it offered stays its own, lest another agent take the name while it is away.
                owners |= {name: owner for name, owner in self._owners.items() if owner == agent and name not in owners}
                continue
            more = _columns_of(one)
            if (cells := (len(offers) + len(one)) * len(columns | more)) > wire.MOST_CELLS:
                size = f"with its {len(one)} offers of {len(more)} dimensions and attributes the table has {cells} cells"
                self._requests.tell(agent, f"{size}; it may have {wire.MOST_CELLS}, and this agent is left out")
                continue
            columns |= more
            seen: set[str] = set()
            for offer in one:
                owner = owners.setdefault(offer.name, agent)
                if owner != agent or offer.name in seen:
                    self._requests.tell(
                        agent, f"it offers {visible(offer.name, LONGEST_NAME)!r}, which {owner} offers already"
                    )
                    continue
                seen.add(offer.name)
                offers.append(offer)
        self._owners = owners
        return offers

    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return what the first agent that has it says of each input."""
        return self._requests.run(self._requests.each(inputs, self._fetch, concurrency))

    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Send each launch to the agent that made the offer."""
        self._requests.check_open()
        if any(launch.offer not in self._owners and launch.key not in self._keys for launch in launches):
            self.offers()
        # A key goes where it went before, and twice in one call it goes once.
        once = {launch.key: launch for launch in reversed(launches)}
        answers: dict[str, Launched] = {}
        batches = self._batches(list(once.values()), answers)
        for found in self._requests.run(self._requests.each(batches, self._launch)):
            answers |= {one.key: one for one in found}
        return [answers[launch.key] for launch in launches]

    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return what the agents say of each key; who cannot be asked is taken to run what was sent to it."""
        once = list(dict.fromkeys(keys))
        answers = self._requests.run(self._reports(once))
        return [answers[key] for key in keys]

    def output(self, key: str, stream: Stream, most: int = 65536) -> Output | None:
        """Return the end of what a launch has written, from the agent that has it."""
        return self._requests.run(self._output(key, stream, most))

    def cancel(self, keys: Sequence[str]) -> None:
        """Ask the agents to end these launches.

        What an agent cannot be told now is reported as running, even where it says then that it does not know the key:
        it may still be on its way there. Cancelling again, when the agent answers, settles it.
        """
        self._requests.run(self._requests.each(list(self._by_agent(keys).items()), self._cancel))

    def forget(self, keys: Sequence[str]) -> None:
        """Tell the agents that they may forget these keys; one that does not answer, or does not forget, keeps them."""
        self._requests.run(self._requests.each(list(self._by_agent(keys).items()), self._forget))
        for key in keys:
            self._keys.pop(key, None)

    def close(self) -> None:
        """Let go of the connections."""
        self._requests.close()

    # ---- on the loop ---------------------------------------------------------------------------------------------

    async def _offers(self, agent: str) -> list[Offer] | ClusterError:
        return await self._requests.asked(agent, "GET", wire.OFFERS, wire.offers_from)

    async def _fetch(self, name: str) -> Fetched:
        reason = ""
        for agent in self._agents:
            path = f"{wire.INPUTS}?name={quote(name, safe='', errors='replace')}"
            found = await self._requests.asked(
                agent, "GET", path, lambda body: wire.fetched_from(body, name), statuses=(200, 404)
            )
            if isinstance(found, Fetched) and not found.reason:
                return found
            reason = reason or (found.reason if isinstance(found, Fetched) else str(found))
        return Fetched(name, None, reason)

    async def _launch(self, batch: _Batch) -> list[Launched]:
        keys = [key for key, _ in batch.launches]
        body = b'{"launches":[' + b",".join(text for _, text in batch.launches) + b"]}"
        found = await self._requests.asked(
            batch.agent, "POST", wire.LAUNCHES, lambda answer: wire.launched_from(answer, keys), body
        )
        if isinstance(found, ClusterError):
            if found.code == "request-refused" and len(keys) > 1:
                # One of them spoils it for the others; which one, halves tell.
                half = len(keys) // 2
                parts = (batch.launches[:half], batch.launches[half:])
                return [one for part in parts for one in await self._launch(_Batch(batch.agent, part))]
            refusal: Refusal = "payload-refused" if found.code == "request-refused" else "unreachable"
            found = [Launched(key, refusal, found.line) for key in keys]
        for one in found:
            if one.refusal not in (None, "unreachable"):
                self._keys.pop(one.key, None)
        return found

    async def _output(self, key: str, stream: Stream, most: int) -> Output | None:
        path = f"{wire.OUTPUTS}?key={quote(key, safe='', errors='surrogateescape')}&stream={stream}&most={most}"
        for agent in self._by_agent([key]):
            found = await self._requests.asked(agent, "GET", path, _output_or_nothing, statuses=(200, 404))
            if isinstance(found, Output):
                return found
        return None

    async def _reports(self, keys: Sequence[str]) -> dict[str, Report]:
        asked = self._by_agent(keys)
        parts = [
            (agent, wanted[at : at + wire.MOST_KEYS])
            for agent, wanted in asked.items()
            for at in range(0, len(wanted), wire.MOST_KEYS)
        ]
        answers: dict[str, Report] = {}
        owners: dict[str, str | None] = {}
        for (agent, wanted), found in zip(parts, await self._requests.each(parts, self._report), strict=True):
            if isinstance(found, ClusterError):
                reports = [self._unheard(agent, key, found) for key in wanted]
                owners |= dict.fromkeys(wanted)
            else:
                reports = [self._believed(agent, report) for report in found]
                # Where it would be running is not known either.
                owners |= {said.key: None for said, report in zip(found, reports, strict=True) if report is not said}
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
        return await self._requests.asked(agent, "POST", wire.REPORTS, lambda answer: wire.reports_from(answer, keys), body)

    async def _cancel(self, part: tuple[str, Sequence[str]]) -> None:
        agent, keys = part
        for at in range(0, len(keys), wire.MOST_KEYS):
            some = keys[at : at + wire.MOST_KEYS]
            # Noted first: from here on the agent's word that it does not know a key is not enough.
            self._uncancelled[agent].update(some)
            body = json.dumps({"keys": list(some)}).encode()
            found = await self._requests.asked(agent, "POST", wire.CANCELLATIONS, wire.decoded, body)
            if not isinstance(found, ClusterError):
                self._uncancelled[agent].difference_update(some)

    async def _forget(self, part: tuple[str, Sequence[str]]) -> None:
        agent, keys = part
        for at in range(0, len(keys), wire.MOST_KEYS):
            body = json.dumps({"keys": list(keys[at : at + wire.MOST_KEYS])}).encode()
            # A gateway need not know this request.
            await self._requests.asked(agent, "POST", wire.SETTLEMENTS, lambda _: None, body, statuses=(200, 404, 405))

    # ---- on any thread -------------------------------------------------------------------------------------------

    def _batches(self, launches: Sequence[Launch], answers: dict[str, Launched]) -> list[_Batch]:
        """Return what is to be sent, by agent, in requests with a bound; what cannot be sent is answered at once."""
        batches: list[_Batch] = []
        open_ones: dict[str, _Batch] = {}
        for launch in launches:
            key = launch.key
            agent = self._keys.get(key) or self._owners.get(launch.offer)
            if agent is None:
                answers[key] = Launched(key, "offer-gone", f"no agent offers {visible(launch.offer, LONGEST_NAME)}")
                continue
            try:
                text = json.dumps(wire.launch_of(launch), allow_nan=False, separators=(",", ":")).encode()
            except (ValueError, TypeError, RecursionError) as error:
                answers[key] = Launched(key, "payload-refused", visible(f"it cannot be sent as JSON: {error}"))
                continue
            # Kept before it is sent: an answer that never comes leaves the launch there all the same.
            self._keep(key, agent)
            batch = open_ones.get(agent)
            if batch is None or len(batch.launches) == wire.MOST_LAUNCHES or batch.size + len(text) > _BATCH_BYTES:
                batch = open_ones[agent] = _Batch(agent, [])
                batches.append(batch)
            batch.launches.append((key, text))
            batch.size += len(text)
        return batches

    def _by_agent(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return who is to be asked about which key: whoever it was sent to, or everybody."""
        asked: dict[str, list[str]] = {}
        for key in keys:
            owner = self._keys.get(key)
            for agent in [owner] if owner else self._agents:
                asked.setdefault(agent, []).append(key)
        return asked

    def _unheard(self, agent: str, key: str, error: ClusterError) -> Report:
        silence = time.monotonic() - self._requests.heard[agent]
        if self._lost_after is not None and silence > self._lost_after:
            reason = f"{agent} has not answered for {silence:.0f} s"
            # Where it went is known to this client only: of another's the agents that answer are told first not to start it.
            mine = self._keys.get(key) == agent
            return Report(key, "lost", reason, time.time()) if mine else Report(key, "unknown", reason)
        return Report(key, "running", f"nobody knows: {error.line}")

    def _believed(self, agent: str, report: Report) -> Report:
        """Return a report; an agent that could not be told of a cancellation may yet get the launch it does not know."""
        if report.outcome == "unknown" and report.key in self._uncancelled[agent]:
            return Report(report.key, "running", f"{agent} could not be told that it is cancelled")
        return report

    def _keep(self, key: str, agent: str) -> None:
        self._keys[key] = agent
        while len(self._keys) > _REMEMBERED_KEYS:
            self._keys.popitem(last=False)


def _columns_of(offers: Sequence[Offer]) -> set[tuple[str, str]]:
    """Return the names of what would be columns of a table of these offers."""
    dimensions = {("dimension", name) for offer in offers for name in (*offer.available, *(offer.capacity or ()))}
    measures = {("measure", name) for offer in offers for name in offer.measures or ()}
    return dimensions | measures | {("attribute", name) for offer in offers for name in offer.attributes}


def _output_or_nothing(body: bytes) -> Output | None:
    return None if "error" in wire.decoded(body) else wire.output_from(body)


def _address(agent: str) -> str:
    parts = urlsplit(agent)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        hint = "give an address such as http://127.0.0.1:8321"
        raise InputError("setting-malformed", f"{agent!r} is no address of an agent", hint, "agents")
    return agent.rstrip("/")


def connect(text: str, access: Access) -> HttpCluster:
    """Return the cluster of ``http://AGENT,http://AGENT,...``."""
    settings: dict[str, Any] = {"lost_after_seconds": access.lost_after}
    if access.token is not None:
        settings["token"] = token_of(access.token)
    if access.authority is not None:
        settings["verify"] = pinned(access.authority)
    return HttpCluster([agent for agent in text.split(",") if agent], **settings)
