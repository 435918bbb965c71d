"""The rules that a matcher may leave out, and what it takes from the settings: refused by name before a call."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from offermatch.errors import InputError
from offermatch.model import Description, real
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import AT_LEAST, AT_MOST, Changes, TaskTable
from offermatch.visible import shown_value

__all__ = [
    "known_parameters",
    "refuse_preemption",
    "refuse_unserved",
    "rules_of_changes",
    "rules_of_opening",
    "rules_of_tasks",
    "with_parameters",
]


def rules_of_tasks(table: TaskTable) -> Iterator[str]:
    """Yield the rules that tasks use."""
    conditions = table.requirements
    if AT_LEAST in conditions.kinds or AT_MOST in conditions.kinds:
        yield "measures"
    if any(map(math.isfinite, conditions.weights)):
        yield "preferences"
    if any(table.group_of):
        yield "groups"


def rules_of_opening(shape: Shape, settings: SettingColumns) -> Iterator[str]:
    """Yield the rules that a pool uses from its opening on."""
    if shape.measures:
        yield "measures"
    if settings.workload is not None:
        yield "workload"
        yield from rules_of_tasks(settings.workload.tasks)


def rules_of_changes(changes: Changes) -> Iterator[str]:
    """Yield the rules that an update uses."""
    if changes.workload is not None:
        yield "workload"
        yield from rules_of_tasks(changes.workload.tasks)


def refuse_unserved(description: Description, rules: Iterator[str]) -> None:
    """Refuse rules that a matcher does not serve.

    Raises:
        InputError: ``rule-unserved``.
    """
    for rule in rules:
        if rule not in description.rules:
            served = ", ".join(description.rules) or "none of those that a matcher may leave out"
            message = f"{description.name} {description.version} does not serve {rule}"
            raise InputError("rule-unserved", message, f"use another matcher; this one serves {served}", rule)


def refuse_preemption(description: Description) -> None:
    """Refuse a plan that a matcher does not make.

    Raises:
        InputError: ``rule-unserved``.
    """
    if not description.preempts:
        message = f"{description.name} {description.version} does not serve preemption"
        hint = "use another matcher, such as the one of the package"
        raise InputError("rule-unserved", message, hint, "preemption")


def with_parameters(settings: SettingColumns, description: Description) -> SettingColumns:
    """Return settings whose parameters stand in the order of a matcher's description.

    Raises:
        InputError: ``parameter-unknown`` or ``parameter-malformed``.
    """
    named = settings.named_parameters
    if not named:
        return settings
    known = {one.name: one for one in description.parameters}
    for name, value in named.items():
        if name not in known:
            hint = "it takes " + (", ".join(known) or "none")
            raise InputError(
                "parameter-unknown", f"{description.name} takes no parameter {shown_value(name)}", hint, "parameters"
            )
        least, most = known[name].minimum, known[name].maximum
        if not least <= real(value) <= most:
            hint = f"give a number from {least!r} to {most!r}"
            raise InputError("parameter-malformed", f"{shown_value(value)} cannot be used", hint, f"parameter {name}")
    column = [real(named.get(name, one.default)) for name, one in known.items()]
    return replace(settings, parameters=column, named_parameters={})


def known_parameters(settings: SettingColumns, description: Description) -> SettingColumns:
    """Return settings without the parameters that a matcher does not have: what a fallback can do with those of another."""
    known = {one.name for one in description.parameters}
    named: Mapping[str, float] = {name: value for name, value in settings.named_parameters.items() if name in known}
    return replace(settings, named_parameters=named)
