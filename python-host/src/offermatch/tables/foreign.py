"""A column of any library as a list or a numpy array, in which no value is missing.

pandas, polars, pyarrow, numpy's masked arrays ──(nulls are named, dates and durations refused)──> list or array
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from offermatch.errors import InputError
from offermatch.quantity import Unit, parse

__all__ = ["check_column", "without_nulls"]

_NUMBERS = {"float", "double", "halffloat"}
"""What Arrow calls its floats."""


def check_column(column: Any, place: str) -> None:
    """Refuse what has values but no order of rows, or is one value.

    Raises:
        InputError: ``column-length``.
    """
    strange = isinstance(column, (str, bytes, Mapping, set, frozenset))
    if strange or not (hasattr(column, "__iter__") or hasattr(column, "__getitem__") or hasattr(column, "__array__")):
        shown = repr(column) if len(repr(column)) <= 60 else f"a {type(column).__name__}"
        hint = "a column is a list, an array or a series, one value a row"
        raise InputError("column-length", f"{shown} is no column", hint, place)


def without_nulls(column: Any, place: Callable[[int], str], unit: Unit) -> Any:
    """Return a column as a list, a numpy array or something with the buffer protocol.

    Args:
        column: A column of any library.
        place: Says where a row stands, for errors.
        unit: What the numbers are in, for errors.

    Raises:
        InputError: A null, or a type of which no number can be had.
    """
    try:
        row, values = _read(column)
    except Exception as error:
        kind = f"{type(column).__module__.partition('.')[0]}.{type(column).__name__}"
        message = f"the values of a {kind} of {getattr(column, 'dtype', getattr(column, 'type', 'no type'))} cannot be read"
        raise InputError("quantity-malformed", message, "give a column of numbers or of text", place(0)) from error
    if row is not None:
        parse(None, place(row), unit)
    return values


def _read(column: Any) -> tuple[int | None, Any]:
    """Return the row of the first null, or None and the values."""
    library = type(column).__module__.partition(".")[0]
    if library == "pandas":
        return _of_mask(column.isna(), column)
    if library == "polars":
        if column.null_count():
            return int(column.is_null().arg_true()[0]), None
        kind = str(column.dtype)
        primitive = kind.startswith(("Int", "UInt", "Float")) and not kind.endswith("128")
        return None, column.to_numpy() if primitive else column.to_list()
    if library == "pyarrow":
        if column.null_count:
            return column.to_pylist().index(None), None
        kind = str(column.type)
        if kind.startswith(("int", "uint")) or kind in _NUMBERS:
            return None, column.to_numpy(zero_copy_only=False)
        return None, column.to_pylist()
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(column, numpy.ma.MaskedArray):
        mask = numpy.ma.getmaskarray(column).ravel()
        return (int(mask.argmax()), None) if mask.any() else (None, column.data)
    return None, column


def _of_mask(mask: Any, column: Any) -> tuple[int | None, Any]:
    mask = getattr(mask, "to_numpy", lambda: mask)()
    return (int(mask.argmax()), None) if mask.any() else (None, column.to_numpy())
