"""A component read and compiled within the limits on its size and on the compiler's time and memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TypeVar

from wasmtime import WasmtimeError
from wasmtime.component import Component

from offermatch.errors import MatcherError
from offermatch.limits import Limits, exceeded
from offermatch.reading import CHECK_PATH, TooLongError, read_bounded
from offermatch.wasm import cache, elsewhere
from offermatch.wasm.engine import configuration, shared_engine

__all__ = ["compile_component", "compile_within", "read_component"]

_LOG = logging.getLogger("offermatch")

_Compiled = TypeVar("_Compiled")
_CODE = "limit-component"


def read_component(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a component, never more than ``component_bytes``.

    Raises:
        MatcherError: ``component-unreadable``.
        LimitError: ``limit-component``.
    """
    try:
        return read_bounded(path, limits.component_bytes)
    except TooLongError as error:
        asked = f"it is {error.size:,} bytes long"
        raise exceeded(_CODE, "component_bytes", limits.component_bytes, asked, str(path)) from error
    except OSError as error:
        raise MatcherError("component-unreadable", error.strerror or str(error), CHECK_PATH, str(path)) from error


def compile_component(
    content: bytes,
    path: Path,
    limits: Limits,
    judge: Callable[[bytes], object] | None = None,
    stopped: threading.Event | None = None,
) -> tuple[Component, bool]:
    """Return a component, from the cache where it has it, else compiled in a process of its own; and whether it had it.

    Args:
        content: Its bytes.
        path: What it is called in errors.
        limits: What it may use.
        judge: What has to be content with it, in that process.
        stopped: Set when nobody waits for it any more.

    Raises:
        MatcherError: ``component-malformed``, ``compiler-failed``, ``limit-component``, or what the judge raises;
            ``component-unreadable`` where there is no process to judge it in.
        Abandoned: Nobody waits for it any more.
    """
    engine, key, folder = shared_engine(limits), configuration(limits), cache.directory()
    found = cache.kept(engine, content, key, Component, folder)
    if judge is None:
        if found is not None:
            return found, True
        if elsewhere.is_elsewhere() or not elsewhere.available():
            return compile_within(limits, path, lambda: _compiled(content, path, limits)), False
    job = elsewhere.Job(content, path, limits, _compiled, judge, folder if found is not None else None)
    try:
        with elsewhere.done_elsewhere(job, stopped) as left:
            if found is not None:
                return found, True
            found = cache.kept(engine, content, key, Component, left)
            if found is not None:
                cache.adopt(left, folder, content, key)
                return found, False
            reason = "the machine code that was left cannot be used"
    except OSError as error:
        reason = str(error)
    if judge is not None:
        message = f"it cannot be judged in a process of its own: {reason}"
        raise MatcherError("component-unreadable", message, "make room for a process and its files", str(path))
    _LOG.warning("%s is compiled in this process, without a bound on memory: %s", path, reason)
    return compile_within(limits, path, lambda: _compiled(content, path, limits)), False


def _compiled(content: bytes, path: Path, limits: Limits) -> Component:
    """Return the component that the bytes are, and keep its machine code.

    Raises:
        MatcherError: ``component-malformed``.
    """
    try:
        return cache.compiled(shared_engine(limits), content, configuration(limits), Component)[0]
    except WasmtimeError as error:
        hint = "the file may be cut short; build or download it again"
        raise MatcherError("component-malformed", str(error).splitlines()[0], hint, str(path)) from error


def compile_within(limits: Limits, path: Path, compile_it: Callable[[], _Compiled]) -> _Compiled:
    """Return what a function compiles, if that is there within ``compile_milliseconds``.

    A compiler cannot be stopped: one that takes longer goes on in its thread, and what it makes is thrown away.

    Raises:
        LimitError: ``limit-component``.
    """
    done: list[_Compiled] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(compile_it())
        except BaseException as error:  # noqa: BLE001 - it is raised where it was waited for
            failed.append(error)

    begin = monotonic()
    thread = threading.Thread(target=run, name="offermatch-compile", daemon=True)
    thread.start()
    thread.join(min(limits.compile_milliseconds / 1000, threading.TIMEOUT_MAX))
    if done:
        return done[0]
    if failed:
        raise failed[0]
    asked = f"it was still being compiled after {(monotonic() - begin) * 1000:,.0f} ms"
    raise exceeded(_CODE, "compile_milliseconds", limits.compile_milliseconds, asked, str(path))
