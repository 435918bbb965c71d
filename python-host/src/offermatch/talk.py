"""The talk's drop-in: ``match_tasks_to_offers(tasks, offers)``, a function from rows to a plain dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from offermatch.matcher import Matcher

__all__ = ["match_tasks_to_offers"]


MAX_SCORE = 31.0
"""An offer is chosen only if its score is below this, as in the talk's loop."""


@cache
def _bundled() -> Matcher:
    return Matcher.load()


def match_tasks_to_offers(tasks: Any, offers: Any, *, dimensions: Sequence[str] | None = None) -> dict[str, str]:
    """Return the task that each taken offer was given, by their names; an offer takes one task.

    An offer whose score is 31.0 or more is not taken, as in the talk's loop; ``Matcher.match`` has no such limit.

    Args:
        tasks: Rows or columns, as in ``Matcher.match``.
        offers: Rows or columns, likewise.
        dimensions: Names the attributes of flat rows, such as ``("cpu", "memory")``.

    Raises:
        InputError: A row that cannot be used.
        MatcherError: The bundled matcher failed.
    """
    answer = _bundled().match(tasks, offers, max_score=MAX_SCORE, dimensions=dimensions)
    return dict(zip(answer.offer_names, answer.task_names, strict=True))
