"""Functions of the host that a component calls, with a bound on what one call may hand over.

wasmtime-py makes a Python object of every value in an argument before the function is called, at microseconds each, and no
limit of time ends that. So the arguments are counted where they lie first. What a component tells of its work ``tracing.py``
reads.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from wasmtime import WasmtimeError, _bindings, _ffi
from wasmtime.component import LinkerInstance
from wasmtime.component._linker import FUNCTIONS, func_finalize, func_impl

__all__ = ["MOST_VALUES", "add_callback", "add_function"]

MOST_VALUES = 2**16
"""The values in lists that one call may hand over: WASI's streams take so many bytes at once."""


def add_function(interface: LinkerInstance, name: str, function: Callable[..., Any]) -> None:
    """Define a function, which is called with the store and the arguments. More than ``MOST_VALUES`` are a trap.

    Args:
        interface: Where it is defined.
        name: Its name there.
        function: The function.

    Raises:
        WasmtimeError: There is one of that name.
    """
    add_callback(interface, name, _or_trap, function)


def add_callback(interface: LinkerInstance, name: str, callback: Any, function: Callable[..., Any]) -> None:
    """Define a function of wasmtime's own kind, which finds the other one by its number.

    Raises:
        WasmtimeError: There is one of that name.
    """
    encoded = name.encode()
    number = FUNCTIONS.allocate(function)
    failed = _bindings.wasmtime_component_linker_instance_add_func(
        interface.ptr(), ctypes.create_string_buffer(encoded), len(encoded), callback, number, func_finalize
    )
    if failed:
        _bindings.wasmtime_error_delete(failed)
        raise WasmtimeError(f"there is a function {name} already")


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


_LIST, _RECORD, _TUPLE, _OPTION, _VARIANT, _RESULT = (
    getattr(_ffi, f"WASMTIME_COMPONENT_{name}").value for name in ("LIST", "RECORD", "TUPLE", "OPTION", "VARIANT", "RESULT")
)
_COMPOUND = frozenset((_LIST, _RECORD, _TUPLE, _OPTION, _VARIANT, _RESULT))
