"""Recordings of a pool that lives for long: one file after the other, each with the pool as it stood when it began.

    steps ──> recorder ──full──> NAME-1.recording.json ──> the offers as they stand ──> NAME-2.recording.json ──> ...

Each file is a recording of its own and is replayed on its own.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from offermatch.errors import InputError, LyingMatcherError
from offermatch.fallback.standing import Standing
from offermatch.model import Settings, Timings
from offermatch.recording.recorder import Recorder, write_recording
from offermatch.tables.tables import Assigned, Changes, Explained, OfferTable, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["RotatingRecorder", "Rotation"]

_LOG = logging.getLogger("offermatch")
_ENDINGS = (".recording.json.gz", ".recording.json", ".json.gz", ".json")


@dataclass(frozen=True, slots=True)
class Rotation:
    """Where a pool is recorded for as long as it lives.

    Attributes:
        path: The name of the files: of ``day.recording.json.gz`` they are ``day-1.recording.json.gz`` and so on.
        steps: Calls in one file.
        keep: How many files are kept; older ones are removed.
    """

    path: str | os.PathLike[str]
    steps: int = 1000
    keep: int = 10

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be used.

        Raises:
            InputError: ``setting-malformed``.
        """
        for name, value in (("steps", self.steps), ("keep", self.keep)):
            if type(value) is not int or value < 1:
                raise InputError("setting-malformed", f"{value!r} cannot be used", "give 1 or more", name)

    def file(self, number: int) -> Path:
        """Return the path of one of the files, counted from 1."""
        path = Path(self.path)
        ending = next((one for one in _ENDINGS if path.name.endswith(one)), path.suffix)
        return path.with_name(f"{path.name.removesuffix(ending)}-{number}{ending}")


class RotatingRecorder(Recorder):
    """A recorder that begins a new recording when one is full."""

    rotation: Rotation
    _standing: Standing
    _ledger: Ledger | None = None

    def __call__(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> RotatingRecorder:
        """Open the pool."""
        super().__call__(table, dimensions, attributes, settings, timings)
        self._standing = Standing(table, dimensions, attributes, settings)
        self._ledger = Ledger(table, settings.mode, settings.score_limit)
        self._written: deque[Path] = deque()
        self._number = 0
        return self

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place the tasks."""
        answer = super().assign(table, timings)
        if self._ledger is not None:
            try:
                self._ledger.accept(table, replace(answer, devices={}))
            except LyingMatcherError:
                # The pool is given up, or goes on elsewhere: how it stands is not known here any more.
                self._ledger = None
            else:
                self._standing.settle(answer)
        self._rotate()
        return answer

    def update(self, changes: Changes, timings: Timings) -> None:
        """Apply changes."""
        super().update(changes, timings)
        if self._ledger is not None:
            self._ledger.update(changes)
            self._standing.update(changes)
        self._rotate()

    def explain(self, table: TaskTable, timings: Timings) -> Explained:
        """Say how the offers in the list stand to each task."""
        answer = super().explain(table, timings)
        self._rotate()
        return answer

    def finish(self) -> None:
        """Write what was recorded since the last file."""
        if self.recorded:
            self._write()

    def _rotate(self) -> None:
        if self._ledger is None or len(self.recorded["steps"]) < self.rotation.steps:
            return
        try:
            self._write()
        except InputError as error:
            # The pool has its answer, whatever happens to the recording.
            _LOG.warning("a recording is lost [%s]: %s", error.code, error.line)
        following = Recorder(_Nowhere, self._description, self._digest)
        self._standing.open_by(following, self._ledger)
        self.recorded = following.recorded

    def _write(self) -> None:
        self._number += 1
        path = self.rotation.file(self._number)
        write_recording(self.recorded, path)
        self._written.append(path)
        while len(self._written) > self.rotation.keep:
            self._written.popleft().unlink(missing_ok=True)


class _Nowhere:
    """A backend that does nothing: what it would be asked is what is recorded."""

    def __init__(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> None:
        """Open nothing."""

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place nothing."""
        raise NotImplementedError

    def update(self, changes: Changes, timings: Timings) -> None:
        """Change nothing."""

    def explain(self, table: TaskTable, timings: Timings) -> Explained:
        """Explain nothing."""
        raise NotImplementedError

    def close(self) -> None:
        """Close nothing."""
