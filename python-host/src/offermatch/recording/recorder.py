"""Writes down what is asked of a session, and answered."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from offermatch.errors import OffermatchError
from offermatch.model import Description, Timings
from offermatch.recording.columns import (
    changes_shown,
    explained_shown,
    first_format,
    offers_shown,
    plan_shown,
    preempt_shown,
    second_format,
    settings_shown,
    shape_shown,
    tasks_shown,
)
from offermatch.recording.format import FORMAT, FORMAT_2
from offermatch.session import Matching, Placed, Session
from offermatch.tables.rules import with_parameters
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Changes, Explained, Explanations, OfferTable, Plan, RunningTable, TaskTable
from offermatch.verify.ledger import Ledger
from offermatch.wasm.contract import raises_scales
from offermatch.writing import write_whole

__all__ = ["Recorded", "begun", "write_recording"]

_T = TypeVar("_T")


class Recorded:
    """A session that is written down; the file is written when it is closed."""

    def __init__(self, session: Session, recorded: dict[str, Any], path: str | os.PathLike[str]) -> None:
        """Write a session down.

        Args:
            session: The session, just opened.
            recorded: Its recording as ``begun`` returns it.
            path: Where to write it to.
        """
        self.recorded: dict[str, Any] | None = recorded
        self._session, self._path = session, path

    @classmethod
    def open(
        cls,
        matcher: Matching,
        table: OfferTable,
        shape: Shape,
        settings: SettingColumns,
        timings: Timings,
        path: str | os.PathLike[str],
    ) -> Recorded:
        """Open a session of a matcher and write it down, also where the matcher refuses to open it."""
        recorded = begun(matcher.description, matcher.digest, table, shape, settings)
        try:
            session = matcher.session(table, shape, settings, timings)
        except OffermatchError as error:
            if error.refused is not None:
                recorded["open_error"] = error.refused
            write_recording(recorded, path)
            raise
        return cls(session, recorded, path)

    @property
    def description(self) -> Description:
        """What the matcher that answers now says of itself."""
        return self._session.description

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        return self._session.digest

    def assign(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Placed:
        """Place the tasks."""
        step = self._step("assign", tasks_shown(table))
        placed = self._asked(step, lambda: self._session.assign(table, ledger, timings))
        found = placed.assigned
        step["answer"] = {"tasks": list(found.tasks), "offers": list(found.offers), "scores": list(found.scores)}
        return placed

    def update(self, changes: Changes, ledger: Ledger, timings: Timings) -> None:
        """Apply changes."""
        step = self._step("update", changes_shown(changes))
        self._asked(step, lambda: self._session.update(changes, ledger, timings))
        step["answer"] = {}

    def explain(self, table: TaskTable, ledger: Ledger, timings: Timings) -> Explained | Explanations:
        """Say how the offers in the list stand to each task."""
        step = self._step("explain", tasks_shown(table))
        found = self._asked(step, lambda: self._session.explain(table, ledger, timings))
        step["answer"] = explained_shown(found)
        return found

    def preempt(
        self, table: TaskTable, priorities: Sequence[int], running: RunningTable, ledger: Ledger, timings: Timings
    ) -> Plan:
        """Plan which running tasks have to end so that tasks find an offer."""
        step = self._step("preempt", preempt_shown(table, priorities, running))
        plan = self._asked(step, lambda: self._session.preempt(table, priorities, running, ledger, timings))
        step["answer"] = plan_shown(plan)
        return plan

    def close(self) -> None:
        """Close the session, and write the recording.

        Raises:
            InputError: ``file-unwritable``.
        """
        self._session.close()
        recorded, self.recorded = self.recorded, None
        if recorded is not None:
            self.write(recorded)

    def write(self, recorded: Mapping[str, Any]) -> None:
        """Write a recording to its file."""
        write_recording(recorded, self._path)

    def _step(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        step = {what: asked}
        if self.recorded is not None:
            self.recorded["steps"].append(step)
        return step

    def _asked(self, step: dict[str, Any], call: Callable[[], _T]) -> _T:
        try:
            return call()
        except OffermatchError as error:
            if error.refused is not None:
                step["error"] = error.refused
            raise


def begun(
    description: Description, digest: str, table: OfferTable, shape: Shape, settings: SettingColumns
) -> dict[str, Any]:
    """Return the keys of a recording that has no steps yet."""
    named = {key: getattr(description, key) for key in ("name", "version", "policy", "contract")}
    return {
        "format": FORMAT_2 if raises_scales(description.contract) else FORMAT,
        "matcher": {**named, "digest": digest} if digest else named,
        "shape": shape_shown(shape),
        "settings": settings_shown(with_parameters(settings, description)),
        "offers": offers_shown(table),
        "steps": [],
    }


def write_recording(recorded: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a recording to a file, all of it or nothing; one whose name ends in ``.gz`` is packed.

    Raises:
        InputError: ``file-unwritable`` where the file cannot be written.
    """
    place = Path(path)
    first = None if recorded["format"] == FORMAT_2 else first_format(recorded)
    document = {**second_format(recorded), "format": FORMAT_2} if first is None else first
    content = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    encoded = (content + "\n").encode()
    write_whole(place, gzip.compress(encoded, mtime=0) if place.suffix == ".gz" else encoded)
