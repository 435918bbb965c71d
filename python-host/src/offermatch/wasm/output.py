"""What a component may hand back: no more rows than were asked about, and little text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offermatch.limits import Limits, exceeded
from offermatch.tables.tables import Assigned, Explained, TaskTable

__all__ = ["check_assigned", "check_described", "check_explained", "check_text"]


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


def check_explained(answer: Explained, asked: TaskTable, dimensions: int) -> Explained:
    """Return explanations that have no more numbers than the tasks ask for.

    Raises:
        LimitError: ``limit-output``.
    """
    requirements = asked.requirements.offsets[-1] if asked.requirements.offsets else 0
    singles = max(len(answer.by_devices), len(answer.by_score), len(answer.candidates))
    for found, most in (
        (len(answer.by_dimension), asked.rows * dimensions),
        (len(answer.by_requirement), requirements),
        (singles, asked.rows),
    ):
        if found > most:
            raise exceeded("limit-output", "output_rows", most, f"it explained with {found:,} numbers")
    return answer


def check_described(found: Mapping[str, Any], limits: Limits, place: str) -> None:
    """Refuse a description that is too long.

    Raises:
        LimitError: ``limit-output``.
    """
    texts = [found["name"], found["version"], found["policy"], found["contract"], *found["modes"]]
    check_text(sum(len(text.encode()) for text in texts), limits, "it describes itself", place)


def check_text(size: int, limits: Limits, what: str, place: str = "") -> None:
    """Refuse text of more bytes than there may be.

    Raises:
        LimitError: ``limit-output``.
    """
    if size > limits.output_text_bytes:
        asked = f"{what} with {size:,} bytes of text"
        raise exceeded("limit-output", "output_text_bytes", limits.output_text_bytes, asked, place)
