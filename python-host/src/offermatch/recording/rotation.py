"""Recordings of a pool that lives for long: one file after the other, each with the pool as it stood when it began.

    steps ──> recorder ──full──> NAME-1.recording.json ──> the offers as they stand ──> NAME-2.recording.json ──> ...

Each file is a recording of its own and is replayed on its own.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offermatch.errors import InputError
from offermatch.fallback.standing import Standing
from offermatch.model import Timings
from offermatch.recording.columns import changes_shown
from offermatch.recording.recorder import Recorded, begun, write_recording
from offermatch.session import Matching, Placed, Session
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Changes, Explained, Explanations, OfferTable, Plan, RunningTable, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["Rotated", "Rotation"]

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


class Rotated(Recorded):
    """A recorded session that begins a new recording when one is full."""

    def __init__(
        self,
        session: Session,
        recorded: dict[str, Any],
        rotation: Rotation,
        standing: Standing,
    ) -> None:
        """Write a session down, just opened, whose offers stand as ``standing`` says."""
        super().__init__(session, recorded, rotation.path)
        self._rotation, self._standing = rotation, standing
        self._written: deque[Path] = deque()
        self._number = 0

    @classmethod
    def rotating(
        cls,
        matcher: Matching,
        table: OfferTable,
        shape: Shape,
        settings: SettingColumns,
        timings: Timings,
        rotation: Rotation,
    ) -> Rotated:
        """Open a session of a matcher and write it down."""
        recorded = begun(matcher.description, matcher.digest, table, shape, settings)
        session = matcher.session(table, shape, settings, timings)
        return cls(session, recorded, rotation, Standing(table, shape, settings, session.description))

    def assign(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Placed:
        """Place the tasks."""
        placed = super().assign(table, ledger, timings)
        self._standing.settle(placed.assigned)
        self._rotate(ledger)
        return placed

    def update(self, changes: Changes, ledger: Ledger, timings: Timings) -> None:
        """Apply changes."""
        super().update(changes, ledger, timings)
        self._standing.update(changes)
        self._rotate(ledger)

    def explain(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Explained | Explanations:
        """Say how the offers in the list stand to each task."""
        found = super().explain(table, ledger, timings)
        self._rotate(ledger)
        return found

    def preempt(
        self, table: TaskTable, priorities: Sequence[int], running: RunningTable, ledger: Ledger, timings: Timings
    ) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer."""
        plan = super().preempt(table, priorities, running, ledger, timings)
        self._rotate(ledger)
        return plan

    def write(self, recorded: Mapping[str, Any]) -> None:
        """Write a recording to the next file, and remove one that is too old."""
        self._number += 1
        path = self._rotation.file(self._number)
        write_recording(recorded, path)
        self._written.append(path)
        while len(self._written) > self._rotation.keep:
            self._written.popleft().unlink(missing_ok=True)

    def _rotate(self, ledger: Ledger) -> None:
        recorded = self.recorded
        if recorded is None or len(recorded["steps"]) < self._rotation.steps:
            return
        try:
            self.write(recorded)
        except InputError as error:
            # The pool has its answer, whatever happens to the recording.
            _LOG.warning("a recording is lost [%s]: %s", error.code, error.line)
        table, settings, changes = self._standing.opening(ledger)
        steps = [{"update": changes_shown(one), "answer": {}} for one in changes]
        following = begun(self.description, self.digest, table, self._standing.shape, settings)
        self.recorded = {**following, "steps": steps}
