"""Independent partitions of one cycle: tasks and offers that nothing connects, each matched on a thread of its own.

    tasks, offers ──> partitions ──┬──> match on a thread ──> answer
                                   └──> match on a thread ──> answer

A task is connected with every offer that meets its requirements on attributes, and with the other members of its group. What
is not connected, over any number of steps, cannot take room from one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import compress, groupby, pairwise
from types import NoneType
from typing import Any

from offermatch import machine
from offermatch.answer import Answer
from offermatch.errors import InputError
from offermatch.matcher import BaseMatcher, Matcher, checked_dimensions, checked_settings
from offermatch.model import DEVICES, Quantity, Requirement, Settings
from offermatch.quantity import unit_of
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import shown_value

__all__ = ["Partition", "match_partitions", "partition"]


@dataclass(frozen=True, slots=True)
class Partition:
    """Tasks, and the offers that they alone may take.

    Attributes:
        tasks: Rows or columns, as in ``Matcher.match``.
        offers: Rows or columns, likewise.
    """

    tasks: Any
    offers: Any


def partition(tasks: Any, offers: Any, settings: Settings | None = None) -> tuple[list[Partition], Settings]:
    """Return the partitions of a cycle, and the settings with the scales that all its offers give.

    Partitions come in the order of their first tasks, and rows keep their order. A task that no offer can take stands in the
    first partition; an offer that no task can take stands in none. Requirements on measures and preferences do not part
    tasks from offers. Rows are called by their numbers in the tables that were given, in errors as in the rows of answers.

    Args:
        tasks: Rows or columns, as in ``Matcher.match``.
        offers: Likewise.
        settings: How to rank the offers.

    Raises:
        InputError: A table or a setting that cannot be used.

    Examples:
        >>> from offermatch import Offer, Task, is_in
        >>> tasks = [Task(zone, {"cpu": 1}, requirements=[is_in("zone", [zone])]) for zone in ("a", "b")]
        >>> offers = [Offer(zone, {"cpu": 4}, attributes={"zone": zone}) for zone in ("b", "a")]
        >>> parts, settings = partition(tasks, offers)
        >>> [(part.tasks.names, part.offers.names) for part in parts]
        [(['a'], ['a']), (['b'], ['b'])]
    """
    settings = checked_settings(settings)
    asked, offered = task_columns(tasks, units=settings.units), offer_columns(offers, units=settings.units)
    dimensions = checked_dimensions(asked, offered, settings)
    found = [
        Partition(asked.of_given(task_rows), offered.of_given(offer_rows))
        for task_rows, offer_rows in _parts(asked, offered)
    ]
    return found, replace(settings, scales=_scales(offered, settings, dimensions))


def match_partitions(
    partitions: Iterable[Partition],
    settings: Settings | None = None,
    *,
    matcher: BaseMatcher | None = None,
    threads: int | None = None,
) -> list[Answer]:
    """Match each partition, several at a time, and return the answers in their order.

    Each answer is that of matching its partition alone, bit for bit. A component runs without the GIL.

    Args:
        partitions: What is to be matched. No task and no offer may stand in two of them.
        settings: How to rank the offers.
        matcher: The matcher; the bundled component unless given.
        threads: How many partitions are matched at a time; as many as the process may run at once unless given.

    Raises:
        InputError: A table or a setting that cannot be used, ``duplicate-name`` across partitions, or
            ``setting-malformed`` for what is no whole number of threads of 1 or more, and for what is no matcher.
        MatcherError: The matcher failed, or its answer does not hold.
    """
    threads = threads if threads is not None else machine.threads()
    _check_means(matcher, threads)
    tables, settings = apart(partitions, settings)
    matcher = matcher or Matcher.load()
    # The largest first, so that no thread is left with it at the end.
    order = sorted(range(len(tables)), key=lambda number: -len(tables[number][0]) * len(tables[number][1]))
    with ThreadPoolExecutor(threads, thread_name_prefix="offermatch-partition") as pool:
        futures = {number: pool.submit(matcher.match, *tables[number], settings) for number in order}
        return [futures[number].result() for number in range(len(tables))]


def _check_means(matcher: Any, threads: Any) -> None:
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        hint = "give a whole number, 1 or more"
        raise InputError("setting-malformed", f"{shown_value(threads)} threads match nothing", hint, "threads")
    if not isinstance(matcher, (BaseMatcher, NoneType)):
        hint = "give Matcher.load(...), ReferenceMatcher(), or leave it out for the bundled one"
        raise InputError("setting-malformed", f"{shown_value(matcher)} is no matcher", hint, "matcher")


def apart(
    partitions: Iterable[Partition], settings: Settings | None
) -> tuple[list[tuple[TaskColumns, OfferColumns]], Settings]:
    """Return partitions as columns that have no name in common, and checked settings.

    Raises:
        InputError: A table or a setting that cannot be used, or ``duplicate-name`` across partitions.
    """
    settings = checked_settings(settings)
    tables = [
        (task_columns(one.tasks, units=settings.units), offer_columns(one.offers, units=settings.units))
        for one in _listed(partitions)
    ]
    _check_apart("tasks", [tasks.names for tasks, _ in tables])
    _check_apart("offers", [offers.names for _, offers in tables])
    return tables, settings


def _listed(partitions: Any) -> list[Partition]:
    hint = "give a list of Partition(tasks, offers), such as partition returns"
    if not isinstance(partitions, Iterable):
        raise InputError("setting-malformed", f"{shown_value(partitions)} are no partitions", hint, "partitions")
    listed = list(partitions)
    for number, one in enumerate(listed):
        if not isinstance(one, Partition):
            raise InputError("setting-malformed", f"{shown_value(one)} is no partition", hint, f"partition {number}")
    return listed


def _check_apart(kind: str, names: Sequence[Sequence[str]]) -> None:
    if len(set().union(*names)) == sum(map(len, names)):
        return
    seen: set[str] = set()
    for number, here in enumerate(names):
        name = next((name for name in here if name in seen), None)
        if name is not None:
            hint = f"partitions share no {kind}; else one would be matched twice"
            raise InputError(
                "duplicate-name", f"{name!r} stands in an earlier partition, too", hint, f"partition {number}, {kind}"
            )
        seen.update(here)


_NOWHERE = -1
"""The node of a task that no offer can take."""


class _Connected:
    """Which of some nodes are connected (disjoint sets: Tarjan, 1975)."""

    def __init__(self) -> None:
        self._above: list[int] = []

    def add(self) -> int:
        """Return a new node, connected with none."""
        self._above.append(len(self._above))
        return len(self._above) - 1

    def of(self, node: int) -> int:
        """Return the node that stands for all that this one is connected with."""
        while self._above[node] != node:
            self._above[node] = node = self._above[self._above[node]]
        return node

    def above(self) -> dict[int, int]:
        """Return what stands for each node, and ``_NOWHERE`` for itself."""
        return {_NOWHERE: _NOWHERE, **{node: self.of(node) for node in range(len(self._above))}}

    def join(self, one: int, other: int) -> None:
        """Connect two nodes."""
        self._above[self.of(other)] = self.of(one)


def _parts(tasks: TaskColumns, offers: OfferColumns) -> list[tuple[list[int], list[int]]]:
    """Return the rows of tasks and of offers that are connected."""
    nodes = _Connected()
    kinds = tasks.kinds
    lists = map(tasks.requirements_of, kinds.first_rows)
    required = [[one for one in asked if isinstance(one, Requirement)] for asked in lists]
    names = sorted({one.attribute for of_kind in required for one in of_kind})
    columns = [offers.attributes.get(name) or [None] * len(offers) for name in names]
    # Offers that requirements do not tell apart are one node.
    values_of = list(zip(*columns, strict=True)) if columns else [()] * len(offers)
    alike = {values: nodes.add() for values in dict.fromkeys(values_of)}
    node_of = list(map(alike.__getitem__, values_of))
    members = dict.fromkeys(group.name for group in tasks.groups or () if group is not None)
    groups = {name: nodes.add() for name in members}
    for name, running in offers.occupants.items():
        for row in running if name in groups else ():
            nodes.join(groups[name], node_of[row])
    # A node among those that each kind may take.
    taken: list[int] = []
    for of_kind in required:
        where = [(one, names.index(one.attribute)) for one in of_kind]
        met = [node for values, node in alike.items() if all(one.holds(values[column]) for one, column in where)]
        for one, other in pairwise(met):
            nodes.join(one, other)
        taken.append(met[0] if met else _NOWHERE)
    any_of = list(map(taken.__getitem__, kinds.of_rows))
    for row, group in enumerate(tasks.groups or ()):
        if group is not None:
            if any_of[row] != _NOWHERE:
                nodes.join(groups[group.name], any_of[row])
            any_of[row] = groups[group.name]
    above = nodes.above()
    task_rows, offer_rows = (_rows_of(list(map(above.__getitem__, column))) for column in (any_of, node_of))
    nowhere = task_rows.pop(_NOWHERE, [])
    found = sorted((rows, offer_rows.get(node, [])) for node, rows in task_rows.items())
    if nowhere:
        first = found.pop(0) if found else ([], [])
        found.insert(0, (sorted([*first[0], *nowhere]), first[1]))
    return found


def _rows_of(nodes: Sequence[int]) -> dict[int, list[int]]:
    """Return the rows of each node."""
    in_order = sorted(range(len(nodes)), key=nodes.__getitem__)
    return {node: list(rows) for node, rows in groupby(in_order, nodes.__getitem__)}


def _scales(offers: OfferColumns, settings: Settings, dimensions: Sequence[str]) -> dict[str, Quantity]:
    """Return the scales that are given, and the largest capacity of each other dimension."""
    given = settings.scales or {}
    capacity = (offers.capacity or offers.available).items()
    found: dict[str, Quantity] = {
        name: unit_of(name, settings.units).shown(max(column, default=0)) for name, column in capacity
    }
    if offers.devices.count:
        found[DEVICES] = offers.devices.most
    # A scale may be 0 in many ways, such as "0 cores".
    above = compress((*dimensions, DEVICES), settings.scale_column(dimensions))
    return {**found, **{name: given[name] for name in above}}
