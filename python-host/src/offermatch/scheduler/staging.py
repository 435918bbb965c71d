"""Stages a task's data with the copy engine `offermatch-stage`, as a subprocess that tells its progress in JSON lines.

    staged = stage(["inputs/", "weights.bin"], "/mnt/node/task-7", checksum=True)
    await prepare_inputs([Input("weights.bin", "/mnt/node/weights.bin", digest="blake3:...")])

No native code is shared: the program is found by its name on the path, in ``OFFERMATCH_STAGE_PROGRAM``, or as an argument.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from offermatch.errors import OffermatchError

__all__ = ["Input", "Progress", "Staged", "StagingError", "prepare_inputs", "stage"]

Engine = Literal["auto", "blocking", "tokio", "copy-file-range", "io-uring"]
Sync = Literal["never", "end", "each"]


class StagingError(OffermatchError):
    """Data that could not be staged; the codes are those of docs/errors.md. The source is never changed."""


@dataclass(frozen=True)
class Progress:
    """How far a stage is. What was found grows while a tree is walked.

    Attributes:
        files_found: Files found, links among them.
        files_done: Files that are whole at the target.
        files_skipped: Of those, the ones that were there already.
        bytes_found: Bytes of the files found.
        bytes_done: Bytes at the target.
        bytes_skipped: Of those, the ones that were there already.
    """

    files_found: int = 0
    files_done: int = 0
    files_skipped: int = 0
    bytes_found: int = 0
    bytes_done: int = 0
    bytes_skipped: int = 0


@dataclass(frozen=True)
class Staged:
    """What was staged.

    Attributes:
        targets: The copies, one for each source.
        digests: Their digests, ``blake3:`` and 64 digits, where one was taken.
        progress: Files and bytes.
        engines: How data was moved; empty where nothing but small files was.
        notices: What is worth knowing and no error, as pairs of code and message.
        seconds: How long it took.
    """

    targets: tuple[Path, ...]
    digests: tuple[str | None, ...]
    progress: Progress
    engines: tuple[str, ...]
    notices: tuple[tuple[str, str], ...]
    seconds: float

    @property
    def skipped(self) -> bool:
        """Whether everything was there already."""
        return self.progress.files_done == self.progress.files_skipped


@dataclass(frozen=True)
class Input:
    """Something a task needs before it is launched.

    Attributes:
        source: A file or a directory tree.
        target: The path of its copy.
        digest: The BLAKE3 digest a file must have; a target that has it is left alone. Without one, and for trees, sizes
            and times tell what is there already.
    """

    source: str | os.PathLike[str]
    target: str | os.PathLike[str]
    digest: str | None = None


def stage(
    sources: Sequence[str | os.PathLike[str]],
    target: str | os.PathLike[str],
    *,
    exact: bool = False,
    engine: Engine = "auto",
    sync: Sync = "never",
    checksum: bool = False,
    expect: str | None = None,
    bandwidth: int | None = None,
    jobs: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: threading.Event | None = None,
    program: str | os.PathLike[str] | None = None,
) -> Staged:
    """Return what was staged into the directory ``target``.

    Args:
        sources: Files and directory trees.
        target: The directory they go into, made if it is not there.
        exact: ``target`` is the name of the only copy instead.
        engine: Who moves the data.
        sync: When data must have reached the device.
        checksum: Digest each file while it is copied, read the copy back and compare.
        expect: The BLAKE3 digest that the only source, a file, must have.
        bandwidth: The most bytes written in a second.
        jobs: Files under way at once.
        on_progress: Is called a few times a second, on this thread.
        cancelled: Ends the stage once it is set.
        program: The Rust program.

    Raises:
        StagingError: With the code the program gave; ``program-missing`` if there is none, ``program-failed`` if it ended
            without an answer, ``cancelled`` if it was asked to stop. The same call again goes on where it stopped.
    """
    options = [f"--engine={engine}", f"--sync={sync}"]
    if exact:
        options.append("--exact")
    if checksum:
        options.append("--checksum")
    if expect is not None:
        options.append(f"--expect={expect}")
    if bandwidth is not None:
        options.append(f"--bandwidth={bandwidth}")
    if jobs is not None:
        options.append(f"--jobs={jobs}")
    paths = [os.fspath(source) for source in sources]
    command = [_program(program), "--progress=json", *options, "--", *paths, os.fspath(target)]
    return _run(command, on_progress, cancelled)


async def prepare_inputs(
    inputs: Iterable[Input],
    *,
    concurrency: int = 4,
    engine: Engine = "auto",
    sync: Sync = "never",
    bandwidth: int | None = None,
    on_progress: Callable[[Input, Progress], None] | None = None,
    program: str | os.PathLike[str] | None = None,
) -> list[Staged]:
    """Return what was staged for each input, in their order: what ``prepare_payloads`` awaits before a task is launched.

    Inputs of one source and one target are staged once. If one fails, the others are stopped and its error is raised;
    what is whole by then is skipped the next time.

    Args:
        inputs: What the task names.
        concurrency: How many inputs are staged at once.
        engine: Who moves the data.
        sync: When data must have reached the device.
        bandwidth: The most bytes each of them writes in a second.
        on_progress: Is called a few times a second for each input, on threads of their own.
        program: The Rust program.

    Raises:
        StagingError: As for ``stage``; also ``duplicate-name`` if two inputs want one target.
    """
    named = list(inputs)
    wanted: dict[str, Input] = {}
    for one in named:
        other = wanted.setdefault(os.fspath(one.target), one)
        if (os.fspath(other.source), other.digest) != (os.fspath(one.source), one.digest):
            text = f"{os.fspath(other.source)} and {os.fspath(one.source)} would both become {os.fspath(one.target)}"
            raise StagingError("duplicate-name", text, "stage them into different targets")
    slots = asyncio.Semaphore(max(1, concurrency))
    cancelled = threading.Event()

    async def prepare(one: Input) -> Staged:
        def tell(progress: Progress) -> None:
            if on_progress is not None:
                on_progress(one, progress)

        async with slots:
            if cancelled.is_set():
                raise StagingError("cancelled", "another input failed")
            return await asyncio.to_thread(
                stage,
                [one.source],
                one.target,
                exact=True,
                engine=engine,
                sync=sync,
                expect=one.digest,
                bandwidth=bandwidth,
                on_progress=tell,
                cancelled=cancelled,
                program=program,
            )

    running = {target: asyncio.ensure_future(prepare(one)) for target, one in wanted.items()}
    try:
        await asyncio.gather(*running.values())
    finally:
        cancelled.set()
        # Threads end with their programs; none may outlive this call.
        await asyncio.gather(*running.values(), return_exceptions=True)
    return [running[os.fspath(one.target)].result() for one in named]


def _program(given: str | os.PathLike[str] | None) -> str:
    name = os.fspath(given) if given is not None else os.environ.get("OFFERMATCH_STAGE_PROGRAM", "offermatch-stage")
    found = shutil.which(name)
    if found is None:
        hint = "build it with `cargo build --release --package offermatch-stage`, and name it in OFFERMATCH_STAGE_PROGRAM"
        raise StagingError("program-missing", f"{name} is not a program", hint)
    return found


def _run(command: list[str], on_progress: Callable[[Progress], None] | None, cancelled: threading.Event | None) -> Staged:
    notices: list[tuple[str, str]] = []
    error: StagingError | None = None
    staged: Staged | None = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603  paths follow --
        complaint: list[bytes] = []
        with _stopping(process, cancelled), _collecting(process, complaint):
            for event in _events(process):
                kind = event.get("event")
                if kind == "progress" and on_progress is not None:
                    on_progress(_progress(event))
                elif kind == "notice":
                    notices.append((event["code"], event["message"]))
                elif kind == "error":
                    error = StagingError(event["code"], event["message"], event["hint"])
                elif kind == "done":
                    staged = _staged(event, tuple(notices))
    if error is not None:
        raise error
    if staged is None or process.returncode != 0:
        text = b"".join(complaint).decode(errors="replace").strip()
        raise StagingError("program-failed", f"{command[0]} ended with status {process.returncode}: {text}")
    return staged


def _events(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None  # noqa: S101  a pipe was asked for
    for line in process.stdout:
        try:
            event = json.loads(line)
        except ValueError as error:
            raise StagingError("program-failed", f"not a line of progress: {line[:80]!r}") from error
        if isinstance(event, dict):
            yield event


@contextlib.contextmanager
def _stopping(process: subprocess.Popen[bytes], cancelled: threading.Event | None) -> Iterator[None]:
    """Ends the program when the event is set, or when this block is left early."""
    over = threading.Event()

    def wait() -> None:
        while not over.wait(0.05):
            if cancelled is not None and cancelled.is_set():
                process.terminate()
                return

    watcher = threading.Thread(target=wait, daemon=True)
    watcher.start()
    try:
        yield
    except BaseException:
        process.terminate()
        raise
    finally:
        over.set()
        watcher.join()


@contextlib.contextmanager
def _collecting(process: subprocess.Popen[bytes], into: list[bytes]) -> Iterator[None]:
    """Reads what the program complains about, so that it never waits for a full pipe."""
    stderr = process.stderr
    assert stderr is not None  # noqa: S101  a pipe was asked for
    reader = threading.Thread(target=lambda: into.append(stderr.read()), daemon=True)
    reader.start()
    try:
        yield
    finally:
        reader.join()


def _progress(event: dict[str, Any]) -> Progress:
    return Progress(**{name: int(event[name]) for name in Progress.__dataclass_fields__})


def _staged(event: dict[str, Any], notices: tuple[tuple[str, str], ...]) -> Staged:
    return Staged(
        targets=tuple(Path(item["target"]) for item in event["items"]),
        digests=tuple(item["digest"] for item in event["items"]),
        progress=_progress(event),
        engines=tuple(event["engines"]),
        notices=notices,
        seconds=float(event["seconds"]),
    )
