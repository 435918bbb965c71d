"""The talk's drop-in: ``match_tasks_to_offers(tasks, offers)``, a function from rows to a plain dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal, overload

from offermatch.matcher import Matcher
from offermatch.model import Mode
from offermatch.tables.frames import Table
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["match_tasks_to_offers"]


MAX_SCORE = 31.0
"""An offer is chosen only if its score is below this, as in the talk's loop."""


@cache
def _bundled() -> Matcher:
    return Matcher.load()


@overload
def match_tasks_to_offers(
    tasks: Table | TaskColumns,
    offers: Table | OfferColumns,
    *,
    mode: Literal["exclusive"] = "exclusive",
    dimensions: Sequence[str] | None = None,
) -> dict[str, str]: ...


@overload
def match_tasks_to_offers(
    tasks: Table | TaskColumns,
    offers: Table | OfferColumns,
    *,
    mode: Literal["shared"],
    dimensions: Sequence[str] | None = None,
) -> dict[str, list[str]]: ...


def match_tasks_to_offers(
    tasks: Table | TaskColumns,
    offers: Table | OfferColumns,
    *,
    mode: Mode = "exclusive",
    dimensions: Sequence[str] | None = None,
) -> dict[str, str] | dict[str, list[str]]:
    """Return the task that each taken offer was given, by their names; in shared mode, the tasks.

    An offer whose score is 31.0 or more is not taken, as in the talk's loop; ``Matcher.match`` has no such limit.

    Args:
        tasks: Rows or columns, as in ``Matcher.match``.
        offers: Rows or columns, likewise.
        mode: ``exclusive``: an offer takes one task; ``shared``: it takes as many as it has room for.
        dimensions: Names the attributes of flat rows, such as ``("cpu", "memory")``.

    Raises:
        InputError: A row that cannot be used.
        MatcherError: The bundled matcher failed.
    """
    answer = _bundled().match(tasks, offers, mode=mode, max_score=MAX_SCORE, dimensions=dimensions)
    placed = zip(answer.offer_names, answer.task_names, strict=True)
    if mode == "exclusive":
        return dict(placed)
    given: dict[str, list[str]] = {}
    for offer, task in placed:
        given.setdefault(offer, []).append(task)
    return given
