"""A glance at a whole answer, by a WebAssembly module of the host's own: a twentieth of the time of a look at each row.

    columns of the answer and of the tables ──(copied)──> glance.wat ──> all of it holds, or not a word

It only ever says yes. Whatever it does not like, the plain checks of ``verify`` judge, and name what is wrong. The module
is no part of any matcher: it has an engine, stores and memory that no matcher ever sees.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from wasmtime import Config, Engine, Instance, Module, Store

from offermatch.tables.tables import Assigned, TaskTable
from offermatch.wasm.cache import compiled

__all__ = ["Taken", "glance"]

_FEW = 256
"""Fewer tasks than this are looked at one by one as soon."""
_SPARSE = 64
"""So are answers that name one offer in this many: what is glanced at is copied whole."""
_PAGE = 2**16
_MOST_BYTES = 2**31
_KEPT_BYTES = 2**24
"""Memory that an instance may hold on to until the next answer."""
_idle: list[_Glancer] = []


class Taken(NamedTuple):
    """What an answer leaves.

    Attributes:
        left: What the offers have, one column a dimension; of those that are gone, what they had when they went.
        gone: One byte an offer, 1 where it has left the list.
    """

    left: list[array[int]]
    gone: bytearray


def glance(
    tasks: TaskTable, answer: Assigned, before: Taken, max_score: float, *, exclusive: bool, few: int = _FEW
) -> Taken | None:
    """Return what is left once the rows, scores and demands of an answer are known to hold; None where they are not.

    Args:
        tasks: What was asked.
        answer: Three columns of one length.
        before: What was left before; not changed.
        max_score: Every score is finite and below it.
        exclusive: Whether an offer that takes a task leaves the list.
        few: The fewest tasks to glance at.
    """
    count, offers = len(answer.tasks), len(before.gone)
    if count < few or offers > count * _SPARSE or sys.byteorder != "little":
        return None
    try:
        answered = [_array("I", answer.tasks), _array("I", answer.offers), _array("d", answer.scores)]
    except (OverflowError, TypeError):
        return None
    quantities = [*tasks.demand, *before.left]
    columns = [*answered, before.gone, *quantities]
    width = len(before.left)
    if [*map(len, quantities)] != [tasks.rows] * width + [offers] * width or sum(map(_size, columns)) > _MOST_BYTES:
        return None
    try:
        glancer = _idle.pop()
    except IndexError:
        glancer = _Glancer()
    task_rows, offer_rows, scores, gone, *places = glancer.put(columns)
    asked, left = (places[0], places[width]) if width else (0, 0)
    rows = (task_rows, offer_rows, scores, count, tasks.rows, offers)
    if not glancer.holds(*rows, max_score, gone, int(exclusive), asked, left, width):
        return None
    if exclusive:
        taken = Taken(before.left, glancer.get(gone, bytearray(offers)))
    else:
        taken = Taken([glancer.get(place, array("Q", bytes(8 * offers))) for place in places[width:]], before.gone)
    if glancer.size <= _KEPT_BYTES:
        _idle.append(glancer)
    return taken


@cache
def _module() -> tuple[Engine, Module]:
    config = Config()
    # A few small functions are compiled before threads have started.
    config.parallel_compilation = False
    engine = Engine(config)
    return engine, compiled(engine, Path(__file__).with_suffix(".wat").read_bytes(), "glance", Module)[0]


class _Glancer:
    """An instance of the module, for one thread at a time.

    Attributes:
        size: The bytes of its memory.
    """

    def __init__(self) -> None:
        engine, module = _module()
        self._store = Store(engine)
        exports: Mapping[str, Any] = Instance(self._store, module, []).exports(self._store)
        self._exports, self._memory = exports, exports["memory"]
        self.size: int = self._memory.data_len(self._store)

    def put(self, columns: Sequence[Any]) -> list[int]:
        """Copy columns into the memory and return their addresses."""
        places, end = [], 0
        for column in columns:
            places.append(end)
            # Numbers that lie at multiples of their size are read faster.
            end += _size(column) + 7 & ~7
        if end > self.size:
            self._memory.grow(self._store, -(-(end - self.size) // _PAGE))
            self.size = self._memory.data_len(self._store)
        view = self._view()
        for place, column in zip(places, columns, strict=True):
            view[place : place + _size(column)] = memoryview(column).cast("B")
        return places

    def get(self, place: int, column: Any) -> Any:
        """Fill a column from the memory and return it."""
        memoryview(column).cast("B")[:] = self._view()[place : place + _size(column)]
        return column

    def holds(self, *arguments: float) -> bool:
        """Call the function of the module."""
        return bool(self._exports["holds"](self._store, *arguments))

    def _view(self) -> memoryview:
        return memoryview(self._memory.get_buffer_ptr(self._store, self.size)).cast("B")


def _array(typecode: str, values: Sequence[Any]) -> array[Any]:
    # What has crossed packed is one already, and would be copied number by number.
    return values if isinstance(values, array) and values.typecode == typecode else array(typecode, values)


def _size(column: Any) -> int:
    return len(column) * (1 if isinstance(column, bytearray) else int(column.itemsize))
