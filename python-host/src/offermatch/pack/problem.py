"""Tables to a problem."""

from __future__ import annotations

from math import isnan

from offermatch.errors import InputError
from offermatch.pack.search import Kind, Problem
from offermatch.quantity import check_comparable
from offermatch.tables.devices import WHOLLY_FREE
from offermatch.tables.kinds import kinds_of
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["problem"]


def problem(tasks: TaskColumns, offers: OfferColumns, *, unlimited: bool) -> tuple[Problem, list[list[int]]]:
    """Return what is to be packed, and the rows of the offers of each kind. Whole devices are one more dimension.

    Raises:
        InputError: ``devices-malformed`` for a task that asks for a share of a device, which is not packed offline;
            ``rule-unserved`` for a group; ``unknown-dimension``.
    """
    for row, group in enumerate(tasks.groups or ()):
        if group is not None:
            hint = "leave groups to a matcher"
            raise InputError("rule-unserved", "groups are not packed offline", hint, tasks.place(row, "group"))
    dimensions = tuple(offers.available)
    check_comparable(tasks.demand.keys() & set(dimensions), tasks.read_in, offers.read_in, "tasks")
    demands = (
        [list(row) for row in zip(*tasks.aligned(dimensions), strict=True)] if dimensions else [[] for _ in tasks.names]
    )
    capacities = (
        [list(row) for row in zip(*offers.available.values(), strict=True)] if dimensions else [[] for _ in offers.names]
    )
    if tasks.devices is not None:
        for row, asked in enumerate(tasks.devices):
            if asked % WHOLLY_FREE:
                hint = "leave tasks that share a device to a matcher, or ask for a whole one"
                message = "shares of a device are not packed offline"
                raise InputError("devices-malformed", message, hint, tasks.place(row, "device_share"))
            demands[row].append(asked // WHOLLY_FREE)
        for row, capacity in enumerate(capacities):
            capacity.append(offers.devices.of(row).count(WHOLLY_FREE))
    asked_measures = [offers.measures[name] for name in sorted(tasks.measures_asked.intersection(offers.measures))]
    kinds: dict[tuple[tuple[int, ...], tuple[str | None, ...], tuple[float | None, ...]], list[int]] = {}
    for row, capacity in enumerate(capacities):
        values = tuple(column[row] or None for column in offers.attributes.values())
        # NaN, which stands for unset, is not even equal to itself.
        numbers = tuple(None if isnan(column[row]) else column[row] for column in asked_measures)
        kinds.setdefault((tuple(capacity), values, numbers), []).append(row)
    rows = list(kinds.values())
    found = [Kind(capacity, None if unlimited else len(having)) for (capacity, *_), having in kinds.items()]
    asking = kinds_of(len(tasks), tasks.requirements)

    def allowed(row: int) -> frozenset[int] | None:
        """Return the kinds of offer that a task may take; None where all of them."""
        required = tasks.requirements_of(row)
        if not required:
            return None
        return frozenset(
            number for number, having in enumerate(rows) if all(offers.meets(one, having[0]) for one in required)
        )

    of_kinds = list(map(allowed, asking.first_rows))
    return Problem(demands, found, list(map(of_kinds.__getitem__, asking.of_rows))), rows
