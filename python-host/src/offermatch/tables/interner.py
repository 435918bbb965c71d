"""Attribute names and values as the numbers that cross to the component."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import cast

__all__ = ["Interner"]


class Interner:
    """Numbers the attributes of one pool, and their values from 1 on; 0 is an unset value.

    A value that no offer has any more gives its number to the next one, so that a pool that lives for long holds no more
    values than its offers have.
    """

    def __init__(self, attributes: Iterable[str]) -> None:
        """Fix the attributes; values are numbered as they come."""
        self.attributes: dict[str, int] = {name: number for number, name in enumerate(dict.fromkeys(attributes))}
        self._values: dict[str | None, int] = {None: 0, "": 0}
        self._texts: list[str | None] = [None]
        self._free: list[int] = []
        self._uses: Counter[int] | None = None

    def value(self, text: str) -> int | None:
        """Return the number of a value; None where no offer has it."""
        return self._values.get(text)

    def text(self, number: int) -> str | None:
        """Return the value of a number."""
        return self._texts[number]

    def column(self, texts: Sequence[str | None]) -> array[int]:
        """Return the numbers of a column of values, new ones for those that were never seen."""
        for text in dict.fromkeys(texts):
            if text not in self._values:
                self._values[text] = self._number(text)
        return array("Q", map(self._values.__getitem__, texts))

    def _number(self, text: str | None) -> int:
        if self._free:
            number = self._free.pop()
            self._texts[number] = text
            return number
        self._texts.append(text)
        return len(self._texts) - 1

    @property
    def held(self) -> int:
        """How many values are held."""
        return len(self._texts)

    def count(self, columns: Sequence[array[int]]) -> None:
        """Count how often each value is used, unless it is known: one column an attribute, before the first update."""
        if self._uses is None:
            self._uses = Counter()
            for column in columns:
                self._uses.update(column)

    def replaced(self, left: Sequence[array[int]], changed: Sequence[array[int]], added: Sequence[array[int]]) -> None:
        """Follow an update: rows gave up some values for others, and rows were added.

        Args:
            left: The values that the changed rows held before, one column an attribute.
            changed: Those that they hold now.
            added: The values of new rows.
        """
        self.count(())
        uses = cast("Counter[int]", self._uses)
        # Mostly quantities change, and attributes stay.
        replaced = [(before, now) for before, now in zip(left, changed, strict=True) if before != now]
        for column in (*(now for _, now in replaced), *filter(None, added)):
            uses.update(column)
        for values, _ in replaced:
            uses.subtract(values)
            for number in values:
                text = self._texts[number]
                if text is not None and uses[number] == 0:
                    del uses[number], self._values[text]
                    self._texts[number] = None
                    self._free.append(number)
