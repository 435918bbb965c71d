"""One cycle as a matcher gets it: tables, settings, and what is to be said about them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike

from offermatch.model import Settings
from offermatch.tables.columns import OfferColumns, TaskColumns

__all__ = ["Cycle"]


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one call of ``match`` asks.

    Attributes:
        tasks: The tasks.
        offers: The offers.
        settings: How to rank the offers.
        dimensions: The resource dimensions, in order.
        attributes: The attributes that cross.
        explain: Whether to explain each unplaced task.
        record: Where to record it; None for nowhere.
    """

    tasks: TaskColumns
    offers: OfferColumns
    settings: Settings
    dimensions: Sequence[str]
    attributes: Sequence[str]
    explain: bool = False
    record: str | PathLike[str] | None = None

    def copied(self) -> Cycle:
        """Return the same cycle with numbers of its own, for a thread that outlives the call."""
        tasks, offers = self.tasks, self.offers
        return replace(
            self,
            tasks=replace(tasks, names=list(tasks.names), demand=_copied(tasks.demand), devices=_copy(tasks.devices)),
            offers=replace(
                offers,
                names=list(offers.names),
                available=_copied(offers.available),
                capacity=None if offers.capacity is None else _copied(offers.capacity),
                attributes={name: list(values) for name, values in offers.attributes.items()},
                device_offsets=_copy(offers.device_offsets),
                device_free=offers.device_free[:],
            ),
            explain=False,
            record=None,
        )


def _copied(columns: Mapping[str, array[int]]) -> dict[str, array[int]]:
    return {name: column[:] for name, column in columns.items()}


def _copy(column: array[int] | None) -> array[int] | None:
    return None if column is None else column[:]
