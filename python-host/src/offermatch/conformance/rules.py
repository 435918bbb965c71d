"""Cases of rules that a matcher may leave out: who is asked them, or what is left of them, and how answers are checked.

The book of ``book`` knows neither groups nor plans. The host's own ledger does, which refuses answers that break rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite
from typing import Any

from offermatch.conformance.audit import Wrong, check_word
from offermatch.conformance.play import ANSWERED, Outcome
from offermatch.conformance.report import Finding
from offermatch.errors import LyingMatcherError
from offermatch.model import Description
from offermatch.recording.columns import changes_of, offers_of, preempt_of, shape_of, tasks_of
from offermatch.recording.recording import Recording
from offermatch.tables.tables import AT_LEAST, Assigned, Explained, Explanations, Plan
from offermatch.verify.explanations import check_explained
from offermatch.verify.ledger import Ledger
from offermatch.verify.plan import check_plan
from offermatch.wasm.contract import raises_scales

__all__ = ["audit_by_ledger", "has_groups", "has_plans", "served", "why_not_asked"]

_RULES = ("measures", "preferences", "groups", "workload", "preemption")

_COLUMNS = {"groups": ("group_of", "groups"), "workload": ("workload",), "preemption": ("preempt",)}
"""What a case has only by a rule."""


def why_not_asked(case: Recording, description: Description) -> str | None:
    """Return why a matcher is not asked a case: it speaks an older contract, or serves not all that the case uses."""
    if not case.raise_scales:
        return None
    if not raises_scales(description.contract):
        return f"contract {description.contract}"
    used, left_out = set(_used(case)), _left_out(description)
    unserved = [rule for rule in _RULES if rule in used and rule in left_out]
    return f"does not serve {', '.join(unserved)}" if unserved else None


def served(case: Recording, description: Description) -> Recording:
    """Return a generated case without the groups, the workloads and the plans that a matcher does not serve."""
    left_out = _left_out(description)
    columns = {name for rule, names in _COLUMNS.items() if rule in left_out for name in names}

    def kept(found: Mapping[str, Any]) -> dict[str, Any]:
        return {name: column for name, column in found.items() if name not in columns}

    steps = [{call: kept(table) for call, table in step.items()} for step in case.steps if columns.isdisjoint(step)]
    return replace(case, settings=kept(case.settings), steps=steps)


def _left_out(description: Description) -> set[str]:
    """Return the rules that a matcher does not serve."""
    return {*_RULES} - {*description.rules, *(["preemption"] if description.preempts else [])}


def has_groups(case: Recording) -> bool:
    """Return whether a case uses groups, which the book does not know."""
    return "groups" in _used(case)


def has_plans(case: Recording) -> bool:
    """Return whether a case asks for plans, which the book passes over."""
    return "preemption" in _used(case)


def _used(case: Recording) -> Iterator[str]:
    """Yield the rules that a case uses."""
    if case.shape.get("measures"):
        yield "measures"
    loads = [case.settings.get("workload"), *(step.get("update", {}).get("workload") for step in case.steps)]
    tables = [step[call] for step in case.steps for call in ("assign", "explain") if call in step]
    for step in case.steps:
        if "preempt" in step:
            yield "preemption"
            tables.append(step["preempt"].get("tasks", {}))
    for load in loads:
        if load is not None:
            yield "workload"
            tables.append(load["tasks"])
    for tasks in tables:
        yield from _used_by(tasks)


def _used_by(tasks: Mapping[str, Any]) -> Iterator[str]:
    if any(kind >= AT_LEAST for kind in tasks.get("requirement_kinds", ())):
        yield "measures"
    if any(isfinite(float(weight)) for weight in tasks.get("requirement_weights", ())):
        yield "preferences"
    if any(tasks.get("group_of", ())):
        yield "groups"


def audit_by_ledger(case: Recording, outcomes: Sequence[Outcome]) -> Finding | None:
    """Return the first outcome of a case's steps that a host would refuse."""
    most = case.settings["max_score"]
    offers = offers_of(case.offers, case.shape, raw=False)
    ledger = Ledger(offers, case.settings["mode"], inf if most is None else float(most))
    for at, (step, outcome) in enumerate(zip(case.steps, outcomes, strict=False)):
        try:
            _check(ledger, case, step, outcome)
        except Wrong as wrong:
            return wrong.at(at)
        except LyingMatcherError:
            return Wrong("answer", "an answer that breaks no rule", "answer-refused").at(at)
    return None


def _check(ledger: Ledger, case: Recording, step: Mapping[str, Any], outcome: Outcome) -> None:
    check_word(step, outcome)
    if isinstance(outcome.answer, Assigned):
        ledger.accept(tasks_of(step["assign"], case.shape, raw=False), outcome.answer)
    elif isinstance(outcome.answer, (Explained, Explanations)):
        tasks = tasks_of(step["explain"], case.shape, raw=False)
        check_explained(tasks, outcome.answer, shape_of(case.shape), ledger)
    elif isinstance(outcome.answer, Plan):
        check_plan(ledger, *preempt_of(step["preempt"], case.shape, raw=False), outcome.answer)
    elif outcome.word == ANSWERED:
        ledger.update(changes_of(step["update"], case.shape, raw=False))
