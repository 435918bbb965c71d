"""Writes down what passes between a pool and its matcher."""

from __future__ import annotations

import gzip
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offermatch.errors import InputError, OffermatchError
from offermatch.model import Description, Settings, Timings
from offermatch.recording.columns import changes_shown, offers_shown, tasks_shown
from offermatch.recording.format import FORMAT
from offermatch.tables.tables import Assigned, Changes, Explained, OfferTable, TaskTable

if TYPE_CHECKING:
    from offermatch.pool import Backend, Opener

__all__ = ["Recorder", "write_recording"]


class Recorder:
    """An opener, and then a backend, that hands everything on and keeps it.

    Attributes:
        recorded: The keys of a recording; empty until the pool is opened.
    """

    def __init__(self, opener: Opener, description: Description, digest: str) -> None:
        """Record one pool of a matcher."""
        self.recorded: dict[str, Any] = {}
        self._opener = opener
        self._description, self._digest = description, digest
        self._backend: Backend | None = None
        named = {key: value for key, value in asdict(description).items() if key != "modes"}
        self._matcher = {**named, "digest": digest} if digest else named

    def __call__(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> Recorder:
        """Open the pool."""
        self.recorded = {
            "matcher": self._matcher,
            "shape": {"dimensions": len(dimensions), "attributes": attributes},
            "settings": {
                "mode": settings.mode,
                "max_score": settings.score_limit,
                "weights": settings.weight_column(dimensions),
                "scales": settings.scale_column(dimensions),
            },
            "offers": offers_shown(table),
            "steps": [],
        }
        try:
            self._backend = self._opener(table, dimensions, attributes, settings, timings)
        except OffermatchError as error:
            if error.refused is not None:
                self.recorded["open_error"] = error.refused
            raise
        return self

    def assign(self, table: TaskTable, timings: Timings) -> Assigned:
        """Place the tasks."""
        step = self._step("assign", tasks_shown(table))
        answer: Assigned = self._asked(step, lambda backend: backend.assign(table, timings))
        if all(map(math.isfinite, answer.scores)):
            step["answer"] = {"tasks": list(answer.tasks), "offers": list(answer.offers), "scores": list(answer.scores)}
        return answer

    def update(self, changes: Changes, timings: Timings) -> None:
        """Apply changes."""
        step = self._step("update", changes_shown(changes))
        self._asked(step, lambda backend: backend.update(changes, timings))
        step["answer"] = {}

    def explain(self, table: TaskTable, timings: Timings) -> Explained:
        """Say how the offers in the list stand to each task."""
        step = self._step("explain", tasks_shown(table))
        answer: Explained = self._asked(step, lambda backend: backend.explain(table, timings))
        step["answer"] = asdict(answer)
        return answer

    def forget(self) -> None:
        """Leave the last step out: another matcher is asked."""
        self.recorded["steps"].pop()

    def close(self) -> None:
        """Let go of what is held."""
        if self._backend is not None:
            self._backend.close()

    def _step(self, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        step = {what: asked}
        self.recorded["steps"].append(step)
        return step

    def _asked(self, step: dict[str, Any], call: Any) -> Any:
        try:
            return call(self._backend)
        except OffermatchError as error:
            if error.refused is not None:
                step["error"] = error.refused
            raise


def write_recording(recorded: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a recording to a file, all of it or nothing; one whose name ends in ``.gz`` is packed.

    Raises:
        InputError: ``file-unwritable`` where the file cannot be written.
    """
    place = Path(path)
    content = json.dumps({"format": FORMAT, **recorded}, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    encoded = (content + "\n").encode()
    beside = place.with_name(f"{place.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(gzip.compress(encoded, mtime=0) if place.suffix == ".gz" else encoded)
        beside.replace(place)
    except OSError as error:
        beside.unlink(missing_ok=True)
        hint = "name a place that can be written to"
        raise InputError("file-unwritable", error.strerror or str(error), hint, str(path)) from error
