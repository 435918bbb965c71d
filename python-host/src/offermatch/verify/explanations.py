"""Whether explanations hold: as many counts as were asked for, and none that contradicts another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isfinite

from offermatch.errors import LyingMatcherError
from offermatch.tables.settings import Shape
from offermatch.tables.tables import Explained, Explanations, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["check_explained"]

_Counts = list[tuple[int, int]]
"""How many offers fail each of some checks, and how many fail nothing else."""


def check_explained(table: TaskTable, found: Explained | Explanations, shape: Shape, ledger: Ledger) -> None:
    """Refuse explanations that cannot be right.

    Raises:
        LyingMatcherError: ``answer-refused``.
    """
    if isinstance(found, Explained):
        holds = _adds_up(table, found, shape, ledger.listed)
    else:
        holds = _agrees(table, found, shape, ledger.listed)
    if not holds:
        message = f"the matcher explained with counts that do not add up to the {ledger.listed} offers in the list"
        raise LyingMatcherError("answer-refused", message, "do not use this matcher")


def _adds_up(table: TaskTable, found: Explained, shape: Shape, listed: int) -> bool:
    """Return whether each offer of the list is counted once for each task."""
    width = shape.dimensions
    offsets = table.requirements.offsets or [0] * (table.rows + 1)
    lengths = [len(found.by_dimension), len(found.by_requirement)]
    lengths += [len(found.by_devices), len(found.by_score), len(found.candidates)]
    return lengths == [table.rows * width, offsets[-1], table.rows, table.rows, table.rows] and all(
        sum(found.by_dimension[row * width : (row + 1) * width])
        + sum(found.by_requirement[offsets[row] : offsets[row + 1]])
        + found.by_devices[row]
        + found.by_score[row]
        + found.candidates[row]
        == listed
        for row in range(table.rows)
    )


def _agrees(table: TaskTable, found: Explanations, shape: Shape, listed: int) -> bool:
    """Return whether the counts of each task can be true together.

    An offer that fails nothing is a candidate or fails by its score, and any other fails a check; one that fails a check and
    nothing else is counted there alone. Nothing is missing where no offer fails a check alone.
    """
    rows, offsets = table.rows, table.requirements.offsets or [0] * (table.rows + 1)
    limits = [0, *(end - begin for begin, end in pairwise(table.groups.limit_offsets or [0] * (table.groups.rows + 1)))]
    by_limit = [limits[group] for group in table.group_of] or [0] * rows
    by_requirement, one = [end - begin for begin, end in pairwise(offsets)], [1] * rows
    checks: list[tuple[Sequence[int], Sequence[int], Sequence[float], Sequence[int]]] = [
        (found.dimension_fails, found.dimension_alone, found.dimension_missing, [shape.dimensions] * rows),
        (found.requirement_fails, found.requirement_alone, found.requirement_missing, by_requirement),
        (found.devices_fails, found.devices_alone, found.devices_missing, one),
        (found.together_fails, found.together_alone, (), one),
        (found.limit_fails, found.limit_alone, (), by_limit),
        (found.score_fails, found.score_fails, found.score_missing, one),
    ]
    if not len(found.candidates) == len(found.capable) == rows or len(found.members_placed) != table.groups.rows:
        return False
    for fails, alone, missing, counts in checks:
        if not len(fails) == len(alone) == sum(counts) or (missing and len(missing) != len(fails)):
            return False
        if missing and any(less and not some for less, some in zip(missing, alone, strict=True)):
            return False
    parts = zip(*(_parts(fails, alone, counts) for fails, alone, _, counts in checks[:-1]), strict=True)
    return all(_holds(table, found, row, listed, list(part)) for row, part in enumerate(parts))


def _holds(table: TaskTable, found: Explanations, row: int, listed: int, parts: Sequence[_Counts]) -> bool:
    """Return whether the counts of a task can be true together; ``parts`` has those of dimensions, then of requirements."""
    failing = listed - found.candidates[row] - found.score_fails[row]
    if failing < 0 or not found.candidates[row] <= found.capable[row] <= listed:
        return False
    weights = table.requirements.weights
    checks: _Counts = []
    for number, part in enumerate(parts):
        for at, (fails, alone) in enumerate(part):
            if number == 1 and weights and isfinite(weights[table.requirements.offsets[row] + at]):
                if fails > listed or alone:
                    return False
            else:
                checks.append((fails, alone))
    if any(not alone <= fails <= failing for fails, alone in checks):
        return False
    return sum(alone for _, alone in checks) <= failing <= sum(fails for fails, _ in checks)


def _parts(fails: Sequence[int], alone: Sequence[int], counts: Sequence[int]) -> Iterator[_Counts]:
    """Yield the counts of each task: of the offers that fail a check, and of those that fail nothing else."""
    at = 0
    for count in counts:
        yield list(zip(fails[at : at + count], alone[at : at + count], strict=True))
        at += count
