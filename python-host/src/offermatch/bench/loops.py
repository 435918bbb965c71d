"""The talk's loop in Python, on one thread, on several, and in several processes.

Each task looks at every offer that is left: those that fit, and among them the one with the lowest score. The offer that is
taken leaves by swap-remove. Threads and processes share the offers of one task's look between them, because tasks depend on
each other and offers do not. Rows are dataclasses with slots and the comparisons stand in the loop, so this is the loop at
its best.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection
from time import perf_counter
from typing import NamedTuple, Protocol

from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["LOOPS", "Best", "Loop", "Row", "rows_of"]

MAX_SCORE = 31.0


@dataclass(slots=True)
class Row:
    """A task or an offer with its two quantities."""

    name: str
    cpu: int
    memory: int


class Best(NamedTuple):
    """What one look at the offers found.

    Attributes:
        score: The lowest score below the maximal one, or that one.
        position: Where it stands in the list; -1 where nothing fits.
        fit_seconds: How long the fit check took; of several workers, the slowest one's.
    """

    score: float
    position: int
    fit_seconds: float


Scales = tuple[int, int]


def rows_of(tasks: TaskColumns, offers: OfferColumns) -> tuple[list[Row], list[Row]]:
    """Return rows as a scheduler of its own would hold them."""
    asked, offered = tasks.demand, offers.available
    return (
        list(map(Row, tasks.names, asked["cpu"], asked["memory"])),
        list(map(Row, offers.names, offered["cpu"], offered["memory"])),
    )


def look(task: Row, offers: list[Row], start: int, stop: int, scales: Scales) -> Best:
    """Return the best offer among those at ``start`` to ``stop``, the earliest among equals."""
    begin = perf_counter()
    cpu, memory = task.cpu, task.memory
    fitting = [
        position for position, offer in enumerate(offers[start:stop], start) if cpu <= offer.cpu and memory <= offer.memory
    ]
    fit_seconds = perf_counter() - begin
    cpu_scale, memory_scale = scales
    best, best_score = -1, MAX_SCORE
    for position in fitting:
        offer = offers[position]
        score = (offer.cpu - cpu) / cpu_scale + (offer.memory - memory) / memory_scale
        if score < best_score:
            best, best_score = position, score
    return Best(best_score, best, fit_seconds)


def swap_remove(offers: list[Row], position: int) -> None:
    """Take an offer out; the last one moves into its place."""
    offers[position] = offers[-1]
    offers.pop()


def _slices(length: int, workers: int) -> list[tuple[int, int]]:
    return [(length * at // workers, length * (at + 1) // workers) for at in range(workers)]


def _joined(found: Sequence[Best]) -> Best:
    """Return the best of all slices, which stand in order, so that the first of equals is the earliest."""
    best = min(found, key=lambda one: one.score if one.position >= 0 else float("inf"))
    return Best(best.score, best.position, max(one.fit_seconds for one in found))


class Loop(Protocol):
    """A loop that holds the offers from one task to the next."""

    def best(self, task: Row) -> Best:
        """Return the best offer for a task, which stays in the list."""

    def remove(self, position: int) -> None:
        """Take an offer out of the list."""


class _OneThread:
    def __init__(self, offers: list[Row], scales: Scales) -> None:
        self._offers, self._scales = list(offers), scales

    def best(self, task: Row) -> Best:
        return look(task, self._offers, 0, len(self._offers), self._scales)

    def remove(self, position: int) -> None:
        swap_remove(self._offers, position)


class _Threads(_OneThread):
    def __init__(self, offers: list[Row], scales: Scales, pool: ThreadPoolExecutor, workers: int) -> None:
        super().__init__(offers, scales)
        self._pool, self._workers = pool, workers

    def best(self, task: Row) -> Best:
        looks = [
            self._pool.submit(look, task, self._offers, start, stop, self._scales)
            for start, stop in _slices(len(self._offers), self._workers)
        ]
        return _joined([one.result() for one in looks])


class _Processes:
    """Every process holds all offers and looks at its slice, so a task and a position are all that travels."""

    def __init__(self, pipes: list[Connection]) -> None:
        self._pipes = pipes
        self._removed: list[int] = []

    def best(self, task: Row) -> Best:
        for pipe in self._pipes:
            pipe.send((task, self._removed))
        self._removed = []
        return _joined([Best(*pipe.recv()) for pipe in self._pipes])

    def remove(self, position: int) -> None:
        self._removed.append(position)


def _serve(pipe: Connection, offers: list[Row], scales: Scales, worker: int, workers: int) -> None:
    """Look at one slice for each task that comes, until None does."""
    while (message := pipe.recv()) is not None:
        task, removed = message
        for position in removed:
            swap_remove(offers, position)
        start, stop = _slices(len(offers), workers)[worker]
        pipe.send(tuple(look(task, offers, start, stop, scales)))


@contextmanager
def _one_thread(offers: list[Row], scales: Scales, workers: int) -> Iterator[Loop]:
    del workers
    yield _OneThread(offers, scales)


@contextmanager
def _threads(offers: list[Row], scales: Scales, workers: int) -> Iterator[Loop]:
    with ThreadPoolExecutor(workers) as pool:
        yield _Threads(offers, scales, pool, workers)


@contextmanager
def _processes(offers: list[Row], scales: Scales, workers: int) -> Iterator[Loop]:
    context = multiprocessing.get_context("spawn")
    ends = [context.Pipe() for _ in range(workers)]
    running = [
        context.Process(target=_serve, args=(theirs, offers, scales, worker, workers), daemon=True)
        for worker, (_, theirs) in enumerate(ends)
    ]
    try:
        for process in running:
            process.start()
        loop = _Processes([mine for mine, _ in ends])
        # One look at nothing: starting the processes is not part of the loop.
        loop.best(Row("", 2**63, 2**63))
        yield loop
        for mine, _ in ends:
            mine.send(None)
        for process in running:
            process.join(10)
    finally:
        for process in running:
            if process.is_alive():
                process.terminate()
        for end in chain.from_iterable(ends):
            end.close()


LOOPS = {
    "Python loop, 1 thread": _one_thread,
    "Python loop, {workers} threads": _threads,
    "Python loop, {workers} processes": _processes,
}
"""The loops by name, each a context manager."""
