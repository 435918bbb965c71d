"""Tasks that run and may be taken away, in numbers; and how much those that are to take their place matter."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain
from operator import index
from typing import Any

from offermatch.errors import InputError
from offermatch.model import Running
from offermatch.quantity import MAXIMUM
from offermatch.tables.devices import WHOLLY_FREE
from offermatch.tables.ingest import exact, kinds
from offermatch.tables.tables import OfferTable, RunningTable
from offermatch.visible import shown_value

__all__ = ["priorities_of", "running_table"]

_PRIORITY = (-(2**31), 2**31 - 1)
_START = (0, MAXIMUM)


def priorities_of(given: Sequence[Any], rows: int) -> array[int]:
    """Return how much each of so many tasks matters.

    Raises:
        InputError: ``column-length``, or ``setting-malformed`` for what is no whole number of 32 bits.
    """
    try:
        found = list(given)
    except TypeError:
        hint = "give one whole number a task"
        raise InputError("column-length", f"{shown_value(given)} is no list of priorities", hint, "priorities") from None
    if len(found) != rows:
        message = f"there are {len(found)} priorities for {rows} tasks"
        raise InputError("column-length", message, "give one whole number a task", "priorities")
    return _whole("q", found, _PRIORITY, lambda row: f"priorities, row {row}")


def running_table(
    given: Iterable[Running], rows: Mapping[str, int], dimensions: Sequence[str], offers: OfferTable
) -> RunningTable:
    """Return running tasks in numbers.

    Args:
        given: The tasks.
        rows: The row of each offer, by its name.
        dimensions: The dimensions of the pool.
        offers: The offers as they stand, by their rows.

    Raises:
        InputError: ``file-malformed`` for what is no running task, ``row-unknown``, ``unknown-dimension``,
            ``setting-malformed`` for a priority or a start that cannot be, ``devices-malformed``, what ``exact`` raises of a
            quantity, ``capacity-exceeded`` where they use more than an offer has beside what is free.
    """
    runs = _checked(given, rows, dimensions)
    table = RunningTable(
        len(runs),
        array("Q", [rows[one.offer] for one in runs]),
        _whole("q", [one.priority for one in runs], _PRIORITY, lambda row: f"running, row {row}, priority"),
        _whole("Q", [one.start for one in runs], _START, lambda row: f"running, row {row}, start"),
        [_used(runs, name) for name in dimensions],
    )
    if any(one.devices for one in runs):
        table.device_offsets.extend(accumulate((len(one.devices) for one in runs), initial=0))
        of_rows = [row for row, one in enumerate(runs) for _ in one.devices]
        for column, values, most in (
            (table.device_numbers, chain.from_iterable(one.devices for one in runs), 2**32 - 1),
            (table.device_thousandths, chain.from_iterable(one.devices.values() for one in runs), WHOLLY_FREE),
        ):
            column.extend(_whole("Q", list(values), (0, most), lambda at: f"running, row {of_rows[at]}, devices"))
    _check_use(table, dimensions, offers)
    _check_devices(table, offers)
    return table


def _checked(given: Any, rows: Mapping[str, int], dimensions: Sequence[str]) -> list[Running]:
    """Return running tasks on offers of the pool, in dimensions of it."""
    hint = "give a list of Running"
    try:
        runs: list[Any] = list(given)
    except TypeError:
        raise InputError("file-malformed", f"{shown_value(given)} is no list of running tasks", hint, "running") from None
    known = set(dimensions)
    for at, one in enumerate(runs):
        place = f"running, row {at}"
        if not isinstance(one, Running):
            raise InputError("file-malformed", f"{shown_value(one)} is no running task", hint, place)
        if not isinstance(one.offer, str) or one.offer not in rows:
            raise InputError("row-unknown", f"the pool has no offer {shown_value(one.offer)}", "name one of the pool", place)
        for field in ("demand", "devices"):
            value = getattr(one, field)
            if not isinstance(value, Mapping):
                hint = "give a number for each by its name, or by its number"
                raise InputError("file-malformed", f"{shown_value(value)} is not a mapping", hint, f"{place}, {field}")
        for name in one.demand:
            if name not in known:
                hint = "the dimensions are " + (", ".join(dimensions) or "none")
                raise InputError(
                    "unknown-dimension", f"no offer has the dimension {shown_value(name)}", hint, f"{place}, {name}"
                )
    return runs


def _used(runs: Sequence[Running], dimension: str) -> array[int]:
    return exact([one.demand.get(dimension, 0) for one in runs], lambda row: f"running, row {row}, demand.{dimension}")


def _whole(code: str, values: list[Any], limits: tuple[int, int], place: Callable[[int], str]) -> array[int]:
    """Return whole numbers within limits.

    Raises:
        InputError: ``setting-malformed`` for the first value that is none.
    """
    least, most = limits
    if kinds(values) <= {int} and (not values or (least <= min(values) and max(values) <= most)):
        return array(code, values)
    found = array(code)
    for row, value in enumerate(values):
        try:
            number = None if isinstance(value, bool) else index(value)
        except TypeError:
            number = None
        if number is None or not least <= number <= most:
            message = f"{shown_value(value)} cannot be used"
            raise InputError("setting-malformed", message, f"give a whole number from {least} to {most}", place(row))
        found.append(number)
    return found


def _check_use(table: RunningTable, dimensions: Sequence[str], offers: OfferTable) -> None:
    capacity = offers.capacity or offers.available
    for name, used, free, there in zip(dimensions, table.demand, offers.available, capacity, strict=True):
        sums: dict[int, int] = {}
        for at, row in enumerate(table.offers):
            sums[row] = sums.get(row, 0) + used[at]
            if sums[row] + free[row] > there[row]:
                message = f"what runs there uses {sums[row]} {name}, and {free[row]} of {there[row]} are free"
                hint = "give what the offers have free beside what runs there"
                raise InputError("capacity-exceeded", message, hint, f"running, row {at}")


def _check_devices(table: RunningTable, offers: OfferTable) -> None:
    left: dict[int, list[int]] = {}
    ends = table.device_offsets
    for at, row in enumerate(table.offers if ends else ()):
        free = left.get(row) or left.setdefault(row, [WHOLLY_FREE - free for free in offers.devices.of(row)])
        for used in range(ends[at], ends[at + 1]):
            number, thousandths = table.device_numbers[used], table.device_thousandths[used]
            place = f"running, row {at}, devices"
            if number >= len(free):
                message, hint = f"its offer has no device {number}", "devices are numbered from 0"
                raise InputError("devices-malformed", message, f"{hint}; it has {len(free)}", place)
            if thousandths > free[number]:
                message = f"{thousandths} thousandths of device {number} run there, of which {free[number]} are in use"
                raise InputError(
                    "capacity-exceeded", message, "give what the devices have free beside what runs there", place
                )
            free[number] -= thousandths
