"""Recordings: what a pool was opened with, what was asked of it, what it answered.

    recording ──read──> Recording ──replay against any matcher──> differences, step by step

docs/recordings.md is the format. Everything is in the columns of the contract, row numbers and all, so that a recording can
be replayed without the rows it once came from. Conformance cases are recordings whose answers a person worked out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from offermatch.errors import InputError, MatcherError
from offermatch.fallback.standing import scales_of_opening
from offermatch.formats.fault import FaultError
from offermatch.matcher import DirectMatcher, ReferenceMatcher
from offermatch.model import Timings
from offermatch.reading import MOST_OF_A_RECORDING, read_bounded, unpacked, unreadable
from offermatch.recording.columns import (
    changes_of,
    comparable,
    explained_shown,
    offers_of,
    plan_shown,
    preempt_of,
    settings_of,
    shape_of,
    tasks_of,
)
from offermatch.recording.format import FORMAT, FORMAT_2, parsed
from offermatch.recording.recorder import write_recording
from offermatch.session import Backend
from offermatch.wasm.contract import raises_scales

__all__ = ["FORMAT", "Difference", "Recording", "opened", "replay"]

_HINT = "docs/recordings.md shows the format"
_MISSING, _UNPLACED = "answered", "not placed"


@dataclass(slots=True)
class Recording:
    """One recording, its columns as they stand in the file.

    Attributes:
        shape: ``dimensions`` and ``attributes``.
        settings: Mode, maximal score, weights and scales.
        offers: What the pool was opened with.
        steps: What was asked, each with its answer.
        open_error: The error that opening is refused with, if it is.
        matcher: Which matcher answered.
        name: Its name.
        about: Why it is there.
        group: What it belongs to.
        raise_scales: Whether scales follow larger capacities, as they do in recordings of the second format.
    """

    shape: Mapping[str, int]
    settings: Mapping[str, Any]
    offers: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]]
    open_error: str | None = None
    matcher: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    about: str = ""
    group: str = ""
    raise_scales: bool = False

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Recording:
        """Return the recording in a file; a compressed one is unpacked.

        Raises:
            InputError: ``file-unreadable`` or ``file-malformed``.
        """
        place = Path(path)
        try:
            content = unpacked(read_bounded(place, MOST_OF_A_RECORDING))
            found = parsed(content.decode())
            _check_shape(found["shape"], len(content))
        except OSError as error:
            raise unreadable(error, str(path)) from error
        except FaultError as fault:
            raise fault.in_file(str(path)) from fault
        except ValueError as error:
            raise InputError("file-malformed", f"not a recording: {error}", _HINT, str(path)) from error
        return cls.of(found, str(path))

    @classmethod
    def of(cls, found: Mapping[str, Any], place: str) -> Recording:
        """Return the recording in what was read and checked; ``place`` names one that has no name."""
        return cls(
            found["shape"],
            found["settings"],
            found["offers"],
            found["steps"],
            found.get("open_error"),
            found.get("matcher") or {},
            found.get("name", Path(place).name),
            found.get("about", ""),
            found.get("group", ""),
            found.get("format") == FORMAT_2,
        )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the recording to a file, all of it or nothing.

        Raises:
            InputError: ``file-unwritable`` where the file cannot be written.
        """
        document = {
            "format": FORMAT_2 if self.raise_scales else FORMAT,
            "name": self.name,
            "about": self.about,
            "group": self.group,
            "matcher": self.matcher,
        }
        content: dict[str, Any] = {key: value for key, value in document.items() if value}
        content |= {"shape": self.shape, "settings": self.settings, "offers": self.offers}
        if self.open_error is not None:
            content["open_error"] = self.open_error
        write_recording({**content, "steps": self.steps}, path)


def _check_shape(shape: Mapping[str, int], size: int) -> None:
    """Refuse a shape of more than a file of so many bytes can hold; what it says is made room for."""
    for name, number in shape.items():
        if number > size:
            raise ValueError(f"shape.{name} is {number}, more than a file of {size} bytes can hold")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that came out otherwise than recorded.

    Attributes:
        step: The number of the step, from 0; -1 for opening.
        what: ``task 3``, or the column or error that differs.
        before: What was recorded.
        after: What came out.
    """

    step: int
    what: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Return one line."""
        place = "opening" if self.step < 0 else f"step {self.step}"
        return f"{place}, {self.what}: {self.before} -> {self.after}"


def replay(recording: Recording, matcher: DirectMatcher) -> list[Difference]:
    """Return what a matcher answers otherwise than recorded; nothing where it answers the same.

    What the matcher refuses is compared too, except by the reference matcher, which leaves all checks to the host.

    Args:
        recording: What to ask.
        matcher: Whom to ask.

    Raises:
        InputError: ``file-malformed`` for columns that cannot be read.
        MatcherError: The matcher failed.
    """
    raw = not isinstance(matcher, ReferenceMatcher)
    if not raw and recording.open_error is not None:
        return []
    try:
        return list(_differences(recording, matcher, raw=raw))
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise InputError("file-malformed", f"columns that cannot be read: {error!r}", _HINT, recording.name) from error


def _differences(recording: Recording, matcher: DirectMatcher, *, raw: bool) -> Iterator[Difference]:
    backend, failed = _outcome(lambda: opened(recording, matcher, raw=raw))
    if failed != recording.open_error:
        yield Difference(-1, "error", recording.open_error or _MISSING, failed or _MISSING)
    elif failed is None:
        try:
            for number, step in enumerate(recording.steps):
                if raw or "error" not in step:
                    yield from _step(number, step, backend, recording, raw=raw)
        finally:
            backend.close()


def opened(recording: Recording, matcher: DirectMatcher, *, raw: bool) -> Backend:
    """Return the pool that a recording begins with; ``raw`` hands columns over as they stand, wrong lengths and all.

    Where scales kept those of opening, a matcher whose scales grow is given them; what it takes since then stands behind the
    parameters that are recorded, and has its default.
    """
    shape, description = recording.shape, matcher.description
    settings = settings_of(recording.settings, shape, raw=raw)
    if recording.open_error is None:
        if raises_scales(description.contract) and not recording.raise_scales:
            scales = scales_of_opening(offers_of(recording.offers, shape, raw=False), settings.scales)
            settings = replace(settings, scales=scales)
        if settings.parameters:
            later = [one.default for one in description.parameters[len(settings.parameters) :]]
            settings = replace(settings, parameters=[*settings.parameters, *later])
    return matcher.backend(offers_of(recording.offers, shape, raw=raw), shape_of(shape), settings, Timings())


def _step(number: int, step: Mapping[str, Any], backend: Backend, recording: Recording, *, raw: bool) -> list[Difference]:
    shape = recording.shape
    if "assign" in step:
        tasks = tasks_of(step["assign"], shape, raw=raw)
        found, failed = _outcome(lambda: backend.assign(tasks, Timings()))
    elif "update" in step:
        changes = changes_of(step["update"], shape, raw=raw)
        found, failed = _outcome(lambda: backend.update(changes, Timings()))
    elif "explain" in step:
        tasks = tasks_of(step["explain"], shape, raw=raw)
        found, failed = _outcome(lambda: backend.explain(tasks, Timings()))
    elif "preempt" in step:
        asked = preempt_of(step["preempt"], shape, raw=raw)
        found, failed = _outcome(lambda: backend.preempt(*asked, Timings()))
    else:
        raise InputError("file-malformed", f"step {number} asks nothing", _HINT, recording.name)
    if failed != step.get("error") and ("answer" in step or "error" in step):
        return [Difference(number, "error", step.get("error", _MISSING), failed or _MISSING)]
    if failed is not None or "answer" not in step or "update" in step:
        return []
    if "assign" in step:
        return _assigned(number, step["answer"], found)
    if "preempt" in step:
        victims = [(name, step["answer"].get(name, []), plan_shown(found)[name]) for name in ("victim_offsets", "victims")]
        moved = _assigned(number, step["answer"], found)
        return moved + [Difference(number, name, before, after) for name, before, after in victims if before != after]
    columns = comparable(step["answer"], explained_shown(found))
    return [Difference(number, name, before, after) for name, before, after in columns if list(before) != list(after)]


def _assigned(number: int, before: Mapping[str, Any], found: Any) -> list[Difference]:
    """Compare two answers task by task; scores are compared by their bits."""
    old = _by_task(before.get("tasks", []), before.get("offers", []), before.get("scores", []))
    new = _by_task(found.tasks, found.offers, found.scores)
    return [
        Difference(number, f"task {task}", old.get(task, _UNPLACED), new.get(task, _UNPLACED))
        for task in sorted(old.keys() | new.keys())
        if old.get(task) != new.get(task)
    ]


def _by_task(tasks: Sequence[int], offers: Sequence[int], scores: Sequence[float]) -> dict[int, str]:
    rows = zip(tasks, offers, scores, strict=True)
    return {task: f"offer {offer} at {float(score)!r}" for task, offer, score in rows}


def _outcome(call: Any) -> tuple[Any, str | None]:
    """Return what a call gives, or the case of the contract's error that it was refused with."""
    try:
        return call(), None
    except (InputError, MatcherError) as error:
        if error.refused is None:
            raise
        return None, error.refused
