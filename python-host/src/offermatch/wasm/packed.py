"""The packed crossing: a column as one string of digits, through the contract's interface `packed`.

wasmtime-py hands a string over in one piece, so a column costs what its bytes cost: about 0.3 ms a megabyte instead of 30 to
70 ns a number. Digits are hexadecimal because a string must be UTF-8, and because Python writes and reads them in C.

Values are handed to another crossing, bulk or public, to be called with; it also serves what `packed` does not have.
"""

from __future__ import annotations

import sys
from array import array
from binascii import hexlify, unhexlify
from collections.abc import Sequence
from typing import Any

from wasmtime import Store
from wasmtime.component import Func

from offermatch.model import Timings
from offermatch.wasm.crossing import U32, Crossing, Matrix, Stage, Table, Text

__all__ = ["PackedCrossing"]

# The typecodes of the columns that come back.
_ANSWER = {"tasks": "I", "offers": "I", "scores": "d"}


class PackedCrossing:
    """Sends tables as strings."""

    name = "packed"

    def __init__(self, inner: Crossing) -> None:
        """Call through another crossing."""
        self.inner = inner

    def call(self, store: Store, func: Func, params: Sequence[Any], timings: Timings) -> Any:
        """Call a function of the interface `packed`.

        Raises:
            WasmtimeError: The component trapped, or the types differ.
            ValueError: A column that comes back is not made of digits.
        """
        with Stage(timings, "lower"):
            values = [_packed(param) if isinstance(param, Table) else param for param in params]
        found = self.inner.call(store, func, values, timings)
        if isinstance(found, dict):
            with Stage(timings, "lift"):
                return {name: _numbers(found[name], typecode) for name, typecode in _ANSWER.items()}
        return found


def _packed(table: Table) -> dict[str, Any]:
    return {"rows": U32(table.rows), **{name: Text(_digits(matrix)) for name, matrix in table.columns.items()}}


def _digits(matrix: Matrix) -> bytes:
    """Return the numbers of a matrix row by row; a boolean is written as a u32."""
    width = len(matrix.columns)
    if not width or not matrix.columns[0]:
        return b""
    flat = matrix.columns[0]
    if width > 1:
        flat = array(flat.typecode, (0,)) * (width * len(flat))
        for at, column in enumerate(matrix.columns):
            flat[at::width] = column
    if matrix.kind in ("u64", "f64"):
        return hexlify(_swapped(flat))
    # The low halves of 64-bit words, without a Python loop: that they fit was checked when the column was built.
    halves = memoryview(_swapped(flat)).cast("B").cast("I")[::2]
    return hexlify(halves.tobytes())


def _numbers(digits: str, typecode: str) -> array[Any]:
    column = array(typecode)
    column.frombytes(unhexlify(digits))
    return _swapped(column)


def _swapped(column: array[Any]) -> array[Any]:
    """Return a column with its numbers little-endian in memory, or back."""
    if sys.byteorder == "little":
        return column
    swapped = column[:]
    swapped.byteswap()
    return swapped
