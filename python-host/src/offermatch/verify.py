"""Every answer is checked against the host's own tables before anybody acts on it.

A ``Mirror`` follows one pool from call to call. The plain checks (rows in range, no task twice, demand within what is
left) run as C-level iteration over whole columns, or in numpy where that is loaded (``_glance``); only rows with
requirements or devices are looked at one by one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import compress, islice
from operator import itemgetter, le, lt, sub
from typing import Any, NoReturn

from offermatch._glance import holds
from offermatch._tables import Assigned, Changes, OfferTable, TaskTable
from offermatch.errors import LyingMatcherError
from offermatch.legacy import take_devices
from offermatch.model import Mode

__all__ = ["Mirror"]


class Mirror:
    """What is left of the offers of a pool, by the host's own bookkeeping."""

    def __init__(self, offers: OfferTable, mode: Mode, max_score: float) -> None:
        """Follow a pool opened with these offers."""
        self.rows = offers.rows
        self._exclusive = mode == "exclusive"
        self._max_score = float(max_score)
        # Shared with the caller's table until the first write.
        self._left: list[Any] = list(offers.available)
        self._attributes: list[Any] = list(offers.attributes)
        self._devices: dict[int, list[int]] = {}
        self._tables: list[tuple[int, OfferTable]] = [(0, offers)]
        self._owned = False
        self._gone: set[int] = set()

    @property
    def listed(self) -> int:
        """How many offers stand in the list."""
        return self.rows - len(self._gone)

    def accept(self, tasks: TaskTable, answer: Assigned) -> None:
        """Check an answer, then take what it uses.

        Raises:
            LyingMatcherError: ``answer-refused``; the mirror is then out of step with the pool, which must be given up.
        """
        count = len(answer.tasks)
        if not count == len(answer.offers) == len(answer.scores):
            _refuse(f"columns of {count}, {len(answer.offers)} and {len(answer.scores)} values")
        if not count:
            return
        # The lists of an owned pool are no buffers, and shared offers need sums, which could wrap around.
        glanced = self._exclusive and not self._owned and holds(tasks, answer, self._left, self.rows, self._max_score)
        if not glanced:
            self._check_rows(tasks, answer)
        if self._gone and not self._gone.isdisjoint(answer.offers):
            _refuse("an offer that has left the list")
        if not glanced:
            self._check_scores(answer)
        if self._exclusive:
            self._take_exclusively(tasks, answer, fits=glanced)
        else:
            self._take_shared(tasks, answer)
        if tasks.requirements.offsets:
            self._check_requirements(tasks, answer)
        if tasks.devices:
            self._take_devices(tasks, answer)

    def update(self, changes: Changes) -> None:
        """Follow changes that the pool has accepted."""
        self._own()
        self._gone.update(changes.removed)
        self._gone.difference_update(changes.changed_rows)
        changed, added = changes.changed, changes.added
        for at, row in enumerate(changes.changed_rows):
            self._devices[row] = changed.devices_of(at)
            for mine, theirs in ((self._left, changed.available), (self._attributes, changed.attributes)):
                for column, values in zip(mine, theirs, strict=True):
                    column[row] = values[at]
        for mine, theirs in ((self._left, added.available), (self._attributes, added.attributes)):
            for column, values in zip(mine, theirs, strict=True):
                column.extend(values)
        self._tables.append((self.rows, added))
        self.rows += added.rows

    def _own(self) -> None:
        if not self._owned:
            self._left = [column.tolist() for column in self._left]
            self._attributes = [column.tolist() for column in self._attributes]
            self._owned = True

    def _check_rows(self, tasks: TaskTable, answer: Assigned) -> None:
        if answer.tasks[0] < 0 or answer.tasks[-1] >= tasks.rows:
            _refuse(f"a task row that is not one of the {tasks.rows}")
        if not all(map(lt, answer.tasks, islice(answer.tasks, 1, None))):
            _refuse("task rows that do not rise, so a task may stand twice")
        if min(answer.offers) < 0 or max(answer.offers) >= self.rows:
            _refuse(f"an offer row that is not one of the {self.rows}")

    def _check_scores(self, answer: Assigned) -> None:
        # A finite sum has finite terms. A sum that is not may only be too large, so then each score is looked at.
        finite = math.isfinite(sum(answer.scores)) or all(map(math.isfinite, answer.scores))
        if not (finite and max(answer.scores) < self._max_score):
            _refuse("a score that is not finite or not below the maximal score")

    def _take_exclusively(self, tasks: TaskTable, answer: Assigned, *, fits: bool) -> None:
        taken = set(answer.offers)
        if len(taken) != len(answer.offers):
            _refuse("an offer that takes two tasks in exclusive mode")
        columns = () if fits else enumerate(zip(tasks.demand, self._left, strict=True))
        for dimension, (demand, left) in columns:
            if not all(map(le, _asked(demand, answer.tasks), _picked(left, answer.offers))):
                _refuse(f"a demand above what is available in dimension {dimension}")
        if self._gone:
            self._gone |= taken
        else:
            self._gone = taken

    def _take_shared(self, tasks: TaskTable, answer: Assigned) -> None:
        self._own()
        for dimension, (demand, left) in enumerate(zip(tasks.demand, self._left, strict=True)):
            for row, asked in zip(answer.offers, _asked(demand, answer.tasks), strict=True):
                left[row] -= asked
            if min(_picked(left, answer.offers)) < 0:
                _refuse(f"an offer promised beyond what is available in dimension {dimension}")

    def _check_requirements(self, tasks: TaskTable, answer: Assigned) -> None:
        offsets = tasks.requirements.offsets
        counts = list(map(sub, islice(offsets, 1, None), offsets))
        for task, offer in zip(answer.tasks, answer.offers, strict=True):
            if counts[task]:
                for attribute, excludes, values in tasks.requirements.of(task):
                    if (self._attributes[attribute][offer] in values) == excludes:
                        _refuse(f"task row {task} on offer row {offer} against a requirement")

    def _take_devices(self, tasks: TaskTable, answer: Assigned) -> None:
        asked = _picked(tasks.devices, answer.tasks)
        for offer, thousandths in compress(zip(answer.offers, asked, strict=True), asked):
            if not take_devices(self._devices_of(offer), thousandths):
                _refuse(f"{thousandths} device thousandths on offer row {offer}, whose devices do not serve them")

    def _devices_of(self, row: int) -> list[int]:
        devices = self._devices.get(row)
        if devices is None:
            start, table = next(found for found in reversed(self._tables) if found[0] <= row)
            devices = self._devices[row] = table.devices_of(row - start)
        return devices


def _asked(column: Sequence[int], rows: Sequence[int]) -> Sequence[int]:
    """Return the values at these task rows; rising rows as many as the column has are all of its rows."""
    return column if len(rows) == len(column) else _picked(column, rows)


def _picked(column: Sequence[int], rows: Sequence[int]) -> Sequence[int]:
    """Return the values at these rows, at least one."""
    return itemgetter(*rows)(column) if len(rows) > 1 else (column[rows[0]],)


def _refuse(what: str) -> NoReturn:
    raise LyingMatcherError(
        "answer-refused",
        f"the matcher answered with {what}",
        "do not use this matcher; the answer was thrown away and nothing was placed",
    )
