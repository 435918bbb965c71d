"""Rows that cannot be used: all of them are found, and refused together or left out.

A table is built whole. Only where that fails is it halved until every half either can be used or is one bad row, so a
table without a bad row costs nothing, and one with few of them little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from offermatch.errors import InputError

__all__ = ["BAD_ROWS", "BadRow", "BadRows", "check_rule", "find_bad_rows", "refusal"]

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


def check_rule(rule: str) -> None:
    """Refuse a rule about bad rows that there is not.

    Raises:
        InputError: ``setting-malformed``.
    """
    if rule not in BAD_ROWS:
        raise InputError("setting-malformed", f"{rule!r} is not a rule", "use one of " + ", ".join(BAD_ROWS), "bad_rows")


def find_bad_rows(
    rows: int,
    source: str,
    names: Callable[[Sequence[int]], Sequence[str]],
    build: Callable[[Sequence[int]], object],
    at_odds: Callable[[Sequence[int]], Mapping[int, InputError]] | None = None,
) -> list[BadRow]:
    """Return the rows that cannot be used, rising; none where what is wrong is wrong with the table.

    Args:
        rows: How many rows there are.
        source: What the table is called in errors.
        names: Returns the names of some rows.
        build: Builds the table of some rows only, in whose errors the first of them is row 0.
        at_odds: Returns those of some rows, each fine on its own, that are at odds with rows before them.
    """
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
                bad[part[0]] = _moved(error, source, part[0])
            else:
                return []
    # Names are one of a kind in the whole table, so each part may be fine on its own.
    good = [row for row in range(rows) if row not in bad]
    first: dict[str, int] = {}
    for row, name in zip(good, names(good), strict=True):
        if first.setdefault(name, row) != row:
            message = f"{name!r} is also the name of row {first[name]}"
            hint = "give each row a name of its own"
            bad[row] = InputError("duplicate-name", message, hint, f"{source}, row {row}, name")
    if at_odds is not None:
        bad.update(at_odds([row for row in range(rows) if row not in bad]))
    return [BadRow(source, row, _name(row, names), bad[row]) for row in sorted(bad)]


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
