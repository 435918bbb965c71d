"""What a component may hand back: no more rows than were asked about, and little text."""

from __future__ import annotations

from dataclasses import fields
from operator import sub
from typing import TypeVar

from wasmtime.component import Record

from offermatch.errors import LyingMatcherError
from offermatch.limits import Limits, exceeded
from offermatch.model import Description
from offermatch.tables.settings import Shape
from offermatch.tables.tables import Assigned, Explained, Explanations, Plan, RunningTable, TaskTable

__all__ = [
    "check_assigned",
    "check_described",
    "check_description",
    "check_explained",
    "check_plan",
    "check_text",
    "misdescribed",
]

_Explained = TypeVar("_Explained", bound=Explained | Explanations)


def check_assigned(answer: Assigned, asked: TaskTable, limits: Limits) -> Assigned:
    """Return an answer that has no more rows than it may have.

    Raises:
        LimitError: ``limit-output``.
    """
    most = asked.rows if limits.output_rows is None else min(asked.rows, limits.output_rows)
    rows = max(len(answer.tasks), len(answer.offers), len(answer.scores))
    if rows > most:
        raise exceeded("limit-output", "output_rows", most, f"it answered with {rows:,} rows")
    return answer


def check_explained(answer: _Explained, asked: TaskTable, shape: Shape) -> _Explained:
    """Return explanations that have no more numbers than the tasks ask for.

    Raises:
        LimitError: ``limit-output``.
    """
    by_dimension = asked.rows * shape.dimensions
    by_requirement = asked.requirements.offsets[-1] if asked.requirements.offsets else 0
    groups = asked.groups
    limits = list(map(sub, groups.limit_offsets[1:], groups.limit_offsets))
    by_limit = sum(limits[group - 1] for group in asked.group_of if group) if limits else 0
    most = {"dimension": by_dimension, "requirement": by_requirement, "limit": by_limit, "members": groups.rows}
    for each in fields(answer):
        word = each.name.removeprefix("by_").partition("_")[0]
        found = len(getattr(answer, each.name))
        if found > most.get(word, asked.rows):
            raise exceeded("limit-output", "output_rows", most.get(word, asked.rows), f"it explained with {found:,} numbers")
    return answer


def check_plan(answer: Plan, asked: TaskTable, running: RunningTable) -> Plan:
    """Return a plan that names no more tasks and victims than there are.

    Raises:
        LimitError: ``limit-output``.
    """
    rows = max(len(answer.tasks), len(answer.offers), len(answer.scores), len(answer.victim_offsets) - 1)
    for found, most in ((rows, asked.rows), (len(answer.victims), running.rows)):
        if found > most:
            raise exceeded("limit-output", "output_rows", most, f"it planned with {found:,} rows")
    return answer


def check_described(found: Record, limits: Limits, place: str) -> None:
    """Refuse a description that is too long.

    Raises:
        LimitError: ``limit-output``.
    """
    said = vars(found)
    parameters = [one.name for one in said.get("parameters", ())]
    texts = [said["name"], said["version"], said["policy"], said["contract"], *said["modes"], *parameters]
    check_text(sum(len(text.encode()) for text in texts), limits, "it describes itself", place)


def check_description(found: Description, place: str) -> None:
    """Refuse what no matcher can mean: empty names, a mode or a rule twice, a parameter without a range.

    Raises:
        LyingMatcherError: ``answer-refused``.
    """
    for name in ("name", "version", "policy"):
        if not getattr(found, name):
            raise misdescribed(f"its {name} is empty", place)
    if not found.modes:
        raise misdescribed("it has no mode", place)
    names = [one.name for one in found.parameters]
    for kind, listed in (("mode", found.modes), ("rule", found.rules), ("parameter", names)):
        twice = next((one for at, one in enumerate(listed) if one in listed[:at]), None)
        if twice is not None:
            raise misdescribed(f"the {kind} {twice} stands twice", place)
    for one in found.parameters:
        if not one.name:
            raise misdescribed("the name of a parameter is empty", place)
        # Nothing is within bounds that are not numbers.
        if not one.minimum <= one.default <= one.maximum:
            message = f"the default {one.default} of {one.name} is not within {one.minimum} to {one.maximum}"
            raise misdescribed(message, place)


def misdescribed(reason: str, place: str) -> LyingMatcherError:
    """Return the error of a matcher whose description does not hold."""
    hint = "do not use this matcher: it breaks the rules of docs/semantics.md"
    return LyingMatcherError("answer-refused", f"its description: {reason}", hint, place)


def check_text(size: int, limits: Limits, what: str, place: str = "") -> None:
    """Refuse text of more bytes than there may be.

    Raises:
        LimitError: ``limit-output``.
    """
    if size > limits.output_text_bytes:
        asked = f"{what} with {size:,} bytes of text"
        raise exceeded("limit-output", "output_text_bytes", limits.output_text_bytes, asked, place)
