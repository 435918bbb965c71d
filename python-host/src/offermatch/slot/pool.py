"""A pool opened through a slot: it follows the slot to the matcher that was promoted.

    call ──> is another matcher in use? ──> the pool moves, with its offers as they stand ──> the call

The host's own tables say how the offers stand, so a pool can be made again in any matcher.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from offermatch.answer import Answer
from offermatch.errors import MatcherError, OffermatchError
from offermatch.fallback.standing import Standing
from offermatch.matcher import BaseMatcher
from offermatch.model import Explanation, Settings, Timings
from offermatch.pool import Backend, Pool
from offermatch.recording.recorder import Recorder
from offermatch.tables.columns import TaskColumns
from offermatch.tables.tables import Assigned, Changes, Explained, OfferTable, TaskTable
from offermatch.verify.ledger import Ledger

if TYPE_CHECKING:
    from offermatch.slot.slot import Slot

__all__ = ["Place", "SlotPool"]

_T = TypeVar("_T")


class Place:
    """An opener, and then a backend: the pool in the matcher that has it now.

    Attributes:
        matcher: The matcher that has it.
        standing: How its offers stand.
    """

    standing: Standing
    _backend: Backend

    def __init__(self, matcher: BaseMatcher) -> None:
        """Begin in a matcher."""
        self.matcher = matcher

    def __call__(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> Place:
        """Open the pool."""
        self.standing = Standing(table, dimensions, attributes, settings)
        self._backend = self.matcher._checked_opener(settings)(table, dimensions, attributes, settings, timings)
        return self

    def move(self, matcher: BaseMatcher, ledger: Ledger) -> None:
        """Go on in another matcher; where that fails, the pool stays where it is."""
        backend = self.standing.open_by(matcher._checked_opener(self.standing.settings), ledger)
        self._backend.close()
        self._backend, self.matcher = backend, matcher

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


class SlotPool(Pool):
    """A pool opened by ``Slot.open``. Its answers say which matcher gave them.

    Where it cannot move, it stays where it is, and its answers say so in their remarks. Where the matcher fails on
    probation, the slot takes it back, and the pool goes on in the one before.
    """

    slot: Slot
    place: Place
    _followed: BaseMatcher
    _stays: str = ""

    def move_to(self, matcher: BaseMatcher) -> None:
        """Go on in another matcher, with the offers as they stand, until the slot promotes the next one.

        Raises:
            OffermatchError: The matcher does not take the pool, which stays where it is.
        """
        with self._lock:
            self._check_usable()
            self._move(matcher._now())
            self._followed = self.slot.current

    def update(self, **changes: Any) -> Any:
        """Apply what has happened to the offers, as ``Pool.update`` does."""
        with self._lock:
            self._follow()
            return super().update(**changes)

    def explain(self, tasks: Any) -> list[Explanation]:
        """Say how the offers in the list stand to each of the tasks, as ``Pool.explain`` does."""
        with self._lock:
            self._follow()
            return super().explain(tasks)

    def _assign(self, tasks: TaskColumns, timings: Timings) -> Answer:
        with self._lock:
            self._follow()
            answer = super()._assign(tasks, timings)
            if self._stays:
                answer.remarks = [*answer.remarks, self._stays]
        return answer

    def _follow(self) -> None:
        """Move to the matcher in use, once for each that is promoted."""
        matcher = self.slot.current
        if matcher is self._followed or self._broken is not None:
            return
        self._followed = matcher
        try:
            self._move(matcher)
        except OffermatchError as error:
            here, there = self.place.matcher.description, matcher.description
            self._stays = f"the pool stays with {here.name} {here.version}: {there.name} {there.version}: {error.line}"

    def _move(self, matcher: BaseMatcher) -> None:
        self.place.move(matcher, self._ledger)
        self.matcher, self.matcher_digest, self._stays = matcher.description, matcher.digest, ""

    def _asked(self, ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except MatcherError as error:
            failed = self.place.matcher
            self._ended(error)
            if self.slot.current is failed:
                self._give_up(error)
                raise
        if isinstance(self._backend, Recorder):
            self._backend.forget()
        self._followed = self.slot.current
        self._move(self._followed)
        return super()._asked(ask)

    def _accepted(self, table: TaskTable, timings: Timings) -> Assigned:
        # An answer that does not hold must leave the ledger as it was, where another matcher may go on from there.
        before = self._ledger
        if self.slot.on_probation:
            self._ledger = before.copied()
        try:
            assigned = super()._accepted(table, timings)
        except BaseException:
            self._ledger = before
            raise
        self.place.standing.settle(assigned)
        return assigned

    def _updated(self, changes: Changes) -> None:
        super()._updated(changes)
        self.place.standing.update(changes)
