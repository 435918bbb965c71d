"""Rows, frames and mappings of columns to tables; rows that cannot be used are refused or left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from offermatch.errors import InputError
from offermatch.tables.bad import BadRows, check_rule, find_bad_rows, refusal
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.fields import groups_in, names_in, offers_in, tasks_in
from offermatch.tables.given import Given, GivenRows, given
from offermatch.tables.groups import clash, clashes
from offermatch.tables.plain import plain_offers, plain_tasks

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
    Where the rows are those of a file, ``convert`` makes a task of a row and its place.

    Raises:
        InputError: A row that cannot be used.
    """
    plain = plain_tasks(rows, source, units) if convert is None and name == "name" else None
    if plain is not None and (known is None or plain.demand.keys() <= set(known)):
        check_rule(bad_rows)
        return plain

    def build(found: Given) -> TaskColumns:
        table = tasks_in(_converted(found, convert), dimensions, units)
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
            rows[at]: clash(groups[at].name, rows[first], f"{found.source}, row {rows[at]} ({names[at]}), group")  # type: ignore[union-attr]
            for at, first in clashes(groups).items()
        }

    return _built(given(rows, source, name), build, bad_rows, at_odds)


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
    plain = plain_offers(rows, source, units) if convert is None and name == "name" else None
    if plain is not None:
        check_rule(bad_rows)
        return plain

    def build(found: Given) -> OfferColumns:
        return offers_in(_converted(found, convert), dimensions, units)

    return _built(given(rows, source, name), build, bad_rows)


def _converted(found: Given, convert: Callable[[Any, str], Any] | None) -> Given:
    return found.converted(convert) if convert is not None and isinstance(found, GivenRows) else found


def _built(
    found: Given,
    build: Callable[[Given], _Table],
    bad_rows: BadRows,
    at_odds: Callable[[Given, Sequence[int]], dict[int, InputError]] | None = None,
) -> _Table:
    check_rule(bad_rows)
    try:
        return build(found)
    except InputError as error:
        bad = find_bad_rows(
            len(found),
            found.source,
            lambda part: names_in(found.picked(part)),
            lambda part: build(found.picked(part)),
            None if at_odds is None else lambda part: at_odds(found, part),
        )
        if not bad:
            raise
        if bad_rows == "refuse":
            raise refusal(bad) from error
    left = {one.row for one in bad}
    good = [row for row in range(len(found)) if row not in left]
    table = build(found.picked(good))
    table.numbers, table.left_out = good, bad
    return table
