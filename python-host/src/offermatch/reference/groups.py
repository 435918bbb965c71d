"""Groups: where members may go, given those that are placed and those that run already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from offermatch.reference.standing import Offer
from offermatch.tables.tables import GroupTable, TaskTable

__all__ = ["Members", "least_of", "limits_of", "members_of"]


class _Limit:
    """No more than so many members on offers with one value, or on one offer."""

    def __init__(self, attribute: int | None, most: int) -> None:
        self._attribute, self._most = attribute, most
        self._counts: Counter[int] = Counter()

    def _value(self, row: int, offer: Offer) -> int:
        # The offer itself counts under its row, which must not be 0, the unset value.
        return row + 1 if self._attribute is None else offer.attributes[self._attribute]

    def admits(self, row: int, offer: Offer) -> bool:
        value = self._value(row, offer)
        return value != 0 and self._counts[value] < self._most

    def count(self, row: int, offer: Offer, members: int) -> None:
        value = self._value(row, offer)
        if value:
            self._counts[value] += members

    def copied(self) -> _Limit:
        copy = _Limit(self._attribute, self._most)
        copy._counts = self._counts.copy()
        return copy


class Members:
    """The members of one group: those that run already, and those that are placed.

    Attributes:
        together: The attribute of which all have one value; None where none is asked.
        values: The values that members have to have; empty where any but unset will do.
        occupants: How many run already.
    """

    def __init__(self, table: GroupTable, group: int, offers: Sequence[Offer]) -> None:
        """Begin with those that run already."""
        together = table.together[group] if table.together else 0
        self.together: int | None = together - 1 if together else None
        self.values: list[int] = []
        self.occupants = 0
        self._limits = [_Limit(attribute, most) for attribute, most in limits_of(table, group)]
        for at, of in enumerate(table.occupant_groups):
            count = table.occupant_counts[at]
            if of != group or not count:
                continue
            row = table.occupant_offers[at]
            self.occupants += count
            self.add(row, offers[row], count)
            if self.together is not None:
                value = offers[row].attributes[self.together]
                if value and value not in self.values:
                    self.values.append(value)

    def within(self, value: int) -> Members:
        """Return the same members, who have to have one value."""
        copy = object.__new__(Members)
        copy.together, copy.values, copy.occupants = self.together, [value], self.occupants
        copy._limits = [limit.copied() for limit in self._limits]
        return copy

    def is_together(self, offer: Offer) -> bool:
        """Return whether an offer has a value that members may have."""
        if self.together is None:
            return True
        value = offer.attributes[self.together]
        return value != 0 and (not self.values or value in self.values)

    def limits(self, row: int, offer: Offer) -> list[bool]:
        """Return of each limit, in order, whether it admits another member to an offer."""
        return [limit.admits(row, offer) for limit in self._limits]

    def admit(self, row: int, offer: Offer) -> bool:
        """Return whether another member may go to an offer."""
        return self.is_together(offer) and all(self.limits(row, offer))

    def add(self, row: int, offer: Offer, members: int = 1) -> None:
        """Take note of members on an offer."""
        for limit in self._limits:
            limit.count(row, offer, members)


def limits_of(table: GroupTable, group: int) -> Iterator[tuple[int | None, int]]:
    """Yield what each limit of a group counts by, an attribute or the offer itself, and how many it allows."""
    if table.limit_offsets:
        for at in range(table.limit_offsets[group], table.limit_offsets[group + 1]):
            attribute = table.limit_attributes[at]
            yield (attribute - 1 if attribute else None), table.limit_counts[at]


def least_of(table: GroupTable, group: int) -> int:
    """Return how many members a group needs at least."""
    return table.least[group] if table.least else 0


def members_of(tasks: TaskTable) -> list[list[int]]:
    """Return the rows of the members of each group, in their order."""
    rows: list[list[int]] = [[] for _ in range(tasks.groups.rows)]
    for row, group in enumerate(tasks.group_of):
        if group:
            rows[group - 1].append(row)
    return rows
