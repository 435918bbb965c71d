"""The order in which tasks are offered to the matcher: fair among queues, by priority and age within one.

    waiting, by queue ──> within a queue: priority, raised by waiting ──┐
    running, by queue ──> share of each queue, by its weight ───────────┴──> one order of all; what a quota holds back

Among queues it is dominant resource fairness (Ghodsi et al., NSDI 2011) with weights: the next task is of the queue whose
dominant share, over its weight, is smallest. Below a parent the same is asked again among its children.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from operator import add

from offermatch.model import DEVICES
from offermatch.scheduler.queues import DEFAULT, Queue
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["Ordered", "Waiting", "largest_free", "order_tasks", "over_quota", "total_capacity"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tasks that wait.

    Attributes:
        columns: What they ask.
        ids: Their numbers; of two that are equal otherwise, the smaller goes first.
        queues: The queue of each; None where all are in one queue, the default.
        priorities: The priority of each: higher goes first.
        since: When each could first have begun, in seconds.
        gangs: The number of the gang of each, 0 for none; None where there are none. The members of a gang are in one queue.
        needed: How many members of each gang have to begin at once, 1 or more.
    """

    columns: TaskColumns
    ids: Sequence[int]
    queues: Sequence[str] | None
    priorities: Sequence[int]
    since: Sequence[float]
    gangs: Sequence[int] | None = None
    needed: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order.

    Attributes:
        rows: The rows that the matcher is asked about, first to last.
        over_quota: The rows that a quota holds back, each with the queue that has it.
        shares: The dominant share of each queue before anything of this order begins, not divided by its weight.
    """

    rows: Sequence[int]
    over_quota: Mapping[int, str] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)


def order_tasks(
    waiting: Waiting,
    queues: Sequence[Queue],
    running: Mapping[str, Mapping[str, int]],
    capacity: Mapping[str, int],
    free: Mapping[str, int] | None = None,
    *,
    held: Collection[int] = (),
    stuck: Collection[int] = (),
    ageing: float = 0.0,
    kept_after: float = math.inf,
    now: float = 0.0,
) -> Ordered:
    """Return the order in which tasks are to be placed. Nothing but the arguments decides it.

    Args:
        waiting: The tasks.
        queues: Every queue, as ``checked_queues`` leaves them.
        running: What the tasks of each queue hold, by dimension; devices as ``devices``, in thousandths.
        capacity: What the whole cluster has, by dimension.
        free: The most that one offer has free, by dimension. A task that asks more cannot begin now, so it is charged to
            no queue. None: everything may begin.
        held: The rows of tasks that room is held for: their queues are charged with it as with what runs.
        stuck: The rows of tasks that the matcher has found no offer for beside the others: no share is charged with them.
        ageing: The seconds of waiting that are worth one step of priority; 0 for none.
        kept_after: The seconds of waiting after which what is left of a quota is kept for the task that it is too small for.
        now: The time that ``since`` is counted to.
    """
    if not len(waiting.ids):
        return Ordered([])
    rows, gangs = _side_by_side(waiting, _within(waiting, ageing))
    single = waiting.queues is None and not any(queue.quota or queue.parent for queue in queues if queue.name == DEFAULT)
    if single:
        return Ordered([one for row in rows for one in (gangs[row].rows if row in gangs else (row,))] if gangs else rows)
    dimensions = [*capacity, *([] if DEVICES in capacity else [DEVICES])]
    by_queue: dict[str, list[int]] = {}
    names = waiting.queues
    for row in rows:
        by_queue.setdefault(DEFAULT if names is None else names[row], []).append(row)
    nodes = _tree(queues, by_queue, running, capacity, dimensions)
    for name, listed in by_queue.items():
        nodes[name].rows = listed
    root = _Node("", 1.0, {}, len(dimensions))
    for node in nodes.values():
        (nodes[node.above] if node.above else root).children.append(node)
    shares = {name: max(node.used_part(), default=0.0) for name, node in nodes.items()}
    asked = _asked(waiting.columns, dimensions)
    filling = _Filling(asked, dimensions, capacity, free, waiting.since, now - kept_after, gangs, stuck)
    for row in sorted(held):
        filling.charge_held(row, _path(nodes, root, DEFAULT if names is None else names[row]))
    filling.fill(root)
    return Ordered(filling.order, filling.over_quota, shares)


def over_quota(
    waiting: Waiting,
    begins: Collection[int],
    queues: Sequence[Queue],
    running: Mapping[str, Mapping[str, int]],
    capacity: Mapping[str, int],
) -> set[int]:
    """Return the rows that quotas would hold back if room were made for all tasks.

    Args:
        waiting: The tasks.
        begins: The rows of those that begin in any case.
        queues: As of ``order_tasks``, as are the next two.
        running: See ``order_tasks``.
        capacity: See ``order_tasks``.
    """
    if not any(queue.quota for queue in queues):
        return set()
    dimensions = [*capacity, *([] if DEVICES in capacity else [DEVICES])]
    asked, held = _asked(waiting.columns, dimensions), {name: dict(used) for name, used in running.items()}
    for row in begins:
        used = held.setdefault(DEFAULT if waiting.queues is None else waiting.queues[row], {})
        for name, number in zip(dimensions, asked[row], strict=True):
            used[name] = used.get(name, 0) + number
    others = [row for row in range(len(waiting.ids)) if row not in begins]
    rest = Waiting(
        waiting.columns.picked(others),
        [waiting.ids[row] for row in others],
        None if waiting.queues is None else [waiting.queues[row] for row in others],
        [waiting.priorities[row] for row in others],
        [waiting.since[row] for row in others],
        None if waiting.gangs is None else [waiting.gangs[row] for row in others],
        waiting.needed,
    )
    return {others[row] for row in order_tasks(rest, queues, held, capacity).over_quota}


def total_capacity(offers: OfferColumns) -> dict[str, int]:
    """Return what all offers have, by dimension."""
    found = {name: sum(column) for name, column in (offers.capacity or offers.available).items()}
    return {**found, DEVICES: 1000 * offers.devices.count} if offers.devices.count else found


def largest_free(offers: OfferColumns) -> dict[str, int]:
    """Return the most that one offer has free, by dimension."""
    found = {name: max(column, default=0) for name, column in offers.available.items()}
    if offers.devices.count:
        found[DEVICES] = max(sum(offers.devices.of(row)) for row in range(len(offers)))
    return found


def _within(waiting: Waiting, ageing: float) -> Sequence[int]:
    """Return the rows by priority. As every task ages alike, no two change places by waiting longer."""
    priorities, since, ids = waiting.priorities, waiting.since, waiting.ids
    if ageing:
        return sorted(range(len(ids)), key=lambda row: (since[row] - ageing * priorities[row], ids[row]))
    return sorted(range(len(ids)), key=lambda row: (-priorities[row], ids[row]))


@dataclass(frozen=True, slots=True)
class _Gang:
    """Tasks that are taken together: so many of them at least, in their order."""

    rows: Sequence[int]
    needed: int


def _side_by_side(waiting: Waiting, rows: Sequence[int]) -> tuple[Sequence[int], dict[int, _Gang]]:
    """Return the rows with the first member of a gang in place of all, and the gangs by these."""
    numbers = waiting.gangs
    if numbers is None or not any(numbers):
        return rows, {}
    members: dict[int, list[int]] = {}
    for row in rows:
        if waiting.needed.get(numbers[row]):
            members.setdefault(numbers[row], []).append(row)
    gangs = {found[0]: _Gang(found, waiting.needed[number]) for number, found in members.items()}
    others = {row for gang in gangs.values() for row in gang.rows[1:]}
    return [row for row in rows if row not in others], gangs


class _Node:
    """A queue in the tree, with what it and those below it hold."""

    __slots__ = ("above", "at", "begun", "capacity", "children", "name", "own", "quota", "rows", "used", "weight")

    def __init__(self, name: str, weight: float, quota: Mapping[int, int], dimensions: int, above: str = "") -> None:
        self.name, self.weight, self.quota, self.above = name, weight, quota, above
        self.used = [0] * dimensions
        self.begun = [0] * dimensions
        self.own = [0] * dimensions
        self.capacity: Sequence[int] = ()
        self.children: list[_Node] = []
        self.rows: list[int] = []
        self.at = 0

    def add(self, asked: Sequence[int], *, begins: bool = True) -> None:
        used, begun = self.used, self.begun
        for at, number in enumerate(asked):
            used[at] += number
            if begins:
                begun[at] += number

    def used_part(self) -> list[float]:
        return [used / there for used, there in zip(self.used, self.capacity, strict=False) if there]

    def share(self) -> float:
        most = 0.0
        for begun, there in zip(self.begun, self.capacity, strict=False):
            if there and begun > most * there:
                most = begun / there
        return most / self.weight


def _tree(
    queues: Sequence[Queue],
    waiting: Iterable[str],
    running: Mapping[str, Mapping[str, int]],
    capacity: Mapping[str, int],
    dimensions: Sequence[str],
) -> dict[str, _Node]:
    place = {name: at for at, name in enumerate(dimensions)}
    there = [capacity.get(name, 0) for name in dimensions]
    nodes = {}
    for queue in sorted(
        {DEFAULT: Queue(DEFAULT), **{queue.name: queue for queue in queues}}.values(), key=lambda one: one.name
    ):
        quota = {place[name]: most for name, most in queue.quota.items() if name in place}
        nodes[queue.name] = _Node(queue.name, queue.weight, quota, len(dimensions), queue.parent)
    for name in [*running, *waiting]:
        nodes.setdefault(name, _Node(name, 1.0, {}, len(dimensions)))
    for node in nodes.values():
        node.capacity = there
    for name, held in running.items():
        node = nodes[name]
        node.own = [held.get(dimension, 0) for dimension in dimensions]
        node.add(node.own)
        while node.above:
            node = nodes[node.above]
            node.add(nodes[name].own)
    return nodes


def _path(nodes: Mapping[str, _Node], root: _Node, name: str) -> list[_Node]:
    """Return the nodes from the root to a queue."""
    path = [nodes[name]]
    while path[-1].above:
        path.append(nodes[path[-1].above])
    return [root, *reversed(path)]


def _asked(columns: TaskColumns, dimensions: Sequence[str]) -> Sequence[tuple[int, ...]]:
    zeros = [0] * len(columns)
    found = [(columns.devices if name == DEVICES else columns.demand.get(name)) or zeros for name in dimensions]
    return list(zip(*found, strict=True)) if found else [()] * len(columns)


class _Filling:
    """Takes task after task, always of the queue that has least."""

    def __init__(
        self,
        asked: Sequence[tuple[int, ...]],
        dimensions: Sequence[str],
        capacity: Mapping[str, int],
        free: Mapping[str, int] | None,
        since: Sequence[float],
        overdue: float,
        gangs: Mapping[int, _Gang],
        stuck: Collection[int],
    ) -> None:
        self.order: list[int] = []
        self.over_quota: dict[int, str] = {}
        self._asked = asked
        self._capacity = [capacity.get(name, 0) for name in dimensions]
        self._free = None if free is None else [free.get(name, 0) for name in dimensions]
        self._since, self._overdue = since, overdue
        self._gangs = gangs
        self._stuck = stuck
        self._held: set[int] = set()

    def charge_held(self, row: int, path: Sequence[_Node]) -> None:
        """Charge the queues of a task with the room that is held for it, if they may hold so much."""
        if self._full(self._asked[row], path) is None:
            self._charge(self._asked[row], path)
            self._held.add(row)

    def fill(self, root: _Node) -> None:
        """Order all that waits below the root."""
        heaps: dict[str, list[tuple[float, str, _Node]]] = {}

        def waits(node: _Node) -> bool:
            # A queue with children may have tasks of its own: they count as one more child of its weight 1.
            if node.rows and node.children:
                own = _Node(node.name, 1.0, {}, len(node.used))
                own.capacity, own.used, own.begun = node.capacity, list(node.own), list(node.own)
                own.rows, node.rows = node.rows, []
                node.children.append(own)
            below = [child for child in node.children if waits(child)] if node.children else []
            if below:
                heap = heaps[node.name] = [(child.share(), child.name, child) for child in below]
                heapify(heap)
            return bool(below or node.rows)

        waits(root)
        while heaps.get(""):
            path, node = [root], root
            while node.children:
                node = heaps[node.name][0][2]
                path.append(node)
            self._take(node.rows[node.at], path)
            node.at += 1
            for above, child in zip(reversed(path[:-1]), reversed(path[1:]), strict=True):
                heap = heaps[above.name]
                left = heaps[child.name] if child.children else child.at < len(child.rows)
                if left:
                    heapreplace(heap, (child.share(), child.name, child))
                else:
                    heappop(heap)

    def _take(self, row: int, path: Sequence[_Node]) -> None:
        gang = self._gangs.get(row)
        if gang is not None:
            self._take_gang(gang, path)
            return
        if row in self._held:
            self.order.append(row)
            return
        asked = self._asked[row]
        full = self._full(asked, path)
        if full is None:
            self.order.append(row)
            if self._may_begin(row):
                self._charge(asked, path, begins=row not in self._stuck)
            return
        self._hold_back([row], full, asked, path)

    def _take_gang(self, gang: _Gang, path: Sequence[_Node]) -> None:
        """Take as many members as the quotas let begin, if these are as many as have to begin at once; else none."""
        taken, asked, full = 0, (0,) * len(self._capacity), None
        least = asked
        for row in gang.rows:
            more = asked if row in self._held else tuple(map(add, asked, self._asked[row]))
            full = self._full(more, path)
            if full is not None:
                break
            taken, asked = taken + 1, more
        if full is not None and taken < gang.needed:
            for row in gang.rows[: gang.needed]:
                least = tuple(map(add, least, self._asked[row]))
            self._hold_back(gang.rows, full, least, path)
            return
        self.order += gang.rows[:taken]
        if full is not None:
            self.over_quota.update(dict.fromkeys(gang.rows[taken:], full.name))
        if all(map(self._may_begin, gang.rows[:taken])):
            self._charge(asked, path, begins=not any(row in self._stuck for row in gang.rows[: gang.needed]))

    def _full(self, asked: Sequence[int], path: Sequence[_Node]) -> _Node | None:
        """Return the queue whose quota has no room for what is asked."""
        for node in path:
            if any(node.used[at] + asked[at] > most for at, most in node.quota.items() if asked[at]):
                return node
        return None

    def _hold_back(self, rows: Sequence[int], full: _Node, asked: Sequence[int], path: Sequence[_Node]) -> None:
        self.over_quota.update(dict.fromkeys(rows, full.name))
        # The quota's rest is kept for a task that has waited long and could run within it.
        could = all(asked[at] <= most for at, most in full.quota.items())
        if could and min(self._since[row] for row in rows) <= self._overdue:
            self._charge(asked, path)

    def _may_begin(self, row: int) -> bool:
        free = self._free
        return free is None or all(one <= most for one, most in zip(self._asked[row], free, strict=True))

    def _charge(self, asked: Sequence[int], path: Sequence[_Node], *, begins: bool = True) -> None:
        for node in path:
            node.add(asked, begins=begins)
