"""The session protocol: one open pool, over row numbers.

    Backend   a component or the reference loop: answers that nobody has checked
    Session   the same, and every answer was verified against the ledger that comes with the call

A component and the reference have a session (``Verified``); a recording, a fallback and a slot wrap one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol, TypeVar

from offermatch.errors import MatcherError
from offermatch.model import Description, Timings
from offermatch.tables.rules import refuse_preemption, refuse_unserved, rules_of_changes, rules_of_tasks
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Changes, Explained, Explanations, OfferTable, Plan, RunningTable, TaskTable
from offermatch.verify.explanations import check_explained
from offermatch.verify.ledger import Ledger
from offermatch.verify.plan import check_plan

__all__ = ["Backend", "Matching", "Placed", "Session", "Verified"]

_T = TypeVar("_T")


class Backend(Protocol):
    """A pool as the contract has it. Its answers are unverified."""

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place the tasks."""

    def update(self, changes: Changes, timings: Timings) -> None:
        """Apply changes."""

    def explain(self, table: TaskTable, timings: Timings) -> Explained | Explanations:
        """Say how the offers in the list stand to each task."""

    def preempt(self, table: TaskTable, priorities: Sequence[int], running: RunningTable, timings: Timings) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer."""

    def close(self) -> None:
        """Let go of what is held; again does nothing."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A verified answer, and who gave it.

    Attributes:
        assigned: The answer.
        matcher: What the matcher that gave it says of itself.
        digest: The digest of its bytes.
        fallback_reason: Why a fallback answered; None where it was not needed.
        remarks: What is to be said about it.
    """

    assigned: Assigned
    matcher: Description
    digest: str
    fallback_reason: Exception | None = None
    remarks: Sequence[str] = ()


class Session(Protocol):
    """One open pool. Calls add to ``timings`` where the time went. One thread at a time."""

    @property
    def description(self) -> Description:
        """What the matcher that answers now says of itself."""

    @property
    def digest(self) -> str:
        """The digest of its bytes."""

    def assign(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Placed:
        """Place the tasks, and take what they use out of the ledger.

        Raises:
            InputError: The matcher does not take the tasks; the ledger is as it was.
            MatcherError: The matcher failed, or its answer does not hold; the session is of no more use.
        """

    def update(self, changes: Changes, ledger: Ledger, timings: Timings) -> None:
        """Apply changes, to the ledger as well; errors are those of ``assign``."""

    def explain(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Explained | Explanations:
        """Say how the offers in the list stand to each task; errors are those of ``assign``."""

    def preempt(
        self, table: TaskTable, priorities: Sequence[int], running: RunningTable, ledger: Ledger, timings: Timings
    ) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer; errors are those of ``assign``."""

    def close(self) -> None:
        """Let go of what is held; again does nothing."""


class Matching(Protocol):
    """What opens sessions: a matcher, one with a fallback, a slot."""

    @property
    def description(self) -> Description:
        """What it says of itself."""

    @property
    def digest(self) -> str:
        """The digest of its bytes."""

    def session(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Session:
        """Open a pool of these offers, listed in the order of their rows."""


class Verified:
    """The session of one matcher: its answers, verified."""

    def __init__(self, description: Description, digest: str, backend: Backend, shape: Shape) -> None:
        """Verify what a backend answers."""
        self.description, self.digest = description, digest
        self._backend, self._shape = backend, shape

    def assign(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Placed:
        """Place the tasks."""
        refuse_unserved(self.description, rules_of_tasks(table))

        def place() -> Assigned:
            assigned = self._backend.assign(table, timings)
            begin = perf_counter()
            ledger.accept(table, assigned)
            timings.verify += perf_counter() - begin
            return assigned

        return Placed(self._asked(place), self.description, self.digest)

    def update(self, changes: Changes, ledger: Ledger, timings: Timings) -> None:
        """Apply changes."""
        refuse_unserved(self.description, rules_of_changes(changes))
        self._asked(lambda: self._backend.update(changes, timings))
        ledger.update(changes)

    def explain(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Explained | Explanations:
        """Say how the offers in the list stand to each task."""
        refuse_unserved(self.description, rules_of_tasks(table))

        def explain() -> Explained | Explanations:
            found = self._backend.explain(table, timings)
            check_explained(table, found, self._shape, ledger)
            return found

        return self._asked(explain)

    def preempt(
        self, table: TaskTable, priorities: Sequence[int], running: RunningTable, ledger: Ledger, timings: Timings
    ) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer. Nothing changes."""
        refuse_unserved(self.description, rules_of_tasks(table))
        refuse_preemption(self.description)

        def plan() -> Plan:
            found = self._backend.preempt(table, priorities, running, timings)
            begin = perf_counter()
            check_plan(ledger, table, priorities, running, found)
            timings.verify += perf_counter() - begin
            return found

        return self._asked(plan)

    def close(self) -> None:
        """Close the backend."""
        self._backend.close()

    def _asked(self, ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except MatcherError:
            self.close()
            raise
