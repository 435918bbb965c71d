"""Runs one command to its end and writes down how it ended; a program of its own.

    python -I -S supervise.py DIRECTORY LOCK

It outlives whoever started it: an agent that comes back finds the outcome in the directory, or the lock still held. The
lock is an open file that the starter has locked and passed on, so there is no moment at which a run is under way and
nobody holds it. Only the standard library is imported, for a quick start.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

_LIMITS = {"memory": resource.RLIMIT_AS, "cpu_seconds": resource.RLIMIT_CPU, "open_files": resource.RLIMIT_NOFILE}
_WATCHED = {signal.SIGCHLD, signal.SIGTERM}
_PR_SET_PDEATHSIG = 1
_LONGEST_REASON = 500
_TAIL = 2000
_SECONDS_TO_DRAIN = 2.0


def main(directory: Path, lock: int) -> None:
    """Run what ``spec.json`` says, and write ``outcome.json``; the lock's file gets the number of this process."""
    # Before anything else: from here on a request to end waits until it is asked for.
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    # As wide as the room that was kept for it.
    os.pwrite(lock, b"%*d\n" % (os.fstat(lock).st_size - 1, os.getpid()), 0)
    spec = json.loads((directory / "spec.json").read_text(encoding="utf-8"))
    if spec["dies_with"] is not None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != spec["dies_with"]:
            return
    outcome, reason = _run(spec, directory)
    found = {"outcome": outcome, "reason": reason[-_LONGEST_REASON:], "finished_at": time.time()}
    new = directory / "outcome.json.new"
    # Into the room that was reserved before anything started, so that it is there on a full disk, too; cut only afterwards.
    with new.open("r+b" if new.exists() else "w+b") as file:
        file.write(json.dumps(found).encode())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    new.replace(directory / "outcome.json")
    handle = os.open(directory, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _run(spec: dict[str, Any], directory: Path) -> tuple[str, str]:
    timeout = spec["timeout_seconds"]
    try:
        child = subprocess.Popen(  # noqa: S603 - running what the payload says is the purpose
            spec["arguments"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=directory,
            env=spec["environment"],
            start_new_session=True,
            preexec_fn=_limiter(spec["limits"]),  # noqa: PLW1509 - this program has one thread
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return "failed", f"{spec['arguments'][0]} cannot be started: {error}"
    kept = [
        _Kept(directory / name, pipe, spec["output"]) for name, pipe in (("stdout", child.stdout), ("stderr", child.stderr))
    ]
    ended_by = _watch(child.pid, timeout)
    # The first process is not yet reaped, so its number still names its group, and nobody else's.
    _kill_group(child.pid)
    status = child.wait()
    for one in kept:
        one.end()
    if ended_by:
        return "failed", ended_by
    if status == 0:
        return "done", ""
    how = f"ended by signal {-status} ({signal.strsignal(-status)})" if status < 0 else f"exit code {status}"
    last = kept[1].last_line()
    return "failed", f"{how}: {last}" if last else how


def _watch(pid: int, timeout: float | None) -> str:
    """Return when the process has ended (empty), or why it is to be killed."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        left = 3600.0 if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return f"killed after timeout_seconds, {timeout:g}"
        arrived = signal.sigtimedwait(_WATCHED, min(left, 3600.0))
        if arrived is not None and arrived.si_signo == signal.SIGTERM:
            return "cancelled"
    return ""


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _limiter(limits: dict[str, int]) -> Any:
    libc = ctypes.CDLL(None)

    def limit() -> None:
        # Whoever kills this program ends the command with it, rather than leave it running unwatched.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for name, value in limits.items():
            hard = resource.getrlimit(_LIMITS[name])[1]
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            # At the soft limit of processor time a signal says why; the hard one, at which nothing is said, comes after it.
            grace = 1 if name == "cpu_seconds" and most == value and (hard == resource.RLIM_INFINITY or most < hard) else 0
            resource.setrlimit(_LIMITS[name], (most, most + grace))

    return limit


class _Kept:
    """What a command writes, kept in a file up to a limit; what is beyond it, or finds no room, is read and thrown away."""

    def __init__(self, path: Path, pipe: Any, most: int) -> None:
        self._path, self._pipe, self._left = path, pipe, most
        self._tail = b""
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Wait until all is there; what a process that left the group goes on to write is not waited for."""
        self._thread.join(_SECONDS_TO_DRAIN)

    def last_line(self) -> str:
        """Return the last line that was written, also beyond the limit."""
        lines = self._tail.decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def _copy(self) -> None:
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError:
            file, self._left = -1, 0
        while piece := os.read(self._pipe.fileno(), 65536):
            self._tail = (self._tail + piece)[-_TAIL:]
            part = piece[: self._left]
            try:
                while part:
                    part = part[os.write(file, part) :]
            except OSError:
                self._left = 0
            else:
                self._left = max(0, self._left - len(piece))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
