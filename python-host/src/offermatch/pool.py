"""The offers a matcher holds from one call to the next.

    tasks ──> columns ──> backend (component or reference loop) ──> verified against the ledger ──> Answer

A pool belongs to one matcher. Any thread may use it; calls on one pool take turns, pools run side by side.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from threading import RLock
from time import perf_counter
from types import TracebackType
from typing import Any, Protocol, TypeVar

from offermatch.answer import Answer
from offermatch.errors import InputError, LyingMatcherError, MatcherError
from offermatch.model import Description, Explanation, Settings, Timings
from offermatch.tables.bad import BadRow, BadRows
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.frames import Table
from offermatch.tables.interner import Interner
from offermatch.tables.remarks import refuse_unknown, unknown_attributes
from offermatch.tables.rows import offer_columns, task_columns
from offermatch.tables.tables import Assigned, Changes, Explained, OfferTable, TaskTable, offer_table, task_table
from offermatch.verify.ledger import Ledger

__all__ = ["Backend", "Opener", "Pool"]

_T = TypeVar("_T")


class Backend(Protocol):
    """A pool as the contract has it, over row numbers."""

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place the tasks."""

    def update(self, changes: Changes, timings: Timings) -> None:
        """Apply changes."""

    def explain(self, table: TaskTable, timings: Timings) -> Explained:
        """Say how the offers in the list stand to each task."""

    def close(self) -> None:
        """Let go of what is held."""


class Opener(Protocol):
    """Opens a backend."""

    def __call__(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> Backend:
        """Return a backend that holds the offers of the table."""


class Pool:
    """The offers a matcher holds; opened by ``Matcher.open``, a context manager."""

    def __init__(
        self,
        opener: Opener,
        offers: OfferColumns,
        settings: Settings,
        dimensions: Sequence[str],
        attributes: Iterable[str],
        timings: Timings | None = None,
    ) -> None:
        """Open a pool; use ``Matcher.open``."""
        self.settings = settings.checked()
        self.dimensions = tuple(dimensions)
        self.offer_names = list(offers.names)
        self._interner = Interner(attributes)
        self._rows: dict[str, int] = {}
        # The rows of offers that were removed, longest ago first.
        self._free: OrderedDict[int, None] = OrderedDict()
        self._lock = RLock()
        self._broken: str | None = None
        self.left_out: Sequence[BadRow] = ()
        self.matcher: Description | None = None
        self.matcher_digest = ""
        self.on_close: Callable[[], None] | None = None
        self.on_end: Callable[[Exception | None], None] | None = None
        timings = timings or Timings()
        begin = perf_counter()
        table = offer_table(offers, self.dimensions, self._interner)
        self._ledger = Ledger(table, settings.mode, settings.score_limit)
        timings.columns += perf_counter() - begin
        self._backend = opener(table, self.dimensions, len(self._interner.attributes), self.settings, timings)

    def __enter__(self) -> Pool:
        """Return the pool."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the pool."""
        self.close()

    def __len__(self) -> int:
        """Return how many offers stand in the list."""
        return self._ledger.listed

    def close(self) -> None:
        """Let go of the offers. A closed pool takes no calls; closing it again does nothing."""
        with self._lock:
            if self._broken is None:
                self._broken = "was closed"
                self._backend.close()
            after, self.on_close = self.on_close, None
        if after is not None:
            after()

    def assign(
        self,
        tasks: Table | TaskColumns,
        *,
        name: str = "name",
        bad_rows: BadRows = "refuse",
        strict: bool = False,
        explain: bool = False,
    ) -> Answer:
        """Place tasks, one after the other, and take what they use out of the pool.

        Args:
            tasks: ``Task`` rows or whatever else ``Matcher.match`` takes.
            name: As in ``Matcher.match``, as are the next three.
            bad_rows: Whether to refuse all tasks where some cannot be used, or to leave these out.
            strict: Whether to refuse a requirement on an attribute that the pool does not have.
            explain: Whether to say of each unplaced task why it found no offer, in the pool as it then is.

        Raises:
            InputError: A task that cannot be used; the pool is as it was.
            MatcherError: The component trapped or its answer does not hold; the pool takes no more calls.
        """
        timings = Timings()
        begin = perf_counter()
        columns = task_columns(
            tasks, self.dimensions, name=name, bad_rows=bad_rows, known=self.dimensions, units=self.settings.units
        )
        if strict:
            refuse_unknown(columns, self._interner.attributes)
        timings.columns += perf_counter() - begin
        with self._lock:
            answer = self._assign(columns, timings)
            if explain:
                answer.explanations = self.explain(columns.picked(answer._unplaced))
        answer.task_numbers, answer.left_out = columns.numbers, columns.left_out
        return answer

    async def assign_async(self, tasks: Table | TaskColumns, **options: Any) -> Answer:
        """Place tasks on a thread, so that the event loop goes on; arguments and errors are those of ``assign``.

        A call that has begun cannot be cancelled: where the awaiting task is, the tasks are placed all the same.
        """
        import asyncio  # noqa: PLC0415 - programs without an event loop start faster

        return await asyncio.to_thread(self.assign, tasks, **options)

    def _assign(self, tasks: TaskColumns, timings: Timings) -> Answer:
        with self._lock:
            self._check_usable()
            begin = perf_counter()
            table = task_table(tasks, self.dimensions, self._interner)
            timings.columns += perf_counter() - begin
            assigned = self._asked(lambda: self._accepted(table, timings))
            self._ended(None)
        answer = Answer(assigned, tasks.names, self.offer_names, timings)
        answer.matcher, answer.matcher_digest = self.matcher, self.matcher_digest
        answer.remarks = unknown_attributes(tasks, self._interner.attributes)
        return answer

    def update(
        self,
        *,
        removed: Iterable[str] = (),
        changed: Table | OfferColumns = (),
        added: Table | OfferColumns = (),
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
            rows = self._rows_by_name()
            removed_rows = [self._row(one, "removed offers", at) for at, one in enumerate(removed)]
            changed_rows = [self._row(one, "changed offers", at) for at, one in enumerate(changed_table.names)]
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
            self._apply(removed_rows, changed_rows, self._table(changed_table), self._table(added_table), added_table.names)
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
            rows = self._rows_by_name()
            listed = [at for at, one in enumerate(columns.names) if self.is_listed(one)]
            others = sorted(set(range(len(columns))).difference(listed))
            table = self._table(columns)
            changed_rows = [rows[columns.names[at]] for at in listed]
            names = [columns.names[at] for at in others]
            self._apply([], changed_rows, table.picked(listed), table.picked(others), names)
        return list(columns.left_out)

    def offers(self) -> OfferColumns:
        """Return the offers in the list as they stand: what is left of each, of its devices too.

        Quantities are in the smallest unit. The order is that of the rows, not that of the list.
        """
        with self._lock:
            rows = self._ledger.rows_listed()
            table = self._ledger.offers(rows)
            text = self._interner.text
            named = zip(self._interner.attributes, table.attributes, strict=True)
            attributes = {name: [text(number) for number in column] for name, column in named if name}
            return OfferColumns(
                [self.offer_names[row] for row in rows],
                dict(zip(self.dimensions, table.available, strict=True)),
                dict(zip(self.dimensions, table.capacity, strict=True)),
                attributes,
                table.device_offsets,
                table.device_free,
                "pool",
            )

    def is_listed(self, name: str) -> bool:
        """Return whether an offer stands in the list: it was not removed, nor taken in exclusive mode."""
        with self._lock:
            row = self._rows_by_name().get(name)
            return row is not None and self._ledger.is_listed(row)

    def _apply(
        self,
        removed_rows: list[int],
        changed_rows: list[int],
        changed: OfferTable,
        added: OfferTable,
        added_names: Sequence[str],
    ) -> None:
        """Update the pool; offers that are added take rows that are free, as long as there are any."""
        taken = self._rows_for(added_names, {*removed_rows, *changed_rows})
        again, new = range(len(taken)), range(len(taken), added.rows)
        changes = Changes(
            removed_rows,
            [*changed_rows, *taken],
            changed.followed_by(added.picked(again)) if taken else changed,
            added.picked(new) if taken else added,
        )
        self._asked(lambda: self._updated(changes))
        rows = self._rows_by_name()
        for row in removed_rows:
            self._free[row] = None
        for row in changes.changed_rows:
            self._free.pop(row, None)
        if not added_names:
            return
        # Answers keep the names of their time.
        names = list(self.offer_names)
        for row in taken:
            if rows.get(names[row]) == row:
                del rows[names[row]]
        first = len(names)
        names += added_names[len(taken) :]
        for name, row in zip(added_names, [*taken, *range(first, len(names))], strict=True):
            before = rows.get(name)
            if before is not None:
                self._free[before] = None
            names[row] = name
            rows[name] = row
        self.offer_names = names

    def _rows_for(self, names: Sequence[str], busy: set[int]) -> list[int]:
        """Return rows for the first of these offers: the one an offer has had, or the one that has been free for longest.

        Offers that come back stand in the list before new ones, so from the first that needs a new row on all get one.
        """
        rows = self._rows_by_name()
        own = {rows[name] for name in names if name in rows}
        free = (row for row in self._free if row not in busy and row not in own)
        taken = []
        for name in names:
            row = rows.get(name)
            if row is None or row in busy:
                row = next(free, None)
            if row is None:
                break
            taken.append(row)
        return taken

    def _table(self, offers: OfferColumns) -> OfferTable:
        return offer_table(offers, self.dimensions, self._interner)

    def explain(self, tasks: Any) -> list[Explanation]:
        """Say how the offers in the list stand to each of the tasks, each on its own. Changes nothing.

        Raises:
            InputError: A task that cannot be used.
            MatcherError: The component trapped or its answer does not hold; the pool takes no more calls.
        """
        columns = task_columns(tasks, self.dimensions, units=self.settings.units)
        firsts: list[int] = []
        known: dict[Any, int] = {}
        which = []
        for row, key in enumerate(_keys(columns)):
            at = known.get(key)
            if at is None:
                at = known[key] = len(firsts)
                firsts.append(row)
            which.append(at)
        with self._lock:
            self._check_usable()
            table = task_table(columns.picked(firsts), self.dimensions, self._interner)
            explained = self._asked(lambda: self._checked(table, self._backend.explain(table, Timings())))
        return [self._explanation(name, explained[at]) for name, at in zip(columns.names, which, strict=True)]

    def _asked(self, ask: Callable[[], _T]) -> _T:
        """Return what the matcher answers; one that fails takes the pool with it."""
        try:
            return ask()
        except MatcherError as error:
            self._give_up(error)
            raise

    def _accepted(self, table: TaskTable, timings: Timings) -> Assigned:
        assigned = self._backend.assign(table, timings)
        begin = perf_counter()
        self._ledger.accept(table, assigned)
        timings.verify += perf_counter() - begin
        return assigned

    def _updated(self, changes: Changes) -> None:
        self._backend.update(changes, Timings())
        changed, added = changes.changed.attributes, changes.added.attributes
        self._interner.replaced(self._ledger.attributes, changes.changed_rows, changed, added)
        self._ledger.update(changes)

    def _checked(self, table: TaskTable, found: Explained) -> list[list[list[int]]]:
        """Return for each task by-dimension, by-requirement and the three single counts, which must add up."""
        width = len(self.dimensions)
        offsets = table.requirements.offsets or [0] * (table.rows + 1)
        lengths = [len(found.by_dimension), len(found.by_requirement)]
        lengths += [len(found.by_devices), len(found.by_score), len(found.candidates)]
        rows = []
        if lengths == [table.rows * width, offsets[-1], table.rows, table.rows, table.rows]:
            for row in range(table.rows):
                dimension = found.by_dimension[row * width : (row + 1) * width]
                requirement = found.by_requirement[offsets[row] : offsets[row + 1]]
                rest = [found.by_devices[row], found.by_score[row], found.candidates[row]]
                if sum(dimension) + sum(requirement) + sum(rest) != self._ledger.listed:
                    break
                rows.append([dimension, requirement, rest])
            else:
                return rows
        message = f"the matcher explained with counts that do not add up to the {self._ledger.listed} offers in the list"
        raise LyingMatcherError("answer-refused", message, "do not use this matcher")

    def _explanation(self, name: str, counts: list[list[int]]) -> Explanation:
        by_dimension, by_requirement, (by_devices, by_score, candidates) = counts
        named = dict(zip(self.dimensions, by_dimension, strict=True))
        return Explanation(name, self._ledger.listed, named, tuple(by_requirement), by_devices, by_score, candidates)

    def _offers(
        self, rows: Any, source: str, name: str, bad_rows: BadRows, repeated: str = "duplicate-name"
    ) -> OfferColumns:
        try:
            units = self.settings.units
            table = offer_columns(rows, self.dimensions, source, name=name, bad_rows=bad_rows, units=units)
        except InputError as error:
            if error.code == "duplicate-name" and repeated != error.code:
                raise InputError(repeated, error.message, "name a row once", error.place) from error
            raise
        if len(table):
            for dimension in table.available:
                if dimension not in self.dimensions:
                    hint = "the dimensions are " + (", ".join(self.dimensions) or "none")
                    raise InputError("unknown-dimension", f"the pool has no dimension {dimension!r}", hint, table.source)
            for attribute in table.attributes:
                if attribute not in self._interner.attributes:
                    hint = "name it in attributes=(...) when the pool is opened"
                    raise InputError("unknown-attribute", f"the pool has no attribute {attribute!r}", hint, table.source)
        return table

    def _rows_by_name(self) -> dict[str, int]:
        if not self._rows:
            self._rows = {name: row for row, name in enumerate(self.offer_names)}
        return self._rows

    def _row(self, name: str, source: str, at: int) -> int:
        row = self._rows_by_name().get(name)
        if row is None:
            hint = "use added, or upsert, for offers that are new"
            raise InputError("row-unknown", f"the pool has no offer {name!r}", hint, f"{source}, row {at}")
        return row

    def _check_usable(self) -> None:
        if self._broken == "was closed":
            raise ValueError("the pool was closed")
        if self._broken is not None:
            raise MatcherError("matcher-trapped", f"this pool is gone: {self._broken}", "open another pool")

    def _give_up(self, error: MatcherError) -> None:
        self._broken = error.message
        self._backend.close()
        self._ended(error)

    def _ended(self, error: MatcherError | None) -> None:
        """Tell who wants to know that tasks were placed, or that the pool is gone."""
        if self.on_end is not None:
            self.on_end(error)


def _keys(tasks: TaskColumns) -> Iterable[Any]:
    """Return what tells tasks apart, one key a row."""
    rows = len(tasks)
    columns: list[Iterable[Any]] = [*tasks.demand.values()]
    columns.append([0] * rows if tasks.devices is None else tasks.devices)
    columns.append([()] * rows if tasks.requirements is None else map(tuple, tasks.requirements))
    return zip(*columns, strict=True)
