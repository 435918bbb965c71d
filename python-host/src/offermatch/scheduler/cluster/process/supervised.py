"""Starts ``supervise.py`` for a launch, and reads how it ended."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offermatch.scheduler.cluster.abc import Launch, Report
from offermatch.scheduler.cluster.payload import Command
from offermatch.scheduler.cluster.process.journal import reserve, write_durably

__all__ = ["LOCK", "MOST_OUTPUT", "outcome", "prepare", "start", "supervisor"]

LOCK = "lock"
"""The file that is locked while a run is under way, with the number of its supervisor."""

MOST_OUTPUT = 64 * 2**20
"""Bytes of standard output, and of standard error, that are kept of a command unless said otherwise."""

OUTCOME_NEW = "outcome.json.new"
LOG = "supervisor.log"
_OUTCOME_BYTES = 4096
_NUMBER_BYTES = 20
_SUPERVISOR = Path(__file__).with_name("supervise.py")
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR")
_MOST_MEMORY = 2**63 - 1


def prepare(
    directory: Path,
    launch: Launch,
    *,
    limit_memory: bool,
    dies_with_us: bool,
    most_output: int = MOST_OUTPUT,
    devices: Sequence[int] | None = None,
) -> None:
    """Write down what is to run, in a directory of its own.

    Args:
        directory: Where; made where it is not there.
        launch: What, as ``Command`` reads its payload.
        limit_memory: Whether its address space is its demand of memory at most, where the payload does not say.
        dies_with_us: Whether it ends when this thread does.
        devices: The numbers of the devices that it holds; None where the server has none.
        most_output: Bytes of standard output, and of standard error, that are kept.

    Raises:
        InputError: ``payload-malformed``.
        OSError: It cannot be written.
    """
    command = Command.of(launch.payload)
    directory.mkdir(exist_ok=True)
    # Of a run whose journal somebody has removed.
    (directory / "outcome.json").unlink(missing_ok=True)
    # No more of our own environment than every program needs: it may hold secrets.
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {"OFFERMATCH_KEY": launch.key, "OFFERMATCH_TASK": launch.task}
    if devices is not None:
        # What is not said to be its own it is not to see.
        shown = ",".join(map(str, devices))
        environment |= {"OFFERMATCH_DEVICES": shown, "CUDA_VISIBLE_DEVICES": shown}
    if launch.device_share:
        environment["OFFERMATCH_DEVICE_SHARE"] = str(launch.device_share)
    environment |= {"OFFERMATCH_PAYLOAD": str(directory / "payload.json"), **command.environment}
    limits = dict(command.limits)
    if limit_memory and launch.demand.get("memory"):
        limits.setdefault("memory", min(launch.demand["memory"], _MOST_MEMORY))
    (directory / "payload.json").write_text(json.dumps(dict(launch.payload)), encoding="utf-8")
    spec: dict[str, Any] = {"arguments": command.arguments, "environment": environment, "limits": limits}
    # A supervisor writes into room that is its own: another task may fill the disk before this one begins or ends.
    reserve(directory / OUTCOME_NEW, _OUTCOME_BYTES)
    reserve(directory / LOCK, _NUMBER_BYTES)
    (directory / LOG).touch()
    spec["output"] = min(limits.pop("output", most_output), most_output)
    spec |= {"timeout_seconds": command.timeout_seconds, "dies_with": os.getpid() if dies_with_us else None}
    write_durably(directory / "spec.json", spec)


def start(directory: Path) -> subprocess.Popen[bytes]:
    """Start what was prepared. From before it starts until after it has ended, ``lock`` is locked.

    Raises:
        OSError: It cannot be started.
    """
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.pwrite(lock, b"%*d\n" % (_NUMBER_BYTES - 1, 0), 0)
        with (directory / LOG).open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(directory), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[lock],
            )
    finally:
        os.close(lock)


def supervisor(lock: int) -> int | None:
    """Return the number of the supervisor that holds a lock, or None while it has not written it down."""
    number = os.pread(lock, _NUMBER_BYTES, 0)
    return int(number) or None if number.endswith(b"\n") else None


def outcome(directory: Path, key: str, *, cancelled: bool) -> Report:
    """Return how a run ended that nobody holds any more."""
    try:
        found = json.loads((directory / "outcome.json").read_text(encoding="utf-8"))
        return Report(key, found["outcome"], found["reason"], found["finished_at"])
    except FileNotFoundError:
        if cancelled:
            return Report(key, "failed", "cancelled", time.time())
        return Report(key, "lost", "its supervisor is gone without an outcome", time.time())
    except (OSError, ValueError, KeyError) as error:
        return Report(key, "lost", f"its outcome cannot be read: {error}", time.time())
