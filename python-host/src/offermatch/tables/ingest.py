"""Columns of any library as exact integer arrays.

    list, tuple, iterable ──> exact()
    buffer protocol ────────> one copy in C
    to_numpy() ─────────────> numpy, then one copy in C

The fast checks look at a whole column at once; only a column that fails them is walked value by value, to name the
culprit.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from offermatch.errors import InputError
from offermatch.quantity import NULLS, parse
from offermatch.tables.foreign import check_column, without_nulls

__all__ = ["Place", "exact", "integers", "kinds", "texts"]

Place = Callable[[int], str]
"""Says where the value of a row stands."""


def kinds(values: Iterable[Any]) -> set[type]:
    """Return the types of the values."""
    # Runs of one type are grouped in C; a set that is asked about each value takes half as long again.
    return {kind for kind, _ in groupby(values, type)}


# CPython fills an array of C's long more than twice as fast as one of long long with numbers from 2**30 on.
_FAST = "L" if array("L").itemsize == 8 else "Q"


def _words(values: Iterable[int]) -> array[int]:
    """Return integers as 64-bit words.

    Raises:
        OverflowError: One of them is negative or too large.
    """
    column = array(_FAST, values)
    if _FAST != "Q":
        words = array("Q")
        words.frombytes(memoryview(column).cast("B"))
        return words
    return column


def exact(values: Sequence[Any], place: Place) -> array[int]:
    """Return Python values as an array of quantities.

    Raises:
        InputError: The first value that is no quantity, with its row.
    """
    if kinds(values) <= {int}:
        try:
            return _words(values)
        except OverflowError:
            pass
    known: dict[str, int] = {}
    column = array("Q")
    for row, value in enumerate(values):
        if type(value) is int and 0 <= value < 2**64:
            column.append(value)
        elif type(value) is str:
            number = known.get(value)
            if number is None:
                number = known[value] = parse(value, place(row))
            column.append(number)
        else:
            column.append(parse(value, place(row)))
    return column


def integers(column: Any, place: Place) -> array[int]:
    """Return a column of any library as an array of quantities.

    Args:
        column: A list, anything with the buffer protocol, or with ``to_numpy()``.
        place: Says where a row stands, for errors.

    Raises:
        InputError: A value that is no quantity, or a column with more than one axis.
    """
    if isinstance(column, array) and column.typecode == "Q":
        return column
    if isinstance(column, (list, tuple)):
        return exact(column, place)
    check_column(column, place(0))
    column = without_nulls(column, place)
    if isinstance(column, list):
        return exact(column, place)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(column, numpy.ndarray):
        return _from_numpy(numpy, column, place)
    try:
        view = memoryview(column)
    except TypeError:
        return exact(list(column), place)
    return _from_view(view, place)


def _from_view(view: memoryview, place: Place) -> array[int]:
    _one_axis(view.ndim, place)
    if view.itemsize == 8 and view.format.lstrip("@=") in ("Q", "L") and view.c_contiguous:
        column = array("Q")
        column.frombytes(view.cast("B"))
        return column
    try:
        return exact(view.tolist(), place)
    except NotImplementedError as error:
        raise InputError(
            "quantity-malformed",
            f"values of the format {view.format!r} cannot be read",
            "give the column as integers in this machine's byte order",
            place(0),
        ) from error


def _from_numpy(numpy: Any, values: Any, place: Place) -> array[int]:
    _one_axis(values.ndim, place)
    if values.dtype.kind in "mM":
        hint = "give numbers of a unit"
        raise InputError("quantity-malformed", f"a column of {values.dtype} has no quantities", hint, place(0))
    wrong: Any = None
    if values.dtype.kind == "i":
        wrong = values < 0
    elif values.dtype.kind == "f":
        wrong = ~((values >= 0) & (values < 2.0**64) & (values == numpy.floor(values)))
    elif values.dtype.kind != "u":
        return exact(values.tolist(), place)
    if wrong is not None and wrong.any():
        row = int(wrong.argmax())
        parse(values[row].item(), place(row))
    column = array("Q")
    column.frombytes(numpy.ascontiguousarray(values, dtype=numpy.uint64).data.cast("B"))
    return column


def _one_axis(axes: int, place: Place) -> None:
    if axes != 1:
        raise InputError("column-length", f"a column has one axis, this one has {axes}", "give one column each", place(0))


def texts(column: Any) -> list[Any]:
    """Return a column of text as a list, what is missing as None.

    Raises:
        InputError: ``column-length`` for what is no column.
    """
    if isinstance(column, list):
        values = column
    else:
        check_column(column, "")
        convert = next((m for m in ("to_pylist", "to_list", "tolist") if hasattr(column, m)), None)
        try:
            values = getattr(column, convert)() if convert else list(column)
        except Exception as error:
            message = f"the values of a {type(column).__name__} cannot be read: {error}"
            raise InputError("file-malformed", message, "give a list of text") from error
    if not any(issubclass(kind, float) or kind.__name__ in NULLS for kind in kinds(values) - {type(None)}):
        return values
    return [None if _missing(value) else value for value in values]


def _missing(value: Any) -> bool:
    return value is None or type(value).__name__ in NULLS or (isinstance(value, float) and math.isnan(value))
