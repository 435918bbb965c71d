"""A pool that goes on in the fallback when the primary fails, and comes back.

    call ──> primary ──fails──> fallback, with the offers as they stand ──> the breaker closes ──> primary, likewise

The host's own tables say how the offers stand, whoever matches: a pool in a matcher is a copy that can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from offermatch.answer import Answer
from offermatch.errors import MatcherError
from offermatch.fallback.standing import Standing
from offermatch.matcher import BaseMatcher
from offermatch.model import Settings, Timings
from offermatch.pool import Backend, Pool
from offermatch.recording.recorder import Recorder
from offermatch.tables.columns import TaskColumns
from offermatch.tables.tables import Assigned, Changes, Explained, OfferTable, TaskTable
from offermatch.verify.ledger import Ledger

if TYPE_CHECKING:
    from offermatch.fallback.fallback import FallbackMatcher

__all__ = ["FallbackPool", "Seat"]

_T = TypeVar("_T")


class Seat:
    """An opener, and then a backend: the pool in the matcher that has it now.

    Attributes:
        matchers: Who may have it.
        in_primary: Whether the primary has it.
        matcher: The matcher that has it.
        standing: How its offers stand.
    """

    standing: Standing
    matcher: BaseMatcher
    _backend: Backend

    def __init__(self, matchers: FallbackMatcher) -> None:
        """Seat one pool."""
        self.matchers = matchers
        self.in_primary = False

    def __call__(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> Seat:
        """Open the pool."""
        self.standing = Standing(table, dimensions, attributes, settings)

        def sit(matchers: BaseMatcher) -> None:
            matcher = matchers._now()
            self._sit(matchers, matcher, matcher._checked_opener(settings)(table, dimensions, attributes, settings, timings))

        primary, fallback, breaker = self.matchers.primary, self.matchers.fallback, self.matchers.breaker
        # The breaker counts cycles, and this is the beginning of one.
        if breaker.state != "closed":
            sit(fallback)
            return self
        try:
            sit(primary)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is a pool
            self.matchers._unless_both(error, lambda: sit(fallback))
            self.matchers._note(error, opened=breaker.failed())
        return self

    def move(self, asked: BaseMatcher, ledger: Ledger) -> None:
        """Go on in another matcher; where that fails, the pool stays where it is."""
        matcher = asked._now()
        backend = self.standing.open_by(matcher._checked_opener(self.standing.settings), ledger)
        self._backend.close()
        self._sit(asked, matcher, backend)

    def _sit(self, asked: BaseMatcher, matcher: BaseMatcher, backend: Backend) -> None:
        self._backend, self.matcher = backend, matcher
        self.in_primary = asked is self.matchers.primary

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place the tasks."""
        return self._backend.assign(table, timings)

    def update(self, changes: Changes, timings: Timings) -> None:
        """Apply changes."""
        self._backend.update(changes, timings)

    def explain(self, table: TaskTable, timings: Timings) -> Explained:
        """Say how the offers in the list stand to each task."""
        return self._backend.explain(table, timings)

    def close(self) -> None:
        """Let go of what is held."""
        self._backend.close()


class FallbackPool(Pool):
    """A pool opened by ``FallbackMatcher.open``: its answers say who gave them, and why."""

    seat: Seat
    _reason: Exception | None = None

    def _assign(self, tasks: TaskColumns, timings: Timings) -> Answer:
        with self._lock:
            self._check_usable()
            breaker = self.seat.matchers.breaker
            self._reason = self._seated()
            try:
                answer = super()._assign(tasks, timings)
            except BaseException:
                breaker.abandoned()
                raise
            if self.seat.in_primary:
                breaker.succeeded()
                self.seat.matchers.primary._heard(self.seat.matcher, None)
            answer.matcher, answer.matcher_digest = self.seat.matcher.description, self.seat.matcher.digest
            answer.fallback_reason = self._reason
        return answer

    def _seated(self) -> Exception | None:
        """Put the pool where a cycle is to be matched, and return why that is not the primary."""
        seat, matchers = self.seat, self.seat.matchers
        if matchers.breaker.allows():
            # A slot may have another matcher in use by now.
            if seat.in_primary and matchers.primary._now() is seat.matcher:
                return None
            try:
                seat.move(matchers.primary, self._ledger)
            except Exception as error:  # noqa: BLE001 - whatever it is, the fallback has the pool
                matchers._note(error, opened=matchers.breaker.failed())
                return error
            return None
        if seat.in_primary:
            seat.move(matchers.fallback, self._ledger)
        reason = MatcherError("breaker-open", "the primary failed too often and is left alone for now")
        matchers._note(reason, opened=False)
        return reason

    def _asked(self, ask: Callable[[], _T]) -> _T:
        seat, matchers = self.seat, self.seat.matchers
        if not seat.in_primary:
            return super()._asked(ask)
        try:
            return ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the call gets its answer
            reason = error
        failed = seat.matcher
        if isinstance(self._backend, Recorder):
            self._backend.forget()
        seat.move(matchers.fallback, self._ledger)
        answer = matchers._unless_both(reason, lambda: super(FallbackPool, self)._asked(ask))
        matchers._note(reason, opened=matchers.breaker.failed())
        matchers.primary._heard(failed, reason)
        self._reason = reason
        return answer

    def _accepted(self, table: TaskTable, timings: Timings) -> Assigned:
        # An answer that does not hold must leave the ledger as it was: the fallback goes on from there.
        before = self._ledger
        self._ledger = before.copied()
        try:
            assigned = super()._accepted(table, timings)
        except BaseException:
            self._ledger = before
            raise
        self.seat.standing.settle(assigned)
        return assigned

    def _updated(self, changes: Changes) -> None:
        super()._updated(changes)
        self.seat.standing.update(changes)
