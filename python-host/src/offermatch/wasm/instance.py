"""One instance of a component: made in a store of its own, called, thrown away when it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from wasmtime import Store, WasmtimeError
from wasmtime.component import Component, ExportIndex, Func, Linker

from offermatch.errors import LyingMatcherError, MatcherError
from offermatch.limits import Limits
from offermatch.model import Timings
from offermatch.wasm.crossing import Crossing, PublicCrossing, Refused
from offermatch.wasm.engine import ClockedEngine, limited, new_store
from offermatch.wasm.lockdown import Lockdown
from offermatch.wasm.pace import breathe
from offermatch.wasm.packed import PackedCrossing
from offermatch.wasm.refusal import refusal
from offermatch.wasm.signature import FUNCTIONS, PACKED_EXPORTS, PACKED_FUNCTIONS, TRACING_FUNCTIONS, signature
from offermatch.wasm.trap import trapped

__all__ = ["Exports", "Instance"]


class Exports:
    """Where the functions of a component are that are called; found once, for all of its instances.

    Attributes:
        matching: Those of its matching interface, by name.
        packed: Those of the packed one, by the function of the matching interface that means the same; empty without it.
    """

    def __init__(self, component: Component, place: str, matching: str, packed: str | None, *, traces: bool) -> None:
        """Find them.

        Args:
            component: The component.
            place: What it is called in errors.
            matching: The full name of its matching interface.
            packed: That of the packed one, if there is one.
            traces: Whether its contract has tracing.

        Raises:
            MatcherError: ``wrong-world``.
        """
        self._component, self._place = component, place
        functions = [*FUNCTIONS, *(TRACING_FUNCTIONS if traces else ())]
        self.matching = self._found(matching, {name: name for name in functions})
        self.packed = {} if packed is None else self._found(packed, PACKED_EXPORTS)

    def _found(self, interface: str, exports: Mapping[str, str]) -> dict[str, ExportIndex]:
        exported = self._component.get_export_index(interface)
        found: dict[str, ExportIndex] = {}
        for name, export in exports.items():
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

    def _function(self, index: ExportIndex, name: str) -> Func:
        # Looked up where it is called: a call of the system's library lets other threads have the interpreter.
        function = self._instance.get_func(self.store, index)
        if function is None:
            raise MatcherError("wrong-world", f"its {name} is no function", "see wit/matcher.wit", self._place)
        return function

    def check_types(self) -> None:
        """Refuse a component whose functions have other types than the contract.

        Raises:
            MatcherError: ``wrong-world``.
        """
        matching, packed = self._exports.matching, self._exports.packed
        for exports, types in ((matching, {**FUNCTIONS, **TRACING_FUNCTIONS}), (packed, PACKED_FUNCTIONS)):
            for name, index in exports.items():
                breathe()
                found = signature(self.store, self._function(index, name))
                if found != types[name]:
                    message = f"its {name} is {found}, not {types[name]}"
                    raise MatcherError("wrong-world", message, "see wit/matcher.wit", self._place)

    def call(self, name: str, params: Sequence[Any], crossing: Crossing, timings: Timings) -> Any:
        """Call a function of the matching interface, or the packed one of the same meaning.

        Raises:
            MatcherError: ``matcher-trapped`` or a limit; the instance is then of no more use.
            LyingMatcherError: A packed column that comes back cannot be read.
            InputError: The matcher refused the call.
        """
        index = self._exports.matching[name]
        if isinstance(crossing, PackedCrossing):
            if name in self._exports.packed:
                index = self._exports.packed[name]
            else:
                crossing = crossing.inner
        function = self._function(index, name)
        breathe()
        set_traced = self._exports.matching.get("set-traced")
        if set_traced is None:
            return self._run(function, params, crossing, timings)
        spans = self._lockdown.spans
        traced = spans.begin(self.limits.output_text_bytes)
        try:
            if traced != self._traced:
                self._run(self._function(set_traced, "set-traced"), [traced], PublicCrossing(), Timings())
                self._traced = traced
            return self._run(function, params, crossing, timings)
        finally:
            spans.emit()

    def _run(self, function: Func, params: Sequence[Any], crossing: Crossing, timings: Timings) -> Any:
        begin = monotonic()
        try:
            with limited(self._engine, self.store, self.limits), self._lockdown.attended():
                result = crossing.call(self.store, function, params, timings)
        except WasmtimeError as error:
            raise self._failed(error, begin) from error
        except ValueError as error:
            if not isinstance(crossing, PackedCrossing):
                raise
            message = f"the matcher answered with columns that are not digits: {error}"
            raise LyingMatcherError("answer-refused", message, "do not use this matcher", self._place) from error
        if isinstance(result, Refused):
            raise refusal(result, self.limits)
        return result

    def _failed(self, error: WasmtimeError, begin: float) -> BaseException:
        """Return what a host function raised, or what the trap means."""
        if self._lockdown.raised is not None:
            return self._lockdown.raised
        return trapped(error, self.limits, (monotonic() - begin) * 1000, self._place, self._lockdown.output())
