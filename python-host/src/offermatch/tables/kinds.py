"""Rows that ask the same: how many kinds of task a table has, by requirements and preferences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from itertools import count
from typing import Any, NamedTuple

from offermatch.model import AnyRequirement, Preference

__all__ = ["Kinds", "kinds_of"]


class Kinds(NamedTuple):
    """Rows that ask the same are one kind; kinds come in the order of their first rows.

    Attributes:
        of_rows: The kind of each row, from 0.
        first_rows: The first row of each kind.
    """

    of_rows: list[int]
    first_rows: list[int]


def kinds_of(
    rows: int,
    requirements: Sequence[Sequence[AnyRequirement] | None] | None,
    preferences: Sequence[Sequence[Preference] | None] | None = None,
) -> Kinds:
    """Return the kinds of so many rows, by one list of requirements and one of preferences a row.

    None stands for a column without lists, and for a list without entries.
    """
    # The lists are held here, as an identity is that of an object that is there.
    required = [()] * rows if requirements is None else list(requirements)
    preferred = [()] * rows if preferences is None else list(preferences)
    # Equal lists are mostly one object, or made of the same objects, which are told apart sooner than their values.
    kinds = _numbered(_keys(id, required, id, None if preferences is None else preferred))
    for of_required, of_preferred in ((_entries, _entries), (_values, _weighed)):
        if len(kinds.first_rows) < 2:
            break
        firsts = [[column[row] for row in kinds.first_rows] for column in (required, preferred)]
        among = _numbered(_keys(of_required, firsts[0], of_preferred, None if preferences is None else firsts[1]))
        if len(among.first_rows) < len(kinds.first_rows):
            kinds = Kinds(
                list(map(among.of_rows.__getitem__, kinds.of_rows)),
                list(map(kinds.first_rows.__getitem__, among.first_rows)),
            )
    return kinds


def _keys(
    of_required: Callable[[Any], Hashable],
    required: Sequence[Any],
    of_preferred: Callable[[Any], Hashable],
    preferred: Sequence[Any] | None,
) -> Sequence[Hashable]:
    """Return what tells rows apart."""
    keys = list(map(of_required, required))
    return keys if preferred is None else list(zip(keys, map(of_preferred, preferred), strict=True))


def _entries(asked: Sequence[object] | None) -> Hashable:
    return tuple(map(id, asked or ()))


def _values(required: Sequence[AnyRequirement] | None) -> Hashable:
    return tuple(required or ())


def _weighed(preferred: Sequence[Preference] | None) -> Hashable:
    # Weights as text, because 0.0 and -0.0 are equal.
    return tuple((one.requirement, repr(one.weight)) for one in preferred or ())


def _numbered(keys: Sequence[Hashable]) -> Kinds:
    """Return the kinds of rows with these keys."""
    numbers: defaultdict[Hashable, int] = defaultdict(count().__next__)
    of_rows = list(map(numbers.__getitem__, keys))
    if len(numbers) < 2:
        return Kinds(of_rows, [0][: len(numbers)])
    # The row that comes last here is the one that stands first.
    first_rows = dict(zip(reversed(of_rows), range(len(keys) - 1, -1, -1), strict=True))
    return Kinds(of_rows, sorted(first_rows.values()))
