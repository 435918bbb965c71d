"""Whether explanations hold: as many counts as were asked for, and none that contradicts another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from offermatch.errors import LyingMatcherError
from offermatch.tables.settings import Shape
from offermatch.tables.tables import Explained, Explanations, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["check_explained"]


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
    """Return whether no count is above what it is a part of.

    An offer that fails nothing is a candidate, one that fails a check and nothing else is counted there alone. So the two
    together are not more than the list, and whatever is in the list and not among them fails two checks or more.
    """
    limits = [0] * (table.groups.rows + 1)
    for group in range(1, len(table.groups.limit_offsets)):
        limits[group] = table.groups.limit_offsets[group] - table.groups.limit_offsets[group - 1]
    by_limit = [limits[group] for group in table.group_of] or [0] * table.rows
    offsets = table.requirements.offsets or [0] * (table.rows + 1)
    by_requirement = [end - begin for begin, end in pairwise(offsets)]
    one = [1] * table.rows
    checks: list[tuple[Sequence[int], Sequence[int], Sequence[float], Sequence[int]]] = [
        (found.dimension_fails, found.dimension_alone, found.dimension_missing, [shape.dimensions] * table.rows),
        (found.requirement_fails, found.requirement_alone, found.requirement_missing, by_requirement),
        (found.devices_fails, found.devices_alone, found.devices_missing, one),
        (found.together_fails, found.together_alone, (), one),
        (found.limit_fails, found.limit_alone, (), by_limit),
        (found.score_fails, found.score_fails, found.score_missing, one),
    ]
    if not len(found.candidates) == len(found.capable) == table.rows or len(found.members_placed) != table.groups.rows:
        return False
    told = list(found.candidates)
    for fails, alone, missing, counts in checks:
        if not len(fails) == len(alone) == sum(counts) or (missing and len(missing) != len(fails)):
            return False
        # Nothing is missing where no offer fails this alone.
        if missing and any(less and not some for less, some in zip(missing, alone, strict=True)):
            return False
        if any(not some <= all_of <= listed for some, all_of in zip(alone, fails, strict=True)):
            return False
        told = [so_far + part for so_far, part in zip(told, _sums(alone, counts), strict=True)]
    return all(count <= listed for count in told)


def _sums(column: Sequence[int], counts: Sequence[int]) -> Iterator[int]:
    at = 0
    for count in counts:
        yield sum(column[at : at + count])
        at += count
