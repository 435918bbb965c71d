"""Tables of names as the contract's tables of numbers.

TaskColumns, OfferColumns ──(names become numbers)──> TaskTable, OfferTable ──> component or reference matcher
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Sequence

from offermatch.model import AnyRequirement, Comparison
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.groups import Occupants, group_table
from offermatch.tables.interner import Interner
from offermatch.tables.tables import AT_LEAST, AT_MOST, IN, NO_REQUIREMENTS, NOT_IN, OfferTable, Requirements, TaskTable

__all__ = ["offer_table", "task_table"]


def offer_table(
    offers: OfferColumns, dimensions: Sequence[str], interner: Interner, measures: Collection[str] = ()
) -> OfferTable:
    """Return offers in the pool's dimensions, attributes and measures; others do not cross."""
    available, capacity = offers.aligned(dimensions)
    unset: list[str | None] = [None] * len(offers)
    unknown = array("d", [math.nan]) * len(offers) if measures else array("d")
    return OfferTable(
        len(offers),
        available,
        capacity or [],
        [interner.column(offers.attributes.get(name, unset)) for name in interner.attributes],
        offers.device_offsets or array("Q"),
        offers.device_free,
        [offers.measures.get(name, unknown) for name in measures],
    )


def task_table(
    tasks: TaskColumns,
    dimensions: Sequence[str],
    interner: Interner,
    measures: Collection[str] = (),
    occupants: Occupants | None = None,
    *,
    asks_least: bool = True,
) -> TaskTable:
    """Return tasks in the pool's dimensions, attributes and measures.

    Args:
        tasks: The tasks.
        dimensions: The dimensions, in order.
        interner: Numbers attributes and their values.
        measures: The measures, in order.
        occupants: Who of the groups runs already.
        asks_least: Whether groups need their least number; not of a part of a group.

    Raises:
        InputError: ``unknown-dimension`` for a dimension the pool does not have, ``group-malformed`` for an attribute.
    """
    table = TaskTable(
        len(tasks),
        tasks.aligned(dimensions),
        array("Q") if tasks.devices is None else tasks.devices,
        _requirements(tasks, interner, {name: number for number, name in enumerate(measures)}),
    )
    if tasks.groups is not None:
        names = interner.attributes
        table.group_of, table.groups = group_table(tasks.groups, names, occupants or {}, tasks.place, asks_least=asks_least)
    return table


def _requirements(tasks: TaskColumns, interner: Interner, measures: dict[str, int]) -> Requirements:
    """Return what each task requires and, behind it, prefers."""
    if tasks.requirements is None and tasks.preferences is None:
        return NO_REQUIREMENTS
    columns = Requirements(array("Q", [0]), value_offsets=array("Q", [0]))
    bounds: list[float] = []
    weights: list[float] = []
    numbered: dict[AnyRequirement, tuple[int, int, array[int], float]] = {}

    def add(requirement: AnyRequirement, weight: float) -> None:
        found = numbered.get(requirement)
        if found is None:
            found = numbered[requirement] = _numbered(requirement, interner, measures)
        columns.kinds.append(found[0])
        columns.subjects.append(found[1])
        columns.values.extend(found[2])
        columns.value_offsets.append(len(columns.values))
        bounds.append(found[3])
        weights.append(weight)

    for row in range(len(tasks)):
        for requirement in (tasks.requirements[row] or ()) if tasks.requirements is not None else ():
            add(requirement, math.inf)
        for preference in (tasks.preferences[row] or ()) if tasks.preferences is not None else ():
            add(preference.requirement, preference.weight)
        columns.offsets.append(len(columns.kinds))
    if AT_LEAST in columns.kinds or AT_MOST in columns.kinds:
        columns.bounds = array("d", bounds)
    if tasks.preferences is not None:
        columns.weights = array("d", weights)
    return columns if columns.kinds else NO_REQUIREMENTS


def _numbered(
    requirement: AnyRequirement, interner: Interner, measures: dict[str, int]
) -> tuple[int, int, array[int], float]:
    """Return the kind, the subject, the values and the bound of a requirement."""
    if isinstance(requirement, Comparison):
        subject = measures.get(requirement.measure)
        if subject is None:
            # Unset in every offer, which fails as an empty set does.
            return IN, 0, array("Q"), 0.0
        return (AT_LEAST if requirement.is_least else AT_MOST), subject, array("Q"), requirement.bound
    kind = NOT_IN if requirement.excludes else IN
    attribute = interner.attributes.get(requirement.attribute)
    if attribute is None:
        # Unset in every offer: 'in' fails and 'not in' passes, as with an empty set on any attribute.
        return kind, 0, array("Q"), 0.0
    # A value that no offer has cannot be met, so it is left out.
    values = dict.fromkeys(interner.value(value) for value in requirement.values if value)
    return kind, attribute, array("Q", filter(None, values)), 0.0
