"""How the offers of a pool stand, beyond what its ledger keeps: what it takes to go on in another matcher."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from offermatch.model import Timings
from offermatch.session import Matching, Session
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Changes, OfferTable
from offermatch.verify.ledger import Ledger

__all__ = ["Standing"]


class Standing:
    """How the offers of one pool stand.

    Attributes:
        shape: Its shape.
        settings: Its settings, with the scales that it has.
    """

    def __init__(self, table: OfferTable, shape: Shape, settings: SettingColumns) -> None:
        """Begin with a pool that has just been opened."""
        self.shape = shape
        self.settings = replace(settings, scales=_scales(table, settings))
        self._list = list(range(table.rows))
        self._places = list(range(table.rows))
        # Taken off the list when somebody asks for it, so that a pool of one cycle pays nothing.
        self._taken: Sequence[int] = ()

    def settle(self, answer: Assigned) -> None:
        """Follow an answer that was accepted."""
        self._settled()
        if self.settings.mode == "exclusive":
            self._taken = answer.offers

    def update(self, changes: Changes) -> None:
        """Follow changes that the pool has accepted."""
        self._settled()
        for row in changes.removed:
            self._unlist(row)
        added = changes.added
        first = len(self._places)
        self._places += [_NOWHERE] * added.rows
        for row in [*changes.changed_rows, *range(first, first + added.rows)]:
            if self._places[row] == _NOWHERE:
                self._places[row] = len(self._list)
                self._list.append(row)

    def opening(self, ledger: Ledger) -> tuple[OfferTable, Sequence[Changes]]:
        """Return what opens the same pool: a table, and changes to be applied one after the other.

        The contract has all that it takes: the pool is opened, the list emptied, and filled again in its order.
        """
        self._settled()
        rows = range(len(self._places))
        table = ledger.offers(rows)
        if self._list == list(rows):
            return table, ()
        nothing = ledger.offers(())
        # By swap-remove, each of them is then the first of the list, which is where the reference loop looks first.
        first_ones = [*rows[:1], *rows[:0:-1]]
        filled = Changes([], self._list[:], ledger.offers(self._list), nothing)
        return table, (Changes(first_ones, [], nothing, nothing), filled)

    def session(self, matcher: Matching, ledger: Ledger, settings: SettingColumns | None = None) -> Session:
        """Return a session of the same pool in a matcher, with other settings if they are given.

        Raises:
            OffermatchError: As ``Matcher.open`` and ``Pool.update``.
        """
        table, changes = self.opening(ledger)
        session = matcher.session(table, self.shape, settings or self.settings, Timings())
        # A ledger of its own: the pool's stays as it is.
        scratch = Ledger(table, self.settings.mode, self.settings.score_limit)
        for one in changes:
            session.update(one, scratch, Timings())
        return session

    def _settled(self) -> None:
        taken, self._taken = self._taken, ()
        for row in taken:
            self._unlist(row)

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


def _scales(table: OfferTable, settings: SettingColumns) -> list[int]:
    """Return the scales that the pool has: those given, else the largest capacity in each dimension."""
    offsets = table.device_offsets or array("Q", [0])
    devices = max((end - begin for begin, end in pairwise(offsets)), default=0)
    largest = [max(column, default=0) for column in table.capacity or table.available] + [1000 * devices]
    return [wanted or found or 1 for wanted, found in zip(settings.scales or [0] * len(largest), largest, strict=True)]
