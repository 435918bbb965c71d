"""Runs one command to its end and writes down how it ended; a program of its own.

    python -I -S _supervise.py DIRECTORY LOCK

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
import time
from pathlib import Path
from typing import Any

_LIMITS = {"memory": resource.RLIMIT_AS, "cpu_seconds": resource.RLIMIT_CPU, "open_files": resource.RLIMIT_NOFILE}
_WATCHED = {signal.SIGCHLD, signal.SIGTERM}
_PR_SET_PDEATHSIG = 1
_LONGEST_REASON = 500


def main(directory: Path, lock: int) -> None:
    """Run what ``spec.json`` says, and write ``outcome.json``; the lock's file gets the number of this process."""
    # Before anything else: from here on a request to end waits until it is asked for.
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    spec = json.loads((directory / "spec.json").read_text(encoding="utf-8"))
    if spec["dies_with"] is not None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != spec["dies_with"]:
            return
    outcome, reason = _run(spec, directory)
    found = {"outcome": outcome, "reason": reason[-_LONGEST_REASON:], "finished_at": time.time()}
    new = directory / "outcome.json.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump(found, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(directory / "outcome.json")
    handle = os.open(directory, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _run(spec: dict[str, Any], directory: Path) -> tuple[str, str]:
    timeout = spec["timeout_seconds"]
    try:
        with (directory / "stdout").open("wb") as out, (directory / "stderr").open("wb") as err:
            child = subprocess.Popen(  # noqa: S603 - running what the payload says is the purpose
                spec["arguments"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=directory,
                env=spec["environment"],
                start_new_session=True,
                preexec_fn=_limiter(spec["limits"]),  # noqa: PLW1509 - this program has one thread
            )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return "failed", f"{spec['arguments'][0]} cannot be started: {error}"
    ended_by = _watch(child.pid, timeout)
    # The first process is not yet reaped, so its number still names its group, and nobody else's.
    _kill_group(child.pid)
    status = child.wait()
    if ended_by:
        return "failed", ended_by
    if status == 0:
        return "done", ""
    how = f"ended by signal {-status} ({signal.strsignal(-status)})" if status < 0 else f"exit code {status}"
    last = _last_line(directory / "stderr")
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


def _last_line(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2000))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
