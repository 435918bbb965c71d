"""Every answer is checked against the host's own tables before anybody acts on it.

A ``Mirror`` follows one pool from call to call. The plain checks (rows in range, no task twice, demand within what is
left) run as C-level iteration over whole columns; only rows with requirements or devices are looked at one by one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from itertools import compress, islice, repeat
from operator import le, lt, sub
from typing import Any, NoReturn

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
        self.listed = offers.rows
        self._exclusive = mode == "exclusive"
        self._max_score = float(max_score)
        # Shared with the caller's table until the first write.
        self._left: list[Any] = list(offers.available)
        self._attributes: list[Any] = list(offers.attributes)
        self._devices: dict[int, list[int]] = {}
        self._tables: list[tuple[int, OfferTable]] = [(0, offers)]
        self._owned = False
        self._present = bytearray(b"\x01") * offers.rows

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
        self._check_rows(tasks, answer)
        if not (all(map(math.isfinite, answer.scores)) and all(map(self._max_score.__gt__, answer.scores))):
            _refuse("a score that is not finite or not below the maximal score")
        if self._exclusive:
            self._take_exclusively(tasks, answer)
        else:
            self._take_shared(tasks, answer)
        if tasks.requirements.offsets:
            self._check_requirements(tasks, answer)
        if tasks.devices:
            self._take_devices(tasks, answer)

    def update(self, changes: Changes) -> None:
        """Follow changes that the pool has accepted."""
        self._own()
        for row in changes.removed:
            self._present[row] = 0
        for at, row in enumerate(changes.changed_rows):
            self._present[row] = 1
            self._devices[row] = changes.changed.devices_of(at)
            for mine, theirs in (
                (self._left, changes.changed.available),
                (self._attributes, changes.changed.attributes),
            ):
                for column, values in zip(mine, theirs, strict=True):
                    column[row] = values[at]
        added = changes.added
        for mine, theirs in ((self._left, added.available), (self._attributes, added.attributes)):
            for column, values in zip(mine, theirs, strict=True):
                column.extend(values)
        self._tables.append((self.rows, added))
        self._present.extend(b"\x01" * added.rows)
        self.rows += added.rows
        self.listed = self._present.count(1)

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
        if not all(map(self._present.__getitem__, answer.offers)):
            _refuse("an offer that has left the list")

    def _take_exclusively(self, tasks: TaskTable, answer: Assigned) -> None:
        if len(set(answer.offers)) != len(answer.offers):
            _refuse("an offer that takes two tasks in exclusive mode")
        for dimension, (demand, left) in enumerate(zip(tasks.demand, self._left, strict=True)):
            if not all(map(le, _picked(demand, answer.tasks), map(left.__getitem__, answer.offers))):
                _refuse(f"a demand above what is available in dimension {dimension}")
        self.listed -= len(answer.offers)
        if len(answer.offers) == self.rows:
            self._present = bytearray(self.rows)
        else:
            # Consumes the iterator for its effect, in C.
            any(map(self._present.__setitem__, answer.offers, repeat(0)))

    def _take_shared(self, tasks: TaskTable, answer: Assigned) -> None:
        self._own()
        for dimension, (demand, left) in enumerate(zip(tasks.demand, self._left, strict=True)):
            for row, asked in zip(answer.offers, _picked(demand, answer.tasks), strict=True):
                left[row] -= asked
            if min(map(left.__getitem__, answer.offers)) < 0:
                _refuse(f"an offer promised beyond what is available in dimension {dimension}")

    def _check_requirements(self, tasks: TaskTable, answer: Assigned) -> None:
        offsets = tasks.requirements.offsets
        conditioned = map(sub, islice(offsets, 1, None), offsets)
        counts = list(conditioned)
        for task, offer in zip(answer.tasks, answer.offers, strict=True):
            if counts[task]:
                for attribute, excludes, values in tasks.requirements.of(task):
                    if (self._attributes[attribute][offer] in values) == excludes:
                        _refuse(f"task row {task} on offer row {offer} against a requirement")

    def _take_devices(self, tasks: TaskTable, answer: Assigned) -> None:
        asked = list(_picked(tasks.devices, answer.tasks))
        for offer, thousandths in compress(zip(answer.offers, asked, strict=True), asked):
            if not take_devices(self._devices_of(offer), thousandths):
                _refuse(f"{thousandths} device thousandths on offer row {offer}, whose devices do not serve them")

    def _devices_of(self, row: int) -> list[int]:
        devices = self._devices.get(row)
        if devices is None:
            start, table = next(found for found in reversed(self._tables) if found[0] <= row)
            devices = self._devices[row] = table.devices_of(row - start)
        return devices


def _picked(column: array[int], rows: Sequence[int]) -> Iterable[int]:
    """Return the values of these rising rows; of all of them without looking each one up."""
    return column if len(rows) == len(column) else map(column.__getitem__, rows)


def _refuse(what: str) -> NoReturn:
    raise LyingMatcherError(
        "answer-refused",
        f"the matcher answered with {what}",
        "do not use this matcher; the answer was thrown away and nothing was placed",
    )
