"""Every answer is checked against the host's own tables before anybody acts on it.

A ``Ledger`` follows one pool from call to call. The plain checks (rows in range, no task twice, demand within what is
left) are left to a module of the host's own where an answer is large (``glance``), and run as C-level iteration over whole
columns where it is not, or does not hold; requirements are looked at once for all tasks that ask the same, and only rows
with devices one by one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from itertools import compress, groupby, islice, repeat
from operator import ge, itemgetter, le, lt
from typing import Any, NoReturn

from offermatch.errors import LyingMatcherError
from offermatch.model import Mode
from offermatch.tables.devices import Devices
from offermatch.tables.tables import AT_LEAST, IN, NOT_IN, Assigned, Changes, Condition, OfferTable, TaskTable
from offermatch.verify.devices import DEVICE, devices_for
from offermatch.verify.glance import Taken, glance
from offermatch.verify.groups import broken_rule, placing_order

__all__ = ["Ledger"]


class Ledger:
    """What is left of the offers of a pool, by the host's own bookkeeping."""

    def __init__(self, offers: OfferTable, mode: Mode, max_score: float) -> None:
        """Follow a pool opened with these offers."""
        self.rows = offers.rows
        self._exclusive = mode == "exclusive"
        self._max_score = float(max_score)
        # The columns are the caller's until the first write.
        self._now = Taken(list(offers.available), bytearray(offers.rows))
        self._capacity = list(offers.capacity or offers.available)
        self._attributes: list[array[int]] = list(offers.attributes)
        self._measures: list[array[float]] = list(offers.measures)
        self._devices: dict[int, list[int]] = {}
        self._tables: list[tuple[int, OfferTable]] = [(0, offers)]
        self._owned = False

    def copied(self) -> Ledger:
        """Return a ledger of the same pool that does not follow this one."""
        copy = object.__new__(Ledger)
        copy.__dict__.update(self.__dict__)
        copy._now = Taken([column[:] for column in self._now.left], self._now.gone[:])
        copy._attributes = [column[:] for column in self._attributes]
        copy._measures = [column[:] for column in self._measures]
        copy._capacity = [column[:] for column in self._capacity]
        copy._devices = {row: free[:] for row, free in self._devices.items()}
        copy._tables = self._tables[:]
        return copy

    def restore(self, before: Ledger) -> None:
        """Be as a ledger was that ``copied`` returned, which is of no use from then on."""
        self.__dict__.update(before.__dict__)

    def rows_listed(self) -> list[int]:
        """Return the rows of the offers in the list, rising."""
        return [row for row, gone in enumerate(self._now.gone) if not gone]

    def offers(self, rows: Sequence[int]) -> OfferTable:
        """Return the offers of these rows as they stand."""

        def picked(columns: Sequence[Sequence[int]]) -> list[array[int]]:
            return [array("Q", [column[row] for row in rows]) for column in columns]

        now, capacity, attributes = picked(self._now.left), picked(self._capacity), picked(self._attributes)
        measures = [array("d", [column[row] for row in rows]) for column in self._measures]
        devices = Devices.of_rows(map(self._devices_of, rows))
        return OfferTable(len(rows), now, capacity, attributes, devices, measures)

    def is_listed(self, row: int) -> bool:
        """Return whether an offer stands in the list."""
        return not self._now.gone[row]

    @property
    def attributes(self) -> Sequence[array[int]]:
        """The values of the attributes, one column each."""
        return self._attributes

    @property
    def max_score(self) -> float:
        """What every score is below."""
        return self._max_score

    def breaks_requirement(self, tasks: TaskTable, task: int, offer: int) -> bool:
        """Return whether an offer does not have what a task requires; preferences are not asked."""
        return not self._all_hold(tasks, task, [offer])

    @property
    def listed(self) -> int:
        """How many offers stand in the list."""
        return self._now.gone.count(0)

    def accept(self, tasks: TaskTable, answer: Assigned) -> None:
        """Check an answer, then take what it uses, and write into it which devices each task gets.

        Raises:
            LyingMatcherError: ``answer-refused``; the ledger is then out of step with the pool, which must be given up.
        """
        count = len(answer.tasks)
        if not count == len(answer.offers) == len(answer.scores):
            _refuse(f"columns of {count}, {len(answer.offers)} and {len(answer.scores)} values")
        if not count:
            return
        seen = glance(tasks, answer, self._now, self._max_score, exclusive=self._exclusive)
        if seen is not None:
            self._now = seen
        else:
            self._check_rows(tasks, answer)
            self._check_scores(answer)
            if self._exclusive:
                self._take_exclusively(tasks, answer)
            else:
                self._take_shared(tasks, answer)
        if tasks.requirements.offsets:
            self._check_requirements(tasks, answer)
        broken = broken_rule(tasks, answer, self._attributes)
        if broken is not None:
            _refuse(broken)
        if tasks.devices:
            self._take_devices(tasks, answer)

    def update(self, changes: Changes) -> None:
        """Follow changes that the pool has accepted."""
        self._own()
        gone = self._now.gone
        for row in changes.removed:
            gone[row] = 1
        changed, added = changes.changed, changes.added
        if not self._measures:
            # No offer had a measure until now, so that there were no columns of them.
            width = len(changed.measures or added.measures)
            self._measures = [array("d", [math.nan]) * self.rows for _ in range(width)]
        for at, row in enumerate(changes.changed_rows):
            gone[row] = 0
            self._devices[row] = changed.devices.of(at)
        if changed.rows:
            for column, values in self._columns(changed):
                for row, value in zip(changes.changed_rows, values, strict=True):
                    column[row] = value
        if added.rows:
            gone.extend(bytes(added.rows))
            for column, values in self._columns(added):
                column.extend(values)
            self._tables.append((self.rows, added))
            self.rows += added.rows

    def _columns(self, table: OfferTable) -> Iterable[tuple[array[Any], array[Any]]]:
        """Return the columns of this ledger, each beside that of a table."""
        mine: list[array[Any]] = [*self._now.left, *self._capacity, *self._attributes]
        theirs: list[array[Any]] = [*table.available, *(table.capacity or table.available), *table.attributes]
        if self._measures:
            mine += self._measures
            # Where no row of the table has a measure, its columns are left out.
            theirs += table.measures or [array("d", [math.nan]) * table.rows] * len(self._measures)
        return zip(mine, theirs, strict=True)

    def _own(self) -> None:
        if not self._owned:
            self._capacity = [column[:] for column in self._capacity]
            self._now = self._now._replace(left=[column[:] for column in self._now.left])
            self._attributes = [column[:] for column in self._attributes]
            self._measures = [column[:] for column in self._measures]
            self._owned = True

    def _check_rows(self, tasks: TaskTable, answer: Assigned) -> None:
        if answer.tasks[0] < 0 or answer.tasks[-1] >= tasks.rows:
            _refuse(f"a task row that is not one of the {tasks.rows}")
        if not all(map(lt, answer.tasks, islice(answer.tasks, 1, None))):
            _refuse("task rows that do not rise, so a task may stand twice")
        if min(answer.offers) < 0 or max(answer.offers) >= self.rows:
            _refuse(f"an offer row that is not one of the {self.rows}")
        if any(_picked(self._now.gone, answer.offers)):
            _refuse("an offer that has left the list")

    def _check_scores(self, answer: Assigned) -> None:
        # A finite sum has finite terms. A sum that is not may only be too large, so then each score is looked at.
        finite = math.isfinite(sum(answer.scores)) or all(map(math.isfinite, answer.scores))
        if not (finite and max(answer.scores) < self._max_score):
            _refuse("a score that is not finite or not below the maximal score")

    def _take_exclusively(self, tasks: TaskTable, answer: Assigned) -> None:
        if len(set(answer.offers)) != len(answer.offers):
            _refuse("an offer that takes two tasks in exclusive mode")
        for dimension, (demand, left) in enumerate(zip(tasks.demand, self._now.left, strict=True)):
            if not all(map(le, _picked(demand, answer.tasks), _picked(left, answer.offers))):
                _refuse(f"a demand above what is available in dimension {dimension}")
        for row in answer.offers:
            self._now.gone[row] = 1

    def _take_shared(self, tasks: TaskTable, answer: Assigned) -> None:
        self._own()
        for dimension, (demand, left) in enumerate(zip(tasks.demand, self._now.left, strict=True)):
            try:
                for row, asked in zip(answer.offers, _picked(demand, answer.tasks), strict=True):
                    left[row] -= asked
            except OverflowError:
                # The column takes no number below 0.
                _refuse(f"an offer promised beyond what is available in dimension {dimension}")

    def _check_requirements(self, tasks: TaskTable, answer: Assigned) -> None:
        alike = _picked(tasks.requirements.first_alike or range(tasks.rows), answer.tasks)
        if all(self._all_hold(tasks, task, offers) for task, offers in _taken(alike, answer.offers)):
            return
        for task, offer in zip(answer.tasks, answer.offers, strict=True):
            if self.breaks_requirement(tasks, task, offer):
                _refuse(f"task row {task} on offer row {offer} against a requirement")

    def _all_hold(self, tasks: TaskTable, task: int, offers: Sequence[int]) -> bool:
        """Return whether each of some offers has what a task requires; preferences are not asked."""
        required = (one for one in tasks.requirements.of(task) if math.isinf(one.weight))
        return all(self._holds(condition, offers) for condition in required)

    def _holds(self, condition: Condition, offers: Sequence[int]) -> bool:
        if condition.kind in (IN, NOT_IN):
            found = set(_picked(self._attributes[condition.subject], offers))
            return found <= condition.values if condition.kind == IN else found.isdisjoint(condition.values)
        if not self._measures:
            return not offers
        # An unset measure is no number, which no bound compares with.
        holds = ge if condition.kind == AT_LEAST else le
        return all(map(holds, _picked(self._measures[condition.subject], offers), repeat(condition.bound)))

    def _take_devices(self, tasks: TaskTable, answer: Assigned) -> None:
        # Which device a task gets depends on who came before it.
        order = placing_order(tasks, answer.tasks)
        placed, offers = _picked(answer.tasks, order), _picked(answer.offers, order)
        asked = _picked(tasks.devices, placed)
        for task, offer, thousandths in compress(zip(placed, offers, asked, strict=True), asked):
            devices = self._devices_of(offer)
            numbers = devices_for(devices, thousandths)
            if numbers is None:
                _refuse(f"{thousandths} device thousandths on offer row {offer}, whose devices do not serve them")
            for number in numbers:
                devices[number] -= min(thousandths, DEVICE)
            answer.devices[task] = numbers

    def _devices_of(self, row: int) -> list[int]:
        devices = self._devices.get(row)
        if devices is None:
            start, table = next(found for found in reversed(self._tables) if found[0] <= row)
            devices = self._devices[row] = table.devices.of(row - start)
        return devices


def _taken(alike: Sequence[int], offers: Sequence[int]) -> Iterable[tuple[int, Sequence[int]]]:
    """Yield the first of the tasks that ask the same, and the offers that these take."""
    if alike.count(alike[0]) == len(alike):
        yield alike[0], offers
        return
    in_order = sorted(range(len(alike)), key=alike.__getitem__)
    for task, rows in groupby(in_order, alike.__getitem__):
        yield task, _picked(offers, list(rows))


def _picked(column: Sequence[Any], rows: Sequence[int]) -> Sequence[Any]:
    """Return the values at these rows, at least one."""
    return itemgetter(*rows)(column) if len(rows) > 1 else (column[rows[0]],)


def _refuse(what: str) -> NoReturn:
    raise LyingMatcherError(
        "answer-refused",
        f"the matcher answered with {what}",
        "do not use this matcher; the answer was thrown away and nothing was placed",
    )
