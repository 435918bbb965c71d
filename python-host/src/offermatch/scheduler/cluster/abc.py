"""What the scheduler asks of a cluster. Every adapter keeps these promises, and one suite of tests runs over all of them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from offermatch.model import Offer
from offermatch.tables.offers import OfferColumns

__all__ = ["Cluster", "Fetched", "Launch", "Launched", "Outcome", "Output", "Report", "Stream"]

_NOTHING: Final[Mapping[str, Any]] = {}


class Launch(NamedTuple):
    """One task on its way to the offer it was given.

    Attributes:
        key: One of a kind for each attempt at a task. A cluster starts a key at most once, however often it is asked.
        task: The task's id.
        offer: The offer's name.
        demand: What the task takes in each resource dimension, in the smallest unit.
        devices: Whole devices it takes.
        device_share: Thousandths of one device it takes.
        payload: What to run, as JSON: the task's own payload and what was fetched for its inputs.
        sent_at: When it is sent, on the clock of whoever sends it; the same each time. A cluster forgets no launch that does
            not say.
    """

    key: str
    task: str
    offer: str
    demand: Mapping[str, int] = _NOTHING
    devices: int = 0
    device_share: int = 0
    payload: Mapping[str, Any] = _NOTHING
    sent_at: float = 0.0


Refusal = Literal["offer-gone", "offer-full", "payload-refused", "launch-late", "unreachable"]
"""Why a launch was not taken. ``launch-late``: launches that were sent after it are forgotten already. ``unreachable`` says
that nobody knows: ask again with the same key."""


class Launched(NamedTuple):
    """What a cluster said to one launch.

    Attributes:
        key: The launch's key.
        refusal: None where the cluster has it, now or from an earlier call with the same key.
        reason: For people; empty where it was taken.
    """

    key: str
    refusal: Refusal | None = None
    reason: str = ""


Outcome = Literal["running", "done", "failed", "lost", "unknown"]
"""``lost``: it ran and its server is gone. ``unknown``: the cluster never took this key."""


class Report(NamedTuple):
    """Where one launch stands.

    Attributes:
        key: The launch's key.
        outcome: Where it stands.
        reason: For people: why it failed or was lost; empty otherwise.
        finished_at: Seconds of the cluster's clock at which it ended; None while it runs or is unknown.
    """

    key: str
    outcome: Outcome
    reason: str = ""
    finished_at: float | None = None


class Fetched(NamedTuple):
    """What a cluster has for one input.

    Attributes:
        name: The input's name.
        value: What a payload needs to find it there (an address, a path, a digest), as JSON; None where ``reason`` says why.
        reason: Why there is none; empty where there is one.
    """

    name: str
    value: Any = None
    reason: str = ""


Stream = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class Output:
    """The end of what a launch has written to one of its standard streams.

    Attributes:
        text: At most so much as was asked for; bytes that are no UTF-8 are shown as U+FFFD.
        size: How many bytes are kept in all.
    """

    text: str
    size: int


class Cluster(ABC):
    """Servers that make offers, take launches and say what became of them.

    Methods block; an adapter that talks to many servers does so concurrently inside one call, with a bound. They may be
    called from several threads. What concerns one launch is told in its result; only what concerns the whole cluster is
    raised, as ``ClusterError``.
    """

    name: str
    """What kind of cluster it is, for people and metrics."""

    @abstractmethod
    def offers(self) -> Sequence[Offer] | OfferColumns:
        """Return what is free now."""

    @abstractmethod
    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return what a payload needs of each input, in their order, asking for at most ``concurrency`` at a time."""

    @abstractmethod
    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Start tasks, and return what became of each, in their order. A key that is known already is not started again."""

    @abstractmethod
    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return where each of these launches stands, in their order. Asking changes nothing, and may be repeated."""

    @abstractmethod
    def cancel(self, keys: Sequence[str]) -> None:
        """End these launches as failed; those that have ended stay as they are.

        A key that is unknown is remembered as one that has failed: a launch that is still on its way to the cluster, sent
        by a scheduler that is slow or dead, must not start it any more. Where a server cannot be told now, the key is
        reported as running until one that cancels it again has told it: only a report says that a key has ended.
        """

    def output(self, key: str, stream: Stream, most: int = 65536) -> Output | None:
        """Return the end of what a launch has written; None where the cluster keeps nothing of it."""
        del key, stream, most
        return None

    def forget(self, keys: Sequence[str]) -> None:
        """Hear that the store has the ends of these keys, so that nobody asks about them any more.

        What a cluster remembers of them it may forget after a while, as ``_settled`` says; it may as well keep it. A key
        that runs or is unknown stays as it is.
        """
        del keys

    def now(self) -> float:
        """Return the cluster's clock, in seconds since the epoch; virtual where the cluster is."""
        return time.time()

    def steady(self) -> float:
        """Return seconds on a clock that nobody sets; only differences between two readings mean something."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let so much time pass on the cluster's clock, or less where something happens before."""
        time.sleep(seconds)

    @abstractmethod
    def close(self) -> None:
        """Let go of connections; what runs goes on.

        Closing again does nothing; any other call is then refused with ``ClusterError`` ``cluster-closed``.
        """
