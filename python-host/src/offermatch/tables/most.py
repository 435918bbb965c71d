"""How many rows a table may have, looked at before memory is spent on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sized
from itertools import islice
from typing import Any, TypeVar

from offermatch.errors import InputError
from offermatch.reading import SPLIT

__all__ = ["MOST_ROWS", "check_batches", "check_json", "check_rows", "listed_rows"]

MOST_ROWS = 2**24
"""Rows of a table, which is what the shipped matchers take."""

_One = TypeVar("_One")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def check_rows(rows: int, source: str) -> None:
    """Refuse a table of too many rows.

    Raises:
        InputError: ``too-many-rows``.
    """
    if rows > MOST_ROWS:
        raise InputError("too-many-rows", f"the table has more than {MOST_ROWS:,} rows", SPLIT, source)


def listed_rows(rows: Iterable[_One], source: str) -> list[_One]:
    """Return rows as a list; of those that do not end, no more are taken than a table may have.

    Raises:
        InputError: ``too-many-rows``.
    """
    if isinstance(rows, Sized):
        check_rows(len(rows), source)
        return list(rows)
    found = list(islice(rows, MOST_ROWS + 1))
    check_rows(len(found), source)
    return found


def check_batches(batches: Iterable[Any], source: str) -> Iterator[Any]:
    """Yield the batches of a stream for as long as they have no more rows than a table may have.

    Raises:
        InputError: ``too-many-rows``.
    """
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        check_rows(rows, source)
        yield batch


def check_json(text: str, source: str) -> None:
    """Refuse a text of too many rows before they are read: an array, or an object with one.

    Raises:
        InputError: ``too-many-rows``.
    """
    # Each row but the first has a comma before it, and most texts have fewer of them in all.
    if text.count(",") < MOST_ROWS:
        return
    # Rows stand one deep, or two deep in an object.
    wanted = 2 if text.lstrip().startswith("{") else 1
    depth, rows = 0, 1
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                depth += 1
            case "}" | "]":
                depth -= 1
                rows = 1 if depth < wanted else rows
            case "," if depth == wanted:
                rows += 1
                check_rows(rows, source)
