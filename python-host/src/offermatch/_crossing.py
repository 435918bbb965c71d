"""Component values in and out, in bulk.

wasmtime-py converts a list value by value, at more than a microsecond each. ``BulkCrossing`` fills the C-level array of
values itself instead: 32 bytes a value, the kind in byte 0 and the payload from byte 8 on, so that one strided slice
assignment writes a whole column. It relies on the layout of wasmtime's C structures, so ``PublicCrossing``, which uses only
the documented interface, stands ready, and the loader compares the two once (see ``_component``).

What is lowered is a tree of plain values: ``U32``, ``F64`` and ``Enum`` scalars, ``Matrix`` for lists, dicts for records, a
``ResourceAny`` for a handle. What is lifted are ints, floats, strings, lists, dicts for records, ``(case, payload)`` for
variants; a ``result`` is its payload, wrapped in ``Refused`` when it is the error.
"""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter as _clock
from typing import Any, Protocol

from wasmtime import Store, WasmtimeError
from wasmtime import _ffi as ffi
from wasmtime.component import Func, Record, ResourceAny, Variant

from offermatch.model import Timings

__all__ = ["F64", "U32", "BulkCrossing", "Crossing", "Enum", "Matrix", "PublicCrossing", "Refused"]


@dataclass(frozen=True, slots=True)
class U32:
    """A u32."""

    number: int


@dataclass(frozen=True, slots=True)
class F64:
    """An f64."""

    number: float


@dataclass(frozen=True, slots=True)
class Enum:
    """A case of an enum."""

    case: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """A list of numbers or booleans: columns of one length, laid side by side row by row.

    Attributes:
        kind: ``bool``, ``u32``, ``u64`` or ``f64``.
        columns: One array a column; ``"d"`` arrays for f64, ``"Q"`` arrays for the others.
    """

    kind: str
    columns: Sequence[array[Any]]


@dataclass(frozen=True, slots=True)
class Refused:
    """The error of a ``result``: a variant's case and payload."""

    case: str
    payload: Any


class Crossing(Protocol):
    """Calls a component's function with lowered values and lifts the result."""

    name: str

    def call(self, store: Store, func: Func, params: Sequence[Any], timings: Timings) -> Any:
        """Return what the function returns; times are added to ``timings``.

        Raises:
            WasmtimeError: The component trapped, or the types differ.
        """


class PublicCrossing:
    """The documented interface of wasmtime-py: slow, and right by definition."""

    name = "public"

    def call(self, store: Store, func: Func, params: Sequence[Any], timings: Timings) -> Any:
        """Call through ``Func.__call__``, whose one step is timed as the call."""
        with _Stage(timings, "lower"):
            values = [_to_public(param) for param in params]
        with _Stage(timings, "call"):
            result = func(store, *values)
        with _Stage(timings, "lift"):
            return _from_public(result)


def _to_public(value: Any) -> Any:
    if isinstance(value, Mapping):
        record = Record()
        for name, item in value.items():
            setattr(record, name, _to_public(item))
        return record
    if isinstance(value, Matrix):
        # An empty matrix may have columns, and a matrix without columns has no rows.
        flat = [item for row in zip(*value.columns, strict=True) for item in row]
        return [bool(item) for item in flat] if value.kind == "bool" else flat
    if isinstance(value, (U32, F64)):
        return value.number
    return value.case if isinstance(value, Enum) else value


def _from_public(value: Any, *, top: bool = True) -> Any:
    if isinstance(value, Record):
        return {name: _from_public(item, top=False) for name, item in vars(value).items()}
    if isinstance(value, Variant):
        payload = _from_public(value.payload, top=False)
        return Refused(value.tag, payload) if top else (value.tag, payload)
    if isinstance(value, list) and value and isinstance(value[0], (Record, Variant)):
        return [_from_public(item, top=False) for item in value]
    return value


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
        with _Stage(timings, "lower"):
            values = (_VALUE * len(params))()
            for at, param in enumerate(params):
                _lower(param, values[at], keep)
        result = _VALUE()
        with _Stage(timings, "call"):
            error = ffi.wasmtime_component_func_call(
                ctypes.byref(func._func), store._context(), values, len(params), ctypes.byref(result), 1
            )
            if error:
                raise WasmtimeError._from_ptr(error)
        with _Stage(timings, "lift"):
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
    elif isinstance(value, Mapping):
        entries = (_ENTRY * len(value))()
        keep.append(entries)
        for entry, (name, item) in zip(entries, value.items(), strict=True):
            _name(name, entry.name, keep)
            _lower(item, entry.val, keep)
        target.kind = _RECORD
        target.of.record.size = len(value)
        target.of.record.data = ctypes.cast(entries, ctypes.POINTER(_ENTRY))
    elif isinstance(value, U32):
        target.kind = _U32
        target.of.u32 = value.number
    elif isinstance(value, F64):
        target.kind = _F64
        target.of.f64 = value.number
    elif isinstance(value, Enum):
        target.kind = _ENUM
        _name(value.case, target.of.enumeration, keep)
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


def _name(text: str, target: Any, keep: list[Any]) -> None:
    encoded = text.encode()
    buffer = ctypes.create_string_buffer(encoded, len(encoded))
    keep.append(buffer)
    target.size = len(encoded)
    target.data = ctypes.cast(buffer, type(target.data))


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
    size = ctypes.sizeof(_VALUE) * found.size
    memory = (ctypes.c_char * size).from_address(ctypes.addressof(found.data.contents))
    view: Any = memoryview(memory).cast("B")
    payloads: list[Any] = view.cast(form)[start::step].tolist()
    return payloads


def _text(name: Any) -> str:
    return str(ffi.to_str(name))


class _Stage:
    """Adds the time a block takes to one stage of the timings."""

    __slots__ = ("_begin", "_stage", "_timings")

    def __init__(self, timings: Timings, stage: str) -> None:
        self._timings, self._stage = timings, stage

    def __enter__(self) -> None:
        self._begin = _clock()

    def __exit__(self, *_: object) -> None:
        setattr(self._timings, self._stage, getattr(self._timings, self._stage) + _clock() - self._begin)
