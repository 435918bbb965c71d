"""Whether explanations hold: as many counts as were asked for, which add up to the offers in the list."""

from __future__ import annotations

from offermatch.errors import LyingMatcherError
from offermatch.tables.settings import Shape
from offermatch.tables.tables import Explained, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["check_explained"]


def check_explained(table: TaskTable, found: Explained, shape: Shape, ledger: Ledger) -> None:
    """Refuse explanations that cannot be right.

    Raises:
        LyingMatcherError: ``answer-refused``.
    """
    width, listed = shape.dimensions, ledger.listed
    offsets = table.requirements.offsets or [0] * (table.rows + 1)
    lengths = [len(found.by_dimension), len(found.by_requirement)]
    lengths += [len(found.by_devices), len(found.by_score), len(found.candidates)]
    if lengths == [table.rows * width, offsets[-1], table.rows, table.rows, table.rows] and all(
        sum(found.by_dimension[row * width : (row + 1) * width])
        + sum(found.by_requirement[offsets[row] : offsets[row + 1]])
        + found.by_devices[row]
        + found.by_score[row]
        + found.candidates[row]
        == listed
        for row in range(table.rows)
    ):
        return
    message = f"the matcher explained with counts that do not add up to the {listed} offers in the list"
    raise LyingMatcherError("answer-refused", message, "do not use this matcher")
