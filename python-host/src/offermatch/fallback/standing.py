"""How the offers of a pool stand, beyond what its ledger keeps: what it takes to go on in another matcher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from offermatch.model import Description, Timings
from offermatch.session import Matching, Session
from offermatch.tables.devices import Devices
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Changes, OfferTable
from offermatch.verify.ledger import Ledger
from offermatch.wasm.contract import raises_scales

__all__ = ["Standing", "scales_of_opening"]


class Standing:
    """How the offers of one pool stand.

    Attributes:
        shape: Its shape.
        settings: Its settings, as they were given.
    """

    def __init__(self, table: OfferTable, shape: Shape, settings: SettingColumns, matcher: Description) -> None:
        """Begin with a pool that has just been opened in a matcher."""
        self.shape, self.settings = shape, settings
        self._given = settings.scales or [0] * (shape.dimensions + 1)
        self._scales = scales_of_opening(table, self._given)
        self._grows = raises_scales(matcher.contract)
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
        if self._grows:
            for table in (changes.changed, added):
                largest = zip(self._given, self._scales, _largest(table), strict=True)
                self._scales = [wanted or max(before, found) for wanted, before, found in largest]
        first = len(self._places)
        self._places += [_NOWHERE] * added.rows
        for row in [*changes.changed_rows, *range(first, first + added.rows)]:
            if self._places[row] == _NOWHERE:
                self._places[row] = len(self._list)
                self._list.append(row)

    def opening(self, ledger: Ledger) -> tuple[OfferTable, SettingColumns, Sequence[Changes]]:
        """Return what opens the same pool: a table, settings, and changes to be applied one after the other.

        The contract has all that it takes: the pool is opened, the list emptied, and filled again in its order. Where scales
        grow, the first offer is opened as the largest that ever was.
        """
        self._settled()
        rows = range(len(self._places))
        table, settings = ledger.offers(rows), self.settings
        scales = scales_of_opening(table, self._given)
        if not self._grows:
            settings = replace(settings, scales=self._scales)
        is_raised = any(scale > found for scale, found in zip(self._scales, scales, strict=True))
        if self._list == list(rows) and not (self._grows and is_raised):
            return table, settings, ()
        nothing = ledger.offers(())
        # By swap-remove, each of them is then the first of the list, which is where the reference loop looks first.
        first_ones = [*rows[:1], *rows[:0:-1]]
        filled = Changes([], self._list[:], ledger.offers(self._list), nothing)
        if self._grows and table.rows:
            table = _with_largest(table, self._scales)
        return table, settings, (Changes(first_ones, [], nothing, nothing), filled)

    def session(self, matcher: Matching, ledger: Ledger, settings: SettingColumns | None = None) -> Session:
        """Return a session of the same pool in a matcher, with other parameters if settings are given.

        Raises:
            OffermatchError: As ``Matcher.open`` and ``Pool.update``.
        """
        before, self._grows = self._grows, raises_scales(matcher.description.contract)
        try:
            table, own, changes = self.opening(ledger)
            if settings is not None:
                own = replace(own, named_parameters=settings.named_parameters)
            session = matcher.session(table, self.shape, own, Timings())
            # A ledger of its own: the pool's stays as it is.
            scratch = Ledger(table, own.mode, own.score_limit)
            for one in changes:
                session.update(one, scratch, Timings())
        except BaseException:
            self._grows = before
            raise
        if self._grows:
            # Those of offers that came while they did not grow.
            largest = zip(self._given, self._scales, _largest(table), strict=True)
            self._scales = [wanted or max(before, found) for wanted, before, found in largest]
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


def scales_of_opening(table: OfferTable, given: Sequence[int]) -> list[int]:
    """Return the scales that a pool is opened with: those given; where one is 0, the largest capacity, at least 1."""
    largest = _largest(table)
    return [wanted or found or 1 for wanted, found in zip(given or [0] * len(largest), largest, strict=True)]


def _largest(table: OfferTable) -> list[int]:
    """Return the largest capacity in each dimension, and of the devices last."""
    return [max(column, default=0) for column in table.capacity or table.available] + [1000 * table.devices.most]


def _with_largest(table: OfferTable, largest: Sequence[int]) -> OfferTable:
    """Return a table whose first offer has these capacities, if they are larger than its own."""
    capacity = [column[:] for column in table.capacity or table.available]
    for column, most in zip(capacity, largest, strict=False):
        column[0] = max(column[0], most)
    first, *others = map(table.devices.of, range(table.rows))
    more = [0] * (largest[-1] // 1000 - len(first))
    return replace(table, capacity=capacity, devices=Devices.of_rows([[*first, *more], *others]))
