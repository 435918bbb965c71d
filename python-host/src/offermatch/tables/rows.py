"""Rows, frames and mappings of columns to tables; rows that cannot be used are refused or left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from offermatch.errors import InputError
from offermatch.tables.bad import BadRows, Rows, check_rule, find_bad_rows, refusal
from offermatch.tables.fields import groups_in, names_in, offers_in, tasks_in
from offermatch.tables.given import Given, GivenRows, given
from offermatch.tables.groups import clash, clashes
from offermatch.tables.offers import OfferColumns
from offermatch.tables.plain import plain_offers, plain_tasks
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import called

__all__ = ["offers_of_rows", "tasks_of_rows"]

_Table = TypeVar("_Table", TaskColumns, OfferColumns)


def tasks_of_rows(
    rows: Any,
    dimensions: Sequence[str] | None = None,
    source: str = "tasks",
    *,
    name: str = "name",
    bad_rows: BadRows = "refuse",
    known: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    convert: Callable[[Any, str], Any] | None = None,
) -> TaskColumns:
    """Return tasks as a table.

    The arguments are those of ``task_columns`` in ``offermatch.tables.input``, of which this is the part that reads rows.
    Where the rows are those of a file, ``convert`` makes a task of a row and its place; ``Rows`` know what was not read.

    Raises:
        InputError: A row that cannot be used.
    """
    rows, read = _left(rows, bad_rows)
    plain = plain_tasks(rows, source, units) if convert is None and name == "name" else None
    if plain is not None and (known is None or plain.demand.keys() <= set(known)):
        check_rule(bad_rows)
        return _with_left_out(plain, read)

    named: dict[str, None] = {}

    def build(found: Given) -> TaskColumns:
        table = tasks_in(_converted(found, convert), dimensions, units)
        named.update(dict.fromkeys(table.demand))
        if known is not None:
            table.aligned(known)
        return table

    def at_odds(found: Given, rows: Sequence[int]) -> dict[int, InputError]:
        part = _converted(found.picked(rows), convert)
        names = names_in(part)
        groups = groups_in(part, names)
        if groups is None:
            return {}
        return {
            rows[at]: clash(groups[at].name, rows[first], called(f"{found.source}, row {rows[at]}", names[at]) + ", group")  # type: ignore[union-attr]
            for at, first in clashes(groups).items()
        }

    table = _built(given(rows, source, name), build, bad_rows, at_odds, read)
    table.named = named if table.left_out else ()
    return table


def offers_of_rows(
    rows: Any,
    dimensions: Sequence[str] | None = None,
    source: str = "offers",
    *,
    name: str = "name",
    bad_rows: BadRows = "refuse",
    units: Mapping[str, str] | None = None,
    convert: Callable[[Any, str], Any] | None = None,
) -> OfferColumns:
    """Return offers as a table. The arguments and errors are those of ``tasks_of_rows``."""
    rows, read = _left(rows, bad_rows)
    plain = plain_offers(rows, source, units) if convert is None and name == "name" else None
    if plain is not None:
        check_rule(bad_rows)
        return _with_left_out(plain, read)

    def build(found: Given) -> OfferColumns:
        return offers_in(_converted(found, convert), dimensions, units)

    return _built(given(rows, source, name), build, bad_rows, read=read)


def _converted(found: Given, convert: Callable[[Any, str], Any] | None) -> Given:
    return found.converted(convert) if convert is not None and isinstance(found, GivenRows) else found


def _left(rows: Any, bad_rows: BadRows) -> tuple[Any, Rows[Any] | None]:
    """Return the rows that are left of those read from a file, and these where some of the file are left out.

    Raises:
        InputError: Some cannot be used, and are refused.
    """
    if not isinstance(rows, Rows):
        return rows, None
    if bad_rows == "refuse":
        rows.refuse()
        return rows.rows, None
    return rows.rows, rows


def _built(
    found: Given,
    build: Callable[[Given], _Table],
    bad_rows: BadRows,
    at_odds: Callable[[Given, Sequence[int]], dict[int, InputError]] | None = None,
    read: Rows[Any] | None = None,
) -> _Table:
    check_rule(bad_rows)
    try:
        return _with_left_out(build(found), read)
    except InputError as error:
        bad = find_bad_rows(
            len(found),
            found.source,
            lambda part: names_in(found.picked(part)),
            lambda part: build(found.picked(part)),
            None if at_odds is None else lambda part: at_odds(found, part),
            None if read is None else read.numbers,
        )
        if not bad:
            raise
        if bad_rows == "refuse":
            raise refusal(list(bad.values())) from error
    good = [row for row in range(len(found)) if row not in bad]
    table = build(found.picked(good))
    table.numbers, table.left_out = good, list(bad.values())
    return _with_left_out(table, read)


def _with_left_out(table: _Table, read: Rows[Any] | None) -> _Table:
    """Return a table whose rows have their numbers in the file, with what was left out there."""
    if read is None:
        return table
    table.numbers = read.in_file(table.numbers)
    table.left_out = read.with_others(table.left_out)
    return table
