"""What a call answers: columns first, rows and names when they are asked for."""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from offermatch.extras import require
from offermatch.model import Assignment, Description, Explanation, Timings
from offermatch.tables.bad import BadRow
from offermatch.tables.bound import Bound
from offermatch.tables.columns import given_numbers
from offermatch.tables.tables import Assigned

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

__all__ = ["Answer"]


@dataclass(repr=False)
class Answer:
    """Who takes what.

    Rows are those of the tables as they were given, also where bad rows were left out of them.

    Attributes:
        assigned: The columns as they crossed.
        all_task_names: The names of all tasks asked about, as they crossed.
        all_offer_names: The names of all offers of the pool, as they crossed.
        timings: Where the time went.
        explanations: One for each unplaced task, where they were asked for.
        matcher: What the matcher that answered says of itself.
        matcher_digest: ``sha256:`` and the digest of its bytes; empty for the reference matcher.
        fallback_reason: Why a fallback answered; None where it was not needed.
        left_out: The rows that were left out, and why, where ``bad_rows="leave-out"`` was asked for.
        remarks: What was done as asked, though it can hardly be meant.
        task_numbers: The row of each task that crossed; None where all did.
        offer_numbers: The row of each offer, likewise.
        bound: What no answer is above, where it was asked for.
    """

    assigned: Assigned
    all_task_names: Sequence[str]
    all_offer_names: Sequence[str]
    timings: Timings
    explanations: Sequence[Explanation] = ()
    matcher: Description | None = None
    matcher_digest: str = ""
    fallback_reason: Exception | None = None
    left_out: Sequence[BadRow] = ()
    remarks: Sequence[str] = ()
    task_numbers: Sequence[int] | None = None
    offer_numbers: Sequence[int] | None = None
    bound: Bound | None = None

    def __repr__(self) -> str:
        """Return how much was placed, by which matcher; no names, of which there may be very many."""
        parts = [f"{len(self)} of {len(self.all_task_names)} tasks placed, {len(self.all_offer_names)} offers"]
        if self.matcher is not None:
            parts.append(f"matcher {self.matcher.name!r}")
        if self.left_out:
            parts.append(f"{len(self.left_out)} rows left out")
        if self.remarks:
            parts.append(f"{len(self.remarks)} remarks")
        if self.fallback_reason is not None:
            parts.append("by the fallback")
        return f"<Answer: {', '.join(parts)}>"

    def __len__(self) -> int:
        """Return how many tasks were placed."""
        return len(self.assigned.tasks)

    @cached_property
    def task_rows(self) -> list[int]:
        """The rows of the placed tasks, rising."""
        return given_numbers(self.task_numbers, self.assigned.tasks)

    @cached_property
    def offer_rows(self) -> list[int]:
        """The offer row of each placed task."""
        return given_numbers(self.offer_numbers, self.assigned.offers)

    @cached_property
    def scores(self) -> list[float]:
        """The score at which each was chosen."""
        return list(self.assigned.scores)

    @cached_property
    def task_names(self) -> list[str]:
        """The names of the placed tasks."""
        # Rows rise, so as many as there are tasks are all of them.
        every = len(self) == len(self.all_task_names)
        return list(self.all_task_names) if every else _picked(self.all_task_names, self.assigned.tasks)

    @cached_property
    def offer_names(self) -> list[str]:
        """The name of the offer of each placed task."""
        return _picked(self.all_offer_names, self.assigned.offers)

    @cached_property
    def devices(self) -> list[tuple[int, ...]]:
        """The numbers of the devices that each placed task gets on its offer, counted from 0; empty where it asks none."""
        given = self.assigned.devices
        return [given.get(row, ()) for row in self.assigned.tasks]

    @cached_property
    def assignments(self) -> list[Assignment]:
        """The assignments as rows."""
        return list(map(Assignment, self.task_names, self.offer_names, self.scores))

    @cached_property
    def unplaced_rows(self) -> list[int]:
        """The rows of the tasks that were not placed, rising."""
        return given_numbers(self.task_numbers, self._unplaced)

    @cached_property
    def _unplaced(self) -> list[int]:
        """The tasks that were not placed, as they crossed, rising."""
        return sorted(set(range(len(self.all_task_names))).difference(self.assigned.tasks))

    @property
    def unplaced(self) -> list[str]:
        """The names of the tasks that were not placed."""
        return [self.all_task_names[row] for row in self._unplaced]

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

    def to_arrow(self) -> pyarrow.Table:
        """Return the assignments as an Arrow table with the columns ``task``, ``offer`` and ``score``.

        Raises:
            InputError: ``extra-missing`` without pyarrow.
        """
        require("frames", "pyarrow")
        import pyarrow  # noqa: PLC0415 - an extra

        types = (pyarrow.string(), pyarrow.string(), pyarrow.float64())
        arrays = [pyarrow.array(column, kind) for column, kind in zip(self._columns().values(), types, strict=True)]
        return pyarrow.table(arrays, names=list(self._columns()))

    def to_pandas(self) -> pandas.DataFrame:
        """Return the assignments as a pandas frame with the columns ``task``, ``offer`` and ``score``.

        Raises:
            InputError: ``extra-missing`` without pandas.
        """
        require("frames", "pandas")
        import pandas  # noqa: PLC0415 - an extra

        return pandas.DataFrame(self._columns()).astype({"task": str, "offer": str, "score": float})

    def to_polars(self) -> polars.DataFrame:
        """Return the assignments as a polars frame with the columns ``task``, ``offer`` and ``score``.

        Raises:
            InputError: ``extra-missing`` without polars.
        """
        require("frames", "polars")
        import polars  # noqa: PLC0415 - an extra

        schema = {"task": polars.String, "offer": polars.String, "score": polars.Float64}
        return polars.DataFrame(self._columns(), schema=schema)

    def _columns(self) -> dict[str, list[Any]]:
        return {"task": self.task_names, "offer": self.offer_names, "score": self.scores}


def _picked(names: Sequence[str], rows: Sequence[int]) -> list[str]:
    """Return the names of these rows; a getter of many is faster than many calls, and one of one returns no tuple."""
    return list(itemgetter(*rows)(names)) if len(rows) > 1 else [names[row] for row in rows]
