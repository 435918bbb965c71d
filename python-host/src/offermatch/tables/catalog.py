"""The names of a pool: which row an offer has, which number a dimension, an attribute, a value."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from math import inf, isfinite

from offermatch.errors import InputError
from offermatch.model import Settings, Task
from offermatch.quantity import check_comparable
from offermatch.requirements import check_group_name, members
from offermatch.tables.groups import Occupants
from offermatch.tables.interner import Interner
from offermatch.tables.numbering import offer_table, task_table
from offermatch.tables.offers import OfferColumns
from offermatch.tables.rows import tasks_of_rows
from offermatch.tables.settings import SettingColumns
from offermatch.tables.tables import Changes, OfferTable, TaskTable, Workload
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import shown_value

__all__ = ["Catalog"]

_OCCUPANTS = 'give a number of members for each offer of a group, such as {"train": {"server-1": 3}}'


class Catalog:
    """Names on one side, numbers on the other.

    The rows of offers that were removed are used again for those that are added, so that time and memory follow the offers
    that are there. The name of an offer that was removed is known until its row is used again.

    Attributes:
        dimensions: The resource dimensions, in order.
        measures: The measures, in order.
        unset: The attributes that no offer has, which stand for what a rule is about.
        names: The name of the offer in each row. A new list where rows change hands: answers keep the names of their time.
    """

    def __init__(
        self,
        names: Iterable[str],
        dimensions: Iterable[str],
        attributes: Iterable[str],
        measures: Iterable[str] = (),
        unset: Collection[str] = (),
        read_in: Mapping[str, str] | None = None,
    ) -> None:
        """Number the offers in their order."""
        self.dimensions = tuple(dimensions)
        self.measures = tuple(dict.fromkeys(measures))
        self.unset = unset
        self._read_in = read_in
        # How many members of each group run on an offer, by its row.
        self._occupants: dict[int, dict[str, int]] = {}
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
        row = self.rows.get(name) if isinstance(name, str) else None
        if row is None:
            hint = "use added, or upsert, for offers that are new"
            raise InputError("row-unknown", f"the pool has no offer {shown_value(name)}", hint, f"{source}, row {at}")
        return row

    def check(self, offers: OfferColumns) -> None:
        """Refuse offers with dimensions, attributes or measures that the pool does not have.

        Raises:
            InputError: ``unknown-dimension``, ``unknown-attribute``, ``measure-malformed``, or ``setting-malformed``
                for other units than those of the pool.
        """
        if not len(offers):
            return
        for dimension in offers.available:
            if dimension not in self.dimensions:
                hint = "the dimensions are " + (", ".join(self.dimensions) or "none")
                raise InputError("unknown-dimension", f"the pool has no dimension {dimension!r}", hint, offers.source)
        check_comparable(offers.available, offers.read_in, self._read_in, offers.source)
        for attribute in offers.attributes:
            if attribute not in self.attributes:
                hint = "name it in attributes=(...) when the pool is opened"
                raise InputError("unknown-attribute", f"the pool has no attribute {attribute!r}", hint, offers.source)

        for measure in offers.measures:
            if measure not in self.measures:
                hint = "name it in measures=(...) when the pool is opened"
                raise InputError("measure-malformed", f"the pool has no measure {measure!r}", hint, offers.source)

    def offers(self, offers: OfferColumns) -> OfferTable:
        """Return offers in numbers."""
        return self._numbered(offers) if len(offers) else self._no_offers

    def _numbered(self, offers: OfferColumns) -> OfferTable:
        return offer_table(offers, self.dimensions, self._interner, self.measures)

    @cached_property
    def _no_offers(self) -> OfferTable:
        """What most updates add."""
        return self._numbered(OfferColumns([], {}))

    def tasks(self, tasks: TaskColumns, occupants: Occupants | None = None, *, asks_least: bool = True) -> TaskTable:
        """Return tasks in numbers; the arguments are those of ``task_table``.

        Raises:
            InputError: ``unknown-dimension``, ``group-malformed``, or ``setting-malformed`` for other units than those
                of the pool.
        """
        if tasks.read_in or self._read_in:
            both = [name for name in tasks.demand if name in self.dimensions]
            check_comparable(both, tasks.read_in, self._read_in, "tasks")
        return task_table(tasks, self.dimensions, self._interner, self.measures, occupants, asks_least=asks_least)

    def settings(self, settings: Settings) -> SettingColumns:
        """Return settings, which are checked, in numbers.

        Raises:
            InputError: ``setting-malformed`` or ``workload-malformed``, or a typical task that cannot be used.
        """
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
        except (TypeError, ValueError, OverflowError) as error:
            hint = "give pairs of a task and its share, such as [(Task(...), 0.7), (Task(...), 0.3)]"
            raise InputError("workload-malformed", f"it is no list of such pairs: {error}", hint, "workload") from error
        for at, share in enumerate(shares):
            if not isfinite(share) or share < 0:
                hint = "give a finite number, 0 or more"
                raise InputError(
                    "workload-malformed",
                    f"the share {shown_value(share)} cannot be used",
                    hint,
                    f"workload, row {at}, share",
                )
        if shares and not 0 < sum(shares) < inf:
            hint = "give one of them a share above 0"
            raise InputError("workload-malformed", f"the shares add up to {sum(shares)!r}", hint, "workload")
        table = tasks_of_rows(rows, self.dimensions, "workload", units=units)
        for at, group in enumerate(table.groups or ()):
            if group is not None:
                hint = "leave the group out: shares say how often such a task comes"
                raise InputError("workload-malformed", "a typical task belongs to no group", hint, table.place(at, "group"))
        return Workload(self.tasks(table), array("d", shares))

    def named(self, rows: Sequence[int], table: OfferTable) -> OfferColumns:
        """Return the offers of these rows by name."""
        text = self._interner.text
        columns = zip(self.attributes, table.attributes, strict=True)
        return OfferColumns(
            [self.names[row] for row in rows],
            dict(zip(self.dimensions, table.available, strict=True)),
            dict(zip(self.dimensions, table.capacity, strict=True)),
            {name: [text(number) for number in column] for name, column in columns if name},
            table.devices,
            "pool",
            measures=dict(zip(self.measures, table.measures, strict=True)) if table.measures else {},
            occupants=self._occupants_of(rows),
        )

    def _occupants_of(self, rows: Sequence[int]) -> dict[str, dict[int, int]]:
        found: dict[str, dict[int, int]] = {}
        for at, row in enumerate(rows) if self._occupants else ():
            for group, count in self._occupants.get(row, {}).items():
                found.setdefault(group, {})[at] = count
        return found

    def occupy(self, offers: OfferColumns) -> None:
        """Take note of who runs on offers of the pool, in place of those before."""
        if not (self._occupants or offers.occupants):
            return
        rows = self.rows
        for name in offers.names if self._occupants else ():
            self._occupants.pop(rows[name], None)
        for group, running in offers.occupants.items():
            for at, count in running.items():
                self._occupants.setdefault(rows[offers.names[at]], {})[group] = count

    def vacate(self, rows: Iterable[int]) -> None:
        """Take note that nobody runs on these offers any more."""
        for row in rows:
            self._occupants.pop(row, None)

    def occupants(self, given: Mapping[str, Mapping[str, int]] | None) -> dict[str, dict[int, int]]:
        """Return who of each group runs: as the offers say, or as is given instead of a group, by the names of the offers.

        Raises:
            InputError: ``row-unknown``, ``group-malformed`` or ``file-malformed``.
        """
        found: dict[str, dict[int, int]] = {}
        for row, running in self._occupants.items():
            for group, count in running.items():
                found.setdefault(group, {})[row] = count
        if given is not None and not isinstance(given, Mapping):
            raise InputError("file-malformed", f"{shown_value(given)} is not a mapping", _OCCUPANTS, "occupants")
        for group, counts in (given or {}).items():
            check_group_name(group, "occupants")
            if not isinstance(counts, Mapping):
                raise InputError(
                    "file-malformed", f"{shown_value(counts)} is not a mapping", _OCCUPANTS, f"occupants, {group}"
                )
            found[group] = {}
            for name, value in counts.items():
                place = f"occupants, {group}.{name}"
                count = members(value, 0, place)
                if name not in self.rows:
                    hint = "occupants stand on offers of the pool"
                    raise InputError("row-unknown", f"the pool has no offer {shown_value(name)}", hint, place)
                if count:
                    found[group][self.rows[name]] = count
        return found

    def rows_for(self, names: Collection[str], busy: Collection[int]) -> list[int]:
        """Return rows for the first of these offers: the one an offer has had, or the one that has been free for longest.

        Offers that come back stand in the list before new ones, so from the first that needs a new row on all get one.
        """
        if not names:
            return []
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

    def leaving(self, held: Sequence[array[int]], rows: Iterable[int]) -> list[array[int]]:
        """Return the values that rows hold before they change, for ``updated``.

        Args:
            held: One column an attribute.
            rows: The rows that are to change.
        """
        self._interner.count(held)
        return [array("Q", [column[row] for row in rows]) for column in held]

    def updated(self, changes: Changes, left: Sequence[array[int]], taken: Sequence[int], added: Sequence[str]) -> None:
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
