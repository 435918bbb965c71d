"""The public face of the task store: every method is one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType

from offermatch.errors import StoreError
from offermatch.model import Description
from offermatch.scheduler.garbage import fewer_collections
from offermatch.scheduler.queues import Queue
from offermatch.scheduler.store import (
    browse,
    changes,
    groups,
    leases,
    migrate,
    places,
    preemption,
    queues,
    ready,
    reservations,
)
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.leases import Lease
from offermatch.scheduler.store.records import (
    Claim,
    GroupClaims,
    Listed,
    Place,
    Preemption,
    Processable,
    Reservation,
    Shown,
    Sighting,
    Underway,
    Verdict,
    Victim,
    Wanted,
)
from offermatch.scheduler.store.schema import State
from offermatch.scheduler.store.submit import insert_submission
from offermatch.scheduler.submission import Submission, checked
from offermatch.tables.offers import OfferColumns

__all__ = ["Store"]


class Store:
    """Tasks in a SQL database. Safe to use from several threads, processes and machines.

    All methods raise ``StoreError`` ``store-unreachable`` where the database cannot be reached or goes away meanwhile;
    what a method did is then all there or not at all.

    Attributes:
        url: Where it is, without the password.
        name: What tells its keys from those of others.
    """

    def __init__(self, url: str, *, make: bool = True) -> None:
        """Open a store; an empty database gets its tables.

        Args:
            url: Such as ``sqlite:///tasks.db`` or ``postgresql://user@host/database``.
            make: Whether a file of SQLite that is not there is made.

        Raises:
            InputError: ``setting-malformed``, ``extra-missing``.
            StoreError: ``store-unreachable``, ``store-refused``, ``schema-old``, ``schema-unknown``.
        """
        self._database = Database(url)
        self.url = self._database.url
        if not make and self._database.is_missing():
            self._database.close()
            hint = "name the store that tasks were submitted to; 'offermatch submit' makes one"
            raise StoreError("store-unreachable", "there is no such file", hint, self.url)
        try:
            migrate.open_schema(self._database)
            with self._database.read() as connection:
                self.name = ready.store_name(connection)
        except BaseException:
            self._database.close()
            raise

    @staticmethod
    def upgrade(url: str) -> str:
        """Bring the schema of a store to the newest revision, and return that."""
        database = Database(url)
        try:
            return migrate.upgrade(database)
        finally:
            database.close()

    def __enter__(self) -> Store:
        """Return the store."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the store."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    # ---- for those who have tasks --------------------------------------------------------------------------------------

    def submit(
        self,
        rows: Sequence[Submission],
        *,
        source: str = "tasks",
        at: float | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> list[int]:
        """Store new tasks, all or none, and return their numbers.

        Args:
            rows: The tasks.
            source: What they are called in errors.
            at: When; now unless given.
            progress: Told how many more are written.

        Raises:
            InputError: A task that cannot be used, ``duplicate-name``, ``dependency-cycle``, ``dependency-unknown``,
                ``group-malformed``, ``queue-unknown``, ``over-quota``.
        """
        with fewer_collections():
            found = checked(rows, source)
            with self._database.write() as connection:
                return insert_submission(connection, self._database, found, _at(at), progress)

    def counts(self) -> dict[str, int]:
        """Return how many tasks are in each state."""
        with self._database.read() as connection:
            return ready.counts(connection)

    def listed(self, state: str | None = None, most: int = 50) -> list[Listed]:
        """Return tasks, those that changed last first."""
        with self._database.read() as connection:
            return browse.listed(connection, self._database, state, most)

    def shown(self, name: str) -> Shown:
        """Return all about one task.

        Raises:
            StoreError: ``task-unknown``.
        """
        with self._database.read() as connection:
            return browse.shown(connection, self._database, name)

    def members(self, group: int, most: int = 100) -> list[tuple[str, State, float | None]]:
        """Return name, state and end of the pause of members of a group that have not begun."""
        with self._database.read() as connection:
            return browse.members(connection, group, most)

    def asked_with(self, number: int, group: int | None = None) -> Processable:
        """Return a task as a cycle has it, or all ready members of its group, those that pause, too."""
        with self._database.read() as connection:
            if group is not None:
                return ready.of_group(connection, self._database, group, time.time())
            return ready.one_task(connection, self._database, number, time.time())

    def cancel(self, names: Sequence[str], reason: str = "cancelled", at: float | None = None) -> dict[str, State]:
        """Cancel tasks and what needs them, and return the state of each.

        One that a cluster may have stays as it is until the scheduler has ended it there, in its next cycle.

        Raises:
            StoreError: ``task-unknown``.
        """
        with self._database.write() as connection:
            return browse.cancel(connection, self._database, names, reason, _at(at))

    def retry(self, names: Sequence[str], at: float | None = None) -> dict[str, State]:
        """Give failed and cancelled tasks another chance, and what was cancelled because of them; return the states.

        Raises:
            StoreError: ``task-unknown``, ``task-blocked``.
            InputError: ``queue-unknown``.
        """
        with self._database.write() as connection:
            return browse.retry(connection, self._database, names, _at(at))

    def queues(self) -> list[Queue]:
        """Return every queue, by name."""
        with self._database.read() as connection:
            return queues.all_queues(connection)

    def set_queues(self, given: Sequence[Queue], *, source: str = "queues", at: float | None = None) -> None:
        """Make queues, or change those of the same names; all or none.

        Raises:
            InputError: ``setting-malformed``, ``duplicate-name``, ``queue-unknown``, ``queue-cycle``.
        """
        with self._database.write() as connection:
            queues.set_queues(connection, given, _at(at), source)

    def remove_queue(self, name: str) -> None:
        """Remove a queue in which nothing is left.

        Raises:
            InputError: ``queue-unknown``.
            StoreError: ``queue-busy``.
        """
        with self._database.write() as connection:
            queues.remove_queue(connection, name)

    def ahead(self, queue: str, priority: int, number: int) -> int:
        """Return how many ready tasks of a queue go before a task of this priority and number."""
        with self._database.read() as connection:
            return ready.ahead(connection, queue, priority, number)

    def waiting(self) -> dict[str, int]:
        """Return how many tasks of each queue are ready."""
        with self._database.read() as connection:
            return queues.waiting(connection)

    def places(self) -> list[Place]:
        """Return the places of which more is known than the cluster says: cordoned, drained, left out."""
        with self._database.read() as connection:
            return places.all_places(connection)

    def cordon(self, names: Sequence[str], reason: str = "", *, drain: bool = False, at: float | None = None) -> None:
        """Let nothing new go to these places; with ``drain``, what runs there ends and is made ready for elsewhere."""
        with self._database.write() as connection:
            places.cordon(connection, self._database, names, reason, _at(at), cordoned=True, drain=drain)

    def uncordon(self, names: Sequence[str], at: float | None = None) -> None:
        """Let these places have tasks again, whatever went wrong there."""
        with self._database.write() as connection:
            places.cordon(connection, self._database, names, "", _at(at), cordoned=False, drain=False)

    def sighting(self) -> Sighting | None:
        """Return what the cluster offered when a task last found no offer, or a quota no dimension; None where none did."""
        with self._database.read() as connection:
            return places.seen(connection)

    # ---- for schedulers ------------------------------------------------------------------------------------------------

    def lease(self, seconds: float) -> Lease:
        """Return a new lease."""
        with self._database.write() as connection:
            return leases.take(connection, self._database, seconds)

    def renew(self, lease: Lease) -> None:
        """Renew a lease.

        Raises:
            StoreError: ``lease-lost``.
        """
        with self._database.write(alone=False) as connection:
            leases.renew(connection, self._database, lease)

    def end(self, lease: Lease) -> None:
        """End a lease. What it holds is for the next scheduler to take over."""
        with self._database.write() as connection:
            leases.end(connection, lease)

    def underway(self, lease: Lease) -> list[Underway]:
        """Take over what expired leases held, and return all that this lease holds.

        Raises:
            StoreError: ``lease-lost``.
        """
        with self._database.write() as connection:
            leases.renew(connection, self._database, lease)
            leases.adopt(connection, self._database, lease)
            return ready.underway(connection, self._database, lease, self.name)

    def processable(
        self, most: int, behind: Mapping[str, tuple[int, int]] | None = None, at: float | None = None
    ) -> Processable:
        """Return at most so many tasks whose dependencies are all done, queue by queue, each in its order.

        Args:
            most: How many; each queue has an equal part, and what one leaves of it is for the others.
            behind: Priority and number of a task of a queue; the first half of what is looked at in this queue is its head,
                the rest comes after this task.
            at: When: tasks whose pause after a failure is not over by then are left out.
        """
        with self._database.read() as connection:
            waiting = queues.waiting(connection)
            # The smallest come first, so that what they leave is for the others.
            names = sorted(waiting, key=lambda name: (waiting[name], name))
            return ready.processable(connection, self._database, most, behind or {}, names, _at(at))

    def holding(self) -> tuple[list[Queue], dict[str, dict[str, int]]]:
        """Return every queue, and what the tasks of each hold at this moment, whoever launched them.

        What the tasks hold is only looked up where it decides something: where there are several queues, or quotas.
        """
        with self._database.read() as connection:
            found = queues.all_queues(connection)
            plain = len(found) == 1 and not found[0].quota
            return found, {} if plain else queues.held(connection)

    def claim(
        self,
        lease: Lease,
        ids: Sequence[int],
        offers: Sequence[str],
        at: float | None = None,
        *,
        joining: GroupClaims | None = None,
    ) -> list[Claim]:
        """Claim those of the tasks that are still ready, each for its offer, and return them.

        Args:
            lease: What gives the right to.
            ids: The tasks.
            offers: The offer of each.
            at: When; now unless given.
            joining: What there is to know of the groups among them.

        Raises:
            StoreError: ``lease-lost``.
        """
        if not ids:
            return []
        with self._database.write(alone=False) as connection:
            leases.renew(connection, self._database, lease)
            found = changes.claim(connection, self._database, lease, ids, offers, _at(at), joining)
        return [Claim(number, attempt, ready.key_of(self.name, number, attempt)) for number, attempt in found]

    def wanted(self, ids: Sequence[int]) -> dict[int, Wanted]:
        """Return payload and inputs of those of the tasks that have any."""
        if not ids:
            return {}
        with self._database.read() as connection:
            return ready.wanted(connection, self._database, ids)

    def fence(self, lease: Lease, ids: Sequence[int]) -> None:
        """Note, before the cluster is told, that these attempts are never to start: what it says then is no failure."""
        with self._database.write() as connection:
            changes.fence(connection, self._database, lease, ids)

    def evict_partial_starts(self, numbers: Sequence[int]) -> int:
        """Have ended what runs of groups that did not start whole; return of how many tasks."""
        if not numbers:
            return 0
        with self._database.write() as connection:
            return groups.evict_partial_starts(connection, self._database, numbers)

    def leave_out(self, name: str, until: float, strikes: int, reason: str, at: float | None = None) -> None:
        """Let nothing new go to a place until then."""
        with self._database.write() as connection:
            places.leave_out(connection, self._database, name, until, strikes, reason, _at(at))

    def reservations(self) -> dict[int, Reservation]:
        """Return the room that is held, by the number of the task that it is held for."""
        with self._database.read() as connection:
            return reservations.kept(connection)

    def reserve(self, given: Mapping[int, Reservation], before: Collection[int] | None = None) -> None:
        """Hold this room, and no other of the tasks before; of no other task at all unless these are given."""
        with self._database.write() as connection:
            reservations.keep(connection, self._database, given, before)

    def running(self) -> list[Victim]:
        """Return everything that holds a part of an offer, whoever launched it."""
        with self._database.read() as connection:
            return preemption.running(connection, self._database)

    def ending_for(self) -> dict[int, list[str]]:
        """Return for which tasks others are about to end, with the names of these."""
        with self._database.read() as connection:
            return preemption.ending_for(connection)

    def idle(self) -> dict[str, int]:
        """Return how many tasks that ask nothing are on each offer."""
        with self._database.read() as connection:
            return places.idle(connection)

    def running_below(self, queues: Collection[str], priority: int) -> tuple[int, int]:
        """Return how many running tasks of these queues have a lower priority, and how many of them may end for others."""
        with self._database.read() as connection:
            return preemption.running_below(connection, queues, priority)

    def preempt(self, planned: Sequence[Sequence[Preemption]], at: float | None = None) -> Collection[int]:
        """Have running tasks end for others, as far as both still stand as planned; return the numbers of those that end.

        Each element of the plan is of tasks that begin together: of it, all is done or nothing.

        The scheduler that holds a task ends it in its next cycle. It is ready again then, and no retry is used up; the room
        is held for the task that it ended for.
        """
        if not planned:
            return []
        with self._database.write() as connection:
            return preemption.preempt(connection, self._database, planned, _at(at))

    def endings(self) -> dict[str, list[tuple[float, dict[str, int]]]]:
        """Return when what has a time limit ends at the latest on each offer, and what it gives back."""
        with self._database.read() as connection:
            return reservations.endings(connection)

    def see(self, offers: OfferColumns, at: float | None = None, matcher: Description | None = None) -> None:
        """Keep what the cluster offers, and what the matcher serves, so that anybody can be told why a task waits."""
        with self._database.write() as connection:
            places.see(connection, offers, _at(at), matcher)

    def settle(self, lease: Lease, verdicts: Sequence[Verdict], at: float | None = None) -> dict[State, int]:
        """Record what became of attempts that the lease holds; return how many tasks came to each state by that."""
        if not verdicts:
            return {}
        with self._database.write() as connection:
            return changes.settle(connection, self._database, lease, verdicts, _at(at))


def _at(given: float | None) -> float:
    return time.time() if given is None else given
