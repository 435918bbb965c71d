"""A case, asked of a matcher."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offermatch.errors import InputError, OffermatchError
from offermatch.matcher import DirectMatcher, ReferenceMatcher
from offermatch.model import Description, Timings
from offermatch.recording.columns import changes_of, preempt_of, tasks_of
from offermatch.recording.recording import Recording, opened
from offermatch.session import Backend
from offermatch.tables.tables import Assigned, Explained, Explanations, Plan
from offermatch.wasm.component import ComponentPool

__all__ = ["FAILED", "Outcome", "Player", "play"]

_log = logging.getLogger("offermatch")

ANSWERED, FAILED = "answered", "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call.

    Attributes:
        word: ``answered``, ``failed`` where the matcher trapped or ran into a limit, or the contract's error.
        answer: What was answered, if it was.
    """

    word: str
    answer: Assigned | Explained | Explanations | Plan | None = None

    def is_same(self, other: Outcome) -> bool:
        """Return whether two outcomes are the same, scores by their bits."""
        mine, theirs = self.answer, other.answer
        if isinstance(mine, (Assigned, Plan)) and isinstance(theirs, (Assigned, Plan)):
            return _columns(mine) == _columns(theirs)
        return self.word == other.word and mine == theirs


class Player:
    """A pool that a case has opened; what came of opening stands in ``outcome``."""

    def __init__(self, matcher: DirectMatcher, case: Recording) -> None:
        """Open the pool."""
        self._case = case
        self._raw = not isinstance(matcher, ReferenceMatcher)
        self._backend: Backend | None = None
        self.outcome = _outcome(self._open, matcher)

    def _open(self, matcher: DirectMatcher) -> None:
        self._backend = opened(self._case, matcher, raw=self._raw)

    def assign(self, tasks: Mapping[str, Any]) -> Outcome:
        """Place tasks."""
        return _outcome(lambda: self._pool.assign(tasks_of(tasks, self._case.shape, raw=self._raw), Timings()))

    def explain(self, tasks: Mapping[str, Any]) -> Outcome:
        """Explain tasks."""
        return _outcome(lambda: self._pool.explain(tasks_of(tasks, self._case.shape, raw=self._raw), Timings()))

    def update(self, changes: Mapping[str, Any]) -> Outcome:
        """Apply changes."""
        return _outcome(lambda: self._pool.update(changes_of(changes, self._case.shape, raw=self._raw), Timings()))

    def preempt(self, asked: Mapping[str, Any]) -> Outcome:
        """Plan which running tasks have to end."""
        return _outcome(lambda: self._pool.preempt(*preempt_of(asked, self._case.shape, raw=self._raw), Timings()))

    def ask(self, step: Mapping[str, Any]) -> Outcome:
        """Ask one step."""
        calls = {"assign": self.assign, "explain": self.explain, "update": self.update, "preempt": self.preempt}
        for kind, call in calls.items():
            if kind in step:
                return call(step[kind])
        raise InputError("file-malformed", "a step asks nothing", "docs/recordings.md shows the format", self._case.name)

    def describe(self) -> Description | None:
        """Ask the component behind the pool what it is; None where it fails, or there is none."""
        try:
            return self._backend.describe() if isinstance(self._backend, ComponentPool) else None
        except OffermatchError as error:
            _log.info("%s: %s", error.code, error)
            return None

    def close(self) -> None:
        """Let go of the pool."""
        if self._backend is not None:
            self._backend.close()

    @property
    def _pool(self) -> Backend:
        if self._backend is None:
            raise ValueError("the pool was not opened")
        return self._backend


def play(matcher: DirectMatcher, case: Recording) -> Sequence[Outcome]:
    """Ask everything, as far as the matcher gets: what came of opening, then of each step."""
    player = Player(matcher, case)
    outcomes = [player.outcome]
    try:
        if player.outcome.word == ANSWERED:
            for step in case.steps:
                outcomes.append(player.ask(step))
                if outcomes[-1].word == FAILED:
                    break
    finally:
        player.close()
    return outcomes


def _columns(answer: Assigned | Plan) -> list[list[int] | bytes]:
    """Return the columns of an answer, scores by their bits."""
    victims = [[*answer.victim_offsets], [*answer.victims]] if isinstance(answer, Plan) else []
    return [[*answer.tasks], [*answer.offers], array("d", answer.scores).tobytes(), *victims]


def _outcome(call: Callable[..., Any], *arguments: Any) -> Outcome:
    try:
        return Outcome(ANSWERED, call(*arguments))
    except OffermatchError as error:
        if error.refused is not None:
            return Outcome(error.refused)
        _log.info("%s: %s", error.code, error)
        return Outcome(FAILED)
