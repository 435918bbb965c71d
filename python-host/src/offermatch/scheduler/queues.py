"""Queues: who shares the cluster, in which proportion, and up to how much. docs/scheduler.md says what they promise."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from offermatch.errors import InputError
from offermatch.model import DEVICES
from offermatch.quantity import COUNT, parse, unit_of
from offermatch.reading import read_bounded
from offermatch.visible import LONGEST_NAME, visible

__all__ = [
    "DEFAULT",
    "Queue",
    "amount",
    "checked_queues",
    "held_below",
    "parts_of",
    "quota_of",
    "read_queues",
    "unknown_quotas",
]

DEFAULT = "default"
"""The queue of a task that names none. It is always there."""
_LONGEST_NAME = 128
_LIGHTEST, _HEAVIEST = 1e-9, 1e9
"""Weights between these can be multiplied and divided without leaving the range of doubles."""
_MOST_HELD = 2**64 - 1
_KEYS = ("name", "weight", "quota", "parent", "preempts")


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of tasks.

    Attributes:
        name: Its name.
        weight: Its share, in proportion to the weights of the queues beside it; from 1e-9 to 1e9.
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
                "" if row.get("parent") is None else row["parent"],
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


def amount(dimension: str, quantity: int) -> str:
    """Return a quantity with the sign of its unit, where that has one; whole devices, of thousandths.

    Examples:
        >>> amount("cpu", 1500), amount("memory", 1024), amount("devices", 2500)
        ('1500m', '1024B', '2.5')
    """
    return f"{quantity / 1000:g}" if dimension == DEVICES else unit_of(dimension).shown(quantity)


def held_below(name: str, queues: Sequence[Queue], held: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return what the tasks of a queue and of those below it hold."""
    found = dict(held.get(name, {}))
    for queue in queues:
        if queue.parent == name:
            for dimension, number in held_below(queue.name, queues, held).items():
                found[dimension] = found.get(dimension, 0) + number
    return found


def unknown_quotas(queues: Sequence[Queue], dimensions: Collection[str]) -> list[tuple[str, str]]:
    """Return the quotas on dimensions that no offer has, each as queue and dimension: they limit nothing.

    Args:
        queues: The queues.
        dimensions: Those that offers have. Devices are always known: there may be none at the moment.
    """
    known = {*dimensions, DEVICES}
    return [(queue.name, dimension) for queue in queues for dimension in queue.quota if dimension not in known]


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
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not _LIGHTEST <= weight <= _HEAVIEST:
            numbers = f"give a number from {_LIGHTEST:g} to {_HEAVIEST:g}"
            hint = f"{numbers}; 'offermatch queues set NAME --quota cpu=0' lets nothing of a queue begin"
            raise InputError(
                "setting-malformed", f"the weight {visible(repr(weight), LONGEST_NAME)} cannot be used", hint, place
            )
        if not isinstance(queue.parent, str):
            raise InputError("setting-malformed", f"{queue.parent!r} is no name", "name a queue", f"{place}, parent")
        preempts: Any = queue.preempts
        if not isinstance(preempts, (list, tuple)) or not all(isinstance(name, str) for name in preempts):
            message = f"{preempts!r} is no list of names"
            raise InputError("setting-malformed", message, "name queues in a list", f"{place}, preempts")
        _check_quota(queue.quota, place)
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


def _check_quota(quota: Any, place: str) -> None:
    if not isinstance(quota, Mapping):
        message, hint = f"{quota!r} is no quota", "give a mapping of dimensions to what may be held"
        raise InputError("setting-malformed", message, hint, f"{place}, quota")
    for name, most in quota.items():
        if not isinstance(name, str) or not name:
            raise InputError("setting-malformed", f"{name!r} is no dimension", "name one, such as cpu", f"{place}, quota")
        if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= _MOST_HELD:
            hint = f"give a whole number of the smallest unit, such as 2000 for 2 cores, from 0 to {_MOST_HELD}"
            raise InputError("setting-malformed", f"{most!r} cannot be used", hint, f"{place}, quota.{name}")
