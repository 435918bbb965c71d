"""The tasks that wait, oldest first, in columns: most of them stay from cycle to cycle, and are not picked row by row."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import compress

from offermatch.tables.tasks import TaskColumns

__all__ = ["Queue"]


class Queue:
    """Rows of a workload's tasks.

    Attributes:
        rows: The rows that wait, rising.
    """

    def __init__(self, tasks: TaskColumns) -> None:
        """Begin with none of these tasks."""
        self.rows: list[int] = []
        self._tasks = tasks
        self._table = tasks.picked([])

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self.rows)

    def add(self, rows: Sequence[int]) -> None:
        """Put tasks at the end; they have come after all that were ever here."""
        new = self._tasks.picked(rows)
        self.rows.extend(rows)
        table = self._table
        requirements = None if table.requirements is None else [*table.requirements, *(new.requirements or ())]
        self._table = TaskColumns(
            table.names + new.names,
            {name: column + new.demand[name] for name, column in table.demand.items()},
            None if table.devices is None else table.devices + (new.devices or array("Q")),
            requirements,
            table.source,
        )

    def first(self, most: int) -> TaskColumns:
        """Return the oldest tasks, at most so many."""
        table = self._table
        if len(self) <= most:
            return table
        return TaskColumns(
            table.names[:most],
            {name: column[:most] for name, column in table.demand.items()},
            None if table.devices is None else table.devices[:most],
            None if table.requirements is None else table.requirements[:most],
            table.source,
        )

    def remove(self, positions: Iterable[int]) -> None:
        """Take out what stands at these positions."""
        stays = bytearray(b"\1") * len(self)
        for position in positions:
            stays[position] = 0
        table = self._table
        self.rows = list(compress(self.rows, stays))
        self._table = TaskColumns(
            list(compress(table.names, stays)),
            {name: array("Q", compress(column, stays)) for name, column in table.demand.items()},
            None if table.devices is None else array("Q", compress(table.devices, stays)),
            None if table.requirements is None else list(compress(table.requirements, stays)),
            table.source,
        )
