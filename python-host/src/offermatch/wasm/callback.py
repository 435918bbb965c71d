"""Functions of the host that a component calls, with a bound on what one call may hand over.

wasmtime-py makes a Python object of every value in an argument before the function is called, at microseconds each, and no
limit of time ends that. So the arguments are counted where they lie first. It also asks wasmtime for all their types in each
call, which took longer than all else that a traced call does; values say what they are, so functions that return nothing
read them without.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection
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
    """Define a function, which is called with the store and the arguments.

    Args:
        interface: Where it is defined.
        name: Its name there.
        function: The function.
        most: The values in lists beyond which a call is left out, for a function that returns nothing. Unless given, a call
            with more than ``MOST_VALUES`` is a trap.
        unread: The fields of records that such a function does not look at.

    Raises:
        WasmtimeError: There is one of that name.
    """
    encoded = name.encode()
    number = FUNCTIONS.allocate(function)
    callback = _or_trap if most is None else _or_nothing(most, frozenset(unread))
    failed = _bindings.wasmtime_component_linker_instance_add_func(
        interface.ptr(), ctypes.create_string_buffer(encoded), len(encoded), callback, number, func_finalize
    )
    if failed:
        _bindings.wasmtime_error_delete(failed)
        raise WasmtimeError(f"there is a function {name} already")


_callbacks: dict[tuple[int, frozenset[str]], Any] = {}
"""Those of `_or_nothing`, by what they take; wasmtime calls them for as long as a linker lives."""


def _or_nothing(most: int, unread: frozenset[str]) -> Any:
    key = (most, unread)
    if key not in _callbacks:

        def call(number: int, context: Any, _kind: Any, arguments: Any, count: int, *_results: Any) -> Any:
            reader = _Reader(most, unread)
            try:
                # wasmtime frees the arguments after the call.
                given = [reader.read(arguments[at]) for at in range(count)]
            except _TooMany:
                return 0

            def run(store: Any) -> None:
                FUNCTIONS.get(number or 0)(store, *given)

            return catch_exceptions(context, run)

        _callbacks[key] = _bindings.wasmtime_component_func_callback_t(call)
    return _callbacks[key]


class _TooMany(Exception):  # noqa: N818 - nobody sees it
    """There are more values in lists than are read."""


class _Reader:
    """Reads the arguments of one call as wasmtime-py would, but for fields that nobody looks at."""

    def __init__(self, most: int, unread: frozenset[str]) -> None:
        self._left, self._unread = most, unread

    def read(self, value: Any) -> Any:
        """Return a value; a resource is none.

        Raises:
            _TooMany: There are too many values in lists.
        """
        kind, of = value.kind, value.of
        if kind in (_STRING, _ENUM):
            return _text(of.string)
        if kind == _RECORD:
            return self._record(of.record)
        if kind == _LIST:
            self._pay(of.list.size)
            return [self.read(of.list.data[at]) for at in range(of.list.size)]
        if kind == _TUPLE:
            return tuple(self.read(of.tuple.data[at]) for at in range(of.tuple.size))
        if kind == _OPTION:
            return self.read(of.option.contents) if of.option else None
        if kind == _VARIANT:
            return Variant(_text(of.variant.discriminant), self.read(of.variant.val.contents) if of.variant.val else None)
        if kind == _FLAGS:
            return {_text(of.flags.data[at]) for at in range(of.flags.size)}
        return getattr(of, _NUMBERS[kind]) if kind in _NUMBERS else None

    def _record(self, record: Any) -> Record:
        found = Record()
        fields = record.data
        for at in range(record.size):
            entry = fields[at]
            name = _text(entry.name)
            if name not in self._unread:
                vars(found)[name] = self.read(entry.val)
            elif entry.val.kind in _COMPOUND:
                self._pay(_values([entry.val], 1, self._left))
        return found

    def _pay(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _TooMany


def _text(name: Any) -> str:
    return ctypes.string_at(name.data, name.size).decode()


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
    getattr(_ffi, f"WASMTIME_COMPONENT_{name.upper()}").value: "boolean" if name == "bool" else name
    for name in ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64")
}
"""The kinds of scalars, and where their value lies."""
_COMPOUND = (_LIST, _RECORD, _TUPLE, _OPTION, _VARIANT, _RESULT)
