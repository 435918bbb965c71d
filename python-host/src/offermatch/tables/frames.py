"""Tables of other libraries as columns by name.

    dict of columns, pandas, polars, pyarrow, numpy records ──┐
    __arrow_c_stream__, __arrow_c_array__, __dataframe__ ─────┴──> {name: column}, or None for what is rows

Which library made a table is seen by the methods it has, so that none of them is imported for one that is not its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from os import PathLike
from typing import Any, Protocol, TypeAlias, runtime_checkable

from offermatch.errors import InputError
from offermatch.tables.most import check_batches
from offermatch.visible import shown_value

__all__ = ["ArrowStream", "Interchange", "Table", "columns_by_name"]


@runtime_checkable
class ArrowStream(Protocol):
    """A table that follows the Arrow PyCapsule interface: pandas, polars, pyarrow, DuckDB and others."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a stream of record batches."""


@runtime_checkable
class Interchange(Protocol):
    """A table that follows the dataframe interchange protocol."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        """Return the table."""


Table: TypeAlias = Iterable[Any] | ArrowStream | Interchange | str | PathLike[str]
"""Rows, a table in columns, or the path of a file; docs/python.md lists them."""


def columns_by_name(given: Any, source: str) -> dict[str, Any] | None:
    """Return the columns of a table by their names; None for what is no table but rows.

    A pandas index that has a name is a column.

    Args:
        given: A table, or rows.
        source: What it is called in errors.

    Raises:
        InputError: ``file-malformed`` for a column that stands twice or a table that cannot be read, ``extra-missing``
            where it takes a library that is not installed.
    """
    try:
        pairs = _pairs(given, source)
    except InputError:
        raise
    except Exception as error:
        kind = f"{type(given).__module__}.{type(given).__name__}"
        message = f"{kind} cannot be read as a table: {type(error).__name__}: {error}"
        raise InputError("file-malformed", message, "give a dictionary of columns", source) from error
    if pairs is None:
        return None
    columns: dict[str, Any] = {}
    for name, column in pairs:
        if not isinstance(name, str):
            hint = "name the columns by text, as frame.rename(columns=...) does"
            raise InputError("file-malformed", f"a column is called {shown_value(name)}", hint, source)
        if name in columns:
            raise InputError("file-malformed", f"the column {shown_value(name)} stands twice", "keep one", source)
        columns[name] = column
    return columns


def _pairs(given: Any, source: str) -> Iterable[tuple[Any, Any]] | None:
    library = type(given).__module__.partition(".")[0]
    if isinstance(given, Mapping):
        return given.items()
    if library == "pandas" and hasattr(given, "iloc") and hasattr(given, "columns"):
        return _of_pandas(given)
    if library == "polars":
        if hasattr(given, "collect") and not hasattr(given, "get_columns"):
            raise InputError("file-malformed", "a lazy frame has no rows yet", "give frame.collect()", source)
        if hasattr(given, "get_columns"):
            return [(column.name, column) for column in given.get_columns()]
    if hasattr(given, "column_names") and hasattr(given, "column") and hasattr(given, "num_rows"):
        return _of_table(given)
    if isinstance(given, (list, tuple)) and given and hasattr(given[0], "num_rows") and hasattr(given[0], "schema"):
        return _of_table(_pyarrow(type(given[0]).__name__).Table.from_batches(check_batches(given, source)))
    names = getattr(getattr(given, "dtype", None), "names", None)
    if names:
        return [(name, given[name]) for name in names]
    return _of_protocols(given, source)


def _of_pandas(frame: Any) -> list[tuple[Any, Any]]:
    named = [] if frame.columns.nlevels > 1 else [name for name in frame.index.names if isinstance(name, str)]
    index = [(name, frame.index.get_level_values(name)) for name in named if name not in frame.columns]
    return index + [(name, frame.iloc[:, at]) for at, name in enumerate(frame.columns)]


def _of_protocols(given: Any, source: str) -> Iterable[tuple[Any, Any]] | None:
    if getattr(given, "ndim", 2) == 1 or (hasattr(given, "to_pylist") and not _has_fields(given)):
        # A column of such a library has the same methods: it is a sequence of rows.
        return None
    stream, batch = hasattr(given, "__arrow_c_stream__"), hasattr(given, "__arrow_c_array__")
    if not (stream or batch or hasattr(given, "__dataframe__")):
        return None
    pyarrow = _pyarrow(type(given).__name__)
    if stream:
        read = pyarrow.RecordBatchReader.from_stream(given)
        table = pyarrow.Table.from_batches(check_batches(read, source), read.schema)
    elif batch:
        table = pyarrow.record_batch(given)
    else:
        table = pyarrow.interchange.from_dataframe(given)
    return _of_table(table)


def _of_table(table: Any) -> list[tuple[Any, Any]]:
    return [(name, table.column(at)) for at, name in enumerate(table.column_names)]


def _has_fields(given: Any) -> bool:
    """Return whether something of Arrow is a table, or a column of structs, which is the same."""
    return hasattr(given, "schema") or str(getattr(given, "type", "")).startswith("struct<")


def _pyarrow(kind: str) -> Any:
    try:
        import_module("pyarrow.interchange")
    except ImportError as error:
        message = f"pyarrow, which reads a {kind}, is not installed"
        raise InputError("extra-missing", message, "pip install 'offermatch[frames]'") from error
    return sys.modules["pyarrow"]
