"""What a component may reach: nothing.

A component that was built with a standard library imports WASI. It gets one that is empty: no files, environment, arguments
or network; clocks that stand still; randomness that is a fixed sequence; standard output and error kept up to a limit, for
the message of the error when a call fails. wasmtime has a WASI of its own, but its clocks move and its randomness is real,
so that the same input would not always give the same answer; and it ends the process when a store is not prepared for it.
So every function is defined here, and one that is not known is refused to the component, or traps. What a component may
tell of its work goes to ``_spans``.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import cycle, islice
from typing import Any

from wasmtime import Engine, WasmtimeError
from wasmtime.component import (
    Component,
    EnumType,
    FuncType,
    Linker,
    LinkerInstance,
    Record,
    ResourceAny,
    ResourceHost,
    ResourceType,
    ResultType,
    Variant,
)
from wasmtime.component import ComponentInstanceType as InstanceType

from offermatch.wasm.callback import add_function
from offermatch.wasm.spans import FUNCTIONS as TRACING
from offermatch.wasm.spans import Spans
from offermatch.wasm.tracing import add_tracing

__all__ = ["Lockdown", "foreign_imports", "shared_linker"]

_NAMESPACES = ("wasi:", "offermatch:")
_TELEMETRY = "wasi:otel/"
_under_way = threading.local()
"""Has the ``lockdown`` of the instance that the thread calls."""
_STDIN, _STDOUT, _STDERR, _OTHER = range(4)
_CHUNK = 2**16
_SHOWN = 2000
"""The characters of each stream, its last, that an error shows."""
_NO_CHANCE = b"offermatch-fixed"
"""The fixed sequence that stands for randomness, over and over; the same in both hosts."""
_SEED = (int.from_bytes(_NO_CHANCE[:8], "little"), int.from_bytes(_NO_CHANCE[8:], "little"))
_REFUSALS = ("access-denied", "not-permitted", "not-supported")
"""How the interfaces of WASI say no, in this order of preference."""


def foreign_imports(engine: Engine, imports: Mapping[str, Any], tracing: str | None) -> list[str]:
    """Return the imports that no matcher may have, but the interface ``tracing``."""
    return [name for name, kind in imports.items() if name != tracing and _is_foreign(engine, name, kind.ty)]


def _is_foreign(engine: Engine, name: str, kind: Any) -> bool:
    if not name.startswith(_NAMESPACES) or not isinstance(kind, InstanceType):
        return True
    return name.startswith(_TELEMETRY) and bool(_asked(engine, kind))


def _asked(engine: Engine, interface: Any) -> list[str]:
    """Return the functions and resources of an interface; one of which only types are used asks for nothing."""
    return [name for name, item in interface.exports(engine).items() if isinstance(item.ty, (FuncType, ResourceType))]


def shared_linker(engine: Engine, component: Component) -> Linker | None:
    """Return a linker for every instance of a component that asks nothing of WASI; None where each needs one of its own."""
    asked = {name: _asked(engine, kind.ty) for name, kind in component.type.imports(engine).items()}
    if any(items for name, items in asked.items() if not name.startswith(_TELEMETRY)):
        return None
    linker = Linker(engine)
    with linker.root() as root:
        for name, items in asked.items():
            with root.add_instance(name) as interface:
                for item in items:
                    add_tracing(interface, item, _tracing(item))
    return linker


def _tracing(name: str) -> Callable[..., Any]:
    """Return a function of `wasi:otel/tracing`, for whichever instance the thread calls."""
    function = TRACING[name]

    def call(*arguments: Any) -> Any:
        lockdown: Lockdown = _under_way.lockdown
        return lockdown.guarded(partial(function, lockdown.spans, *arguments))

    return call


class Lockdown:
    """The empty world of one instance, and what it wrote.

    Attributes:
        raised: What a function of the host raised during the last call, if anything.
        spans: What it tells of its work.
    """

    def __init__(self, most_bytes: int) -> None:
        """Keep at most so many bytes of standard output, and of standard error."""
        self.raised: BaseException | None = None
        self.spans = Spans()
        self._most = most_bytes
        self._kept = {_STDOUT: bytearray(), _STDERR: bytearray()}
        self._written = {_STDOUT: 0, _STDERR: 0}
        self._functions: dict[str, Callable[..., Any]] = {}

    def linker(self, engine: Engine, component: Component) -> Linker:
        """Return a linker that has everything the component imports."""
        self._functions = self._known()
        linker = Linker(engine)
        numbers: dict[str, int] = {}
        with linker.root() as root:
            for name, imported in component.type.imports(engine).items():
                kind = imported.ty
                if isinstance(kind, InstanceType):
                    with root.add_instance(name) as interface:
                        self._define(interface, name.partition("@")[0], kind.exports(engine), numbers)
        return linker

    def output(self) -> str:
        """Return the end of what the component wrote, as the end of a message."""
        parts = []
        for stream, name in ((_STDOUT, "standard output"), (_STDERR, "standard error")):
            if written := self._written[stream]:
                shown = self._kept[stream].decode(errors="replace")[-_SHOWN:]
                cut = f" ({written} bytes in all)" if len(shown) < written else ""
                parts.append(f"; {name}: {json.dumps(shown.rstrip(), ensure_ascii=False)}{cut}")
        return "".join(parts)

    def attended(self) -> AbstractContextManager[None]:
        """Let what host functions raise during a block, which begins now, come out of it as what it was.

        wasmtime-py loses a KeyboardInterrupt that is raised in a host function, so in the main thread the signal waits until
        the call is over; host functions called after it end the call.
        """
        self.raised = None
        _under_way.lockdown = self
        called = self._functions or self.spans.traced
        if not called or threading.current_thread() is not threading.main_thread():
            return nullcontext()
        handler = signal.getsignal(signal.SIGINT)
        return self._uninterrupted(handler) if callable(handler) else nullcontext()

    @contextmanager
    def _uninterrupted(self, handler: Callable[[int, Any], object]) -> Iterator[None]:
        held: list[tuple[int, Any]] = []

        def hold(number: int, frame: Any) -> None:
            held.append((number, frame))
            self.raised = self.raised or KeyboardInterrupt()

        signal.signal(signal.SIGINT, hold)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, handler)
            if held:
                handler(*held[0])

    def _define(self, interface: LinkerInstance, name: str, exports: Mapping[str, Any], numbers: dict[str, int]) -> None:
        for export, extern in exports.items():
            kind = extern.ty
            if isinstance(kind, FuncType):
                if name.startswith(_TELEMETRY):
                    add_tracing(interface, export, _tracing(export))
                else:
                    add_function(interface, export, self._guarded(f"{name}/{export}", kind, numbers))
            elif isinstance(kind, ResourceType):
                # A resource goes by its name in every interface that uses it.
                number = numbers.setdefault(export, len(numbers) + 1)
                interface.add_resource(export, ResourceType.host(number), lambda *_: None)

    def _guarded(self, name: str, kind: FuncType, numbers: dict[str, int]) -> Callable[..., Any]:
        """Return the function of that name; nothing but a trap leaves it, and ``raised`` keeps what was raised."""
        known = self._functions.get(name)
        result = kind.result

        def call(store: Any, *arguments: Any) -> Any:
            # Every handle must be taken, used or not: a borrowed one that is left over is a trap.
            taken = self.guarded(lambda: [_taken(store, argument) for argument in arguments], at_once=True)
            if known is None:
                return self.guarded(lambda: _refused(name, result))
            return self.guarded(lambda: _result(result, known(store, numbers, *taken)))

        return call

    def guarded(self, run: Callable[[], Any], *, at_once: bool = False) -> Any:
        """Run a function of the host; nothing but a trap leaves it, and ``raised`` keeps what was raised.

        Args:
            run: The function.
            at_once: Whether it runs even when the call is about to end.
        """
        if self.raised is not None and not at_once:
            raise WasmtimeError("the call was interrupted")
        try:
            return run()
        except WasmtimeError:
            raise
        except BaseException as error:  # noqa: BLE001 - wasmtime-py would lose it
            self.raised = error
            raise WasmtimeError("a function of the host failed") from None

    def _known(self) -> dict[str, Callable[..., Any]]:
        """Return the functions that answer, by interface and name; the first arguments are the store and the resources."""

        def nothing(*_: Any) -> None:
            return None

        def resource(kind: str, rep: int) -> Callable[..., Any]:
            return lambda _store, numbers, *_: ResourceHost.own(rep, numbers[kind])

        streams = "wasi:io/streams/[method]output-stream."
        return {
            "wasi:cli/environment/get-environment": lambda *_: [],
            "wasi:cli/environment/get-arguments": lambda *_: [],
            "wasi:cli/environment/initial-cwd": nothing,
            "wasi:cli/exit/exit": _exit,
            "wasi:cli/exit/exit-with-code": _exit,
            "wasi:cli/stdin/get-stdin": resource("input-stream", _STDIN),
            "wasi:cli/stdout/get-stdout": resource("output-stream", _STDOUT),
            "wasi:cli/stderr/get-stderr": resource("output-stream", _STDERR),
            "wasi:cli/terminal-stdin/get-terminal-stdin": nothing,
            "wasi:cli/terminal-stdout/get-terminal-stdout": nothing,
            "wasi:cli/terminal-stderr/get-terminal-stderr": nothing,
            "wasi:clocks/monotonic-clock/now": lambda *_: 0,
            "wasi:clocks/monotonic-clock/resolution": lambda *_: 1,
            "wasi:clocks/monotonic-clock/subscribe-instant": resource("pollable", _OTHER),
            "wasi:clocks/monotonic-clock/subscribe-duration": resource("pollable", _OTHER),
            "wasi:clocks/wall-clock/now": lambda *_: _instant(0, 0),
            "wasi:clocks/wall-clock/resolution": lambda *_: _instant(0, 1),
            "wasi:filesystem/preopens/get-directories": lambda *_: [],
            "wasi:io/error/[method]error.to-debug-string": lambda *_: "closed",
            "wasi:io/poll/[method]pollable.block": nothing,
            "wasi:io/poll/[method]pollable.ready": lambda *_: True,
            "wasi:io/poll/poll": lambda _store, _numbers, waiting: list(range(len(waiting))),
            "wasi:io/streams/[method]input-stream.subscribe": resource("pollable", _OTHER),
            "wasi:io/streams/[method]input-stream.read": lambda *_: Variant("err"),
            "wasi:io/streams/[method]input-stream.blocking-read": lambda *_: Variant("err"),
            f"{streams}subscribe": resource("pollable", _OTHER),
            f"{streams}check-write": lambda *_: Variant("ok", _CHUNK),
            f"{streams}write": self._write,
            f"{streams}blocking-write-and-flush": self._write,
            f"{streams}flush": lambda *_: Variant("ok"),
            f"{streams}blocking-flush": lambda *_: Variant("ok"),
            **self._random_functions("random", "random"),
            **self._random_functions("insecure", "insecure-random"),
            "wasi:random/insecure-seed/insecure-seed": lambda *_: _SEED,
            "wasi:sockets/instance-network/instance-network": resource("network", _OTHER),
        }

    def _write(self, _store: Any, _numbers: Any, stream: int, contents: bytes) -> Variant:
        kept = self._kept[stream]
        kept += contents[: self._most - len(kept)]
        self._written[stream] += len(contents)
        return Variant("ok")

    def _random_functions(self, interface: str, name: str) -> dict[str, Callable[..., Any]]:
        chance = cycle(_NO_CHANCE)

        def some_bytes(_store: Any, _numbers: Any, count: int) -> bytes:
            if count > self._most:
                raise WasmtimeError(f"{count} random bytes asked in one call, above {self._most}")
            return bytes(islice(chance, count))

        return {
            f"wasi:random/{interface}/get-{name}-bytes": some_bytes,
            f"wasi:random/{interface}/get-{name}-u64": lambda *_: int.from_bytes(bytes(islice(chance, 8)), "big"),
        }


def _taken(store: Any, argument: Any) -> Any:
    """Return an argument with the number of each resource in place of its handle."""
    if isinstance(argument, ResourceAny):
        return argument.to_host(store).rep
    return [_taken(store, item) for item in argument] if isinstance(argument, list) else argument


def _exit(_store: Any, _numbers: Any, status: Any) -> None:
    shown = status.tag if isinstance(status, Variant) else status
    raise WasmtimeError(f"the component left with exit({shown})")


def _instant(seconds: int, nanoseconds: int) -> Record:
    record = Record()
    vars(record).update(seconds=seconds, nanoseconds=nanoseconds)
    return record


def _result(kind: Any, value: Any) -> Any:
    """Return what wasmtime-py takes for a ``result``: its cases have names only where the payloads could be mixed up."""
    if isinstance(value, Variant) and not kind._tagged():
        return value.payload
    return value


def _refused(name: str, kind: Any) -> Any:
    """Return the error that says no, or trap where the function has none."""
    cases = kind.err.names if isinstance(kind, ResultType) and isinstance(kind.err, EnumType) else ()
    for refusal in _REFUSALS:
        if refusal in cases:
            return _result(kind, Variant("err", refusal))
    raise WasmtimeError(f"{name} is not there for a matcher")
