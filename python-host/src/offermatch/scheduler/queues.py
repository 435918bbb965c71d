"""Queues: who shares the cluster, in which proportion, and up to how much. docs/scheduler.md says what they promise."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from offermatch.errors import InputError
from offermatch.model import DEVICES
from offermatch.quantity import COUNT, parse, unit_of
from offermatch.reading import read_bounded

__all__ = ["DEFAULT", "Queue", "checked_queues", "held_below", "quota_of", "read_queues"]

DEFAULT = "default"
"""The queue of a task that names none. It is always there."""
_LONGEST_NAME = 128
_KEYS = ("name", "weight", "quota", "parent", "preempts")


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of tasks.

    Attributes:
        name: Its name.
        weight: Its share, in proportion to the weights of the queues beside it. Above 0.
        quota: What its tasks, and those of the queues below it, may hold at a time, in the smallest unit of each dimension;
            ``devices`` in thousandths. A dimension left out has no limit.
        parent: The queue it belongs to; empty where it belongs to none.
        preempts: The queues whose running tasks of lower priority end where a task of this one finds no offer; none unless
            given.
    """

    name: str
    weight: float = 1.0
    quota: Mapping[str, int] = field(default_factory=dict)
    parent: str = ""
    preempts: Sequence[str] = ()


def read_queues(path: Path) -> list[Queue]:
    """Return the queues of a JSON file: ``{"queues": [{"name", "weight", "quota", "parent", "preempts"}, ...]}``.

    Raises:
        InputError: ``file-unreadable``, ``file-malformed``, ``setting-malformed`` or a quantity that cannot be used.
    """
    hint = 'such as {"queues": [{"name": "research", "weight": 3, "quota": {"cpu": "100 cores"}}]}'
    try:
        found = json.loads(read_bounded(path).decode())
    except OSError as error:
        raise InputError(
            "file-unreadable", error.strerror or str(error), "name a file that can be read", str(path)
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError("file-malformed", f"not JSON: {error}", hint, str(path)) from None
    rows = found.get("queues") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise InputError("file-malformed", "the file has no list 'queues'", hint, str(path))
    queues = []
    for at, row in enumerate(rows):
        place = f"{path}, queue {at}"
        usable = isinstance(row, dict) and set(row) <= set(_KEYS) and isinstance(row.get("quota", {}), dict)
        if not usable or not isinstance(row.get("preempts", []), list):
            raise InputError("file-malformed", f"{row!r} is no queue", hint, place)
        queues.append(
            Queue(
                row.get("name", ""),
                row.get("weight", 1.0),
                quota_of(row.get("quota", {}), f"{place}, quota"),
                row.get("parent") or "",
                tuple(row.get("preempts", ())),
            )
        )
    return checked_queues(queues, str(path))


def quota_of(given: Mapping[str, Any], place: str) -> dict[str, int]:
    """Return a quota as people write it in the smallest units; whole devices as ``devices``, in thousandths.

    Raises:
        InputError: A quantity that cannot be used.
    """
    return {
        name: 1000 * parse(value, f"{place}.{name}", COUNT)
        if name == DEVICES
        else parse(value, f"{place}.{name}", unit_of(name))
        for name, value in given.items()
    }


def held_below(name: str, queues: Sequence[Queue], held: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return what the tasks of a queue and of those below it hold."""
    found = dict(held.get(name, {}))
    for queue in queues:
        if queue.parent == name:
            for dimension, number in held_below(queue.name, queues, held).items():
                found[dimension] = found.get(dimension, 0) + number
    return found


def parts_of(queues: Sequence[Queue]) -> dict[str, float]:
    """Return the part of the cluster that the weights give each queue when all of them wait."""
    every = {DEFAULT: Queue(DEFAULT), **{queue.name: queue for queue in queues}}
    beside: dict[str, float] = {}
    for queue in every.values():
        beside[queue.parent] = beside.get(queue.parent, 0.0) + queue.weight

    def part(queue: Queue) -> float:
        # Tasks of a parent's own count as a child of weight 1.
        others = beside[queue.parent] + (1.0 if queue.parent else 0.0)
        return queue.weight / others * (part(every[queue.parent]) if queue.parent else 1.0)

    return {name: part(queue) for name, queue in every.items()}


def checked_queues(queues: Iterable[Queue], source: str = "queues", known: Sequence[Queue] = ()) -> list[Queue]:
    """Return the queues, known to make a forest together with those that are there already.

    Args:
        queues: New queues, or new values of known ones.
        source: What they are called in errors.
        known: Those that are there.

    Raises:
        InputError: ``setting-malformed``, ``duplicate-name``, ``queue-unknown`` or ``queue-cycle``.
    """
    new: dict[str, Queue] = {}
    for queue in queues:
        place = f"{source}, {queue.name!r}"
        if not isinstance(queue.name, str) or not queue.name.isprintable() or not 0 < len(queue.name) <= _LONGEST_NAME:
            message = f"{queue.name!r} cannot be the name of a queue"
            raise InputError("setting-malformed", message, f"give 1 to {_LONGEST_NAME} printable characters", source)
        if queue.name in new:
            raise InputError("duplicate-name", f"two queues are called {queue.name!r}", "keep one of them", source)
        weight = queue.weight
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < math.inf:
            hint = "give a number above 0; 'offermatch queues set NAME --quota cpu=0' lets nothing of a queue begin"
            raise InputError("setting-malformed", f"the weight {weight!r} is not above 0", hint, place)
        if not isinstance(queue.parent, str):
            raise InputError("setting-malformed", f"{queue.parent!r} is no name", "name a queue", f"{place}, parent")
        new[queue.name] = queue
    every = {DEFAULT: Queue(DEFAULT), **{queue.name: queue for queue in known}, **new}
    for queue in new.values():
        if queue.parent and queue.parent not in every:
            hint = "make it before, or in the same file"
            raise InputError(
                "queue-unknown", f"there is no queue {queue.parent!r}", hint, f"{source}, {queue.name!r}, parent"
            )
        for name in queue.preempts:
            if name not in every:
                hint = "name queues that are there, or in the same file"
                place = f"{source}, {queue.name!r}, preempts"
                raise InputError("queue-unknown", f"there is no queue {name!r}", hint, place)
    try:
        TopologicalSorter({name: [queue.parent] for name, queue in every.items() if queue.parent}).prepare()
    except CycleError as error:
        cycle = " below ".join(map(repr, error.args[1]))
        raise InputError("queue-cycle", cycle, "take one of these parents away", source) from None
    return list(new.values())
