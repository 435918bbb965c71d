"""Explanations by name."""

from __future__ import annotations

from collections.abc import Sequence

from offermatch.model import OFFER, Check, Explanation, Members
from offermatch.tables.tables import Explanations, TaskTable
from offermatch.tables.tasks import TaskColumns

__all__ = ["explanation"]


def explanation(
    name: str, offers: int, dimensions: Sequence[str], tasks: TaskColumns, table: TaskTable, found: Explanations, row: int
) -> Explanation:
    """Return the explanation of one task.

    Args:
        name: The task's name.
        offers: How many offers the list holds.
        dimensions: The pool's dimensions, in order.
        tasks: The tasks that were explained.
        table: The same in numbers.
        found: What was found.
        row: The row of the task.
    """
    first = row * len(dimensions)
    checks = {
        each: Check(found.dimension_fails[at], found.dimension_alone[at], found.dimension_missing[at])
        for at, each in enumerate(dimensions, first)
    }
    offsets = table.requirements.offsets
    conditions = range(offsets[row], offsets[row + 1]) if offsets else range(0)
    for number, at in enumerate(conditions):
        fails, alone, missing = found.requirement_fails[at], found.requirement_alone[at], found.requirement_missing[at]
        checks[f"requirement {number}"] = Check(fails, alone, missing)
    checks["devices"] = Check(found.devices_fails[row], found.devices_alone[row], found.devices_missing[row])
    checks["together"] = Check(found.together_fails[row], found.together_alone[row])
    for number, at in enumerate(_limits(table, row)):
        checks[f"limit {number}"] = Check(found.limit_fails[at], found.limit_alone[at])
    # An offer is asked for its score when it passes all else.
    checks["score"] = Check(found.score_fails[row], found.score_fails[row], found.score_missing[row])
    return Explanation(
        name,
        offers,
        {each: checks[each].fails for each in dimensions},
        tuple(found.requirement_fails[at] for at in conditions),
        found.devices_fails[row],
        found.score_fails[row],
        found.candidates[row],
        checks,
        found.capable[row],
        _members(tasks, table, found, row),
        _words(tasks, row),
    )


def _words(tasks: TaskColumns, row: int) -> dict[str, str]:
    """Return what checks of a task ask, by the name of the check."""
    asked = [*tasks.requirements_of(row), *(one.requirement for one in tasks.preferences_of(row))]
    found = {f"requirement {number}": str(one) for number, one in enumerate(asked)}
    group = tasks.groups[row] if tasks.groups is not None else None
    if group is not None:
        if group.together is not None:
            found["together"] = group.together
        for number, (name, most) in enumerate(group.at_most.items()):
            found[f"limit {number}"] = f"at most {most} {'an' if name == OFFER else 'a'} {name}"
    return found


def _members(tasks: TaskColumns, table: TaskTable, found: Explanations, row: int) -> Members | None:
    group = tasks.groups[row] if tasks.groups is not None else None
    if group is None:
        return None
    at, groups = table.group_of[row] - 1, table.groups
    running = sum(count for of, count in zip(groups.occupant_groups, groups.occupant_counts, strict=True) if of == at)
    return Members(group.name, found.members_placed[at], running, group.least)


def _limits(table: TaskTable, row: int) -> range:
    """Return where the limits of a task stand in the columns that have one number for each limit of each task's group."""
    offsets = table.groups.limit_offsets
    if not offsets or not table.group_of:
        return range(0)
    counts = [offsets[group] - offsets[group - 1] if group else 0 for group in table.group_of[: row + 1]]
    return range(sum(counts[:-1]), sum(counts))
