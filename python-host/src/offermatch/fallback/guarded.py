"""A session that goes on in the fallback when the primary fails, and comes back.

    call ──> primary ──fails──> fallback, with the offers as they stand ──> the breaker closes ──> primary, likewise

The ledger says how the offers stand, whoever matches: a pool in a matcher is a copy that can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from offermatch.fallback.breaker import Circuit
from offermatch.fallback.standing import Standing
from offermatch.model import Description, Timings
from offermatch.session import Placed, Session
from offermatch.tables.rules import known_parameters
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Changes, Explained, Explanations, OfferTable, Plan, RunningTable, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["Guarded"]

_T = TypeVar("_T")


class Guarded:
    """A session in the primary or in the fallback."""

    def __init__(
        self,
        circuit: Circuit,
        session: Session,
        standing: Standing,
        *,
        in_primary: bool,
        failure: Exception | None = None,
    ) -> None:
        """Guard a session that has just been opened.

        Args:
            circuit: The two matchers.
            session: The session.
            standing: How its offers stand.
            in_primary: Whether it is in the primary.
            failure: Why the primary could not open it, if it could not. The first cycle has begun with that.
        """
        self._circuit, self._session, self._standing = circuit, session, standing
        self._in_primary, self._failure = in_primary, failure

    @classmethod
    def open(cls, circuit: Circuit, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Guarded:
        """Open a session, which any failure of the primary leaves as it was."""

        def in_fallback() -> Session:
            known = known_parameters(settings, circuit.fallback.description)
            return circuit.fallback.session(table, shape, known, timings)

        def guarded(session: Session, *, in_primary: bool, failure: Exception | None = None) -> Guarded:
            standing = Standing(table, shape, settings, session.description)
            return cls(circuit, session, standing, in_primary=in_primary, failure=failure)

        if circuit.breaker.state != "closed":
            # The first cycle asks the breaker whether it may be the one that probes.
            return guarded(in_fallback(), in_primary=False)
        try:
            session = circuit.primary.session(table, shape, settings, timings)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is a pool
            return guarded(circuit.failed(error, in_fallback), in_primary=False, failure=error)
        return guarded(session, in_primary=True)

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
        reason = self._seated(ledger)
        # An answer that does not hold leaves the ledger as it was: the fallback goes on from there.
        before = ledger.copied() if self._in_primary else ledger

        def asked() -> Placed:
            return self._session.assign(table, ledger, timings)

        try:
            placed, failure = self._asked(asked, ledger, before)
        except BaseException:
            self._circuit.breaker.abandoned()
            raise
        if self._in_primary:
            self._circuit.breaker.succeeded()
        self._standing.settle(placed.assigned)
        return replace(placed, fallback_reason=failure or reason or placed.fallback_reason)

    def update(self, changes: Changes, ledger: Ledger, timings: Timings) -> None:
        """Apply changes."""
        self._asked(lambda: self._session.update(changes, ledger, timings), ledger, ledger)
        self._standing.update(changes)

    def explain(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Explained | Explanations:
        """Say how the offers in the list stand to each task."""
        return self._asked(lambda: self._session.explain(table, ledger, timings), ledger, ledger)[0]

    def preempt(
        self, table: TaskTable, priorities: Sequence[int], running: RunningTable, ledger: Ledger, timings: Timings
    ) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer."""
        return self._asked(lambda: self._session.preempt(table, priorities, running, ledger, timings), ledger, ledger)[0]

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def _seated(self, ledger: Ledger) -> Exception | None:
        """Go where a cycle is to be matched, and return why that is not the primary."""
        circuit = self._circuit
        failure, self._failure = self._failure, None
        if failure is not None:
            return failure
        reason = circuit.admits()
        if reason is None and not self._in_primary:
            try:
                self._move(ledger, to_primary=True)
            except Exception as error:  # noqa: BLE001 - whatever it is, the fallback has the pool
                circuit.note(error, opened=circuit.breaker.failed())
                return error
        elif reason is not None and self._in_primary:
            self._move(ledger, to_primary=False)
        return reason

    def _asked(self, ask: Callable[[], _T], ledger: Ledger, before: Ledger) -> tuple[_T, Exception | None]:
        """Return what is answered, and why the fallback answered if the primary has failed."""
        if not self._in_primary:
            return ask(), None
        try:
            return ask(), None
        except Exception as error:  # noqa: BLE001 - whatever it is, the call gets its answer
            reason = error
        ledger.restore(before)
        self._move(ledger, to_primary=False)
        return self._circuit.failed(reason, ask), reason

    def _move(self, ledger: Ledger, *, to_primary: bool) -> None:
        """Go on in another matcher; where that fails, the session stays where it is."""
        circuit = self._circuit
        matcher = circuit.primary if to_primary else circuit.fallback
        settings = self._standing.settings
        known = settings if to_primary else known_parameters(settings, matcher.description)
        session = self._standing.session(matcher, ledger, known)
        self._session.close()
        self._session, self._in_primary = session, to_primary
