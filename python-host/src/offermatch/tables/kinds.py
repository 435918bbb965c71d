"""Rows that ask the same: how many kinds of task a table has, by requirements and preferences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import count
from typing import NamedTuple

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
    kinds = Kinds(list(range(rows)), list(range(rows)))
    for of_required, of_preferred in ((id, id), (_entries, _entries), (_values, _weighed)):
        if len(kinds.first_rows) < 2:
            break
        keys: Sequence[Hashable] = [of_required(required[row]) for row in kinds.first_rows]
        if preferences is not None:
            keys = list(zip(keys, (of_preferred(preferred[row]) for row in kinds.first_rows), strict=True))
        kinds = _merged(kinds, keys)
    return kinds


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
    # The row that comes last here is the one that stands first.
    first_rows = dict(zip(reversed(of_rows), range(len(keys) - 1, -1, -1), strict=True))
    return Kinds(of_rows, sorted(first_rows.values()))


def _merged(kinds: Kinds, keys: Sequence[Hashable]) -> Kinds:
    """Return kinds, of which those with the same key are one."""
    among = _numbered(keys)
    if len(among.first_rows) == len(keys):
        return kinds
    return Kinds(
        list(map(among.of_rows.__getitem__, kinds.of_rows)), list(map(kinds.first_rows.__getitem__, among.first_rows))
    )
