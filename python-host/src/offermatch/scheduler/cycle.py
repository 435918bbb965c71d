"""The record of one cycle, and where others can listen while it is made.

Each stage runs inside ``Stopwatch.span``. An observer is entered around it, so that it can open a span of its own that is
current while the stage runs, and reads the counts when it is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from time import perf_counter

from offermatch.scheduler.store.schema import State

__all__ = ["Cycle", "Observer", "Span", "Stopwatch"]


@dataclass(slots=True)
class Span:
    """One stage of a cycle.

    Attributes:
        name: The stage.
        start: When it began, in seconds since the cycle did.
        seconds: How long it took; so far 0.0 while it runs.
        counts: What it dealt with, by name.
        error: The code of the error that ended it; empty otherwise.
    """

    name: str
    start: float
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    error: str = ""


@dataclass(slots=True)
class Cycle:
    """What happened in one cycle.

    Attributes:
        number: From 1, in this life of the scheduler.
        at: The cluster's clock when it began, in seconds since the epoch.
        seconds: How long it took.
        spans: The stages in order; one that works part by part has a span for each part.
        queue: Tasks that were ready.
        offers: Offers that the cluster made.
        placed: Tasks that the matcher placed.
        possible: Tasks that any matcher could have placed at most; None where nobody asked.
        reserved: Tasks that room is held for.
        backfilled: Placed tasks that run in held room, and end before it is needed.
        preempted: Running tasks that are to end for tasks that matter more.
        launched: Tasks that the cluster took.
        ended: Tasks that came to each state by what the cluster reported.
        refusals: Why placed or processable tasks were not launched, by reason.
        unknown_quotas: Quotas on dimensions that no offer has, each as queue and dimension.
        unplaced: Tasks without an offer by the check that refuses most, as ``refused`` names it; None where nobody looked.
        utilisation: The part of the capacity in use once all that was placed runs, by dimension.
        shares: The dominant share of each queue before the cycle, where there are several.
        matcher: Name and version of the matcher that answered.
        digest: The digest of its bytes.
        fallback: The code of the reason why a fallback answered; empty otherwise.
        error: The code of the error that ended the cycle; empty otherwise.
        message: That error, for people.
    """

    number: int
    at: float
    seconds: float = 0.0
    spans: list[Span] = field(default_factory=list)
    queue: int = 0
    offers: int = 0
    placed: int = 0
    possible: int | None = None
    reserved: int = 0
    backfilled: int = 0
    preempted: int = 0
    launched: int = 0
    ended: Mapping[State, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    unknown_quotas: Sequence[tuple[str, str]] = ()
    unplaced: Mapping[str, int] | None = None
    utilisation: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    matcher: str = ""
    digest: str = ""
    fallback: str = ""
    error: str = ""
    message: str = ""

    def stages(self) -> list[Span]:
        """Return one span for each stage: from where it first began, with the seconds and counts of all its parts."""
        found: dict[str, Span] = {}
        for one in self.spans:
            stage = found.setdefault(one.name, Span(one.name, one.start))
            stage.seconds += one.seconds
            stage.error = stage.error or one.error
            for name, number in one.counts.items():
                stage.counts[name] = stage.counts.get(name, 0) + number
        return list(found.values())

    def refuse(self, reason: str, number: int = 1) -> None:
        """Count tasks that are not launched."""
        if number:
            self.refusals[reason] = self.refusals.get(reason, 0) + number


class Observer:
    """Something that listens to cycles; override what is of interest."""

    def cycle(self, cycle: Cycle) -> AbstractContextManager[object]:
        """Return what is entered when a cycle begins, and left when its record is complete."""
        del cycle
        return nullcontext()

    def span(self, span: Span) -> AbstractContextManager[object]:
        """Return what is entered when a stage begins, and left when its record is complete."""
        del span
        return nullcontext()


class Stopwatch:
    """Times a cycle and its stages."""

    def __init__(self, cycle: Cycle, observers: Sequence[Observer] = ()) -> None:
        """Time a cycle that begins now."""
        self.cycle = cycle
        self._observers = observers
        self._begin = perf_counter()

    def elapsed(self) -> float:
        """Return the seconds since the cycle began."""
        return perf_counter() - self._begin

    @contextmanager
    def whole(self) -> Iterator[Cycle]:
        """Enclose the cycle."""
        with ExitStack() as entered:
            for observer in self._observers:
                entered.enter_context(observer.cycle(self.cycle))
            try:
                yield self.cycle
            finally:
                self.cycle.seconds = self.elapsed()

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """Enclose a stage; what it counts goes into the span."""
        with ExitStack() as entered:
            span = Span(name, self.elapsed())
            self.cycle.spans.append(span)
            for observer in self._observers:
                entered.enter_context(observer.span(span))
            try:
                yield span
            except Exception as error:
                span.error = getattr(error, "code", type(error).__name__)
                raise
            finally:
                span.seconds = self.elapsed() - span.start
