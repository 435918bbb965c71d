"""A session that follows a slot to the matcher that was promoted.

    call ──> is another matcher in use? ──> the session moves, with its offers as they stand ──> the call

The ledger says how the offers stand, so a pool can be made again in any matcher.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TypeVar

from offermatch.errors import LyingMatcherError, OffermatchError
from offermatch.fallback.standing import Standing
from offermatch.matcher import BaseMatcher
from offermatch.model import Description, Timings
from offermatch.session import Placed, Session
from offermatch.slot.current import Current
from offermatch.slot.shadow import Cycle
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Changes, Explained, Explanations, OfferTable, Plan, RunningTable, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["Seated"]

_T = TypeVar("_T")


class Seated:
    """A session in the matcher that a slot has in use.

    Where it cannot move, it stays where it is, and its answers say so in their remarks. Where the matcher fails on
    probation, the slot takes it back, and the session goes on in the one before.
    """

    def __init__(
        self,
        current: Current,
        matcher: BaseMatcher,
        session: Session,
        offers: OfferTable,
        standing: Standing,
        seconds: float,
    ) -> None:
        """Follow a slot with a session that has just been opened.

        Args:
            current: What the slot has in use.
            matcher: The matcher that has the session.
            session: The session.
            offers: What it was opened with.
            standing: How its offers stand.
            seconds: How long opening took.
        """
        self._current, self._matcher, self._session, self._standing = current, matcher, session, standing
        self._followed = matcher
        self._stays = ""
        # A candidate in shadow answers the first cycle too.
        self._opened: tuple[OfferTable, float] | None = (offers, seconds)

    @classmethod
    def open(cls, current: Current, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Seated:
        """Open a session in the matcher in use, or in the one before where that one fails on probation."""

        def opened(matcher: BaseMatcher) -> Seated:
            begin = perf_counter()
            session = matcher.session(table, shape, settings, timings)
            standing = Standing(table, shape, settings, session.description)
            return cls(current, matcher, session, table, standing, perf_counter() - begin)

        matcher = current.matcher
        try:
            return opened(matcher)
        except Exception as error:  # noqa: BLE001 - raised again where no other matcher answers
            return current.instead(matcher, error, opened)

    @property
    def description(self) -> Description:
        """What the matcher that answers now says of itself."""
        return self._session.description

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        return self._session.digest

    def assign(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Placed:
        """Place the tasks."""
        self._follow(ledger)
        opened, self._opened = self._opened, None
        matcher, begin = self._matcher, perf_counter()
        # An answer that does not hold leaves the ledger as it was, where another matcher may go on from there.
        before = ledger.copied() if self._current.on_probation else None
        placed = self._asked(lambda session: session.assign(table, ledger, timings), ledger, before)
        self._standing.settle(placed.assigned)
        if self._matcher is matcher:
            self._current.passed(matcher)
            shadow = self._current.shadow
            if shadow is not None and opened is not None:
                offers, seconds = opened
                cycle = Cycle(offers, self._standing.shape, self._standing.settings, table)
                shadow.offer(cycle, placed.assigned, seconds + perf_counter() - begin)
        return replace(placed, remarks=[*placed.remarks, self._stays]) if self._stays else placed

    def update(self, changes: Changes, ledger: Ledger, timings: Timings) -> None:
        """Apply changes."""
        self._follow(ledger)
        self._opened = None
        self._asked(lambda session: session.update(changes, ledger, timings), ledger, ledger)
        self._standing.update(changes)

    def explain(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Explained | Explanations:
        """Say how the offers in the list stand to each task."""
        self._follow(ledger)
        return self._asked(lambda session: session.explain(table, ledger, timings), ledger, ledger)

    def preempt(
        self, table: TaskTable, priorities: Sequence[int], running: RunningTable, ledger: Ledger, timings: Timings
    ) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer."""
        self._follow(ledger)
        return self._asked(lambda session: session.preempt(table, priorities, running, ledger, timings), ledger, ledger)

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def _follow(self, ledger: Ledger) -> None:
        """Move to the matcher in use, once for each that is promoted."""
        matcher = self._current.matcher
        if matcher is self._followed:
            return
        self._followed = matcher
        if matcher is self._matcher:
            self._stays = ""
            return
        try:
            self._sit(matcher, self._standing.session(matcher, ledger))
        except OffermatchError as error:
            here, there = self.description, matcher.description
            self._stays = f"the pool stays with {here.name} {here.version}: {there.name} {there.version}: {error.line}"

    def _asked(self, ask: Callable[[Session], _T], ledger: Ledger, before: Ledger | None) -> _T:
        """Return what is answered, by another matcher where this one fails and the slot has another.

        Args:
            ask: Asks a session.
            ledger: The ledger of the pool.
            before: The ledger as it was; None where nobody kept it.
        """
        try:
            return ask(self._session)
        except Exception as error:  # noqa: BLE001 - raised again where no other matcher answers
            failure = error
        if before is not None:
            ledger.restore(before)
        elif isinstance(failure, LyingMatcherError):
            # The ledger is out of step with the pool.
            raise failure

        def moved(matcher: BaseMatcher) -> _T:
            session = self._standing.session(matcher, ledger)
            answer = ask(session)
            self._sit(matcher, session)
            return answer

        return self._current.instead(self._matcher, failure, moved)

    def _sit(self, matcher: BaseMatcher, session: Session) -> None:
        self._session.close()
        self._session, self._matcher, self._followed, self._stays = session, matcher, matcher, ""
