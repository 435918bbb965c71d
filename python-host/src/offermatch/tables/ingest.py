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
from offermatch.quantity import COUNT, MAXIMUM, NULLS, Unit, parse
from offermatch.tables.foreign import check_column, without_nulls

__all__ = ["Place", "at_once", "columns_of", "exact", "integers", "kinds", "texts", "words"]

Place = Callable[[int], str]
"""Says where the value of a row stands."""


def kinds(values: Iterable[Any]) -> set[type]:
    """Return the types of the values."""
    # Runs of one type are grouped in C; a set that is asked about each value takes half as long again.
    return {kind for kind, _ in groupby(values, type)}


def columns_of(mappings: Sequence[Any]) -> dict[str, list[Any]] | None:
    """Return one column a key where all of some mappings have the same keys; None where they have not."""
    try:
        columns = {name: [mapping[name] for mapping in mappings] for name in tuple(mappings[0])}
        return columns if [*map(len, mappings)].count(len(columns)) == len(mappings) else None
    except Exception:  # noqa: BLE001 - keys that differ, or no mappings at all, which may raise anything
        return None


# CPython fills an array of C's long more than twice as fast as one of long long with numbers from 2**30 on.
_FAST = "L" if array("L").itemsize == 8 else "Q"


def words(values: Sequence[int]) -> array[int]:
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


def exact(values: Sequence[Any], place: Place, unit: Unit = COUNT) -> array[int]:
    """Return Python values as an array of quantities in the smallest unit.

    Raises:
        InputError: The first value that is no quantity, with its row.
    """
    bare = unit.bare
    found = at_once(values, bare)
    if found is not None:
        return found
    known: dict[str, int] = {}
    most = MAXIMUM // bare
    column = array("Q")
    for row, value in enumerate(values):
        kind = type(value)
        if kind is int and 0 <= value <= most:
            column.append(value * bare)
        elif kind is str:
            number = known.get(value)
            if number is None:
                number = known[value] = parse(value, place(row), unit)
            column.append(number)
        else:
            number = _float(value, bare) if kind is float else None
            column.append(parse(value, place(row), unit) if number is None else number)
    return column


# Up to here a number of thousandths has fewer digits than a double tells apart.
_SURE = 10**15


def at_once(values: Sequence[Any], bare: int) -> array[int] | None:
    """Return numbers in the smallest unit; None where there is another value, or one that has to be looked at by itself."""
    types = kinds(values)
    if not types <= {int, float}:
        return None
    try:
        if float not in types:
            return words(values if bare == 1 else [value * bare for value in values])
        if bare == 1000:
            thousandths = [round(value * 1000) for value in values]
            if max(thousandths) < _SURE and [number / 1000 for number in thousandths] == list(values):
                return words(thousandths)
            return None
        whole = [int(value) for value in values]
        return words([value * bare for value in whole]) if whole == list(values) else None
    except (OverflowError, ValueError):
        # One is negative, too large, or no number.
        return None


def _float(value: float, bare: int) -> int | None:
    """Return what a double is in the smallest unit; None where its text has to be looked at."""
    if value.is_integer() and 0 <= value <= MAXIMUM // bare:
        whole = int(value) * bare
        return whole if whole <= MAXIMUM else None
    if bare == 1000 and 0 < value < _SURE / 1000:
        thousandths = round(value * 1000)
        return thousandths if thousandths / 1000 == value else None
    return None


def integers(column: Any, place: Place, unit: Unit = COUNT) -> array[int]:
    """Return a column of any library as an array of quantities in the smallest unit.

    Args:
        column: A list, anything with the buffer protocol, or with ``to_numpy()``.
        place: Says where a row stands, for errors.
        unit: What its bare numbers are in.

    Raises:
        InputError: A value that is no quantity, or a column with more than one axis.
    """
    if isinstance(column, array) and column.typecode == "Q":
        return _multiplied(column, place, unit)
    if isinstance(column, (list, tuple)):
        return exact(column, place, unit)
    check_column(column, place(0))
    column = without_nulls(column, place, unit)
    if isinstance(column, list):
        return exact(column, place, unit)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(column, numpy.ndarray):
        return _from_numpy(numpy, column, place, unit)
    try:
        view = memoryview(column)
    except TypeError:
        return exact(list(column), place, unit)
    return _from_view(view, place, unit)


def _multiplied(column: array[int], place: Place, unit: Unit) -> array[int]:
    """Return 64-bit words in a unit as words in the smallest one."""
    if unit.bare == 1:
        return column
    return exact(column, place, unit)


def _from_view(view: memoryview, place: Place, unit: Unit) -> array[int]:
    _one_axis(view.ndim, place)
    if view.itemsize == 8 and view.format.lstrip("@=") in ("Q", "L") and view.c_contiguous:
        column = array("Q")
        column.frombytes(view.cast("B"))
        return _multiplied(column, place, unit)
    try:
        return exact(view.tolist(), place, unit)
    except NotImplementedError as error:
        raise InputError(
            "quantity-malformed",
            f"values of the format {view.format!r} cannot be read",
            "give the column as integers in this machine's byte order",
            place(0),
        ) from error


def _from_numpy(numpy: Any, values: Any, place: Place, unit: Unit) -> array[int]:
    _one_axis(values.ndim, place)
    if values.dtype.kind in "mM":
        hint = "give numbers of a unit"
        raise InputError("quantity-malformed", f"a column of {values.dtype} has no quantities", hint, place(0))
    kind, most = values.dtype.kind, MAXIMUM // unit.bare
    if kind == "f":
        return _from_floats(numpy, values, place, unit)
    if kind not in "iu":
        return exact(values.tolist(), place, unit)
    wrong = (values < 0) | (values > most) if kind == "i" else values > most
    if (unit.bare > 1 or kind == "i") and wrong.any():
        row = int(wrong.argmax())
        parse(values[row].item(), place(row), unit)
    return _words_of(numpy, values.astype(numpy.uint64, copy=False), unit.bare)


def _from_floats(numpy: Any, values: Any, place: Place, unit: Unit) -> array[int]:
    """Return floats as quantities; each that is neither whole nor surely so many thousandths is read by its text."""
    sure = _SURE if values.dtype.itemsize >= 8 else 10**6 if values.dtype.itemsize == 4 else 1000
    with numpy.errstate(invalid="ignore", over="ignore"):
        wide = values.astype(numpy.float64)
        whole = (wide >= 0) & (wide < float(MAXIMUM // unit.bare)) & (wide == numpy.floor(wide))
        if whole.all():
            return _words_of(numpy, wide.astype(numpy.uint64), unit.bare)
        if unit.bare == 1000:
            thousandths = numpy.rint(wide * 1000)
            near = (thousandths / 1000).astype(values.dtype) == values
            if ((wide >= 0) & (thousandths < sure) & near).all():
                return _words_of(numpy, thousandths.astype(numpy.uint64), 1)
    column = array("Q")
    for row, value in enumerate(values):
        column.append(parse(value, place(row), unit))
    return column


def _words_of(numpy: Any, values: Any, factor: int) -> array[int]:
    if factor != 1:
        values = values * numpy.uint64(factor)
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
            values = list(getattr(column, convert)() if convert else column)
        except Exception as error:
            message = f"the values of a {type(column).__name__} cannot be read: {error}"
            raise InputError("file-malformed", message, "give a list of text") from error
    if not any(issubclass(kind, float) or kind.__name__ in NULLS for kind in kinds(values) - {type(None)}):
        return values
    return [None if _missing(value) else value for value in values]


def _missing(value: Any) -> bool:
    return value is None or type(value).__name__ in NULLS or (isinstance(value, float) and math.isnan(value))
