"""Whether answers are the recorded ones, bit for bit."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from offermatch.conformance.audit import Wrong, same_column
from offermatch.conformance.play import ANSWERED, Outcome
from offermatch.conformance.report import Finding, shown
from offermatch.recording.columns import comparable, explained_shown
from offermatch.recording.recording import Recording
from offermatch.tables.tables import Assigned, Explained, Explanations, Plan

__all__ = ["Place", "compare", "difference", "place_shown", "places"]

Place = tuple[int, bytes]
"""An offer, and the bits of the score."""

_SCORE = struct.Struct("<d")


def compare(case: Recording, outcomes: Sequence[Outcome]) -> Finding | None:
    """Return the first difference between a case and what came of it."""
    expected = case.open_error or ANSWERED
    if outcomes[0].word != expected:
        return Finding("reference", None, "outcome", expected, outcomes[0].word)
    for at, (step, outcome) in enumerate(zip(case.steps, outcomes[1:], strict=False)):
        try:
            difference(step, outcome)
        except Wrong as wrong:
            return wrong.at(at, "reference")
    return None


def difference(step: Mapping[str, Any], outcome: Outcome) -> None:
    """Compare the answer that a step has with what came of it.

    Raises:
        Wrong: They differ.
    """
    expected, answer = step.get("answer"), outcome.answer
    if expected is not None and isinstance(answer, (Assigned, Plan)):
        before, now = places(*(expected.get(name, []) for name in ("tasks", "offers", "scores"))), places_of(answer)
        for task in sorted(before.keys() | now.keys()):
            if before.get(task) != now.get(task):
                raise Wrong(f"task {task}", place_shown(before.get(task)), place_shown(now.get(task)))
        for name in ("victim_offsets", "victims") if isinstance(answer, Plan) else ():
            same_column(name, expected.get(name, []), getattr(answer, name))
    elif expected is not None and isinstance(answer, (Explained, Explanations)):
        for name, right, found in comparable(expected, explained_shown(answer)):
            same_column(name, right, found)
    elif "answer" in step or "error" in step:
        word = step.get("error", ANSWERED)
        if word != outcome.word:
            raise Wrong("outcome", word, outcome.word)


def places_of(answer: Assigned | Plan) -> dict[int, Place]:
    """Return the place of each placed task."""
    return places(answer.tasks, answer.offers, answer.scores)


def places(tasks: Sequence[int], offers: Sequence[int], scores: Sequence[float]) -> dict[int, Place]:
    """Return the place of each placed task."""
    # Columns of different lengths are a finding of the audit; what stands beside each other is compared.
    rows = zip(tasks, offers, scores, strict=False)
    return {task: (offer, _SCORE.pack(score)) for task, offer, score in rows}


def place_shown(place: Place | None) -> str:
    """Return a place in words."""
    if place is None:
        return "not placed"
    return f"offer {place[0]} at {shown(_SCORE.unpack(place[1])[0])}"
