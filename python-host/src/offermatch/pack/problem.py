"""Tables to a problem."""

from __future__ import annotations

from collections.abc import Sequence

from offermatch.errors import InputError
from offermatch.model import Requirement
from offermatch.pack.search import Kind, Problem
from offermatch.tables.columns import OfferColumns, TaskColumns

__all__ = ["problem"]


def problem(tasks: TaskColumns, offers: OfferColumns, *, unlimited: bool) -> tuple[Problem, list[list[int]]]:
    """Return what is to be packed, and the rows of the offers of each kind. Whole devices are one more dimension.

    Raises:
        InputError: ``devices-malformed`` for a task that asks for a share of a device, which is not packed offline;
            ``unknown-dimension``.
    """
    dimensions = tuple(offers.available)
    demands = (
        [list(row) for row in zip(*tasks.aligned(dimensions), strict=True)] if dimensions else [[] for _ in tasks.names]
    )
    capacities = (
        [list(row) for row in zip(*offers.available.values(), strict=True)] if dimensions else [[] for _ in offers.names]
    )
    if tasks.devices is not None:
        for row, asked in enumerate(tasks.devices):
            if asked % 1000:
                hint = "leave tasks that share a device to a matcher, or ask for a whole one"
                message = "shares of a device are not packed offline"
                raise InputError("devices-malformed", message, hint, tasks.place(row, "device_share"))
            demands[row].append(asked // 1000)
        for row, capacity in enumerate(capacities):
            capacity.append(offers.devices_of(row).count(1000))
    kinds: dict[tuple[tuple[int, ...], tuple[str | None, ...]], list[int]] = {}
    for row, capacity in enumerate(capacities):
        values = tuple(column[row] or None for column in offers.attributes.values())
        kinds.setdefault((tuple(capacity), values), []).append(row)
    rows = list(kinds.values())
    found = [Kind(capacity, None if unlimited else len(having)) for (capacity, _), having in kinds.items()]
    names = list(offers.attributes)
    attributes = [dict(zip(names, has, strict=True)) for _, has in kinds]
    known: dict[tuple[Requirement, ...], frozenset[int]] = {}

    def allowed(requirements: Sequence[Requirement]) -> frozenset[int] | None:
        if not requirements:
            return None
        asked = tuple(requirements)
        if asked not in known:
            known[asked] = frozenset(
                number for number, has in enumerate(attributes) if all(_holds(one, has) for one in asked)
            )
        return known[asked]

    required: Sequence[Sequence[Requirement]] = tasks.requirements or [()] * len(tasks)
    return Problem(demands, found, [allowed(one or ()) for one in required]), rows


def _holds(one: Requirement, has: dict[str, str | None]) -> bool:
    value = has.get(one.attribute)
    return (value is not None and value in one.values) != one.excludes
