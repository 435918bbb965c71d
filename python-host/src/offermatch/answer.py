"""What a call answers: columns first, rows and names when they are asked for."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from offermatch.model import Assignment, Description, Explanation, Timings
from offermatch.tables.tables import Assigned

__all__ = ["Answer"]


@dataclass
class Answer:
    """Who takes what.

    Attributes:
        assigned: The columns as they crossed.
        all_task_names: The names of all tasks asked about, by row.
        all_offer_names: The names of all offers of the pool, by row.
        timings: Where the time went.
        explanations: One for each unplaced task, where they were asked for.
        matcher: What the matcher that answered says of itself.
        matcher_digest: ``sha256:`` and the digest of its bytes; empty for the reference matcher.
        fallback_reason: Why a fallback answered; None where it was not needed.
    """

    assigned: Assigned
    all_task_names: Sequence[str]
    all_offer_names: Sequence[str]
    timings: Timings
    explanations: Sequence[Explanation] = ()
    matcher: Description | None = None
    matcher_digest: str = ""
    fallback_reason: Exception | None = None

    def __len__(self) -> int:
        """Return how many tasks were placed."""
        return len(self.assigned.tasks)

    @cached_property
    def task_rows(self) -> list[int]:
        """The rows of the placed tasks, rising."""
        return list(self.assigned.tasks)

    @cached_property
    def offer_rows(self) -> list[int]:
        """The offer row of each placed task."""
        return list(self.assigned.offers)

    @cached_property
    def scores(self) -> list[float]:
        """The score at which each was chosen."""
        return list(self.assigned.scores)

    @cached_property
    def task_names(self) -> list[str]:
        """The names of the placed tasks."""
        # Rows rise, so as many as there are tasks are all of them.
        every = len(self) == len(self.all_task_names)
        return list(self.all_task_names) if every else _picked(self.all_task_names, self.task_rows)

    @cached_property
    def offer_names(self) -> list[str]:
        """The name of the offer of each placed task."""
        return _picked(self.all_offer_names, self.offer_rows)

    @cached_property
    def assignments(self) -> list[Assignment]:
        """The assignments as rows."""
        return list(map(Assignment, self.task_names, self.offer_names, self.scores))

    @cached_property
    def unplaced_rows(self) -> list[int]:
        """The rows of the tasks that were not placed, rising."""
        return sorted(set(range(len(self.all_task_names))).difference(self.task_rows))

    @property
    def unplaced(self) -> list[str]:
        """The names of the tasks that were not placed."""
        return [self.all_task_names[row] for row in self.unplaced_rows]

    @cached_property
    def digest(self) -> str:
        """``sha256:`` and the digest of docs/formats.md: equal digests mean equal answers, bit for bit."""
        words = array("I", bytes(16 * len(self)))
        words[0::4] = array("I", self.assigned.tasks)
        words[1::4] = array("I", self.assigned.offers)
        scores = array("I")
        scores.frombytes(array("d", self.assigned.scores).tobytes())
        low, high = (2, 3) if sys.byteorder == "little" else (3, 2)
        words[low::4] = scores[0::2]
        words[high::4] = scores[1::2]
        if sys.byteorder != "little":
            words.byteswap()
        return "sha256:" + hashlib.sha256(words.tobytes()).hexdigest()


def _picked(names: Sequence[str], rows: Sequence[int]) -> list[str]:
    """Return the names of these rows; a getter of many is faster than many calls, and one of one returns no tuple."""
    return list(itemgetter(*rows)(names)) if len(rows) > 1 else [names[row] for row in rows]
