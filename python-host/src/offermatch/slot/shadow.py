"""A candidate that answers what the matcher in use answers, and whose answers nobody acts on."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from struct import pack
from time import perf_counter

from offermatch.matcher import BaseMatcher
from offermatch.model import Timings
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, OfferTable, TaskTable
from offermatch.verify.ledger import Ledger

__all__ = ["Cycle", "Shadow", "ShadowReport"]

_LOG = logging.getLogger("offermatch")
_WAITING = 4
"""Cycles that may wait for the candidate; more are not compared."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """The first cycle of a session: all that its answer follows from."""

    offers: OfferTable
    shape: Shape
    settings: SettingColumns
    tasks: TaskTable


@dataclass(slots=True)
class ShadowReport:
    """How a candidate compares with the matcher in use.

    Attributes:
        cycles: Cycles compared.
        same: Cycles answered the same, bit for bit.
        skipped: Cycles left out because the candidate was behind.
        difference: The first difference, in words; empty where there was none.
        score: Sum of the scores of the matcher in use.
        candidate_score: Sum of the scores of the candidate.
        seconds: Time of the matcher in use.
        candidate_seconds: Time of the candidate.
    """

    cycles: int = 0
    same: int = 0
    skipped: int = 0
    difference: str = ""
    score: float = 0.0
    candidate_score: float = 0.0
    seconds: float = 0.0
    candidate_seconds: float = 0.0


class Shadow:
    """Compares a candidate with the matcher in use, on a thread of its own."""

    def __init__(self, candidate: BaseMatcher, cycles: int, done: Callable[[Shadow], None]) -> None:
        """Compare for so many cycles, or until the first difference, then call ``done``."""
        self.candidate = candidate
        self.report = ShadowReport()
        self._left = cycles
        self._done = done
        self._queue: queue.Queue[tuple[Cycle, Assigned, float] | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, name="offermatch-shadow", daemon=True)
        self._thread.start()

    def offer(self, cycle: Cycle, answer: Assigned, seconds: float) -> None:
        """Hand over a cycle that was answered; never waits."""
        if self._queue.full():
            self.report.skipped += 1
            return
        # The caller may change its columns once it has its answer.
        try:
            self._queue.put_nowait((deepcopy(cycle), answer, seconds))
        except queue.Full:
            self.report.skipped += 1

    def stop(self) -> None:
        """Compare no more."""
        self._left = 0
        with suppress(queue.Full):
            self._queue.put_nowait(None)

    def _work(self) -> None:
        while self._left > 0 and not self.report.difference:
            work = self._queue.get()
            if work is None:
                return
            self._compare(*work)
            self._left -= 1
        self._done(self)

    def _compare(self, cycle: Cycle, answer: Assigned, seconds: float) -> None:
        report, begin = self.report, perf_counter()
        try:
            found = _answered(self.candidate, cycle)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the candidate's
            report.cycles += 1
            report.difference = f"it failed: {error}"
            _LOG.warning("the candidate failed in shadow: %s", error)
            return
        report.candidate_seconds += perf_counter() - begin
        report.seconds += seconds
        report.cycles += 1
        report.score += sum(answer.scores)
        report.candidate_score += sum(found.scores)
        report.difference = _first_difference(answer, found)
        report.same += not report.difference


def _answered(candidate: BaseMatcher, cycle: Cycle) -> Assigned:
    session = candidate.session(cycle.offers, cycle.shape, cycle.settings, Timings())
    try:
        ledger = Ledger(cycle.offers, cycle.settings.mode, cycle.settings.score_limit)
        return session.assign(cycle.tasks, ledger, Timings()).assigned
    finally:
        session.close()


def _first_difference(answer: Assigned, found: Assigned) -> str:
    before, after = (list(zip(one.tasks, one.offers, map(_bits, one.scores), strict=True)) for one in (answer, found))
    at = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
    if at is not None:
        return f"assignment {at} is (task, offer, score) {_shown(found, at)}, not {_shown(answer, at)}"
    return "" if len(after) == len(before) else f"{len(after)} tasks placed, not {len(before)}"


def _shown(answer: Assigned, at: int) -> tuple[int, int, float]:
    return answer.tasks[at], answer.offers[at], answer.scores[at]


def _bits(score: float) -> bytes:
    return pack("=d", score)
