"""Independent partitions of a very large cluster, each matched on a Dask worker.

    partition ──> worker: component loaded once by its digest ──> match, verified there ──> columns ──> verified again here

The answers are those of matching each partition alone. Matching changes nothing, so Dask may run a partition again when its
worker dies.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from offermatch.answer import Answer
from offermatch.errors import ClusterError, OffermatchError
from offermatch.extras import require
from offermatch.matcher import Matcher
from offermatch.model import Description, Settings, Timings
from offermatch.partitions import Partition, apart
from offermatch.tables.interner import Interner
from offermatch.tables.numbering import offer_table, task_table
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tables import Assigned
from offermatch.tables.tasks import TaskColumns
from offermatch.verify.ledger import Ledger

__all__ = ["Partition", "match_partitions"]


@dataclass(slots=True)
class _Found:
    """What a worker answers: the columns of ``Answer``."""

    task_rows: array[int]
    offer_rows: array[int]
    scores: array[float]
    timings: Timings
    description: Description
    digest: str


_LOCK = threading.Lock()
_LOADED: dict[str, Matcher] = {}


def match_partitions(
    client: Any, partitions: Iterable[Partition], settings: Settings | None = None, *, matcher: Matcher | None = None
) -> list[Answer]:
    """Match each partition on a worker of a Dask cluster, and return the answers in their order.

    Args:
        client: A ``distributed.Client``.
        partitions: What is to be matched. No task and no offer may stand in two of them.
        settings: How to rank the offers.
        matcher: The component; the bundled one unless given.

    Raises:
        ClusterError: ``extra-missing``, or ``cluster-unreachable`` where a partition's workers keep dying.
        InputError: A table or a setting that cannot be used, or ``duplicate-name`` across partitions.
        MatcherError: The component failed, or its answer does not hold.
    """
    require("dask", "distributed", kind=ClusterError)
    matcher = matcher or Matcher.load()
    tables, settings = apart(partitions, settings)
    # Sent once, and copied from worker to worker. A task, so that Dask can make it again where the worker that had it dies.
    code = client.submit(bytes, matcher.path.read_bytes(), pure=False)
    work = partial(_match, digest=matcher.digest, settings=settings, limits=matcher.limits)
    futures = [client.submit(work, tasks, offers, code, pure=False) for tasks, offers in tables]
    try:
        found = [_result(future) for future in futures]
    finally:
        client.cancel([one for one in futures if not one.done()])
    return [_answer(one, tasks, offers, settings) for one, (tasks, offers) in zip(found, tables, strict=True)]


def _match(tasks: TaskColumns, offers: OfferColumns, code: bytes, digest: str, settings: Settings, limits: Any) -> _Found:
    """Match one partition; on a worker."""
    with _LOCK:
        if digest not in _LOADED:
            with TemporaryDirectory(prefix="offermatch-") as directory:
                path = Path(directory) / "matcher.wasm"
                path.write_bytes(code)
                _LOADED[digest] = Matcher.load(path, limits=limits, digest=digest)
        matcher = _LOADED[digest]
    answer = matcher.match(tasks, offers, settings)
    columns = array("Q", answer.assigned.tasks), array("Q", answer.assigned.offers), array("d", answer.assigned.scores)
    return _Found(*columns, answer.timings, matcher.description, matcher.digest)


def _result(future: Any) -> _Found:
    try:
        found: _Found = future.result()
    except OffermatchError:
        raise
    except Exception as error:
        hint = "look at the workers' logs, and check that offermatch is installed where they run"
        raise ClusterError("cluster-unreachable", f"{type(error).__name__}: {error}", hint, "a partition") from error
    return found


def _answer(found: _Found, tasks: TaskColumns, offers: OfferColumns, settings: Settings) -> Answer:
    """Return the answer of a worker, checked against the tables that were sent."""
    dimensions = tuple(offers.available if len(offers) else dict.fromkeys([*offers.available, *tasks.demand]))
    interner = Interner([*offers.attributes, *tasks.group_attributes] or [""])
    assigned = Assigned(found.task_rows, found.offer_rows, found.scores)
    most = math.inf if settings.max_score is None else settings.max_score
    ledger = Ledger(offer_table(offers, dimensions, interner, offers.measures), settings.mode, most)
    ledger.accept(task_table(tasks, dimensions, interner, offers.measures, offers.occupants), assigned)
    answer = Answer(assigned, tasks.names, offers.names, found.timings)
    answer.task_numbers, answer.offer_numbers = tasks.numbers, offers.numbers
    answer.matcher, answer.matcher_digest = found.description, found.digest
    return answer
