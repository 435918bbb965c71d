"""The offers a matcher holds from one call to the next.

    tasks ──> columns ──> table ──> session (verified against the ledger) ──> Answer

A pool belongs to one matcher. Any thread may use it; calls on one pool take turns, pools run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from threading import RLock
from time import perf_counter
from types import TracebackType
from typing import Any, TypeVar

from offermatch.answer import Answer
from offermatch.errors import InputError, MatcherError
from offermatch.meter import count, counting, took
from offermatch.model import Description, Explanation, Move, Running, Settings, Task, Timings
from offermatch.session import Placed, Session
from offermatch.tables.bad import BadRow, BadRows
from offermatch.tables.bound import upper_bound
from offermatch.tables.catalog import Catalog
from offermatch.tables.explained import explanation
from offermatch.tables.frames import Table
from offermatch.tables.groups import Occupants, short_groups
from offermatch.tables.ingest import texts
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.remarks import refuse_unknown, refuse_unknown_units, unknown_attributes
from offermatch.tables.rules import refuse_preemption
from offermatch.tables.running import priorities_of, running_table
from offermatch.tables.tables import Assigned, Changes, Explained, Explanations, OfferTable, TaskTable, Workload
from offermatch.tables.tasks import TaskColumns
from offermatch.verify.ledger import Ledger
from offermatch.visible import shown_value

__all__ = ["Pool"]

_T = TypeVar("_T")
_CLOSED = "was closed"


class Pool:
    """The offers a matcher holds; opened by ``Matcher.open``, a context manager.

    A pool that was closed takes no more calls: each raises ``ValueError``, as a closed file does.

    Attributes:
        settings: How the offers are ranked.
        dimensions: The resource dimensions, in order.
        left_out: The rows that were left out when it was opened.
    """

    def __init__(
        self, session: Session, ledger: Ledger, catalog: Catalog, settings: Settings, left_out: Sequence[BadRow] = ()
    ) -> None:
        """Put names to a session; use ``Matcher.open``."""
        self.settings = settings
        self.dimensions = catalog.dimensions
        self.left_out = left_out
        self._session = session
        self._ledger = ledger
        self._catalog = catalog
        self._lock = RLock()
        self._broken: MatcherError | str | None = None

    def __enter__(self) -> Pool:
        """Return the pool."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the pool."""
        self.close()

    def __len__(self) -> int:
        """Return how many offers stand in the list."""
        return self._ledger.listed

    @property
    def offer_names(self) -> Sequence[str]:
        """The name of the offer in each row, removed ones too, until their rows are used again."""
        return self._catalog.names

    @property
    def matcher(self) -> Description:
        """What the matcher that answers now says of itself."""
        return self._session.description

    def close(self) -> None:
        """Let go of the offers. A closed pool takes no calls; closing it again does nothing.

        Raises:
            InputError: ``file-unwritable`` where the pool is recorded and the recording cannot be written.
        """
        with self._lock:
            self._broken = _CLOSED
            self._session.close()

    def assign(
        self,
        tasks: Table | TaskColumns,
        *,
        name: str = "name",
        bad_rows: BadRows = "refuse",
        strict: bool = False,
        explain: bool = False,
        bound: bool = False,
        occupants: Mapping[str, Mapping[str, int]] | None = None,
    ) -> Answer:
        """Place tasks, one after the other, and take what they use out of the pool.

        Members of groups that run already are those that the offers had when they were last given. A pool does not
        remember the members that it places.

        Args:
            tasks: ``Task`` rows or whatever else ``Matcher.match`` takes.
            name: As in ``Matcher.match``, as are the next three.
            bad_rows: Whether to refuse all tasks where some cannot be used, or to leave these out.
            strict: Whether to refuse a condition on an attribute or a measure that the pool does not have.
            explain: Whether to say of each unplaced task why it found no offer, in the pool as it then is.
            bound: Whether to say in ``answer.bound`` what no answer is above, in the pool as it was.
            occupants: How many members of a group run on which offer, such as ``{"train": {"server-1": 3}}``, instead of
                those that the offers have of this group.

        Raises:
            InputError: A task that cannot be used; the pool is as it was.
            MatcherError: The component trapped or its answer does not hold; the pool takes no more calls.
        """
        timings = Timings()
        begin = perf_counter()
        columns = self._tasks(tasks, name=name, bad_rows=bad_rows, known=self.dimensions)
        if strict:
            refuse_unknown(columns, self._catalog.attributes, self._catalog.measures)
        timings.columns += perf_counter() - begin
        with self._lock:
            most = upper_bound(columns, self.offers(), self.settings.mode, self.dimensions) if bound else None
            answer = self.place(columns, timings, explain=explain, occupants=occupants, bad_rows=bad_rows)
        return answer if most is None else replace(answer, bound=most)

    async def assign_async(self, tasks: Table | TaskColumns, **options: Any) -> Answer:
        """Place tasks on a thread, so that the event loop goes on; arguments and errors are those of ``assign``.

        A call that has begun cannot be cancelled: where the awaiting task is, the tasks are placed all the same.
        """
        import asyncio  # noqa: PLC0415 - programs without an event loop start faster

        return await asyncio.to_thread(self.assign, tasks, **options)

    def place(
        self,
        tasks: TaskColumns,
        timings: Timings,
        *,
        explain: bool = False,
        occupants: Mapping[str, Mapping[str, int]] | None = None,
        bad_rows: BadRows = "refuse",
    ) -> Answer:
        """Place tasks as ``assign`` does, and add where the time went to ``timings``."""
        with self._lock:
            self._check_usable()
            begin = perf_counter()
            running = self._running(tasks, occupants)
            tasks = _complete(tasks, running, bad_rows)
            table = self._catalog.tasks(tasks, running)
            timings.columns += perf_counter() - begin
            placed = self._asked(lambda: self._session.assign(table, self._ledger, timings))
            self._measure(len(tasks), placed, perf_counter() - begin)
            unplaced = sorted(set(range(len(tasks))).difference(placed.assigned.tasks)) if explain else []
            known = [name for name in self._catalog.attributes if name not in self._catalog.unset]
            return Answer(
                placed.assigned,
                tasks.names,
                self._catalog.names,
                timings,
                self._explained(tasks.picked(unplaced), _with_placed(tasks, running, placed.assigned)) if explain else (),
                placed.matcher,
                placed.digest,
                placed.fallback_reason,
                tasks.left_out,
                [*unknown_attributes(tasks, known, self._catalog.measures), *placed.remarks],
                tasks.numbers,
            )

    def _measure(self, asked: int, placed: Placed, seconds: float) -> None:
        if not counting():
            return
        by = {"matcher": placed.matcher.name, "policy": placed.matcher.policy}
        number = len(placed.assigned.tasks)
        took(seconds, **by)
        count("offermatch.match.tasks", number, result="placed", **by)
        count("offermatch.match.tasks", asked - number, result="unplaced", **by)

    def _running(self, tasks: TaskColumns, given: Mapping[str, Mapping[str, int]] | None) -> dict[str, dict[int, int]]:
        """Return who of the groups runs, where tasks have groups or somebody is said to run."""
        return self._catalog.occupants(given) if tasks.groups is not None or given else {}

    def update(
        self,
        *,
        removed: Iterable[str] = (),
        changed: Table | OfferColumns = (),
        added: Table | OfferColumns = (),
        workload: Sequence[tuple[Task, float]] | None = None,
        name: str = "name",
        bad_rows: BadRows = "refuse",
    ) -> list[BadRow]:
        """Apply what has happened to the offers: removed, then changed, then added.

        The rows of offers that were removed are used again for those that are added, so that time and memory follow the
        offers that are there. The name of an offer that was removed is known until its row is used again.

        Args:
            removed: Names of offers that leave the list; one that has left already stays away.
            changed: Offers, known by their names, with new values. One that had left comes back at the end of the list.
            added: Offers that are not in the list, put at its end: new ones, and such as had left.
            workload: The tasks that are to be expected from now on, instead of those before.
            name: The attribute, key or column that has the names.
            bad_rows: What happens to offers that cannot be used, as in ``Matcher.match``.

        Returns:
            The rows that were left out.

        Raises:
            InputError: ``row-unknown``, ``row-repeated``, ``duplicate-name``, or an offer that cannot be used; the pool is
                as it was.
            MatcherError: The component trapped; the pool takes no more calls.
        """
        changed_table = self._offers(changed, "changed offers", name, bad_rows, repeated="row-repeated")
        added_table = self._offers(added, "added offers", name, bad_rows)
        with self._lock:
            self._check_usable()
            rows, row_of = self._catalog.rows, self._catalog.row
            removed_rows = [row_of(one, "removed offers", at) for at, one in enumerate(_names(removed))]
            changed_rows = [row_of(one, "changed offers", at) for at, one in enumerate(changed_table.names)]
            seen: set[int] = set()
            for row in [*removed_rows, *changed_rows]:
                if row in seen:
                    hint = "name a row once, among the removed or among the changed"
                    raise InputError("row-repeated", f"{self.offer_names[row]!r} is named twice", hint, "update")
                seen.add(row)
            leaving = set(removed_rows)
            for at, one in enumerate(added_table.names):
                row = rows.get(one, -1)
                if row >= 0 and row not in leaving and (row in seen or self._ledger.is_listed(row)):
                    message = f"the pool has an offer {one!r} already"
                    hint = "give it new values with changed or upsert"
                    raise InputError("duplicate-name", message, hint, added_table.place(at, "name"))
            self._apply(
                removed_rows,
                changed_rows,
                self._catalog.offers(changed_table),
                self._catalog.offers(added_table),
                added_table.names,
                None if workload is None else self._catalog.workload(workload, self.settings.units),
            )
            self._catalog.vacate(removed_rows)
            self._catalog.occupy(changed_table)
            self._catalog.occupy(added_table)
        return [*changed_table.left_out, *added_table.left_out]

    def upsert(self, offers: Table | OfferColumns, *, name: str = "name", bad_rows: BadRows = "refuse") -> list[BadRow]:
        """Give offers new values: those in the list keep their place, all others are put at its end.

        Args:
            offers: The offers as they are now.
            name: As in ``update``, as are ``bad_rows``, what is returned and the errors.
            bad_rows: See ``update``.
        """
        columns = self._offers(offers, "offers", name, bad_rows)
        with self._lock:
            self._check_usable()
            rows = self._catalog.rows
            listed = [at for at, one in enumerate(columns.names) if self.is_listed(one)]
            others = sorted(set(range(len(columns))).difference(listed))
            table = self._catalog.offers(columns)
            changed_rows = [rows[columns.names[at]] for at in listed]
            names = [columns.names[at] for at in others]
            self._apply([], changed_rows, table.picked(listed), table.picked(others), names)
            self._catalog.occupy(columns)
        return list(columns.left_out)

    def offers(self) -> OfferColumns:
        """Return the offers in the list as they stand: what is left of each, of its devices too.

        Quantities are in the smallest unit. The order is that of the rows, not that of the list.
        """
        with self._lock:
            rows = self._ledger.rows_listed()
            return self._catalog.named(rows, self._ledger.offers(rows))

    def is_listed(self, name: str) -> bool:
        """Return whether an offer stands in the list: it was not removed, nor taken in exclusive mode."""
        with self._lock:
            row = self._catalog.rows.get(name)
            return row is not None and self._ledger.is_listed(row)

    def _apply(
        self,
        removed_rows: list[int],
        changed_rows: list[int],
        changed: OfferTable,
        added: OfferTable,
        added_names: Sequence[str],
        workload: Workload | None = None,
    ) -> None:
        """Update the pool; offers that are added take rows that are free, as long as there are any."""
        taken = self._catalog.rows_for(added_names, {*removed_rows, *changed_rows})
        again, new = range(len(taken)), range(len(taken), added.rows)
        changes = Changes(
            removed_rows,
            [*changed_rows, *taken],
            changed.followed_by(added.picked(again)) if taken else changed,
            added.picked(new) if taken else added,
            workload,
        )
        left = self._catalog.leaving(self._ledger.attributes, changes.changed_rows)
        self._asked(lambda: self._session.update(changes, self._ledger, Timings()))
        self._catalog.updated(changes, left, taken, added_names)

    def explain(self, tasks: Any, *, occupants: Mapping[str, Mapping[str, int]] | None = None) -> list[Explanation]:
        """Say how the offers in the list stand to each of the tasks, each on its own. Changes nothing.

        A task of a group is explained beside the members that run already, not beside others of these tasks.

        Args:
            tasks: As in ``assign``.
            occupants: As in ``assign``.

        Raises:
            InputError: A task that cannot be used.
            MatcherError: The component trapped or its answer does not hold; the pool takes no more calls.
        """
        columns = self._tasks(tasks)
        with self._lock:
            return self._explained(columns, self._running(columns, occupants))

    def preempt(self, tasks: Table | TaskColumns, priorities: Sequence[int], running: Sequence[Running]) -> list[Move]:
        """Plan which running tasks have to end so that tasks find an offer, each as if the plans before had come true.

        Nothing changes. A task for which no end of others makes room is not named.

        Args:
            tasks: As in ``assign``; tasks of groups are taken one by one.
            priorities: How much each of them matters, a whole number of 32 bits a task. Only running tasks that matter less
                end.
            running: What runs on the offers of the pool, and is not free there.

        Raises:
            InputError: A task or a running task that cannot be used, ``column-length`` for priorities of another number,
                ``row-unknown``, ``capacity-exceeded``, ``setting-malformed`` also where the pool is not in
                shared mode, ``rule-unserved`` by a matcher that plans nothing.
            MatcherError: The component trapped or its plan does not hold; the pool takes no more calls.
        """
        columns = self._tasks(tasks)
        columns = columns if columns.groups is None else replace(columns, groups=None)
        if self.settings.mode != "shared":
            message = f"the pool is in {self.settings.mode} mode"
            raise InputError("setting-malformed", message, "plan in shared mode, where offers stay", "mode")
        with self._lock:
            self._check_usable()
            refuse_preemption(self._session.description)
            offers = self._ledger.offers(range(self._ledger.rows))
            table = running_table(running, self._catalog.rows, self.dimensions, offers)
            asked, matters = self._catalog.tasks(columns), priorities_of(priorities, len(columns))
            plan = self._asked(lambda: self._session.preempt(asked, matters, table, self._ledger, Timings()))
            return [
                Move(task, self.offer_names[offer], score, tuple(plan.victims[begin:end]))
                for task, offer, score, begin, end in zip(
                    plan.tasks, plan.offers, plan.scores, plan.victim_offsets, plan.victim_offsets[1:], strict=False
                )
            ]

    def _explained(self, columns: TaskColumns, running: dict[str, dict[int, int]]) -> list[Explanation]:
        firsts: list[int] = []
        known: dict[Any, int] = {}
        which = []
        for row, key in enumerate(_keys(columns)):
            at = known.get(key)
            if at is None:
                at = known[key] = len(firsts)
                firsts.append(row)
            which.append(at)
        self._check_usable()
        asked = columns.picked(firsts)
        # Some members may be elsewhere.
        table = self._catalog.tasks(asked, running, asks_least=False)
        found = self._asked(lambda: self._session.explain(table, self._ledger, Timings()))
        return [self._explanation(name, asked, table, found, at) for name, at in zip(columns.names, which, strict=True)]

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """Return what the matcher answers; one that fails takes the pool with it."""
        try:
            return ask()
        except MatcherError as error:
            self._broken = error
            raise

    def _explanation(
        self, name: str, tasks: TaskColumns, table: TaskTable, found: Explained | Explanations, row: int
    ) -> Explanation:
        if isinstance(found, Explanations):
            return explanation(name, self._ledger.listed, self.dimensions, tasks, table, found, row)
        width, offsets = len(self.dimensions), table.requirements.offsets
        by_dimension = found.by_dimension[row * width : (row + 1) * width]
        by_requirement = found.by_requirement[offsets[row] : offsets[row + 1]] if offsets else ()
        return Explanation(
            name,
            self._ledger.listed,
            dict(zip(self.dimensions, by_dimension, strict=True)),
            tuple(by_requirement),
            found.by_devices[row],
            found.by_score[row],
            found.candidates[row],
        )

    def _tasks(self, rows: Any, **options: Any) -> TaskColumns:
        columns = task_columns(rows, self.dimensions, units=self.settings.units, **options)
        refuse_unknown_units([*self.dimensions, *columns.demand], columns)
        return columns

    def _offers(
        self, rows: Any, source: str, name: str, bad_rows: BadRows, repeated: str = "duplicate-name"
    ) -> OfferColumns:
        if type(rows) is tuple and not rows:
            return OfferColumns([], {})
        try:
            units = self.settings.units
            table = offer_columns(rows, self.dimensions, source, name=name, bad_rows=bad_rows, units=units)
        except InputError as error:
            if error.code == "duplicate-name" and repeated != error.code:
                raise InputError(repeated, error.message, "name a row once", error.place) from error
            raise
        refuse_unknown_units([*self.dimensions, *table.available], table)
        self._catalog.check(table)
        return table

    def _check_usable(self) -> None:
        if self._broken == _CLOSED:
            raise ValueError("the pool was closed")
        if isinstance(self._broken, MatcherError):
            # The code is that of the failure.
            lost = copy(self._broken)
            lost.message, lost.hint = f"this pool is gone: {self._broken.message}", "open another pool"
            raise lost


def _names(given: Any) -> list[Any]:
    """Return the names in a list, or a column, of names.

    Raises:
        InputError: ``file-malformed`` for what is none.
    """
    if type(given) is tuple and not given:
        return []
    try:
        if not isinstance(given, (str, bytes, Mapping)):
            return texts(given) if hasattr(given, "__len__") else list(given)
    except TypeError:
        pass
    raise InputError(
        "file-malformed", f"{shown_value(given)} is no list of names", "name offers in a list", "removed offers"
    )


def _keys(tasks: TaskColumns) -> Iterable[Any]:
    """Return what tells tasks apart, one key a row."""
    columns: list[Iterable[Any]] = [*tasks.demand.values(), tasks.kinds.of_rows]
    if tasks.devices is not None:
        columns.append(tasks.devices)
    if tasks.groups is not None:
        # How many members find offers is a matter of all of them.
        columns.append(None if group is None else row for row, group in enumerate(tasks.groups))
    return zip(*columns, strict=True)


def _complete(tasks: TaskColumns, running: Occupants, bad_rows: BadRows) -> TaskColumns:
    """Return the tasks whose groups have the members that they need.

    Raises:
        InputError: ``group-malformed`` where one has not, and bad rows are refused.
    """
    if tasks.groups is None:
        return tasks
    errors: dict[str, InputError] = {}
    for name, row, message in short_groups(tasks.groups, running):
        hint = "give all members of the group at once, or ask for fewer"
        errors[name] = InputError("group-malformed", message, hint, tasks.place(row, "group.least"))
        if bad_rows == "refuse":
            raise errors[name]
    rows = [row for row, group in enumerate(tasks.groups) if group is not None and group.name in errors]
    if not rows:
        return tasks
    bad = []
    for row in rows:
        group = tasks.groups[row]
        number = row if tasks.numbers is None else tasks.numbers[row]
        error = errors[group.name if group is not None else ""]
        own = InputError(error.code, error.message, error.hint, tasks.place(row, "group.least"))
        bad.append(BadRow(tasks.source, number, tasks.names[row], own))
    return tasks.without(bad, rows)


def _with_placed(tasks: TaskColumns, running: Occupants, assigned: Assigned) -> dict[str, dict[int, int]]:
    """Return who of the groups runs once those that an answer has placed do."""
    found = {group: dict(counts) for group, counts in running.items()}
    for task, offer in zip(assigned.tasks, assigned.offers, strict=True) if tasks.groups is not None else ():
        group = tasks.groups[task] if tasks.groups is not None else None
        if group is not None:
            counts = found.setdefault(group.name, {})
            counts[offer] = counts.get(offer, 0) + 1
    return found
