"""The devices of offers: a list of numbers a row, in two columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, chain, pairwise

__all__ = ["WHOLLY_FREE", "Devices"]

WHOLLY_FREE = 1000
"""The free thousandths of a device that nobody uses."""


@dataclass(slots=True)
class Devices:
    """The free thousandths of each device of each offer.

    Attributes:
        offsets: Where the devices of each row begin in ``free``, ``rows + 1`` numbers; empty where no offer has a device.
        free: The free thousandths of all devices, row by row.
    """

    offsets: array[int] = field(default_factory=partial(array, "Q"))
    free: array[int] = field(default_factory=partial(array, "Q"))

    @classmethod
    def of_rows(cls, rows: Iterable[Sequence[int]]) -> Devices:
        """Return the devices of rows, given the free thousandths of each device of each."""
        devices = list(rows)
        if not any(map(len, devices)):
            return cls()
        return cls(array("Q", accumulate(map(len, devices), initial=0)), array("Q", chain.from_iterable(devices)))

    @classmethod
    def wholly_free(cls, counts: Sequence[int]) -> Devices:
        """Return the devices of rows that have so many each, all of them free; one row has some."""
        return cls(array("Q", accumulate(counts, initial=0)), array("Q", [WHOLLY_FREE]) * sum(counts))

    @property
    def count(self) -> int:
        """How many devices there are."""
        return len(self.free)

    @property
    def most(self) -> int:
        """The most devices that one row has."""
        return max((end - begin for begin, end in pairwise(self.offsets)), default=0)

    def of(self, row: int) -> list[int]:
        """Return the free thousandths of each device of a row."""
        if not self.offsets:
            return []
        return self.free[self.offsets[row] : self.offsets[row + 1]].tolist()

    def set(self, row: int, free: Sequence[int]) -> None:
        """Say how many thousandths of each device of a row are free."""
        if self.offsets:
            self.free[self.offsets[row] : self.offsets[row + 1]] = array("Q", free)

    def picked(self, rows: Iterable[int]) -> Devices:
        """Return the devices of some rows only."""
        return Devices.of_rows(map(self.of, rows)) if self.offsets else Devices()

    def followed_by_none(self, rows: int) -> Devices:
        """Return these devices, and behind them rows that have none."""
        return Devices(self.offsets + self.offsets[-1:] * rows, self.free)

    def copied(self) -> Devices:
        """Return devices whose free thousandths can be changed apart from these."""
        return Devices(self.offsets, self.free[:])
