"""The bulk crossing: lists of numbers in and out without a Python loop.

wasmtime-py converts a list value by value, at more than a microsecond each. ``BulkCrossing`` fills the C-level array of
values itself instead: 32 bytes a value, the kind in byte 0 and the payload from byte 8 on, so that one strided slice
assignment writes a whole column. It relies on the layout of wasmtime's C structures; the loader compares its answers with
those of the public crossing before it is used (see ``_choice``).
"""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Func, ResourceAny

from offermatch.model import Timings
from offermatch.wasm.crossing import F64, U32, Enum, Matrix, Refused, Stage, Table, Text

__all__ = ["BulkCrossing", "layout_is_known"]

_VALUE = ffi.wasmtime_component_val_t
_ENTRY = ffi.wasmtime_component_valrecord_entry_t
_WORDS = 4
"""Words of 8 bytes a value takes."""


def _kind(name: str) -> int:
    return int(getattr(ffi, f"WASMTIME_COMPONENT_{name}").value)


_BOOL, _U32, _U64, _F64 = _kind("BOOL"), _kind("U32"), _kind("U64"), _kind("F64")
_STRING, _LIST, _RECORD, _VARIANT = _kind("STRING"), _kind("LIST"), _kind("RECORD"), _kind("VARIANT")
_ENUM, _RESULT, _RESOURCE = _kind("ENUM"), _kind("RESULT"), _kind("RESOURCE")
_KINDS = {"bool": _BOOL, "u32": _U32, "u64": _U64, "f64": _F64}
# How a payload is read from a view of the values: format, items a value, item of the payload.
_READ = {_BOOL: ("B", 32, 8), _U32: ("I", 8, 2), _U64: ("Q", 4, 1), _F64: ("d", 4, 1)}

# A view of memory that is not Python's: without a type of its own for every size, as an array of ctypes would have it.
_view = ctypes.pythonapi.PyMemoryView_FromMemory
_view.restype, _view.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
_READ_ONLY = 0x100


def layout_is_known() -> bool:
    """Whether wasmtime's value structure is the one this module was written for, on a little-endian machine."""
    one = struct.pack("=Q", 1)
    return (
        one[0] == 1
        and ctypes.sizeof(_VALUE) == 8 * _WORDS
        and _VALUE.kind.offset == 0
        and _VALUE.kind.size == 1
        and _VALUE.of.offset == 8
        and ctypes.sizeof(ctypes.c_void_p) == 8
    )


class BulkCrossing:
    """Fills wasmtime's value arrays a column at a time."""

    name = "bulk"

    def call(self, store: Store, func: Func, params: Sequence[Any], timings: Timings) -> Any:
        """Call through the C interface, which copies what it is given and leaves it to us."""
        keep: list[Any] = []
        with Stage(timings, "lower"):
            values = _array(_VALUE, len(params))()
            for at, param in enumerate(params):
                _lower(param, values[at], keep)
        result = _VALUE()
        with Stage(timings, "call"):
            error = ffi.wasmtime_component_func_call(
                ctypes.byref(func._func), store._context(), values, len(params), ctypes.byref(result), 1
            )
            if error:
                raise WasmtimeError._from_ptr(error)
        with Stage(timings, "lift"):
            try:
                return _lift(result)
            finally:
                ffi.wasmtime_component_val_delete(ctypes.byref(result))
                del keep


def _lower(value: Any, target: Any, keep: list[Any]) -> None:
    """Write a value into ``target``; ``keep`` holds the memory it points to."""
    if isinstance(value, Matrix):
        words = _words(value)
        keep.append(words)
        target.kind = _LIST
        target.of.list.size = len(words) // _WORDS
        target.of.list.data = ctypes.cast(words.buffer_info()[0], ctypes.POINTER(_VALUE))
    elif isinstance(value, Table):
        _lower(value.record(), target, keep)
    elif isinstance(value, Mapping):
        entries = _array(_ENTRY, len(value))()
        keep.append(entries)
        for entry, (name, item) in zip(entries, value.items(), strict=True):
            entry.name = _name(name)
            _lower(item, entry.val, keep)
        target.kind = _RECORD
        target.of.record.size = len(value)
        # Of its address: a cast of the array itself would make it refer to itself, for the garbage collector to find.
        target.of.record.data = ctypes.cast(ctypes.addressof(entries), ctypes.POINTER(_ENTRY))
    elif isinstance(value, U32):
        target.kind = _U32
        target.of.u32 = value.number
    elif isinstance(value, F64):
        target.kind = _F64
        target.of.f64 = value.number
    elif isinstance(value, Text):
        # The bytes themselves: wasmtime copies from them and keeps nothing.
        keep.append(value.encoded)
        target.kind = _STRING
        target.of.string.size = len(value.encoded)
        target.of.string.data = ctypes.cast(ctypes.c_char_p(value.encoded), type(target.of.string.data))
    elif isinstance(value, Enum):
        target.kind = _ENUM
        target.of.enumeration = _name(value.case)
    elif isinstance(value, ResourceAny):
        target.kind = _RESOURCE
        target.of.resource = value.ptr()
    else:
        raise TypeError(f"{type(value).__name__} does not cross")


def _words(matrix: Matrix) -> array[int]:
    width = len(matrix.columns)
    rows = len(matrix.columns[0]) if width else 0
    words = array("Q", [_KINDS[matrix.kind], 0, 0, 0]) * (rows * width)
    for at, column in enumerate(matrix.columns):
        if column.typecode == "d":
            payload = array("Q")
            payload.frombytes(memoryview(column).cast("B"))
        else:
            payload = column
        words[1 + _WORDS * at :: _WORDS * width] = payload
    return words


@cache
def _array(kind: Any, length: int) -> Any:
    """Return the type of an array; those of the contract are few, and one that is not kept is made anew in every call."""
    return kind * length


@cache
def _name(text: str) -> Any:
    """Return the name of a field or a case; the contract's names are few, so they are kept for good."""
    encoded = text.encode()
    name = ffi.wasm_name_t()
    name.size = len(encoded)
    # The structure keeps what its pointer points to.
    name.data = ctypes.cast(ctypes.create_string_buffer(encoded, len(encoded)), type(name.data))
    return name


def _lift(value: Any) -> Any:
    kind = value.kind
    if kind == _RESULT:
        payload: Any = _lift(value.of.result.val.contents) if value.of.result.val else None
        return payload if value.of.result.is_ok else Refused(*payload)
    if kind == _RECORD:
        record = value.of.record
        return {_text(record.data[at].name): _lift(record.data[at].val) for at in range(record.size)}
    if kind == _LIST:
        return _lift_list(value.of.list)
    if kind == _VARIANT:
        return _text(value.of.variant.discriminant), _lift(value.of.variant.val.contents) if value.of.variant.val else None
    if kind == _RESOURCE:
        return ResourceAny._from_ptr(ffi.wasmtime_component_resource_any_clone(value.of.resource))
    scalar = {_U32: "u32", _U64: "u64", _F64: "f64", _BOOL: "boolean"}.get(kind)
    if scalar is not None:
        return getattr(value.of, scalar)
    if kind in (_STRING, _ENUM):
        return _text(value.of.string if kind == _STRING else value.of.enumeration)
    raise TypeError(f"a value of kind {kind} does not cross")


def _lift_list(found: Any) -> list[Any]:
    if not found.size:
        return []
    read = _READ.get(found.data[0].kind)
    if read is None:
        return [_lift(found.data[at]) for at in range(found.size)]
    form, step, start = read
    view = _view(ctypes.addressof(found.data.contents), ctypes.sizeof(_VALUE) * found.size, _READ_ONLY)
    payloads: list[Any] = view.cast(form)[start::step].tolist()
    return payloads


def _text(name: Any) -> str:
    return ctypes.string_at(name.data, name.size).decode()
