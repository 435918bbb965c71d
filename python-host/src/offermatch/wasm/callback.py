"""Functions of the host that a component calls, with a bound on what one call may hand over.

wasmtime-py makes a Python object of every value in an argument before the function is called, at microseconds each, and no
limit of time ends that. So the arguments are counted where they lie first. It also asks wasmtime for all their types in each
call, which took longer than all else that a traced call does. Values say what they are, so the functions that traced calls
call read and write them without, a record at a time.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache, partial
from typing import Any

from wasmtime import WasmtimeError, _bindings, _ffi
from wasmtime.component import LinkerInstance, Record, Variant
from wasmtime.component._enter import catch_exceptions
from wasmtime.component._linker import FUNCTIONS, func_finalize, func_impl

__all__ = ["MOST_VALUES", "add_function"]

MOST_VALUES = 2**16
"""The values in lists that one call may hand over: WASI's streams take so many bytes at once."""


def add_function(
    interface: LinkerInstance,
    name: str,
    function: Callable[..., Any],
    most: int | None = None,
    unread: Collection[str] = (),
) -> None:
    """Define a function, which is called with the store (None where ``most`` is given) and the arguments.

    Args:
        interface: Where it is defined.
        name: Its name there.
        function: The function.
        most: The values in lists beyond which a call is left out, for a function whose values say what they are: it returns
            nothing, or records of texts, booleans, lists, tuples and, for flags, sets. Unless given, a call with more than
            ``MOST_VALUES`` is a trap, and any value may be returned.
        unread: The fields of records that such a function does not look at.

    Raises:
        WasmtimeError: There is one of that name.
    """
    encoded = name.encode()
    number = FUNCTIONS.allocate(function)
    callback = (
        _or_trap if most is None or not _LAID_OUT_SO else _or_nothing(most, frozenset(name.encode() for name in unread))
    )
    failed = _bindings.wasmtime_component_linker_instance_add_func(
        interface.ptr(), ctypes.create_string_buffer(encoded), len(encoded), callback, number, func_finalize
    )
    if failed:
        _bindings.wasmtime_error_delete(failed)
        raise WasmtimeError(f"there is a function {name} already")


_callbacks: dict[tuple[int, frozenset[bytes]], Any] = {}
"""Those of `_or_nothing`, by what they take; wasmtime calls them for as long as a linker lives."""


def _or_nothing(most: int, unread: frozenset[bytes]) -> Any:
    key = (most, unread)
    if key not in _callbacks:

        def call(number: int, context: Any, _kind: Any, arguments: Any, count: int, results: Any, returned: int) -> Any:
            try:
                # wasmtime frees the arguments after the call.
                given = _Reader(most, unread).values(ctypes.addressof(arguments.contents), count) if count else ()
                found = FUNCTIONS.get(number or 0)(None, *given)
                if returned:
                    _give(found, results[0])
            except _TooMany:
                return 0
            except Exception as error:  # noqa: BLE001 - it comes out of the call as wasmtime-py has it
                return catch_exceptions(context, partial(_raise, error))
            return 0

        _callbacks[key] = _bindings.wasmtime_component_func_callback_t(call)
    return _callbacks[key]


def _raise(error: Exception, _store: Any) -> None:
    raise error


class _TooMany(Exception):  # noqa: N818 - nobody sees it
    """There are more values in lists than are read."""


class _Reader:
    """Reads the arguments of one call as wasmtime-py would, but for fields that nobody looks at.

    A value is its kind and three words, and so is a field behind its name. Those that lie side by side are taken at once,
    without a call of a foreign function: that, or an object of ctypes for each, would cost more than all else of a traced
    call.
    """

    def __init__(self, most: int, unread: frozenset[bytes]) -> None:
        self._left, self._unread = most, unread

    def values(self, at: int, count: int) -> list[Any]:
        """Return so many values that lie side by side.

        Raises:
            _TooMany: There are too many values in lists.
        """
        return [self._read(*one) for one in _VALUE.iter_unpack(_bytes(at, count * _VALUE.size))] if count else []

    def _read(self, kind: int, first: int, second: int, third: int) -> Any:
        """Return a value; a resource is none."""
        if kind in (_STRING, _ENUM):
            return _ARRAYS[first].from_address(second).raw.decode()
        if kind == _RECORD:
            return self._record(first, second)
        if kind in (_LIST, _TUPLE):
            if kind == _LIST:
                self._pay(first)
            found = self.values(second, first)
            return found if kind == _LIST else tuple(found)
        if kind == _OPTION:
            return self.values(first, 1)[0] if first else None
        if kind == _VARIANT:
            return Variant(_bytes(second, first).decode(), self.values(third, 1)[0] if third else None)
        if kind == _FLAGS:
            return {_bytes(at, size).decode() for size, at in _NAME.iter_unpack(_bytes(second, first * _NAME.size))}
        return struct.unpack_from(_NUMBERS[kind], _WORD.pack(first))[0] if kind in _NUMBERS else None

    def _record(self, size: int, at: int) -> Record:
        found = Record()
        fields, unread, arrays = vars(found), self._unread, _ARRAYS
        for length, name_at, kind, first, second, third in _FIELD.iter_unpack(_bytes(at, size * _FIELD.size)):
            name = arrays[length].from_address(name_at).raw
            if name not in unread:
                fields[name.decode()] = self._read(kind, first, second, third)
            elif kind in _COMPOUND and (first or kind != _LIST):
                self._pass(kind, first, second, third)
        return found

    def _pass(self, *value: int) -> None:
        """Pay for the values in lists that nobody looks at."""
        waiting = [value]
        while waiting:
            kind, first, second, third = waiting.pop()
            if kind == _RECORD:
                raw = _bytes(second, first * _FIELD.size)
                if not _COMPOUND.isdisjoint(raw[_KIND_AT :: _FIELD.size]):
                    waiting += [field[2:] for field in _FIELD.iter_unpack(raw) if field[2] in _COMPOUND]
                continue
            if kind == _LIST:
                self._pay(first)
            if kind in (_LIST, _TUPLE):
                count, at = first, second
            else:
                count, at = 1, {_OPTION: first, _RESULT: second}.get(kind, third)
            if count and at:
                values = _VALUE.iter_unpack(_bytes(at, count * _VALUE.size))
                waiting += [one for one in values if one[0] in _COMPOUND]

    def _pay(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _TooMany


class _Arrays(dict[int, Any]):
    """The types of so many bytes; those that are asked for often are kept."""

    def __missing__(self, size: int) -> Any:
        found = ctypes.c_char * size
        if len(self) < 256:
            self[size] = found
        return found


_ARRAYS = _Arrays()


def _bytes(at: int, size: int) -> bytes:
    found: bytes = _ARRAYS[size].from_address(at).raw
    return found


_VALUE = struct.Struct("@B7xNNN")
"""A value: its kind, and what lies behind it, such as a size and an address."""
_FIELD = struct.Struct("@NNB7xNNN")
"""A field of a record: its name's length and address, and its value."""
_NAME = struct.Struct("@NN")
_WORD = struct.Struct("@N")
_KIND_AT, _TEXT_AT = 16, 32
"""Where a field has its kind, and the address of its text."""
_LAID_OUT_SO = (_VALUE.size, _FIELD.size) == (
    ctypes.sizeof(_bindings.wasmtime_component_val_t),
    ctypes.sizeof(_bindings.wasmtime_component_valrecord_entry_t),
)
"""Whether values lie in memory as they did in all versions of wasmtime-py so far; otherwise it converts them itself."""


def _give(value: Any, into: Any) -> None:
    """Write what is returned: a record as a copy of one with texts as long, in which the texts are put."""
    fields = vars(value).items() if isinstance(value, Record) else ()
    texts = [(at, one.encode()) for at, (_, one) in enumerate(fields) if isinstance(one, str)]
    shape = tuple((name, len(one.encode()) if isinstance(one, str) else repr(one)) for name, one in fields)
    if texts and shape not in _given and len(_given) < _MOST_GIVEN:
        written = _bindings.wasmtime_component_val_t()
        _write(value, written)
        _given[shape] = written
    if shape not in _given:
        _write(value, into)
        return
    _bindings.wasmtime_component_val_clone(ctypes.byref(_given[shape]), ctypes.byref(into))
    begin = ctypes.addressof(into.of.record.data.contents)
    for at, text in texts:
        if text:
            where = ctypes.c_size_t.from_address(begin + at * _FIELD.size + _TEXT_AT).value
            _ARRAYS[len(text)].from_address(where).raw = text


_given: dict[tuple[Any, ...], Any] = {}
"""Records that were returned, by all of them but their texts."""
_MOST_GIVEN = 16


def _write(value: Any, into: Any) -> None:
    """Write a value that says what it is where wasmtime will free it."""
    of = into.of
    if isinstance(value, bool):
        of.boolean, into.kind = value, _BOOL
    elif isinstance(value, str):
        _write_text(value, of.string)
        into.kind = _STRING
    elif isinstance(value, Record):
        fields = (_bindings.wasmtime_component_valrecord_entry_t * len(vars(value)))()
        for field, (name, one) in zip(fields, vars(value).items(), strict=True):
            _write_text(name, field.name)
            _write(one, field.val)
        _bindings.wasmtime_component_valrecord_new(ctypes.byref(of.record), len(fields), fields)
        into.kind = _RECORD
    elif isinstance(value, (set, frozenset)):
        names = (_bindings.wasm_name_t * len(value))()
        for at, name in enumerate(value):
            _write_text(name, names[at])
        _bindings.wasmtime_component_valflags_new(ctypes.byref(of.flags), len(names), names)
        into.kind = _FLAGS
    elif isinstance(value, tuple):
        _bindings.wasmtime_component_valtuple_new(ctypes.byref(of.tuple), len(value), _written(value))
        into.kind = _TUPLE
    elif isinstance(value, list):
        _bindings.wasmtime_component_vallist_new(ctypes.byref(of.list), len(value), _written(value))
        into.kind = _LIST
    else:
        raise TypeError(f"{value!r} does not say what it is")


def _written(values: Sequence[Any]) -> Any:
    found = (_bindings.wasmtime_component_val_t * len(values))()
    for value, into in zip(values, found, strict=True):
        _write(value, into)
    return found


def _write_text(text: str, into: Any) -> None:
    buffer = _buffer(text)
    _bindings.wasm_byte_vec_new(ctypes.byref(into), len(buffer), buffer)


@lru_cache(maxsize=64)
def _buffer(text: str) -> Any:
    encoded = text.encode()
    return (ctypes.c_ubyte * len(encoded)).from_buffer_copy(encoded)


def _trapped(*given: Any) -> Any:
    if _values(given[3], given[4], MOST_VALUES) <= MOST_VALUES:
        return func_impl(*given)
    said = f"it called the host with more than {MOST_VALUES} values".encode()
    error = _bindings.wasmtime_error_new(ctypes.create_string_buffer(said))
    return ctypes.cast(error, ctypes.c_void_p).value


_or_trap = _bindings.wasmtime_component_func_callback_t(_trapped)


def _values(values: Any, count: int, most: int) -> int:
    """Return how many values there are in all lists among so many values, or some number above the most."""
    total, waiting = 0, [values[at] for at in range(count)]
    while waiting:
        value = waiting.pop()
        kind = value.kind
        if kind == _LIST:
            items = value.of.list
            total += items.size
            if total > most:
                break
            if items.size and items.data[0].kind in _COMPOUND:
                waiting += [items.data[at] for at in range(items.size)]
        elif kind == _RECORD:
            waiting += [value.of.record.data[at].val for at in range(value.of.record.size)]
        elif kind == _TUPLE:
            waiting += [value.of.tuple.data[at] for at in range(value.of.tuple.size)]
        elif kind == _OPTION and value.of.option:
            waiting.append(value.of.option.contents)
        elif kind == _VARIANT and value.of.variant.val:
            waiting.append(value.of.variant.val.contents)
        elif kind == _RESULT and value.of.result.val:
            waiting.append(value.of.result.val.contents)
    return total


_LIST, _RECORD, _TUPLE, _OPTION, _VARIANT, _RESULT, _STRING, _ENUM, _FLAGS = (
    getattr(_ffi, f"WASMTIME_COMPONENT_{name}").value
    for name in ("LIST", "RECORD", "TUPLE", "OPTION", "VARIANT", "RESULT", "STRING", "ENUM", "FLAGS")
)
_NUMBERS = {
    getattr(_ffi, f"WASMTIME_COMPONENT_{name}").value: code
    for name, code in zip(
        ("BOOL", "S8", "U8", "S16", "U16", "S32", "U32", "S64", "U64", "F32", "F64"), "?bBhHiIqQfd", strict=True
    )
}
"""The kinds of scalars, and how their value lies in the first word."""
_BOOL = _ffi.WASMTIME_COMPONENT_BOOL.value
_COMPOUND = frozenset((_LIST, _RECORD, _TUPLE, _OPTION, _VARIANT, _RESULT))
