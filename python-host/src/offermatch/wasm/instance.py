"""One instance of a component: made in a store of its own, called, thrown away when it fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime.component import Component, ExportIndex, Func, Linker, Variant

from offermatch.errors import MatcherError
from offermatch.limits import Limits
from offermatch.model import Timings
from offermatch.wasm.contract import INTERFACE, PACKED, PREEMPTION, Contract
from offermatch.wasm.direct import Layout, laid_out
from offermatch.wasm.engine import ClockedEngine, limited, new_store
from offermatch.wasm.lockdown import Lockdown
from offermatch.wasm.pace import breathe
from offermatch.wasm.refusal import refusal
from offermatch.wasm.signature import functions, signature
from offermatch.wasm.trap import trapped

__all__ = ["Exports", "Instance"]

_MATCHING = {
    "describe": "describe",
    "open": "[static]pool.open",
    **{call: f"[method]pool.{call}" for call in ("assign", "update", "explain")},
}
_PACKED_PREEMPTION = PREEMPTION.replace("preemption", "packed-preemption")


class Exports:
    """Where the functions of a component are that are called; found once, for all of its instances.

    Attributes:
        contract: The contract that it speaks.
        lists: Its functions, by the names of the calls: those of a pool by their own, `describe`, `set-traced`, `preempt`.
        packed: Those of them that it has packed, likewise.
    """

    def __init__(
        self, component: Component, place: str, exported: Collection[str], contract: Contract, version: str
    ) -> None:
        """Find them.

        Args:
            component: The component.
            place: What it is called in errors.
            exported: The names that it exports.
            contract: The contract that it speaks.
            version: The version as it is written in the names of its interfaces.

        Raises:
            MatcherError: ``wrong-world``.
        """
        self._component, self._place = component, place
        self._layouts: dict[ExportIndex, list[Layout] | None] = {}
        self.contract = contract
        matching, packed = f"{INTERFACE}@{version}", f"{PACKED}@{version}"
        self.lists = self._found(matching, _MATCHING)
        if contract.tracing is not None:
            self.lists |= self._found(matching, {"set-traced": "set-traced"})
        self.packed = self._found(packed, {name: name for name in contract.packed}) if packed in exported else {}
        if contract.rules and f"{PREEMPTION}@{version}" in exported:
            self.lists |= self._found(f"{PREEMPTION}@{version}", {"preempt": "preempt"})
            if f"{_PACKED_PREEMPTION}@{version}" in exported:
                self.packed |= self._found(f"{_PACKED_PREEMPTION}@{version}", {"preempt": "preempt"})

    def layouts(self, index: ExportIndex, function: Func, store: Store) -> list[Layout] | None:
        """Return the layouts of a function that nobody uses at the moment; None where it has types that are not known."""
        if index not in self._layouts:
            layout = laid_out(function.type(store))
            self._layouts[index] = None if layout is None else [layout]
        return self._layouts[index]

    def _found(self, interface: str, names: Mapping[str, str]) -> dict[str, ExportIndex]:
        exported = self._component.get_export_index(interface)
        found: dict[str, ExportIndex] = {}
        for name, export in names.items():
            index = self._component.get_export_index(export, exported)
            if index is None:
                raise MatcherError("wrong-world", f"its {interface} has no {export}", "see wit/matcher.wit", self._place)
            found[name] = index
        return found


class Instance:
    """One instance of a component, in a store of its own, for one thread at a time."""

    def __init__(
        self,
        engine: ClockedEngine,
        component: Component,
        limits: Limits,
        place: str,
        exports: Exports,
        linker: Linker | None,
    ) -> None:
        """Instantiate a component.

        Args:
            engine: The engine it was compiled for.
            component: The component.
            limits: What the instance, and each call of it, may use.
            place: What it is called in errors.
            exports: What of it is called.
            linker: What it imports; None where that is a WASI of its own.

        Raises:
            MatcherError: ``matcher-trapped``, ``wrong-world`` or a limit.
        """
        self.limits = limits
        self._engine, self._place = engine, place
        self.store: Store = new_store(engine, limits)
        self._lockdown = Lockdown(limits.output_text_bytes)
        begin = monotonic()
        try:
            linker = linker or self._lockdown.linker(engine, component)
            with limited(engine, self.store, limits), self._lockdown.attended():
                self._instance = linker.instantiate(self.store, component)
        except WasmtimeError as error:
            raise self._failed(error, begin) from error
        self._exports = exports
        self._traced = False
        self._functions: dict[ExportIndex, Func] = {}

    def _function(self, index: ExportIndex, name: str) -> Func:
        # Looked up where it is called: a call of the system's library lets other threads have the interpreter.
        function = self._functions.get(index)
        if function is None:
            function = self._instance.get_func(self.store, index)
            if function is None:
                raise MatcherError("wrong-world", f"its {name} is no function", "see wit/matcher.wit", self._place)
            self._functions[index] = function
        return function

    def check_types(self) -> None:
        """Refuse a component whose functions have other types than the contract.

        Raises:
            MatcherError: ``wrong-world``.
        """
        version = self._exports.contract.version
        for exports, packed in ((self._exports.lists, False), (self._exports.packed, True)):
            types = functions(version, packed=packed)
            for name, index in exports.items():
                breathe()
                found = signature(self.store, self._function(index, name))
                if found != types[name]:
                    message = f"its {name} is {found}, not {types[name]}"
                    raise MatcherError("wrong-world", message, "see wit/matcher.wit", self._place)

    def call(self, name: str, params: Sequence[Any], timings: Timings, *, packed: bool = False, direct: bool = False) -> Any:
        """Call a function with values as wasmtime-py takes them, and return what it gives.

        Args:
            name: The call.
            params: The values.
            timings: What is added to.
            packed: Whether it is the function of the interface `packed`.
            direct: Whether the values go into memory without wasmtime-py, where their types are known.

        Raises:
            MatcherError: ``matcher-trapped`` or a limit; the instance is then of no more use.
            InputError: The matcher refused the call.
        """
        index = (self._exports.packed if packed else self._exports.lists)[name]
        run = self._way(index, name, direct=direct)
        breathe()
        set_traced = self._exports.lists.get("set-traced")
        if set_traced is None:
            return self._run(run, params, timings)
        spans = self._lockdown.spans
        traced = spans.begin(self.limits.output_text_bytes)
        try:
            if traced != self._traced:
                run = partial(self._run_switched, self._way(set_traced, "set-traced", direct=direct), traced, run)
            return self._run(run, params, timings)
        finally:
            spans.emit()

    def _run_switched(self, set_traced: Callable[..., Any], traced: bool, run: Callable[..., Any], *params: Any) -> Any:
        """Say first whether calls are traced from now on."""
        set_traced(self.store, traced)
        self._traced = traced
        return run(*params)

    def _way(self, index: ExportIndex, name: str, *, direct: bool) -> Callable[..., Any]:
        """Return what calls a function, with the store first: directly where that is asked for and its types are known."""
        function = self._function(index, name)
        if direct and (layouts := self._exports.layouts(index, function, self.store)) is not None:
            return partial(_run_direct, layouts, function)
        return function

    def _run(self, function: Callable[..., Any], params: Sequence[Any], timings: Timings) -> Any:
        begin = monotonic()
        try:
            with limited(self._engine, self.store, self.limits), self._lockdown.attended():
                result = function(self.store, *params)
        except WasmtimeError as error:
            raise self._failed(error, begin) from error
        finally:
            timings.call += monotonic() - begin
        if isinstance(result, Variant):
            raise refusal(result, self.limits)
        return result

    def _failed(self, error: WasmtimeError, begin: float) -> BaseException:
        """Return what a host function raised, or what the trap means."""
        if self._lockdown.raised is not None:
            return self._lockdown.raised
        return trapped(error, self.limits, (monotonic() - begin) * 1000, self._place, self._lockdown.output())


def _run_direct(layouts: list[Layout], function: Func, store: Store, *params: Any) -> Any:
    # A layout is for one call at a time; one that is in use elsewhere is not in the list.
    try:
        layout = layouts.pop()
    except IndexError:
        layout = Layout(function.type(store))
    try:
        return layout.call(function, store, *params)
    finally:
        layouts.append(layout)
