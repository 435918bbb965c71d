"""Rows that ask the same: how many kinds of task a table has, by requirements and preferences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Sequence
from itertools import chain, count
from typing import Any, NamedTuple

from offermatch.model import AnyRequirement, Preference
from offermatch.tables.ingest import kinds

__all__ = ["Kinds", "kinds_of", "shared"]


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
    required = [()] * rows if requirements is None else [one or () for one in requirements]
    preferred = None if preferences is None else [one or () for one in preferences]
    # Equal lists are mostly one object, or made of the same objects, which are told apart sooner than their values.
    found = _numbered(_keys(_lists(required), None if preferred is None else _lists(preferred)))
    for of_required, of_preferred in ((_entries, _entries), (_values, _weighed)):
        if len(found.first_rows) < 2:
            break
        firsts = [required[row] for row in found.first_rows]
        weighed = None if preferred is None else of_preferred([preferred[row] for row in found.first_rows])
        among = _numbered(_keys(of_required(firsts), weighed))
        if len(among.first_rows) < len(firsts):
            found = Kinds(
                list(map(among.of_rows.__getitem__, found.of_rows)),
                list(map(found.first_rows.__getitem__, among.first_rows)),
            )
    return found


def shared(lists: Sequence[Any], made: Collection[type]) -> list[tuple[Any, ...]] | None:
    """Return lists as tuples, of which rows that ask the same share one; None where one is no list of these types."""
    if not (kinds(lists) <= {list, tuple} and kinds(chain.from_iterable(lists)) <= {*made}):
        return None
    of_rows, first_rows = kinds_of(len(lists), None, lists) if Preference in made else kinds_of(len(lists), lists)
    return list(map([tuple(lists[row]) for row in first_rows].__getitem__, of_rows))


def _keys(required: Sequence[Hashable], preferred: Sequence[Hashable] | None) -> Sequence[Hashable]:
    return required if preferred is None else list(zip(required, preferred, strict=True))


def _lists(lists: Sequence[object]) -> Sequence[Hashable]:
    return list(map(id, lists))


def _entries(lists: Sequence[Sequence[object]]) -> Sequence[Hashable]:
    if set(map(len, lists)) == {1}:
        return list(map(id, chain.from_iterable(lists)))
    return [tuple(map(id, one)) for one in lists]


def _values(lists: Sequence[Sequence[Hashable]]) -> Sequence[Hashable]:
    return list(map(tuple, lists))


def _weighed(lists: Sequence[Sequence[Preference]]) -> Sequence[Hashable]:
    # Weights as text, because 0.0 and -0.0 are equal.
    return [tuple((one.requirement, repr(one.weight)) for one in preferences) for preferences in lists]


def _numbered(keys: Sequence[Hashable]) -> Kinds:
    """Return the kinds of rows with these keys."""
    different = len(set(keys))
    if different == len(keys):
        return Kinds(list(range(different)), list(range(different)))
    if different == 1:
        return Kinds([0] * len(keys), [0])
    numbers: defaultdict[Hashable, int] = defaultdict(count().__next__)
    of_rows = list(map(numbers.__getitem__, keys))
    # The row that comes last here is the one that stands first.
    first_rows = dict(zip(reversed(of_rows), range(len(keys) - 1, -1, -1), strict=True))
    return Kinds(of_rows, sorted(first_rows.values()))
