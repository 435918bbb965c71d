"""Answers, inspections and errors as text."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from offermatch.answer import Answer
from offermatch.errors import OffermatchError
from offermatch.matcher import BaseMatcher
from offermatch.model import Explanation, Timings
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.remedies import remedies
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import LONGEST_MESSAGE, LONGEST_NAME, visible
from offermatch.writing import unwritable

__all__ = [
    "Differs",
    "answer_csv",
    "answer_json",
    "answer_summary",
    "csv_lines",
    "error",
    "inspection",
    "kept_by_score",
    "left_out_and_remarks",
    "stages",
    "too_high",
    "utilisation",
    "write_file",
    "write_out",
]

_WIDTH = 40
"""Characters of a full bar."""

_MOST_REMEDIES = 10
"""Sentences on what would help that a summary has."""


class Differs(Exception):  # noqa: N818 - not an error: the output is what was asked for
    """The command has its output, and the exit code says that something differs."""

    def __init__(self, output: str) -> None:
        """Keep what is to be printed."""
        super().__init__(output)
        self.output = output


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file.

    Raises:
        InputError: ``file-unwritable``.
    """
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise unwritable(error, path) from error


def write_out(text: str) -> None:
    """Write to standard output. A reader that closes the pipe early has all it wanted.

    Raises:
        InputError: ``file-unwritable``.
    """
    # Python has no standard output where the shell closed it (``>&-``).
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # The interpreter must not try to write what is left once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise unwritable(error, "standard output") from error


def error(found: OffermatchError) -> str:
    """Return an error as docs/errors.md shows it."""
    hint = f"hint: {visible(found.hint)}\n" if found.hint else ""
    return f"error[{visible(found.code, LONGEST_NAME)}]: {visible(found.line, LONGEST_MESSAGE)}\n{hint}"


def answer_json(
    answer: Answer,
    matcher: BaseMatcher,
    mode: str,
    *,
    explained: bool,
    timed: bool = False,
    units: Mapping[str, str] | None = None,
) -> str:
    """Return the object of docs/formats.md."""
    described = matcher.description
    document: dict[str, Any] = {
        "matcher": {
            "name": described.name,
            "version": described.version,
            "policy": described.policy,
            "contract": described.contract,
            "digest": matcher.digest or None,
        },
        "mode": mode,
        "tasks": len(answer.all_task_names),
        "offers": len(answer.all_offer_names),
        "placed": len(answer),
        "assignments": [
            {"task": task, "offer": offer, "score": score}
            for task, offer, score in zip(answer.task_names, answer.offer_names, answer.scores, strict=True)
        ],
    }
    document["unplaced_by_score"] = too_high(answer)
    if answer.bound is not None:
        document["bound"] = {"tasks": answer.bound.tasks, "used": answer.bound.used}
    if answer.left_out:
        document["left_out"] = [
            {"table": one.table, "row": one.row, "name": one.name, "code": one.error.code, "message": one.error.line}
            for one in answer.left_out
        ]
    if explained:
        document["unplaced"] = [_explanation(found, units) for found in answer.explanations]
    document["answer_digest"] = answer.digest
    if timed:
        document["timings_ms"] = {stage: seconds * 1000 for stage, seconds in asdict(answer.timings).items()}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def _explanation(found: Explanation, units: Mapping[str, str] | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "task": found.task,
        "offers": found.offers,
        "by_dimension": dict(found.by_dimension),
        "by_requirement": list(found.by_requirement),
        "by_devices": found.by_devices,
        "by_score": found.by_score,
        "candidates": found.candidates,
    }
    if found.checks is not None:
        document["checks"] = {name: asdict(check) for name, check in found.checks.items()}
        document["capable"] = found.capable
        if found.members is not None:
            members = found.members
            document["members"] = {"placed": members.placed, "running": members.running, "least": members.least}
        document["remedies"] = remedies(found, units)
    return document


def left_out_and_remarks(answer: Answer) -> str:
    """Return a line for each row that was left out, and for each remark."""
    lines = [f"left out[{one.error.code}]: {one.error.line}\n" for one in answer.left_out]
    return "".join([*lines, *(f"remark: {remark}\n" for remark in answer.remarks)])


def answer_csv(answer: Answer) -> str:
    """Return one line for each assignment."""
    return csv_lines(
        ("task", "offer", "score"), zip(answer.task_names, answer.offer_names, map(repr, answer.scores), strict=True)
    )


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of text as CSV."""
    return "".join([",".join(header) + "\n", *(",".join(map(_cell, row)) + "\n" for row in rows)])


def _cell(text: str) -> str:
    """Return a text as a cell. Python's own writer does not quote a carriage return before 3.13, where lines end in LF."""
    return '"' + text.replace('"', '""') + '"' if _QUOTED.intersection(text) else text


_QUOTED = frozenset(',"\r\n')


def too_high(answer: Answer) -> int:
    """Return how many tasks found only offers whose score is not below the maximal one, where these were explained."""
    return sum(1 for found in answer.explanations if not found.candidates and found.by_score)


def kept_by_score(tasks: int) -> str:
    """Return what is said of tasks that only the maximal score kept from an offer."""
    return f"{tasks:,} tasks found only offers whose score is not below the maximal one (--max-score)"


def answer_summary(
    answer: Answer,
    matcher: BaseMatcher,
    mode: str,
    tasks: Any,
    offers: Any,
    *,
    explained: bool = True,
    units: Mapping[str, str] | None = None,
) -> str:
    """Return an answer for people: how much was placed, where the time went, how full the offers are."""
    described = matcher.description
    asked, taken, offered = len(answer.all_task_names), len(set(answer.offer_rows)), len(answer.all_offer_names)
    lines = [
        f"{len(answer):,} of {asked:,} tasks placed on {taken:,} of {offered:,} offers, {mode}",
        visible(f"matcher {described.name} {described.version}, policy {described.policy}"),
        f"answer {answer.digest}",
        *([] if answer.bound is None else ["", f"at most {answer.bound.tasks:,} tasks could be placed, by any matcher"]),
        "",
        *stages(answer.timings),
        "",
        *utilisation(answer, task_columns(tasks), offer_columns(offers)),
    ]
    by_score = too_high(answer)
    lines += ["", kept_by_score(by_score)] if by_score else []
    reasons = [*_reasons(answer.explanations), *_remedies(answer.explanations, units)] if explained else []
    return "\n".join([*lines, *reasons]) + "\n"


def _reasons(explanations: Sequence[Explanation]) -> list[str]:
    """Return how many unplaced tasks each reason concerns most."""
    if not explanations:
        return []
    counted: dict[str, int] = {}
    for found in explanations:
        reasons = {f"too little {visible(name, LONGEST_NAME)}": count for name, count in found.by_dimension.items()}
        reasons["a requirement"] = sum(found.by_requirement)
        reasons["devices"] = found.by_devices
        checks = found.checks or {}
        of_group = [name for name in checks if name == "together" or name.startswith("limit ")]
        reasons["a rule of its group"] = sum(checks[name].fails for name in of_group if name not in found.by_dimension)
        reasons["the score"] = found.by_score
        most = max(reasons, key=reasons.__getitem__)
        reason = f"mostly {most}" if reasons[most] else "no offers left"
        if found.candidates:
            reason = "too few members of its group"
        counted[reason] = counted.get(reason, 0) + 1
    lines = ["", "unplaced tasks, by what most of the remaining offers fail on"]
    return lines + [f"  {count:>9,}  {reason}" for reason, count in sorted(counted.items(), key=lambda item: -item[1])]


def _remedies(explanations: Sequence[Explanation], units: Mapping[str, str] | None) -> list[str]:
    """Return what would help, the sentence that concerns most tasks first."""
    counted = Counter(chain.from_iterable(remedies(found, units) for found in explanations))
    if not counted:
        return []
    lines = ["", "what would help, by the number of tasks"]
    # In the order of the sentences where they concern as many.
    listed = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    lines += [f"  {count:>9,}  {visible(sentence, LONGEST_MESSAGE)}" for sentence, count in listed[:_MOST_REMEDIES]]
    more = len(listed) - _MOST_REMEDIES
    return [*lines, f"  {more:>9,}  other sentences; --output json has them all"] if more > 0 else lines


def stages(timings: Timings) -> list[str]:
    """Return where the time went, one line a stage."""
    rows = [
        ("border: rows to columns", timings.columns),
        ("border: columns to component values", timings.lower),
        ("matching, with the copy into the component and back", timings.call),
        ("border: component values to columns", timings.lift),
        ("verification against the host's own tables", timings.verify),
    ]
    return [f"  {name:<52}{seconds * 1000:>10.2f} ms" for name, seconds in rows]


def utilisation(answer: Answer, tasks: TaskColumns, offers: OfferColumns) -> list[str]:
    """Return a bar for each dimension: what the placed tasks use of all offers, and of the offers that were taken."""
    capacities = offers.capacity or offers.available
    taken = sorted(set(answer.assigned.offers))
    shown = {name: visible(name, LONGEST_NAME) for name in capacities}
    width = max([*map(len, shown.values()), len("offers")])
    lines = ["used of all offers, and of the offers that took a task"]
    lines.append(f"  {'offers':<{width}}  {_bar(len(taken), len(offers))}")
    for name, capacity in capacities.items():
        demand = tasks.demand.get(name)
        used = sum(map(demand.__getitem__, answer.assigned.tasks)) if demand else 0
        lines.append(f"  {shown[name]:<{width}}  {_bar(used, sum(capacity))}")
        lines.append(f"  {'':<{width}}  {_bar(used, sum(map(capacity.__getitem__, taken)))} of those taken")
    return lines


def _bar(part: int, whole: int) -> str:
    share = part / whole if whole else 0.0
    full = round(_WIDTH * min(share, 1.0))
    return "█" * full + "░" * (_WIDTH - full) + f" {share:>6.1%}"


def inspection(found: Mapping[str, Any], served: Iterable[str]) -> str:
    """Return what a component is, for people."""
    lines = [
        f"path      {visible(found['path'])}",
        f"size      {found['size']:,} bytes",
        f"digest    {found['digest']}",
        f"world     {visible(found['world'] or 'not a matcher')}",
        f"contract  {visible(found['contract'] or 'none')} (this host serves {', '.join(served)})",
        f"imports   {visible(', '.join(found['imports']) or 'nothing', LONGEST_MESSAGE)}",
        f"exports   {visible(', '.join(found['exports']) or 'nothing', LONGEST_MESSAGE)}",
    ]
    limits = ((name, "none" if value is None else f"{value:,}") for name, value in found["limits"].items())
    lines += [f"{'limits' if not at else '':<8}  {name:<18} {value}" for at, (name, value) in enumerate(limits)]
    described, refused = found["description"], found["refused"]
    if described:
        lines.append(visible(f"matcher   {described['name']} {described['version']}, policy {described['policy']}"))
        lines.append(visible(f"modes     {', '.join(described['modes'])}"))
        for at, one in enumerate(described["parameters"]):
            shown = f"{one['name']} {one['default']:g} ({one['minimum']:g} to {one['maximum']:g})"
            lines.append(visible(f"{'' if at else 'takes':<10}{shown}"))
    if refused:
        lines.append(f"refused   {refused['code']}: {visible(refused['message'], LONGEST_MESSAGE)}")
        lines.append(f"hint      {visible(refused['hint'])}")
    return "\n".join(lines) + "\n"
