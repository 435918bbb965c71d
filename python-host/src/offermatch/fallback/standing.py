"""How the offers of a pool stand, beyond what its ledger keeps: what it takes to go on in another matcher."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

from offermatch.model import Settings, Timings
from offermatch.tables.tables import Assigned, Changes, OfferTable
from offermatch.verify.ledger import Ledger

if TYPE_CHECKING:
    from offermatch.pool import Backend, Opener

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True)
class _Scaled(Settings):
    """Settings whose scales are known, one a dimension and the devices' last."""

    column: Sequence[int] = ()

    def scale_column(self, dimensions: Sequence[str]) -> list[int]:
        del dimensions
        return list(self.column)


class Standing:
    """How the offers of one pool stand."""

    def __init__(self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings) -> None:
        """Begin with a pool that has just been opened."""
        self._dimensions, self._attributes = dimensions, attributes
        self.settings = _Scaled(
            **{each.name: getattr(settings, each.name) for each in fields(settings)},
            column=_scales(table, dimensions, settings),
        )
        self._list = list(range(table.rows))
        self._places = list(range(table.rows))

    def settle(self, answer: Assigned) -> None:
        """Follow an answer that was accepted."""
        if self.settings.mode == "exclusive":
            for row in answer.offers:
                self._unlist(row)

    def update(self, changes: Changes) -> None:
        """Follow changes that the pool has accepted."""
        for row in changes.removed:
            self._unlist(row)
        added = changes.added
        first = len(self._places)
        self._places += [_NOWHERE] * added.rows
        for row in [*changes.changed_rows, *range(first, first + added.rows)]:
            if self._places[row] == _NOWHERE:
                self._places[row] = len(self._list)
                self._list.append(row)

    def open_by(self, opener: Opener, ledger: Ledger) -> Backend:
        """Return the same pool, opened by an opener.

        The contract has all that it takes: the pool is opened, the list emptied, and filled again in its order.

        Raises:
            OffermatchError: As ``Matcher.open`` and ``Pool.update``.
        """
        rows = range(len(self._places))
        table = ledger.offers(rows)
        backend = opener(table, self._dimensions, self._attributes, self.settings, Timings())
        if self._list != list(rows):
            nothing = ledger.offers(())
            # By swap-remove, each of them is then the first of the list, which is where the reference loop looks first.
            first_ones = [*rows[:1], *rows[:0:-1]]
            backend.update(Changes(first_ones, [], nothing, nothing), Timings())
            backend.update(Changes([], self._list[:], ledger.offers(self._list), nothing), Timings())
        return backend

    def _unlist(self, row: int) -> None:
        """Take a row off the list, if it is there: the last one moves into its place."""
        place, self._places[row] = self._places[row], _NOWHERE
        if place == _NOWHERE:
            return
        last = self._list.pop()
        if last != row:
            self._list[place] = last
            self._places[last] = place


_NOWHERE = -1
"""The place of a row that is not in the list."""


def _scales(table: OfferTable, dimensions: Sequence[str], settings: Settings) -> list[int]:
    """Return the scales that the pool has: those given, else the largest capacity in each dimension."""
    offsets = table.device_offsets or array("Q", [0])
    devices = max((end - begin for begin, end in pairwise(offsets)), default=0)
    largest = [max(column, default=0) for column in table.capacity or table.available] + [1000 * devices]
    given = settings.scale_column(dimensions) or [0] * len(largest)
    return [wanted or found or 1 for wanted, found in zip(given, largest, strict=True)]
