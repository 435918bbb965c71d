"""Tasks that run and may be taken away, in numbers."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from offermatch.errors import InputError
from offermatch.model import Running
from offermatch.tables.tables import OfferTable, RunningTable
from offermatch.visible import shown_value

__all__ = ["running_table"]


def running_table(
    given: Sequence[Running], rows: Mapping[str, int], dimensions: Sequence[str], offers: OfferTable
) -> RunningTable:
    """Return running tasks in numbers.

    Args:
        given: The tasks.
        rows: The row of each offer, by its name.
        dimensions: The dimensions of the pool.
        offers: The offers as they stand, by their rows.

    Raises:
        InputError: ``row-unknown``, ``unknown-dimension``, ``setting-malformed`` for a priority or a start that cannot be,
            ``capacity-exceeded`` where they use more than an offer has beside what is free.
    """
    known = set(dimensions)
    for at, one in enumerate(given):
        place = f"running, row {at}"
        if one.offer not in rows:
            raise InputError("row-unknown", f"the pool has no offer {shown_value(one.offer)}", "name one of the pool", place)
        if not -(2**31) <= one.priority < 2**31 or not 0 <= one.start < 2**64:
            message = f"the priority {one.priority} or the start {one.start} cannot be used"
            hint = "a priority is a whole number of 32 bits, a start one of 64 bits, 0 or more"
            raise InputError("setting-malformed", message, hint, place)
        for name in one.demand:
            if name not in known:
                hint = "the dimensions are " + (", ".join(dimensions) or "none")
                raise InputError(
                    "unknown-dimension", f"no offer has the dimension {shown_value(name)}", hint, f"{place}, {name}"
                )
    table = RunningTable(
        len(given),
        array("Q", [rows[one.offer] for one in given]),
        array("q", [one.priority for one in given]),
        array("Q", [one.start for one in given]),
        [array("Q", [one.demand.get(name, 0) for one in given]) for name in dimensions],
    )
    if any(one.devices for one in given):
        table.device_offsets.append(0)
        for one in given:
            table.device_numbers.extend(one.devices)
            table.device_thousandths.extend(one.devices.values())
            table.device_offsets.append(len(table.device_numbers))
    _check_use(table, dimensions, offers)
    return table


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
