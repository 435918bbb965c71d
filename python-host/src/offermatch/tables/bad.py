"""Rows that cannot be used: all of them are found, and refused together or left out.

A table is built whole. Only where that fails is it halved until every half either can be used or is one bad row, so a
table without a bad row costs nothing, and one with few of them little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from offermatch.errors import InputError
from offermatch.visible import called, shown_value

__all__ = ["BAD_ROWS", "BadRow", "BadRows", "Rows", "check_rule", "duplicate", "find_bad_rows", "nameless", "refusal"]

_Row = TypeVar("_Row")

BadRows = Literal["refuse", "leave-out"]
"""What happens to rows that cannot be used: the call is refused, or they are left out and the others placed."""

BAD_ROWS: tuple[BadRows, ...] = ("refuse", "leave-out")

_SHOWN = 10
"""Bad rows that an error names; it counts the others."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used.

    Attributes:
        table: What the table is called: ``tasks``, ``offers``, or the path of the file.
        row: The row in the table as it was given.
        name: Its name; empty where it has none.
        error: Why.
    """

    table: str
    row: int
    name: str
    error: InputError


@dataclass(slots=True)
class Rows(Generic[_Row]):
    """Rows that were read, which need not be one for each row of the file, and those of the file that cannot be used.

    Attributes:
        source: The path of the file.
        rows: The rows.
        numbers: The row of the file that each was read from.
        bad: Those that cannot be used, in no order.
    """

    source: str
    rows: list[_Row] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    def add(self, row: _Row, number: int) -> None:
        """Add a row that was read from this one of the file."""
        self.rows.append(row)
        self.numbers.append(number)

    @contextmanager
    def reading(self, number: int, name: str) -> Iterator[None]:
        """Take what a block cannot use for a bad row of the file."""
        try:
            yield
        except InputError as error:
            self.bad.append(BadRow(self.source, number, name, error))

    def refuse(self) -> None:
        """Refuse the file where some of its rows cannot be used.

        Raises:
            InputError: That of the first one, see ``refusal``.
        """
        if self.bad:
            raise refusal(self.with_others([]))

    def in_file(self, rows: Sequence[int] | None) -> list[int]:
        """Return the rows of the file that some of these rows were read from; of all of them where it is None."""
        return self.numbers if rows is None else [self.numbers[row] for row in rows]

    def with_others(self, others: Sequence[BadRow]) -> list[BadRow]:
        """Return all rows of the file that cannot be used, rising: those of its rows that could be read, too."""
        return sorted([*self.bad, *others], key=lambda bad: bad.row)


def check_rule(rule: str) -> None:
    """Refuse a rule about bad rows that there is not.

    Raises:
        InputError: ``setting-malformed``.
    """
    if rule not in BAD_ROWS:
        raise InputError(
            "setting-malformed", f"{shown_value(rule)} is not a rule", "use one of " + ", ".join(BAD_ROWS), "bad_rows"
        )


def find_bad_rows(
    rows: int,
    source: str,
    names: Callable[[Sequence[int]], Sequence[str]],
    build: Callable[[Sequence[int]], object],
    at_odds: Callable[[Sequence[int]], Mapping[int, InputError]] | None = None,
    numbers: Sequence[int] | None = None,
) -> dict[int, BadRow]:
    """Return the rows that cannot be used, rising; none where what is wrong is wrong with the table.

    Args:
        rows: How many rows there are.
        source: What the table is called in errors.
        names: Returns the names of some rows.
        build: Builds the table of some rows only, in whose errors the first of them is row 0.
        at_odds: Returns those of some rows, each fine on its own, that are at odds with rows before them.
        numbers: What each row is called in errors, where that is not its place in the table.
    """
    numbers = range(rows) if numbers is None else numbers
    bad: dict[int, InputError] = {}
    waiting: list[Sequence[int]] = [range(rows)] if rows else []
    while waiting:
        part = waiting.pop()
        try:
            build(part)
        except InputError as error:
            if len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
            elif error.place.startswith(f"{source}, row 0"):
                bad[part[0]] = _moved(error, source, numbers[part[0]])
            else:
                return {}
    # Names are one of a kind in the whole table, so each part may be fine on its own.
    good = [row for row in range(rows) if row not in bad]
    first: dict[str, int] = {}
    for row, name in zip(good, names(good), strict=True):
        if first.setdefault(name, row) != row:
            bad[row] = duplicate(name, source, numbers[row], numbers[first[name]])
    if at_odds is not None:
        bad.update(at_odds([row for row in range(rows) if row not in bad]))
    return {row: BadRow(source, numbers[row], _name(row, names), bad[row]) for row in sorted(bad)}


def nameless(place: str) -> InputError:
    """Return the error of a row without a name, which should stand there."""
    return InputError("missing-column", "the name is missing", "every task and every offer needs a name", place)


def duplicate(name: str, source: str, row: int, first: int) -> InputError:
    """Return the error of a row that has the name of an earlier one."""
    hint = "names tell rows apart: give each its own"
    return InputError(
        "duplicate-name", f"the name of row {first} again", hint, called(f"{source}, row {row}", name) + ", name"
    )


def refusal(bad: Sequence[BadRow]) -> InputError:
    """Return the error of the first bad row, which names the others and says how many there are."""
    error = bad[0].error
    if len(bad) == 1:
        return error
    others = "; ".join(other.error.line for other in bad[1:_SHOWN])
    more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    message = f"{error.message}. {len(bad)} rows cannot be used: this one; {others}{more}"
    return InputError(error.code, message, error.hint, error.place)


def _name(row: int, names: Callable[[Sequence[int]], Sequence[str]]) -> str:
    name = names([row])[0]
    return name if isinstance(name, str) else ""


def _moved(error: InputError, source: str, row: int) -> InputError:
    place = f"{source}, row {row}" + error.place.removeprefix(f"{source}, row 0")
    return InputError(error.code, error.message, error.hint, place)
