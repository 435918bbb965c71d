"""What runs on a Dask worker: one launch, a command or a function."""

from __future__ import annotations

import importlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import get_worker, secede
from distributed.utils import sync

from offermatch.errors import InputError
from offermatch.scheduler.cluster.abc import Launch, Outcome
from offermatch.scheduler.cluster.payload import function_of
from offermatch.scheduler.cluster.process.supervised import outcome, prepare, start

__all__ = ["end_runs", "run_launch"]


@dataclass(slots=True)
class _Run:
    """One launch on this worker."""

    process: subprocess.Popen[bytes] | None = None
    cancelled: bool = False


_LOCK = threading.Lock()
_RUNS: dict[str, _Run] = {}


def run_launch(launch: Launch) -> str:
    """Run one launch to its end, and tell the scheduler how it ended.

    The room for it was counted when it was launched, so it leaves Dask's thread pool: a worker with 2 threads runs 8 tasks
    of a quarter of a core at once.
    """
    worker = get_worker()

    def ask(method: str, **arguments: Any) -> Any:
        return sync(worker.loop, getattr(worker.scheduler, method), key=launch.key, worker=worker.address, **arguments)

    # Known here before it may begin, so that whoever cancels what has begun finds it.
    run = _Run()
    with _LOCK:
        if launch.key in _RUNS:
            return "known"
        _RUNS[launch.key] = run
    try:
        if not ask("offermatch_begin"):
            return "not begun"
        secede()  # type: ignore[no-untyped-call]
        found, reason, at = _run(launch, run, Path(worker.local_directory))
        ask("offermatch_end", outcome=found, reason=reason, at=at)
        return found
    finally:
        with _LOCK:
            del _RUNS[launch.key]


def end_runs(keys: Sequence[str]) -> None:
    """End commands that run here; functions cannot be ended, and go on."""
    with _LOCK:
        for key in keys:
            if key in _RUNS:
                run = _RUNS[key]
                run.cancelled = True
                if run.process is not None:
                    run.process.send_signal(signal.SIGTERM)


def _run(launch: Launch, run: _Run, directory: Path) -> tuple[Outcome, str, float]:
    try:
        if "function" in launch.payload:
            return _call(*function_of(launch.payload))
        return _command(launch, run, directory)
    except (OSError, InputError) as error:
        return "failed", f"it cannot be started: {error}", time.time()


def _call(function: str, arguments: Mapping[str, Any]) -> tuple[Outcome, str, float]:
    module, _, name = function.partition(":")
    try:
        called: Callable[..., Any] = importlib.import_module(module)  # type: ignore[assignment]
        for part in name.split("."):
            called = getattr(called, part)
        called(**arguments)
    except Exception as error:  # noqa: BLE001 - whatever a task raises is its failure
        return "failed", f"{type(error).__name__}: {error}"[:500], time.time()
    return "done", "", time.time()


def _command(launch: Launch, run: _Run, directory: Path) -> tuple[Outcome, str, float]:
    place = Path(tempfile.mkdtemp(prefix="offermatch-", dir=directory))
    try:
        prepare(place, launch, limit_memory=False, dies_with_us=True)
        with _LOCK:
            if run.cancelled:
                return "failed", "cancelled", time.time()
            run.process = start(place)
        run.process.wait()
        report = outcome(place, launch.key, cancelled=run.cancelled)
        # Its worker is here, so nothing is lost: a supervisor without an outcome was killed.
        found: Outcome = "failed" if report.outcome == "lost" else report.outcome
        return found, report.reason, report.finished_at or time.time()
    finally:
        shutil.rmtree(place, ignore_errors=True)
