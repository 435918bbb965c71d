"""Whether answers hold by the contract, whatever the policy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from offermatch.conformance.book import FEASIBLE, Book, asked_of
from offermatch.conformance.play import ANSWERED, Outcome
from offermatch.conformance.report import Finding, shown
from offermatch.recording.recording import Recording
from offermatch.tables.tables import Assigned, Explained

__all__ = ["Wrong", "audit", "check", "check_counts", "same_column", "settle"]

_NO_LIMIT = 1e300
"""A maximal score that no policy's score reaches: every feasible offer can be chosen."""


class Wrong(Exception):  # noqa: N818 - a finding, not an error
    """Something does not hold: what it is about, what was expected, what was found."""

    def __init__(self, what: str, expected: str, found: str) -> None:
        """Keep the three."""
        super().__init__(what, expected, found)
        self.what, self.expected, self.found = what, expected, found

    def at(self, step: int | None, level: str = "contract") -> Finding:
        """Return it with its place."""
        return Finding(level, step, self.what, self.expected, self.found)


def audit(case: Recording, modes: Sequence[str], outcomes: Sequence[Outcome]) -> Finding | None:
    """Return the first thing that does not hold in the outcomes of a case, opening first."""
    expected = case.open_error if case.settings["mode"] in modes else "unsupported-mode"
    opened = outcomes[0].word
    if opened != (expected or ANSWERED):
        return Finding("contract", None, "outcome", expected or ANSWERED, opened)
    if opened != ANSWERED:
        return None
    book = Book(case.shape, case.settings["mode"], case.offers)
    for at, (step, outcome) in enumerate(zip(case.steps, outcomes[1:], strict=False)):
        try:
            check(book, case, step, outcome)
        except Wrong as wrong:
            return wrong.at(at)
    return None


def check(book: Book, case: Recording, step: Mapping[str, Any], outcome: Outcome) -> None:
    """Check what came of a step, and follow it in the book.

    Raises:
        Wrong: It does not hold.
    """
    expected = step.get("error", ANSWERED)
    # How many rows a matcher takes is its own affair.
    takes_more = expected == "too-many-rows" and outcome.word == ANSWERED
    if outcome.word != expected and not takes_more:
        raise Wrong("outcome", expected, outcome.word)
    if isinstance(outcome.answer, Assigned):
        settle(book, case, step["assign"], outcome.answer)
    elif isinstance(outcome.answer, Explained):
        check_counts(book, case, step["explain"], outcome.answer)
    elif outcome.word == ANSWERED:
        book.apply(step["update"])


def settle(book: Book, case: Recording, tasks: Mapping[str, Any], answer: Assigned) -> None:
    """Check who takes what, task by task, and follow it in the book.

    Raises:
        Wrong: It does not hold.
    """
    width, max_score, rows = case.shape["dimensions"], float(case.settings["max_score"]), tasks.get("rows", 0)
    lengths = [len(answer.tasks), len(answer.offers), len(answer.scores)]
    if len(set(lengths)) > 1:
        raise Wrong("columns", "tasks, offers and scores of one length", str(lengths))

    def unplaced(task: int) -> None:
        if max_score >= _NO_LIMIT and (offer := book.feasible(asked_of(tasks, task, width))) is not None:
            expected = f"placed: offer {offer} is feasible, and no score reaches {shown(max_score)}"
            raise Wrong(f"task {task}", expected, "not placed")

    next_task = 0
    for task, offer, score in zip(answer.tasks, answer.offers, answer.scores, strict=True):
        if not next_task <= task < rows:
            raise Wrong("task rows", f"a row from {next_task} to {rows - 1}", str(task))
        for left_out in range(next_task, task):
            unplaced(left_out)
        next_task = task + 1
        what, found = f"task {task}", f"offer {offer} at {shown(score)}"
        if book.position(offer) is None:
            raise Wrong(what, "an offer that is in the list", found)
        asked = asked_of(tasks, task, width)
        standing, at = book.standing(asked, offer)
        if standing == "dimension":
            raise Wrong(what, f"an offer with enough of dimension {at}", found)
        if standing == "requirement":
            raise Wrong(what, f"an offer that meets requirement {at}", found)
        if standing == "devices":
            raise Wrong(what, "an offer whose devices serve", found)
        if not (math.isfinite(score) and score < max_score):
            raise Wrong(what, f"a finite score below {shown(max_score)}", found)
        twin = book.twin_before(offer)
        if twin is not None:
            raise Wrong(what, f"offer {twin}, the first of equal ones in the list", found)
        book.place(asked, offer)
    for left_out in range(next_task, rows):
        unplaced(left_out)


def check_counts(book: Book, case: Recording, tasks: Mapping[str, Any], answer: Explained) -> None:
    """Check counts. How many feasible offers score too high is the policy's affair, but together they are all that are left.

    Raises:
        Wrong: They do not hold.
    """
    rows, width = tasks.get("rows", 0), case.shape["dimensions"]
    offsets = tasks.get("requirement_offsets") or [0] * (rows + 1)
    by_dimension, by_requirement, by_devices = [0] * (rows * width), [0] * offsets[-1], [0] * rows
    feasible = [0] * rows
    for task in range(rows):
        asked = asked_of(tasks, task, width)
        for offer in book.list:
            standing = book.standing(asked, offer)
            if standing == FEASIBLE:
                feasible[task] += 1
            elif standing[0] == "dimension":
                by_dimension[task * width + standing[1]] += 1
            elif standing[0] == "requirement":
                by_requirement[offsets[task] + standing[1]] += 1
            else:
                by_devices[task] += 1
    same_column("by_dimension", by_dimension, answer.by_dimension)
    same_column("by_requirement", by_requirement, answer.by_requirement)
    same_column("by_devices", by_devices, answer.by_devices)
    for name, column in (("by_score", answer.by_score), ("candidates", answer.candidates)):
        if len(column) != rows:
            raise Wrong(name, f"{rows} counts", f"{len(column)} counts")
    for task in range(rows):
        found = answer.by_score[task] + answer.candidates[task]
        if found != feasible[task]:
            raise Wrong(f"by_score[{task}] + candidates[{task}]", str(feasible[task]), str(found))
        if float(case.settings["max_score"]) >= _NO_LIMIT and answer.by_score[task] > 0:
            raise Wrong(f"by_score[{task}]", "0", str(answer.by_score[task]))


def same_column(name: str, right: Sequence[int], found: Sequence[int]) -> None:
    """Compare a column of counts.

    Raises:
        Wrong: They differ.
    """
    if len(right) != len(found):
        raise Wrong(name, f"{len(right)} counts", f"{len(found)} counts")
    for at, (one, other) in enumerate(zip(right, found, strict=True)):
        if one != other:
            raise Wrong(f"{name}[{at}]", str(one), str(other))
