"""Tasks and offers as users give them, to columns.

dataclasses, objects ─────────────┐
mappings, database rows ──────────┼──> given() ──> fields ──> TaskColumns, OfferColumns
frames, Arrow tables, dicts ──────┤
files ──> rows or columns ────────┘
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from offermatch.errors import InputError
from offermatch.tables.bad import BadRows
from offermatch.tables.offers import OfferColumns
from offermatch.tables.rows import offers_of_rows, tasks_of_rows
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import shown_value

__all__ = ["offer_columns", "task_columns"]


def task_columns(
    rows: Any,
    dimensions: Sequence[str] | None = None,
    source: str = "tasks",
    *,
    name: str = "name",
    bad_rows: BadRows = "refuse",
    known: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
) -> TaskColumns:
    """Return tasks as a table.

    Args:
        rows: A table already, the path of a file, or anything else that docs/python.md lists.
        dimensions: The dimensions to read. With them, rows without ``demand`` are flat: each dimension
            is a field of the row.
        source: What the table is called in errors.
        name: The field that has the names.
        bad_rows: What happens to rows that cannot be used.
        known: The dimensions that a task may name; all where not given.
        units: What the numbers of a dimension are in; a table has its own.

    Raises:
        InputError: A row that cannot be used.
    """
    _check_fields(dimensions, name)
    if isinstance(rows, TaskColumns):
        return rows
    if isinstance(rows, (str, PathLike)):
        from offermatch.formats.files import read_tasks  # noqa: PLC0415 - few programs read files

        return read_tasks(Path(rows), units=units, bad_rows=bad_rows, known=known)
    return tasks_of_rows(rows, dimensions, source, name=name, bad_rows=bad_rows, known=known, units=units)


def offer_columns(
    rows: Any,
    dimensions: Sequence[str] | None = None,
    source: str = "offers",
    *,
    name: str = "name",
    bad_rows: BadRows = "refuse",
    units: Mapping[str, str] | None = None,
) -> OfferColumns:
    """Return offers as a table. The arguments and errors are those of ``task_columns``."""
    _check_fields(dimensions, name)
    if isinstance(rows, OfferColumns):
        return rows
    if isinstance(rows, (str, PathLike)):
        from offermatch.formats.files import read_offers  # noqa: PLC0415 - few programs read files

        return read_offers(Path(rows), units=units, bad_rows=bad_rows)
    return offers_of_rows(rows, dimensions, source, name=name, bad_rows=bad_rows, units=units)


def _check_fields(dimensions: object, name: object) -> None:
    if not isinstance(name, str):
        hint = 'say which field has the names, such as name="task_id"'
        raise InputError("setting-malformed", f"{shown_value(name)} is no field", hint, "name")
    if dimensions is None:
        return
    hint = 'give a list or a tuple of names, each once, such as ("cpu", "memory")'
    # A look at the abstract class costs more than the rest.
    listed = type(dimensions) is tuple or (isinstance(dimensions, Sequence) and not isinstance(dimensions, (str, bytes)))
    names: Any = dimensions
    if not listed or not all(isinstance(one, str) for one in names):
        raise InputError("setting-malformed", f"{shown_value(dimensions)} are no dimensions", hint, "dimensions")
    if len(set(names)) < len(names):
        raise InputError("setting-malformed", f"{shown_value(dimensions)} has a dimension twice", hint, "dimensions")
