"""The wasmtime engines the matchers of a process share, and the clock that ends calls.

One engine serves every component; others, made when limits ask for them, count fuel or do not limit time. One that limits
time has one thread that advances its epoch every 10 ms while a call is under way. A call is given a deadline in epochs, and
a component that is still running then traps. Compiled code looks at the epoch in every loop and every function, which costs
a matcher about a fifth of its time.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from wasmtime import Config, Engine, Store, _bindings

from offermatch.limits import Limits
from offermatch.wasm.elsewhere import is_elsewhere

__all__ = [
    "MOST_INSTANCES",
    "MOST_MEMORIES",
    "MOST_TABLES",
    "TICK_MILLISECONDS",
    "configuration",
    "limited",
    "new_store",
    "shared_engine",
]

TICK_MILLISECONDS = 10
"""Between two epochs."""

# What is not wasmtime's default stands here and in `_options`: options are part of what a compiled component depends on.
# What a matcher may use of WebAssembly is the list of tests/facts/proposals.toml; relaxed SIMD may else differ from one
# machine to the next.
_OPTIONS: Mapping[str, object] = {
    "wasm_custom_page_sizes": False,
    "wasm_exceptions": False,
    "wasm_function_references": False,
    "wasm_gc": False,
    "wasm_memory64": False,
    # What the parts of a composed component hand to one another is copied from memory to memory.
    "wasm_multi_memory": True,
    "wasm_relaxed_simd_deterministic": True,
    "wasm_stack_switching": False,
    "wasm_tail_call": True,
    "wasm_threads": False,
    "wasm_wide_arithmetic": False,
}
# Options that wasmtime-py has in its C library only.
_REFUSED = ("gc_support", "wasm_component_model_async")

MOST_MEMORIES, MOST_TABLES, MOST_INSTANCES = 1, 16, 64
"""What one instance has at most of each; the limit of memory holds for each memory, so there is one."""
_engines: dict[str, ClockedEngine] = {}
_engines_lock = threading.Lock()


class ClockedEngine(Engine):
    """An engine whose epoch advances while a call is under way."""

    def __init__(self, limits: Limits) -> None:
        """Configure it to limit time and to count fuel, or not."""
        config = Config()
        for name, value in _options(limits).items():
            setattr(config, name, value)
        # The threads of a parallel compiler would not be there in a process that is forked from this one.
        config.parallel_compilation = is_elsewhere()
        for name in _REFUSED:
            getattr(_bindings, f"wasmtime_config_{name}_set")(config.ptr(), False)
        super().__init__(config)
        self.clock = _Clock(self)


def shared_engine(limits: Limits) -> ClockedEngine:
    """Return the engine of this process for such limits."""
    key = configuration(limits)
    with _engines_lock:
        if key not in _engines:
            _engines[key] = ClockedEngine(limits)
        return _engines[key]


def configuration(limits: Limits) -> str:
    """Return the options of the engine for such limits as text, for the key of compiled components."""
    options = {**_options(limits), **dict.fromkeys(_REFUSED, False)}
    return ",".join(f"{name}={value}" for name, value in sorted(options.items()))


def _options(limits: Limits) -> dict[str, object]:
    timed, counted = limits.call_milliseconds is not None, limits.fuel is not None
    return {**_OPTIONS, "epoch_interruption": timed, "consume_fuel": counted}


def new_store(engine: Engine, limits: Limits) -> Store:
    """Return a store for one pool; stores are never shared, so pools can be used by different threads."""
    store = Store(engine)
    store.set_limits(limits.memory_bytes, limits.table_elements, MOST_INSTANCES, MOST_TABLES, MOST_MEMORIES)
    return store


def limited(engine: ClockedEngine, store: Store, limits: Limits) -> AbstractContextManager[None]:
    """Give the calls of a block their time, from now on, and their fuel."""
    if limits.fuel is not None:
        store.set_fuel(limits.fuel)
    if limits.call_milliseconds is None:
        return nullcontext()
    # The epoch under way has begun already, so it does not count.
    store.set_epoch_deadline(-(-limits.call_milliseconds // TICK_MILLISECONDS) + 1)
    return engine.clock


class _Clock:
    """One thread that advances the epoch of one engine while a block is under way; it ends with the engine."""

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock()
        self._calls = 0
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._engine = weakref.ref(engine, lambda _: self._wanted.set())
        _clocks.add(self)

    def __enter__(self) -> None:
        """Let the epoch advance."""
        with self._lock:
            self._calls += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._advance, name="offermatch-epochs", daemon=True)
                self._thread.start()
            # The thread is mostly awake from the call before, and waking it costs more than a small call.
            if not self._wanted.is_set():
                self._wanted.set()

    def __exit__(self, *_: object) -> None:
        """Let the epoch rest, after its next tick, where no block is under way by then."""
        with self._lock:
            self._calls -= 1

    def begin_anew(self) -> None:
        """Be without the thread, in a forked child: there is none, and what it held is held for ever."""
        self._lock, self._wanted, self._thread = threading.Lock(), threading.Event(), None

    def stop(self) -> None:
        """End the thread; the next block starts another."""
        with self._lock:
            thread, self._thread = self._thread, None
        self._wanted.set()
        if thread is not None:
            thread.join()

    def _advance(self) -> None:
        tick, own = TICK_MILLISECONDS / 1000, threading.current_thread()
        while True:
            self._wanted.wait()
            if self._thread is not own:
                return
            last = time.monotonic()
            while self._wanted.is_set():
                time.sleep(tick)
                engine = self._engine()
                if engine is None or self._thread is not own:
                    return
                # The interpreter may let this thread wait; what was missed is made up for.
                missed = int((time.monotonic() - last) / tick)
                last += missed * tick
                for _ in range(missed):
                    engine.increment_epoch()
                del engine
                with self._lock:
                    if not self._calls:
                        self._wanted.clear()
                # The engine may have gone just before, or the thread been stopped, and what it woke for was cleared.
                if self._engine() is None or self._thread is not own:
                    return


_clocks: weakref.WeakSet[_Clock] = weakref.WeakSet()


@atexit.register
def _stop_clocks() -> None:
    # An interpreter that ends stops threads wherever they are, and then the end of an engine may wait for what one held.
    for clock in list(_clocks):
        clock.stop()


def _begin_clocks_anew() -> None:
    for clock in list(_clocks):
        clock.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_clocks_anew)
