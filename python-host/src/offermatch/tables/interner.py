"""Attribute names and values as the numbers that cross to the component."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

__all__ = ["Interner"]


class Interner:
    """Numbers the attributes of one pool, and their values from 1 on; 0 is an unset value."""

    def __init__(self, attributes: Iterable[str]) -> None:
        """Fix the attributes; values are numbered as they come."""
        self.attributes: dict[str, int] = {name: number for number, name in enumerate(dict.fromkeys(attributes))}
        self._values: dict[str | None, int] = {None: 0, "": 0}

    def value(self, text: str) -> int:
        """Return the number of a value, a new one if it was never seen."""
        return self._values.setdefault(text, len(self._values) - 1)

    def column(self, texts: Sequence[str | None]) -> array[int]:
        """Return the numbers of a column of values."""
        for text in dict.fromkeys(texts):
            self._values.setdefault(text, len(self._values) - 1)
        return array("Q", map(self._values.__getitem__, texts))
