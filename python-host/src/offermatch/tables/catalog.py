"""The names of a pool: which row an offer has, which number a dimension, an attribute, a value."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import inf, isfinite

from offermatch.errors import InputError
from offermatch.model import Settings, Task
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.interner import Interner
from offermatch.tables.rows import task_columns
from offermatch.tables.settings import SettingColumns
from offermatch.tables.tables import Changes, OfferTable, TaskTable, Workload, offer_table, task_table

__all__ = ["Catalog"]


class Catalog:
    """Names on one side, numbers on the other.

    The rows of offers that were removed are used again for those that are added, so that time and memory follow the offers
    that are there. The name of an offer that was removed is known until its row is used again.

    Attributes:
        dimensions: The resource dimensions, in order.
        names: The name of the offer in each row. A new list where rows change hands: answers keep the names of their time.
    """

    def __init__(self, names: Iterable[str], dimensions: Iterable[str], attributes: Iterable[str]) -> None:
        """Number the offers in their order."""
        self.dimensions = tuple(dimensions)
        self.names = list(names)
        self._interner = Interner(attributes)
        self._by_name: dict[str, int] = {}
        # The rows of offers that were removed, longest ago first.
        self._free: OrderedDict[int, None] = OrderedDict()

    @property
    def attributes(self) -> Collection[str]:
        """The attributes, in order."""
        return self._interner.attributes.keys()

    @property
    def values(self) -> int:
        """How many values of attributes are held."""
        return self._interner.held

    @property
    def rows(self) -> Mapping[str, int]:
        """The row of each name."""
        return self._known()

    def row(self, name: str, source: str, at: int) -> int:
        """Return the row of an offer that has to be known.

        Raises:
            InputError: ``row-unknown``.
        """
        row = self.rows.get(name)
        if row is None:
            hint = "use added, or upsert, for offers that are new"
            raise InputError("row-unknown", f"the pool has no offer {name!r}", hint, f"{source}, row {at}")
        return row

    def check(self, offers: OfferColumns) -> None:
        """Refuse offers with dimensions or attributes that the pool does not have.

        Raises:
            InputError: ``unknown-dimension`` or ``unknown-attribute``.
        """
        if not len(offers):
            return
        for dimension in offers.available:
            if dimension not in self.dimensions:
                hint = "the dimensions are " + (", ".join(self.dimensions) or "none")
                raise InputError("unknown-dimension", f"the pool has no dimension {dimension!r}", hint, offers.source)
        for attribute in offers.attributes:
            if attribute not in self.attributes:
                hint = "name it in attributes=(...) when the pool is opened"
                raise InputError("unknown-attribute", f"the pool has no attribute {attribute!r}", hint, offers.source)

    def offers(self, offers: OfferColumns) -> OfferTable:
        """Return offers in numbers."""
        return offer_table(offers, self.dimensions, self._interner)

    def tasks(self, tasks: TaskColumns) -> TaskTable:
        """Return tasks in numbers.

        Raises:
            InputError: ``unknown-dimension``.
        """
        return task_table(tasks, self.dimensions, self._interner)

    def settings(self, settings: Settings) -> SettingColumns:
        """Return settings in numbers.

        Raises:
            InputError: ``setting-malformed`` or ``workload-malformed``, or a typical task that cannot be used.
        """
        settings.checked()
        return SettingColumns(
            settings.mode,
            None if settings.max_score is None else float(settings.max_score),
            settings.weight_column(self.dimensions),
            settings.scale_column(self.dimensions),
            workload=None if settings.workload is None else self.workload(settings.workload, settings.units),
            named_parameters=dict(settings.parameters or {}),
        )

    def workload(self, given: Sequence[tuple[Task, float]], units: Mapping[str, str] | None) -> Workload:
        """Return typical tasks in numbers.

        Raises:
            InputError: ``workload-malformed``, or a task that cannot be used.
        """
        try:
            rows, shares = [task for task, _ in given], [float(share) for _, share in given]
        except (TypeError, ValueError) as error:
            hint = "give pairs of a task and its share, such as [(Task(...), 0.7), (Task(...), 0.3)]"
            raise InputError("workload-malformed", f"it is no list of such pairs: {error}", hint, "workload") from error
        for at, share in enumerate(shares):
            if not isfinite(share) or share < 0:
                hint = "give a finite number, 0 or more"
                raise InputError("workload-malformed", f"the share {share!r} cannot be used", hint, f"workload, row {at}")
        if shares and not 0 < sum(shares) < inf:
            hint = "give one of them a share above 0"
            raise InputError("workload-malformed", f"the shares add up to {sum(shares)!r}", hint, "workload")
        return Workload(self.tasks(task_columns(rows, self.dimensions, "workload", units=units)), array("d", shares))

    def named(self, rows: Sequence[int], table: OfferTable) -> OfferColumns:
        """Return the offers of these rows by name."""
        text = self._interner.text
        columns = zip(self.attributes, table.attributes, strict=True)
        return OfferColumns(
            [self.names[row] for row in rows],
            dict(zip(self.dimensions, table.available, strict=True)),
            dict(zip(self.dimensions, table.capacity, strict=True)),
            {name: [text(number) for number in column] for name, column in columns if name},
            table.device_offsets,
            table.device_free,
            "pool",
        )

    def rows_for(self, names: Iterable[str], busy: Collection[int]) -> list[int]:
        """Return rows for the first of these offers: the one an offer has had, or the one that has been free for longest.

        Offers that come back stand in the list before new ones, so from the first that needs a new row on all get one.
        """
        rows = self.rows
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

    def leaving(self, held: Sequence[array[int]], rows: Iterable[int]) -> list[list[int]]:
        """Return the values that rows hold before they change, for ``updated``.

        Args:
            held: One column an attribute.
            rows: The rows that are to change.
        """
        self._interner.count(held)
        return [[column[row] for row in rows] for column in held]

    def updated(self, changes: Changes, left: Sequence[Sequence[int]], taken: Sequence[int], added: Sequence[str]) -> None:
        """Follow an update that the pool has accepted.

        Args:
            changes: The update.
            left: The values that the changed rows held before.
            taken: The rows that offers were added in, as ``rows_for`` has them.
            added: The names of all that were added.
        """
        self._interner.replaced(left, changes.changed.attributes, changes.added.attributes)
        rows = self._known()
        for row in changes.removed:
            self._free[row] = None
        for row in changes.changed_rows:
            self._free.pop(row, None)
        if not added:
            return
        names = list(self.names)
        for row in taken:
            if rows.get(names[row]) == row:
                del rows[names[row]]
        first = len(names)
        names += added[len(taken) :]
        for name, row in zip(added, [*taken, *range(first, len(names))], strict=True):
            before = rows.get(name)
            if before is not None:
                self._free[before] = None
            names[row] = name
            rows[name] = row
        self.names, self._by_name = names, rows

    def _known(self) -> dict[str, int]:
        if not self._by_name:
            self._by_name = {name: row for row, name in enumerate(self.names)}
        return self._by_name
