"""Tables of names as the contract's tables of numbers.

TaskColumns, OfferColumns ──(names become numbers)──> TaskTable, OfferTable ──> component or reference matcher
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Sequence
from itertools import accumulate, chain
from typing import Any, Literal, NamedTuple

from offermatch.model import AnyRequirement, Comparison
from offermatch.tables.groups import Occupants, group_table
from offermatch.tables.ingest import words
from offermatch.tables.interner import Interner
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tables import AT_LEAST, AT_MOST, IN, NO_REQUIREMENTS, NOT_IN, OfferTable, Requirements, TaskTable
from offermatch.tables.tasks import TaskColumns

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
        offers.devices,
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
    """Return what each task requires and, behind it, prefers; equal lists are numbered once."""
    if tasks.requirements is None and tasks.preferences is None:
        return NO_REQUIREMENTS
    which, first_rows = tasks.kinds
    numbered: dict[AnyRequirement, _Numbered] = {}
    lists = []
    for row in first_rows:
        asked = [(one, math.inf) for one in tasks.requirements_of(row)]
        asked += [(one.requirement, one.weight) for one in tasks.preferences_of(row)]
        for one, _ in asked:
            if one not in numbered:
                numbered[one] = _number(one, interner, measures)
        lists.append([(numbered[one], weight) for one, weight in asked])
    subjects = _column("Q", which, [[one.subject for one, _ in listed] for listed in lists])
    columns = Requirements(
        offsets=_offsets(which, [[len(listed)] for listed in lists], len(which)),
        kinds=_column("Q", which, [[one.kind for one, _ in listed] for listed in lists]),
        subjects=subjects,
        value_offsets=_offsets(which, [[len(one.values) for one, _ in listed] for listed in lists], len(subjects)),
        values=_column("Q", which, [[value for one, _ in listed for value in one.values] for listed in lists]),
        first_alike=words(list(map(first_rows.__getitem__, which))),
    )
    if AT_LEAST in columns.kinds or AT_MOST in columns.kinds:
        columns.bounds = _column("d", which, [[one.bound for one, _ in listed] for listed in lists])
    if tasks.preferences is not None:
        columns.weights = _column("d", which, [[weight for _, weight in listed] for listed in lists])
    return columns if columns.kinds else NO_REQUIREMENTS


def _column(code: Literal["Q", "d"], which: list[int], values: list[Any]) -> array[Any]:
    """Return the values of each row behind one another, given those of each kind of row."""
    parts = [array(code, one).tobytes() for one in values]
    column = array(code)
    column.frombytes(b"".join(map(parts.__getitem__, which)) if len(parts) > 1 else b"".join(parts) * len(which))
    return column


def _offsets(which: list[int], sizes: list[list[int]], entries: int) -> array[int]:
    """Return where each of the entries of all rows begins, given how large those of each kind of row are."""
    different = set(chain.from_iterable(sizes))
    if len(different) == 1:
        (size,) = different
        return words(range(0, size * entries + 1, size)) if size else words([0] * (entries + 1))
    return array("Q", accumulate(_column("Q", which, sizes), initial=0))


class _Numbered(NamedTuple):
    """A requirement in numbers; see ``task-table`` in the contract."""

    kind: int
    subject: int
    values: array[int]
    bound: float


def _number(requirement: AnyRequirement, interner: Interner, measures: dict[str, int]) -> _Numbered:
    """Return a requirement in numbers."""
    if isinstance(requirement, Comparison):
        subject = measures.get(requirement.measure)
        if subject is None:
            # Unset in every offer, which fails as an empty set does.
            return _Numbered(IN, 0, array("Q"), 0.0)
        return _Numbered(AT_LEAST if requirement.is_least else AT_MOST, subject, array("Q"), requirement.bound)
    kind = NOT_IN if requirement.excludes else IN
    attribute = interner.attributes.get(requirement.attribute)
    if attribute is None:
        # Unset in every offer: 'in' fails and 'not in' passes, as with an empty set on any attribute.
        return _Numbered(kind, 0, array("Q"), 0.0)
    # A value that no offer has cannot be met, so it is left out.
    values = dict.fromkeys(interner.value(value) for value in requirement.values if value)
    return _Numbered(kind, attribute, array("Q", filter(None, values)), 0.0)
