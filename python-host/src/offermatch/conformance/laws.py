"""Laws that bind every matcher, tried on a case that it has answered.

Asked again it says the same, and tasks placed in several calls go where they go in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from offermatch.conformance.audit import Wrong, check, check_counts, settle
from offermatch.conformance.book import Book
from offermatch.conformance.compare import place_shown, places_of
from offermatch.conformance.play import ANSWERED, Outcome, Player, play
from offermatch.conformance.report import Finding
from offermatch.conformance.rules import has_groups
from offermatch.matcher import DirectMatcher
from offermatch.recording.recording import Recording
from offermatch.tables.tables import Assigned, Explained, Explanations

__all__ = ["broken"]

_MOST_CALLS = 16
"""Calls that the tasks of one step are split into, at most."""

_OF_REQUIREMENTS = (
    *("requirement_attributes", "requirement_excludes", "requirement_subjects", "requirement_kinds"),
    *("requirement_bounds", "requirement_weights"),
)
"""Columns with a number for each requirement."""

_SAME, _OTHER = "the same answer", "another answer"


def broken(matcher: DirectMatcher, case: Recording, before: Sequence[Outcome]) -> Finding | None:
    """Return the first law that a matcher breaks on a case, given how it answered before."""
    found = _repeated(matcher, case, before)
    # Of the tasks of a group all have to be there at once, and a ledger does not say who may be left out.
    return found if found is not None or has_groups(case) else _split(matcher, case, before)


def _repeated(matcher: DirectMatcher, case: Recording, before: Sequence[Outcome]) -> Finding | None:
    again = play(matcher, case)
    for at in range(max(len(before), len(again))):
        if at >= len(before) or at >= len(again) or not before[at].is_same(again[at]):
            return Finding("contract", at - 1 if at else None, "the same case again", _SAME, _OTHER)
    return None


def _split(matcher: DirectMatcher, case: Recording, before: Sequence[Outcome]) -> Finding | None:
    player = Player(matcher, case)
    try:
        if player.outcome.word != ANSWERED:
            return None
        book = Book(case.shape, case.settings["mode"], case.offers)
        for at, (step, outcome) in enumerate(zip(case.steps, before[1:], strict=False)):
            try:
                if isinstance(outcome.answer, Assigned):
                    _in_parts(player, book, case, step["assign"], outcome.answer)
                    continue
                now = player.ask(step)
                if not now.is_same(outcome):
                    return Finding("contract", at, "after the same tasks in several calls", _SAME, _OTHER)
                check(book, case, step, now)
            except Wrong as wrong:
                return wrong.at(at)
        return None
    finally:
        player.close()


def _in_parts(player: Player, book: Book, case: Recording, tasks: Mapping[str, Any], answered: Assigned) -> None:
    """Place the tasks of one step in several calls."""
    whole, rows = places_of(answered), tasks.get("rows", 0)
    size = max(1, -(-rows // _MOST_CALLS))
    for first in range(0, rows, size):
        probe = _part(tasks, case, first, first + 1)
        explained = player.explain(probe)
        if not isinstance(explained.answer, (Explained, Explanations)):
            raise Wrong(f"explain from task {first} on", ANSWERED, explained.word)
        try:
            check_counts(book, case, probe, explained.answer)
        except Wrong as wrong:
            what = f"{wrong.what} of task {first}, explained before it is placed"
            raise Wrong(what, wrong.expected, wrong.found) from wrong
        table = _part(tasks, case, first, min(first + size, rows))
        assigned = player.assign(table)
        if not isinstance(assigned.answer, Assigned):
            raise Wrong(f"assign from task {first} on", ANSWERED, assigned.word)
        now = places_of(assigned.answer)
        candidates = explained.answer.candidates[0]
        if (0 in now) != (candidates > 0):
            expected = "not placed, as it is explained with no candidate"
            if candidates:
                expected = f"placed, as it is explained with candidates: {candidates}"
            raise Wrong(f"task {first}", expected, place_shown(now.get(0)))
        for task in range(table["rows"]):
            before, after = whole.get(first + task), now.get(task)
            if before != after:
                raise Wrong(f"task {first + task}, placed in another call", place_shown(before), place_shown(after))
        settle(book, case, table, assigned.answer)


def _part(tasks: Mapping[str, Any], case: Recording, first: int, end: int) -> dict[str, Any]:
    """Return some rows of a checked table."""
    width = case.shape["dimensions"]
    table: dict[str, Any] = {"rows": end - first, "demand": tasks.get("demand", [])[first * width : end * width]}
    if tasks.get("devices"):
        table["devices"] = tasks["devices"][first:end]
    offsets = tasks.get("requirement_offsets")
    if offsets:
        begin, stop = offsets[first], offsets[end]
        table["requirement_offsets"] = [offset - begin for offset in offsets[first : end + 1]]
        for name in _OF_REQUIREMENTS:
            if tasks.get(name):
                table[name] = tasks[name][begin:stop]
        if begin < stop and tasks.get("value_offsets"):
            ends = tasks["value_offsets"][begin : stop + 1]
            table["value_offsets"] = [value - ends[0] for value in ends]
            table["values"] = tasks.get("values", [])[ends[0] : ends[-1]]
    return table
