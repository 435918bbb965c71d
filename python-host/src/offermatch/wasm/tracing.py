"""What a component tells of its work: the functions of `wasi:otel/tracing`, whose arguments are read where they lie.

wasmtime-py would ask wasmtime for all types of a function in each call, which took longer than all else that a traced call
does, and make an object of every value. Values say of what kind they are, and a record has its fields in the order of its
type, so what is looked at is found by its place. A span whose values are of other kinds is not listened to. Where values
lie otherwise than in all versions of wasmtime-py so far, it reads them itself.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from wasmtime import _bindings, _ffi
from wasmtime.component import LinkerInstance, Record, Variant
from wasmtime.component._enter import catch_exceptions
from wasmtime.component._linker import FUNCTIONS

from offermatch.wasm.callback import add_callback, add_function

__all__ = ["MOST_ATTRIBUTES", "Context", "EndedSpan", "add_tracing"]

MOST_ATTRIBUTES = 1000
"""The attributes of one span; a span of more is left out."""


class Context(NamedTuple):
    """The span that a call is made in.

    Attributes:
        trace: 32 hexadecimal digits.
        span: 16 of them.
        sampled: Whether it is kept.
        remote: Whether another process made it.
        state: What else is handed on.
    """

    trace: str
    span: str
    sampled: bool
    remote: bool
    state: tuple[tuple[str, str], ...]


class EndedSpan(NamedTuple):
    """A span that has ended. A component has no clock, and its trace is the caller's; of its events nothing is read.

    Attributes:
        id: Its number, in the component's own words.
        parent: That of its parent.
        kind: Such as ``internal``.
        name: Its name.
        attributes: Names and values, which are JSON.
        error: What went wrong; None where nothing did.
        scope: The name of what tells it.
        version: The version of that.
    """

    id: str
    parent: str
    kind: str
    name: str
    attributes: list[tuple[str, str]]
    error: str | None
    scope: str
    version: str | None


def add_tracing(interface: LinkerInstance, name: str, function: Callable[..., Any]) -> None:
    """Define a function of `wasi:otel/tracing`.

    Args:
        interface: Where it is defined.
        name: Its name: ``on-start``, whose function takes the number of a span, ``on-end``, whose takes an ``EndedSpan``, or
            ``outer-span-context``, whose returns a ``Context``.
        function: The function.

    Raises:
        WasmtimeError: There is one of that name.
    """
    if _LAID_OUT_SO:
        add_callback(interface, name, _CALLBACKS[name], function)
    else:
        add_function(interface, name, partial(_CONVERTED[name], function))


def _calling(read: Callable[[_Value], Any] | None) -> Any:
    """Return what wasmtime calls: a function of what is read of the one argument, or of nothing."""

    def call(number: int, context: Any, _kind: Any, arguments: Any, _count: int, results: Any, returned: int) -> Any:
        try:
            # wasmtime frees the arguments after the call.
            given = () if read is None else (read(*_values(ctypes.addressof(arguments.contents), 1)),)
            found: Any = FUNCTIONS.get(number or 0)(*given)
            if returned:
                _give(found, results[0])
        except _UnheardError:
            return 0
        except Exception as error:  # noqa: BLE001 - it comes out of the call as wasmtime-py has it
            return catch_exceptions(context, partial(_raise, error))
        return 0

    return _bindings.wasmtime_component_func_callback_t(call)


def _raise(error: Exception, _store: Any) -> None:
    raise error


class _UnheardError(Exception):
    """It is of other kinds of values, or of too many."""


_Value = tuple[int, int, int, int]
"""A value: its kind, and three words, such as a size and an address."""


def _started(context: _Value) -> str:
    """Return the number of a span."""
    return _text(_fields(context, 5)[1])


def _ended(span: _Value) -> EndedSpan:
    """Return a span."""
    context, parent, kind, name, _, _, attributes, _, _, status, scope, *_ = _fields(span, 14)
    scope_name, version, *_ = _fields(scope, 4)
    return EndedSpan(
        _started(context),
        _text(parent),
        _text(kind, _ENUM),
        _text(name),
        [_attribute(one) for one in _listed(attributes)],
        _error(status),
        _text(scope_name),
        _text(_values(version[1], 1)[0]) if _is(version, _OPTION)[1] else None,
    )


def _attribute(entry: _Value) -> tuple[str, str]:
    key, value = _fields(entry, 2)
    return _text(key), _text(value)


def _error(status: _Value) -> str | None:
    _, size, at, payload = _is(status, _VARIANT)
    return _text(_values(payload, 1)[0]) if payload and _bytes(at, size) == b"error" else None


def _is(value: _Value, kind: int) -> _Value:
    if value[0] != kind:
        raise _UnheardError
    return value


def _text(value: _Value, kind: int | None = None) -> str:
    _, size, at, _ = _is(value, _STRING if kind is None else kind)
    return _bytes(at, size).decode()


def _fields(value: _Value, count: int) -> list[_Value]:
    """Return the values of a record of so many fields."""
    _, size, at, _ = _is(value, _RECORD)
    if size != count:
        raise _UnheardError
    return list(_FIELD.iter_unpack(_bytes(at, size * _FIELD.size)))


def _listed(value: _Value) -> list[_Value]:
    _, size, at, _ = _is(value, _LIST)
    if size > MOST_ATTRIBUTES:
        raise _UnheardError
    return _values(at, size)


def _values(at: int, count: int) -> list[_Value]:
    """Return so many values that lie side by side."""
    return list(_VALUE.iter_unpack(_bytes(at, count * _VALUE.size))) if count else []


def _started_record(context: Record) -> str:
    """Return what ``_started`` does, of what wasmtime-py reads."""
    found: str = vars(context)["span-id"]
    return found


def _ended_record(span: Record) -> EndedSpan:
    """Return what ``_ended`` does, of what wasmtime-py reads."""
    fields = vars(span)
    status, scope = fields["status"], vars(fields["instrumentation-scope"])
    return EndedSpan(
        _started_record(fields["span-context"]),
        fields["parent-span-id"],
        fields["span-kind"],
        fields["name"],
        [(entry.key, entry.value) for entry in fields["attributes"]],
        status.payload if isinstance(status, Variant) and status.tag == "error" else None,
        scope["name"],
        scope["version"],
    )


class _Arrays(dict[int, Any]):
    """The types of so many bytes; those that are asked for often are kept."""

    def __missing__(self, size: int) -> Any:
        found = ctypes.c_char * size
        if len(self) < 256:
            self[size] = found
        return found


_ARRAYS = _Arrays()


def _bytes(at: int, size: int) -> bytes:
    # A call of a foreign function, or an object of ctypes for each value, would cost more than all else.
    found: bytes = _ARRAYS[size].from_address(at).raw
    return found


_VALUE = struct.Struct("@B7xNNN")
_FIELD = struct.Struct("@16xB7xNNN")
"""A field of a record: its name's length and address, and its value."""
_TEXT_AT = 32
"""Where a field has the address of its text."""
_LAID_OUT_SO = (_VALUE.size, _FIELD.size) == (
    ctypes.sizeof(_bindings.wasmtime_component_val_t),
    ctypes.sizeof(_bindings.wasmtime_component_valrecord_entry_t),
)


def _give(context: Context, into: Any) -> None:
    """Write a span where wasmtime will free it: a copy of one that was written before, in which the two numbers are put."""
    if context.state or (len(context.trace), len(context.span)) != (32, 16):
        _write(_context_record(context), into)
        return
    key = (context.sampled, context.remote)
    if key not in _WRITTEN:
        _WRITTEN[key] = _bindings.wasmtime_component_val_t()
        _write(_context_record(context), _WRITTEN[key])
    _bindings.wasmtime_component_val_clone(ctypes.byref(_WRITTEN[key]), ctypes.byref(into))
    begin = ctypes.addressof(into.of.record.data.contents)
    for at, text in enumerate((context.trace, context.span)):
        where = ctypes.c_size_t.from_address(begin + at * _FIELD.size + _TEXT_AT).value
        _ARRAYS[len(text)].from_address(where).raw = text.encode()


_WRITTEN: dict[tuple[bool, bool], Any] = {}
"""Spans without a state that were written, by whether they are sampled and remote."""


def _context_record(context: Context) -> Record:
    found = Record()
    vars(found).update(
        {
            "trace-id": context.trace,
            "span-id": context.span,
            "trace-flags": {"sampled"} if context.sampled else set(),
            "is-remote": context.remote,
            "trace-state": list(context.state),
        }
    )
    return found


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


_LIST, _RECORD, _TUPLE, _OPTION, _VARIANT, _STRING, _ENUM, _FLAGS, _BOOL = (
    getattr(_ffi, f"WASMTIME_COMPONENT_{name}").value
    for name in ("LIST", "RECORD", "TUPLE", "OPTION", "VARIANT", "STRING", "ENUM", "FLAGS", "BOOL")
)
_CALLBACKS = {
    name: _calling(read) for name, read in (("on-start", _started), ("on-end", _ended), ("outer-span-context", None))
}
"""wasmtime calls them for as long as a linker lives."""
_CONVERTED: dict[str, Callable[..., Any]] = {
    "on-start": lambda function, _store, context: function(_started_record(context)),
    "on-end": lambda function, _store, span: function(_ended_record(span)),
    "outer-span-context": lambda function, _store: _context_record(function()),
}
