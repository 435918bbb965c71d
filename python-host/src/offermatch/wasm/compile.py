"""A component read and compiled within the limits on its size and on the compiler's time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TypeVar

from offermatch.errors import LimitError, MatcherError
from offermatch.limits import Limits

__all__ = ["compile_within", "read_component"]

_Compiled = TypeVar("_Compiled")
_CODE = "limit-component"


def read_component(path: Path, limits: Limits) -> bytes:
    """Return the bytes of a component, never more than ``component_bytes``.

    Raises:
        MatcherError: ``component-unreadable``.
        LimitError: ``limit-component``.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limits.component_bytes + 1)
            size = max(len(content), path.stat().st_size)
    except OSError as error:
        hint = "run 'make component', or give the path of a component"
        raise MatcherError("component-unreadable", error.strerror or str(error), hint, str(path)) from error
    if len(content) > limits.component_bytes:
        raise _exceeded("component_bytes", limits.component_bytes, f"it is {size:,} bytes long", path)
    return content


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
    raise _exceeded("compile_milliseconds", limits.compile_milliseconds, asked, path)


def _exceeded(limit: str, value: int, asked: str, path: Path) -> LimitError:
    error = LimitError(
        _CODE, f"{asked}, above {limit} = {value:,}", f"raise {limit} if the component can be trusted", str(path)
    )
    error.limit, error.value, error.asked = limit, value, asked
    return error
