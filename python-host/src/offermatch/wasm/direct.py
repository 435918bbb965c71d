"""Calls whose arguments have a layout that is made once, and filled anew for each call.

wasmtime-py asks for the types of a function, of each record and each field at every call, and makes C values one by
one: nine tenths of the time of a small call. Here the types are asked for once a component; what is left of a call is to
write numbers and the addresses of columns into memory of this process, which the engine copies from, and to read its answer.

The layout of C values is that of wasmtime-py's own declarations. ``laid_out`` gives None for types, machines and versions of
wasmtime-py that this module does not know, and wasmtime-py then makes the call; ``choice`` lets no component be called this
way that answers otherwise.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, Protocol

from wasmtime import Store, _bindings, _ffi
from wasmtime.component import (
    F64,
    S32,
    U32,
    U64,
    Bool,
    BorrowType,
    EnumType,
    Func,
    FuncType,
    ListType,
    OptionType,
    OwnType,
    Record,
    RecordType,
    ResourceAny,
    ResultType,
    String,
    ValType,
)
from wasmtime.component._enter import enter_wasm

__all__ = ["Layout", "laid_out"]

_VALUE = ctypes.sizeof(_bindings.wasmtime_component_val) // 8
_ENTRY = ctypes.sizeof(_bindings.wasmtime_component_valrecord_entry) // 8
"""Words of a value, and of a field of a record: its name and its value."""
_ENTRY_VALUE = _bindings.wasmtime_component_valrecord_entry.val.offset // 8
_OF = _bindings.wasmtime_component_val.of.offset // 8
"""Where a value begins behind its kind."""
_TESTED = ("50.",)
"""How the versions of wasmtime-py begin with which this was tested: who owns what of a call may change in another."""
_KNOWN_LAYOUT = (
    version("wasmtime").startswith(_TESTED)
    and sys.byteorder == "little"
    and ctypes.sizeof(ctypes.c_void_p) == 8
    and (_VALUE, _ENTRY, _ENTRY_VALUE, _OF) == (4, 6, 2, 1)
)
_MOST = {Bool: 1, U32: 2**32 - 1, U64: 2**64 - 1}
_KINDS = {
    kind: getattr(_ffi, f"WASMTIME_COMPONENT_{name}").value
    for kind, name in (
        (Bool, "BOOL"),
        (S32, "S32"),
        (U32, "U32"),
        (U64, "U64"),
        (F64, "F64"),
        (String, "STRING"),
        (ListType, "LIST"),
        (RecordType, "RECORD"),
        (EnumType, "ENUM"),
        (OptionType, "OPTION"),
        (ResultType, "RESULT"),
        (BorrowType, "RESOURCE"),
    )
}


class _UnknownTypeError(Exception):
    """A type that this module does not write or read."""


class _Slot(Protocol):
    """Where a value goes."""

    def put(self, memory: _Memory, value: Any) -> None:
        """Write it. What is None is not written: the words say nothing before."""


class _Memory:
    """Words that hold C values, one behind the other."""

    def __init__(self) -> None:
        self._made: list[int] = []
        self._links: list[tuple[int, int]] = []
        self._names: list[Any] = []
        self._text = ctypes.c_char_p()
        self._address = ctypes.c_void_p.from_buffer(self._text)
        self.kept: list[Any] = []

    def reserve(self, words: int) -> int:
        """Return where so many new words begin."""
        self._made += [0] * words
        return len(self._made) - words

    def set(self, at: int, word: int) -> None:
        """Write a word that stays."""
        self._made[at] = word

    def link(self, at: int, to: int) -> None:
        """Write the address of a word, which stays."""
        self._links.append((at, to))

    def name(self, text: str) -> tuple[int, int]:
        """Return length and address of a text that stays."""
        encoded = text.encode()
        kept = ctypes.create_string_buffer(encoded, len(encoded))
        self._names.append(kept)
        return len(encoded), ctypes.addressof(kept)

    def freeze(self) -> None:
        """Put the words where they stay."""
        self.words = array("Q", self._made)
        self.base, _ = self.words.buffer_info()
        # The view keeps the array where it is.
        self.doubles = memoryview(self.words).cast("B").cast("d")
        for at, to in self._links:
            self.words[at] = self.base + 8 * to
        self._blank = self.words[:]

    def keep(self, data: bytes) -> int:
        """Return the address of bytes, which stay until ``clear``."""
        self.kept.append(data)
        self._text.value = data
        return self._address.value or 0

    def clear(self) -> None:
        """Have the words say nothing again, and let go of what is kept."""
        self.words[:] = self._blank
        self._text.value = None
        self.kept.clear()


class _Whole:
    """A whole number or a truth value."""

    def __init__(self, at: int, kind: type[ValType]) -> None:
        self._at, self._most = at, _MOST[kind]

    def put(self, memory: _Memory, value: Any) -> None:
        if not 0 <= value <= self._most:
            raise OverflowError(f"{value} does not cross")
        memory.words[self._at] = value


class _Real:
    """A floating-point number."""

    def __init__(self, at: int) -> None:
        self._at = at

    def put(self, memory: _Memory, value: Any) -> None:
        memory.doubles[self._at] = value


class _Text:
    """A string; columns of digits come as bytes, which are not copied on this side."""

    def __init__(self, at: int) -> None:
        self._at = at

    def put(self, memory: _Memory, value: str | bytes) -> None:
        data = value if isinstance(value, bytes) else value.encode()
        memory.words[self._at], memory.words[self._at + 1] = len(data), memory.keep(data)


class _Name:
    """A case of an enumeration."""

    def __init__(self, at: int, kind: EnumType, memory: _Memory) -> None:
        self._at = at
        self._cases = {name: memory.name(name) for name in kind.names}

    def put(self, memory: _Memory, value: Any) -> None:
        memory.words[self._at], memory.words[self._at + 1] = self._cases[value]


class _Numbers:
    """A list of numbers."""

    def __init__(self, at: int, element: ValType) -> None:
        kind = type(element)
        if kind not in (Bool, S32, U32, U64, F64):
            raise _UnknownTypeError(kind)
        self._at, self._kind = at, kind

    def put(self, memory: _Memory, value: Sequence[Any]) -> None:
        if not value:
            return
        area = array("Q", (_KINDS[self._kind], 0, 0, 0)) * len(value)
        if self._kind is F64:
            area[_OF::_VALUE] = array("Q", array("d", value).tobytes())
        elif self._kind is S32:
            area[_OF::_VALUE] = array("Q", [number & 0xFFFFFFFF for number in value])
        else:
            if max(value) > _MOST[self._kind]:
                raise OverflowError(f"{max(value)} does not cross")
            area[_OF::_VALUE] = array("Q", value)
        memory.kept.append(area)
        memory.words[self._at], memory.words[self._at + 1] = len(value), area.buffer_info()[0]


class _Perhaps:
    """A value or none."""

    def __init__(self, at: int, kind: OptionType, memory: _Memory) -> None:
        self._at, self._to = at, memory.reserve(_VALUE)
        self._slot = _slot(kind.payload, self._to, memory)

    def put(self, memory: _Memory, value: Any) -> None:
        self._slot.put(memory, value)
        memory.words[self._at] = memory.base + 8 * self._to


class _Fields:
    """A record."""

    def __init__(self, at: int, kind: RecordType, memory: _Memory) -> None:
        fields = kind.fields
        first = memory.reserve(_ENTRY * len(fields))
        memory.set(at, len(fields))
        memory.link(at + 1, first)
        self._slots: list[tuple[str, _Slot]] = []
        for number, (name, field) in enumerate(fields):
            entry = first + _ENTRY * number
            size, address = memory.name(name)
            memory.set(entry, size)
            memory.set(entry + 1, address)
            self._slots.append((name, _slot(field, entry + _ENTRY_VALUE, memory)))

    def put(self, memory: _Memory, value: Any) -> None:
        given = vars(value)
        for name, slot in self._slots:
            if (one := given[name]) is not None:
                slot.put(memory, one)


class _Handle:
    """A borrowed resource."""

    def __init__(self, at: int) -> None:
        self._at = at

    def put(self, memory: _Memory, value: Any) -> None:
        memory.words[self._at] = ctypes.addressof(value.ptr().contents)


def _slot(kind: ValType, at: int, memory: _Memory) -> _Slot:
    """Return what writes values of a type at a place, and write there what stays."""
    found = type(kind)
    if found not in _KINDS:
        raise _UnknownTypeError(found)
    memory.set(at, _KINDS[found])
    at += _OF
    if isinstance(kind, (Bool, U32, U64)):
        return _Whole(at, found)
    if isinstance(kind, F64):
        return _Real(at)
    if isinstance(kind, String):
        return _Text(at)
    if isinstance(kind, EnumType):
        return _Name(at, kind, memory)
    if isinstance(kind, ListType):
        return _Numbers(at, kind.element)
    if isinstance(kind, OptionType):
        return _Perhaps(at, kind, memory)
    if isinstance(kind, RecordType):
        return _Fields(at, kind, memory)
    if isinstance(kind, BorrowType):
        return _Handle(at)
    raise _UnknownTypeError(found)


class Layout:
    """The arguments and the result of one function; for one call at a time."""

    def __init__(self, kind: FuncType) -> None:
        """Lay out a function.

        Raises:
            _UnknownTypeError: It has a type that is not written here.
        """
        params = kind.params
        self._memory = _Memory()
        first = self._memory.reserve(_VALUE * len(params))
        self._slots = [_slot(param, first + _VALUE * at, self._memory) for at, (_, param) in enumerate(params)]
        self._memory.freeze()
        pointer = ctypes.POINTER(_bindings.wasmtime_component_val)
        self._params = ctypes.cast(self._memory.base, pointer)
        self._result_words = array("Q", [0] * _VALUE)
        self._result = ctypes.cast(self._result_words.buffer_info()[0], pointer)
        self._kind = kind.result
        ok = self._kind.ok if isinstance(self._kind, ResultType) else None
        # What else a function returns, and its errors, wasmtime-py reads.
        self._read: Callable[[], Any] | None = None
        if isinstance(ok, RecordType):
            columns = [(name, type(field.element if isinstance(field, ListType) else field)) for name, field in ok.fields]
            if all(column in (String, U32, U64, F64) for _, column in columns):
                self._read = partial(self._record, columns)
        elif isinstance(ok, OwnType):
            self._read = self._resource
        elif isinstance(self._kind, ResultType) and ok is None:
            self._read = _nothing

    def call(self, function: Func, store: Store, *params: Any) -> Any:
        """Call the function, and return what it gives as wasmtime-py does; strings of a record as bytes.

        Raises:
            WasmtimeError: It trapped.
        """
        memory, result = self._memory, self._result
        if len(params) != len(self._slots):
            raise TypeError(f"{len(params)} arguments instead of {len(self._slots)}")
        # The engine frees what it finds there; a truth value has nothing to free.
        self._result_words[0] = _KINDS[Bool]
        try:
            for slot, value in zip(self._slots, params, strict=True):
                if value is not None:
                    slot.put(memory, value)
            target = None if self._kind is None else result
            count = 0 if self._kind is None else 1
            enter_wasm(
                lambda: _bindings.wasmtime_component_func_call(
                    ctypes.byref(function._func), store._context(), self._params, len(params), target, count
                )
            )
        finally:
            memory.clear()
        if self._kind is None:
            return None
        if self._read is None or not self._result_words[_OF] & 1:
            return self._kind.convert_from_c(result.contents)
        try:
            return self._read()
        finally:
            _bindings.wasmtime_component_val_delete(result)

    def _resource(self) -> ResourceAny:
        """Return the resource of a call that went well."""
        value = ctypes.cast(self._result_words[_OF + 1], ctypes.POINTER(_bindings.wasmtime_component_val)).contents
        found = ResourceAny._from_ptr(_ffi.take_pointer(value.of, "resource"))
        # It is this side's now, so that nothing of it is freed with the result.
        value.kind = _ffi.WASMTIME_COMPONENT_BOOL
        return found

    def _record(self, columns: Sequence[tuple[str, type[ValType]]]) -> Record:
        """Return the record of a call that went well."""
        _, count, address, _ = _words(self._result_words[_OF + 1], _VALUE)
        if count != len(columns):
            raise ValueError("the record has another number of fields than its type")
        record = Record()
        given = vars(record)
        entries = _words(address, _ENTRY * count)
        for at, (name, kind) in zip(range(_ENTRY_VALUE + _OF, len(entries), _ENTRY), columns, strict=True):
            size, address = entries[at], entries[at + 1]
            given[name] = ctypes.string_at(address, size) if kind is String else _numbers(kind, size, address)
        return record


def _nothing() -> None:
    """Return what a call gives that has nothing to give."""


def _words(address: int, count: int) -> memoryview:
    """Return a copy of so many words."""
    return memoryview(ctypes.string_at(address, 8 * count)).cast("Q")


def _numbers(kind: type[ValType], size: int, address: int) -> list[Any]:
    """Return the numbers of a list of values."""
    words = _words(address, _VALUE * size)
    if kind is U32:
        # The other half of the word is not set.
        return words.cast("B").cast("I")[2 * _OF :: 2 * _VALUE].tolist()
    return words.cast("B").cast("d" if kind is F64 else "Q")[_OF::_VALUE].tolist()


def laid_out(kind: FuncType) -> Layout | None:
    """Return the layout of a function; None where it, this machine or this version of wasmtime-py is not known here."""
    if not _KNOWN_LAYOUT:
        return None
    try:
        return Layout(kind)
    except _UnknownTypeError:
        return None
