"""A process of its own in which a component is compiled, and a candidate judged, with bounds on memory and time.

    this process ── bytes, limits ──> the other ── machine code, as an entry of the cache ──> checked and loaded here
                                          └── an error, or killed: at the deadline, when nobody waits, with its parent

A compiler cannot be stopped in a thread, and what it allocates is not counted. A process can, and what it leaves behind is
a file. It also keeps the compiler's threads out of this process, so that this one can be forked.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from offermatch.errors import InputError, LimitError, LyingMatcherError, MatcherError, OffermatchError
from offermatch.limits import Limits, exceeded
from offermatch.visible import visible

if sys.platform != "win32":
    import resource

__all__ = ["Abandoned", "Job", "available", "compiling_here", "done_elsewhere", "is_elsewhere", "serve"]

_PROGRAM = "import sys; from offermatch.wasm.elsewhere import serve; serve(sys.argv[1])"
_JOB, _LOG = "job", "log"
_TICK = 0.05
"""Seconds after which a wait looks whether it is to end."""
_NICE = 10
"""How far a judge stands back behind those who call meanwhile."""
_MOST_OUTPUT = 2**20
"""Bytes of what the other process says."""
_MOST_OF_A_LOG = 2**14
"""So many bytes at the end of its log are read."""
_MOST_WORDS = 300
"""Characters of a compiler's own words that are shown."""
_OUT_OF_MEMORY = re.compile(
    r"memory allocation of |Cannot allocate memory|OutOfMemory|out of memory|\bMemoryError\b"
    r"|Resource temporarily unavailable"
)
"""How the allocators of Rust and Python, and the system, say that there is no more memory; the last of a thread's stack."""
_COMPILED = b"compiled\n"
_KINDS = {kind.__name__: kind for kind in (InputError, LimitError, LyingMatcherError, MatcherError, OffermatchError)}
_elsewhere: list[Path] = []


class Abandoned(Exception):  # noqa: N818 - not an error: nobody waits any more
    """What was to be done elsewhere is not wanted any more."""


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Attributes:
        content: The bytes of the component.
        path: What it is called in errors.
        limits: What it may use.
        compile: Compiles it and leaves the machine code in a folder.
        judge: Judges it, with its machine code from there; None where nothing is asked.
        cache: The folder that has its machine code already; None where it is to be compiled.
    """

    content: bytes
    path: Path
    limits: Limits
    compile: Callable[[bytes, Path, Limits], object]
    judge: Callable[[bytes], object] | None = None
    cache: Path | None = None


def available() -> bool:
    """Return whether another process can be started: not from a program that has Python inside."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def is_elsewhere() -> bool:
    """Return whether this is the other process."""
    return bool(_elsewhere)


@contextmanager
def compiling_here() -> Iterator[None]:
    """Be the other process during a block, to measure what it costs the callers of this one."""
    _elsewhere.append(Path())
    try:
        yield
    finally:
        _elsewhere.pop()


@contextmanager
def done_elsewhere(job: Job, stopped: threading.Event | None = None) -> Iterator[Path]:
    """Do a job in a process of its own, and give the folder with what it left, which goes when the block ends.

    Args:
        job: What is to be done.
        stopped: Set when nobody waits for it any more.

    Raises:
        MatcherError: What the job raised; ``limit-component`` where it took too much time or memory; ``compiler-failed``
            where the process ended without an answer.
        Abandoned: Nobody waits for it any more.
        OSError: There is no room for a process or its files.
    """
    with tempfile.TemporaryDirectory(prefix="offermatch-") as name:
        folder = Path(name)
        (folder / _JOB).write_bytes(pickle.dumps(job))
        with (folder / _LOG).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - this interpreter, and a folder of its own
                [sys.executable, "-c", _PROGRAM, name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(),
                start_new_session=True,
            )
        try:
            output = _wait(process, job, stopped)
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        _raise_failure(output, process.returncode, job, folder / _LOG)
        yield folder


def _environment() -> dict[str, str]:
    modules = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    # An allocation of Rust's that fails while a backtrace is made waits for ever for the lock of that backtrace.
    return {**os.environ, "PYTHONPATH": modules, "RUST_BACKTRACE": "0"}


def _wait(process: subprocess.Popen[bytes], job: Job, stopped: threading.Event | None) -> bytes:
    """Return what the process says until its end.

    Raises:
        LimitError: It takes too long; compiling and judging have the same time each.
        Abandoned: Nobody waits for it any more.
    """
    output, compiled, begin = b"", job.cache is not None, monotonic()
    stdout = process.stdout
    assert stdout is not None  # noqa: S101 - it is a pipe
    with selectors.DefaultSelector() as ready:
        ready.register(stdout, selectors.EVENT_READ)
        while True:
            if stopped is not None and stopped.is_set():
                raise Abandoned
            milliseconds = (monotonic() - begin) * 1000
            if milliseconds > job.limits.compile_milliseconds:
                doing = "judged" if compiled else "compiled"
                asked = f"it was still being {doing} after {milliseconds:,.0f} ms"
                raise exceeded(
                    "limit-component", "compile_milliseconds", job.limits.compile_milliseconds, asked, str(job.path)
                )
            if not ready.select(_TICK):
                continue
            more = os.read(stdout.fileno(), 2**16)
            output += more
            if not more or len(output) > _MOST_OUTPUT:
                process.wait(_TICK * 20) if not more else None
                return output
            if not compiled and output.startswith(_COMPILED):
                compiled, begin = True, monotonic()


def _raise_failure(output: bytes, status: int, job: Job, log: Path) -> None:
    lines = output.splitlines()
    try:
        found = json.loads(lines[-1])
    except (IndexError, ValueError):
        found = None
    if not isinstance(found, dict):
        judged = job.cache is not None or output.startswith(_COMPILED)
        raise _ended(status, _end_of(log), job, "judged" if judged else "compiled")
    if found:
        error = _KINDS[found["kind"]](*(found[part] for part in ("code", "message", "hint", "place")))
        for name, value in found["more"].items():
            setattr(error, name, value)
        raise error


def _ended(status: int, said: str, job: Job, doing: str) -> MatcherError:
    """Return the error of a process that ended without an answer, by how it ended and what it said."""
    # Nobody here sends SIGKILL to one that is waited for. The system does, when memory runs short.
    if status == -signal.SIGKILL or _OUT_OF_MEMORY.search(said):
        most = job.limits.compile_memory_bytes + (job.limits.memory_bytes if doing == "judged" else 0)
        asked = f"it needed more than {most:,} bytes of memory to be {doing}"
        return exceeded("limit-component", "compile_memory_bytes", job.limits.compile_memory_bytes, asked, str(job.path))
    ended = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
    words = _last_words(said) or f"it ended with {ended}"
    gave_up = "the compiler gave up" if doing == "compiled" else "the process that judged it gave up"
    hint = (
        "no limit is to blame: build the component otherwise, by other versions of its tools or of fewer parts, and "
        "report it to the makers of wasmtime"
    )
    return MatcherError("compiler-failed", f"it cannot be {doing}: {gave_up}: {words}", hint, str(job.path))


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _MOST_OF_A_LOG))
        return file.read(_MOST_OF_A_LOG).decode(errors="replace")


def _last_words(said: str) -> str:
    """Return what a panic says, without where in the compiler it was; or else the last line."""
    _, panicked, behind = said.rpartition(" panicked at ")
    lines = [line.strip() for line in (behind.partition("\n")[2] if panicked else said).splitlines() if line.strip()]
    return visible(lines[0 if panicked else -1], _MOST_WORDS) if lines else ""


# ---- the other process ---------------------------------------------------------------------------------------------


def serve(folder: str) -> None:
    """Do the job that lies in a folder, say how it went, and end the process."""
    _elsewhere.append(Path(folder))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    job: Job = pickle.loads((Path(folder) / _JOB).read_bytes())  # noqa: S301 - this user's own parent wrote it
    _bound(job)
    # Without a cache of its own it would write into that of the user.
    os.environ["OFFERMATCH_CACHE"] = folder if job.cache is None else str(job.cache)
    try:
        if job.cache is None:
            job.compile(job.content, job.path, job.limits)
            os.write(1, _COMPILED)
        if job.judge is not None:
            _bound_memory(job.limits.compile_memory_bytes + job.limits.memory_bytes)
            job.judge(job.content)
        found: dict[str, Any] = {}
    except OffermatchError as error:
        found = _as_json(error)
    os.write(1, json.dumps(found).encode() + b"\n")
    # Nothing is left to be tidied up.
    os._exit(0)


def _as_json(error: OffermatchError) -> dict[str, Any]:
    kind = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KINDS)
    text = {part: getattr(error, part)[: _MOST_OUTPUT // 16] for part in ("code", "message", "hint", "place")}
    more = {name: getattr(error, name) for name in ("limit", "value", "asked", "refused") if hasattr(error, name)}
    return {"kind": kind, **text, "more": more}


def _end_with_parent() -> None:
    """End when the parent does: it holds the other end of the standard input."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _bound(job: Job) -> None:
    if job.judge is not None:
        with suppress(OSError):
            os.nice(_NICE)
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Where the parent is stopped, or a child of it holds the other end of the standard input.
        seconds = 2 * job.limits.compile_milliseconds / 1000 + 5
        signal.setitimer(signal.ITIMER_REAL, min(seconds, 1e8))
        _bound_memory(job.limits.compile_memory_bytes)


def _bound_memory(most: int) -> None:
    """Bound what this process may write to. Address space that wasmtime only reserves does not count."""
    if sys.platform != "win32":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
