"""Whether answers hold by the contract, whatever the policy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from sys import float_info
from typing import Any

from offermatch.conformance.book import Book, asked_of
from offermatch.conformance.play import ANSWERED, Outcome
from offermatch.conformance.report import Finding, shown
from offermatch.recording.recording import Recording
from offermatch.tables.tables import Assigned, Explained, Explanations

__all__ = ["Wrong", "audit", "check", "check_counts", "check_word", "opening", "same_column", "settle"]

_NO_LIMIT = 1e300
"""A maximal score that no policy's score reaches: every feasible offer can be chosen."""


_MEETS = {
    "dimension": "an offer with enough of dimension {}",
    "requirement": "an offer that meets requirement {}",
    "devices": "an offer whose devices serve",
}
"""What an offer has to be that fails a check."""


class Wrong(Exception):  # noqa: N818 - a finding, not an error
    """Something does not hold: what it is about, what was expected, what was found."""

    def __init__(self, what: str, expected: str, found: str) -> None:
        """Keep the three."""
        super().__init__(what, expected, found)
        self.what, self.expected, self.found = what, expected, found

    def at(self, step: int | None, level: str = "contract") -> Finding:
        """Return it with its place."""
        return Finding(level, step, self.what, self.expected, self.found)


def opening(case: Recording, modes: Sequence[str], outcomes: Sequence[Outcome]) -> Finding | None:
    """Return what is wrong with how the pool of a case was opened, or refused."""
    expected = case.open_error if case.settings["mode"] in modes else "unsupported-mode"
    opened = outcomes[0].word
    if opened != (expected or ANSWERED):
        return Finding("contract", None, "outcome", expected or ANSWERED, opened)
    return None


def audit(case: Recording, outcomes: Sequence[Outcome]) -> Finding | None:
    """Return the first thing that does not hold in the outcomes of a case's steps."""
    book = Book(case.shape, case.settings["mode"], case.offers)
    for at, (step, outcome) in enumerate(zip(case.steps, outcomes, strict=False)):
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
    check_word(step, outcome)
    if isinstance(outcome.answer, Assigned):
        settle(book, case, step["assign"], outcome.answer)
    elif isinstance(outcome.answer, (Explained, Explanations)):
        check_counts(book, case, step["explain"], outcome.answer)
    elif outcome.word == ANSWERED and "update" in step:
        book.apply(step["update"])


def check_word(step: Mapping[str, Any], outcome: Outcome) -> None:
    """Check whether a step was answered, or refused as it has to be.

    Raises:
        Wrong: It was not.
    """
    expected = step.get("error", ANSWERED)
    # How many rows a matcher takes is its own affair.
    takes_more = expected == "too-many-rows" and outcome.word == ANSWERED
    if outcome.word != expected and not takes_more:
        raise Wrong("outcome", expected, outcome.word)


def settle(book: Book, case: Recording, tasks: Mapping[str, Any], answer: Assigned) -> None:
    """Check who takes what, task by task, and follow it in the book.

    Raises:
        Wrong: It does not hold.
    """
    width, max_score, rows = case.shape["dimensions"], _max_score(case), tasks.get("rows", 0)
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
        for check, at in book.failed(asked, offer)[:1]:
            raise Wrong(what, _MEETS[check].format(at), found)
        if not (math.isfinite(score) and score < max_score):
            raise Wrong(what, f"a finite score below {shown(max_score)}", found)
        twin = book.twin_before(offer)
        if twin is not None:
            raise Wrong(what, f"offer {twin}, the first of equal ones in the list", found)
        book.place(asked, offer)
    for left_out in range(next_task, rows):
        unplaced(left_out)


def check_counts(book: Book, case: Recording, tasks: Mapping[str, Any], answer: Explained | Explanations) -> None:
    """Check counts. How many feasible offers score too high is the policy's affair, but together they are all that are left.

    Raises:
        Wrong: They do not hold.
    """
    rows, width = tasks.get("rows", 0), case.shape["dimensions"]
    offsets = tasks.get("requirement_offsets") or [0] * (rows + 1)
    lengths = {"dimension": rows * width, "requirement": offsets[-1], "devices": rows}
    first, fails, alone = ({check: [0] * length for check, length in lengths.items()} for _ in range(3))
    missing = [0] * (rows * width)
    feasible, dear = [0] * rows, [0] * rows
    for task in range(rows):
        asked = asked_of(tasks, task, width)
        begin = {"dimension": task * width, "requirement": offsets[task], "devices": task}
        for offer in book.list:
            failed = book.failed(asked, offer)
            feasible[task] += not failed
            dear[task] += not failed and book.is_dear(asked, offer)
            for at in book.not_preferred(asked, offer):
                fails["requirement"][offsets[task] + at] += 1
            for check, at in failed[:1]:
                first[check][begin[check] + at] += 1
            for check, at in failed:
                fails[check][begin[check] + at] += 1
                alone[check][begin[check] + at] += len(failed) == 1
            if len(failed) == 1 and failed[0][0] == "dimension":
                at = begin["dimension"] + failed[0][1]
                less = book.missing(asked, offer, failed[0][1])
                missing[at] = min(missing[at] or less, less)
    if isinstance(answer, Explained):
        by_score = answer.by_score
        for check in lengths:
            same_column(f"by_{check}", first[check], getattr(answer, f"by_{check}"))
    else:
        by_score = answer.score_fails
        for check in lengths:
            same_column(f"{check}_fails", fails[check], getattr(answer, f"{check}_fails"))
            same_column(f"{check}_alone", alone[check], getattr(answer, f"{check}_alone"))
        same_column("dimension_missing", missing, answer.dimension_missing)
    for name, column in (("by_score", by_score), ("candidates", answer.candidates)):
        if len(column) != rows:
            raise Wrong(name, f"{rows} counts", f"{len(column)} counts")
    for task in range(rows):
        found = by_score[task] + answer.candidates[task]
        if found != feasible[task]:
            raise Wrong(f"by_score[{task}] + candidates[{task}]", str(feasible[task]), str(found))
        if _max_score(case) >= _NO_LIMIT and by_score[task] > dear[task]:
            raise Wrong(f"by_score[{task}]", f"at most {dear[task]}" if dear[task] else "0", str(by_score[task]))


def _max_score(case: Recording) -> float:
    """Return what every score has to be below."""
    most = case.settings["max_score"]
    return float_info.max if most is None else float(most)


def same_column(name: str, right: Sequence[int], found: Sequence[int]) -> None:
    """Compare a column of counts.

    Raises:
        Wrong: They differ.
    """
    if len(right) != len(found):
        raise Wrong(name, f"{len(right)} counts", f"{len(found)} counts")
    for at, (one, other) in enumerate(zip(right, found, strict=True)):
        if one != other:
            raise Wrong(f"{name}[{at}]", *(shown(each) if isinstance(each, float) else str(each) for each in (one, other)))
