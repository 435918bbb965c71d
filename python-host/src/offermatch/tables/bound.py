"""An upper bound on what any matcher could place: what is left unplaced above it is nobody's fault.

A relaxation: each dimension counts alone, a demand may be cut up among offers, and tasks with the same requirements share
the offers that meet these. Maximal scores, preferences and groups are not looked at. Whatever holds here holds for every
answer, so no policy places more; docs/semantics.md has the rule.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from math import isnan

from offermatch.model import DEVICES, Mode
from offermatch.tables.kinds import kinds_of
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["Bound", "upper_bound"]

_SHARES = 2**40
"""What a dimension as a whole counts where dimensions are added up."""
_KINDS = 32
"""Lists of requirements that are looked at, the most frequent ones; tasks with others count as tasks without any."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What no answer is above.

    Attributes:
        tasks: How many tasks could be placed.
        used: How much of each dimension the placed tasks could use, in the smallest unit, and of ``"devices"`` in
        thousandths.
    """

    tasks: int
    used: dict[str, int]


@dataclass(slots=True)
class _Column:
    """What is asked of one thing by each task, what each offer has of it, and the most that one task can get on an offer."""

    name: str
    asked: Sequence[int]
    free: Sequence[int]
    most: Sequence[int]

    def of_tasks(self, rows: Sequence[int]) -> _Column:
        """Return the column of some tasks."""
        return _Column(self.name, list(map(self.asked.__getitem__, rows)), self.free, self.most)

    def of_offers(self, rows: Sequence[int]) -> _Column:
        """Return the column of some offers."""
        return _Column(self.name, self.asked, list(map(self.free.__getitem__, rows)), list(map(self.most.__getitem__, rows)))


def upper_bound(tasks: TaskColumns, offers: OfferColumns, mode: Mode, dimensions: Sequence[str]) -> Bound:
    """Return the bound for these tasks on these offers, in the dimensions that are matched."""
    columns = _columns(tasks, offers, dimensions)
    kinds = _kinds(tasks, offers)
    used = {column.name: 0 for column in columns if column.name}
    placed = 0
    everybody: list[int] = []
    for allowed, rows in kinds:
        chosen = columns if allowed is None else [column.of_offers(allowed) for column in columns]
        if len(rows) < len(tasks):
            chosen = [column.of_tasks(rows) for column in chosen]
        fitting, chosen = _fitting(rows, chosen)
        placed += _most(chosen, len(fitting), len(offers if allowed is None else allowed), mode)
        everybody += fitting
        for column in chosen:
            if column.name:
                used[column.name] += min(sum(column.asked), sum(column.free))
    if len(kinds) > 1:
        placed = min(placed, _most([column.of_tasks(everybody) for column in columns], len(everybody), len(offers), mode))
    return Bound(placed, {column.name: min(used[column.name], sum(column.free)) for column in columns if column.name})


def _fitting(rows: Sequence[int], columns: list[_Column]) -> tuple[Sequence[int], list[_Column]]:
    """Return the tasks of which no single demand is more than every offer has, with their columns."""
    fits = set(range(len(rows)))
    for column in columns:
        top = max(column.most, default=-1)
        if max(column.asked, default=0) > top:
            fits.intersection_update([at for at, asked in enumerate(column.asked) if asked <= top])
    if len(fits) == len(rows):
        return rows, columns
    kept = sorted(fits)
    return [rows[at] for at in kept], [column.of_tasks(kept) for column in columns]


def _columns(tasks: TaskColumns, offers: OfferColumns, dimensions: Sequence[str]) -> list[_Column]:
    """Return the dimensions, the thousandths of devices, and the devices that are wholly free."""
    none = [0] * len(tasks)
    nothing = [0] * len(offers)
    columns = []
    for name in dimensions:
        free = offers.available.get(name, nothing)
        columns.append(_Column(name, tasks.demand.get(name, none), free, free))
    if tasks.devices is not None:
        devices = list(map(offers.devices.of, range(len(offers))))
        asked = tasks.devices
        free = list(map(sum, devices))
        whole = [one.count(1000) for one in devices]
        columns.append(_Column(DEVICES, asked, free, free))
        columns.append(_Column("", [one // 1000 for one in asked], whole, whole))
        largest = [max(one, default=0) for one in devices]
        columns.append(_Column("", [one if one < 1000 else 0 for one in asked], free, largest))
    return columns


def _kinds(tasks: TaskColumns, offers: OfferColumns) -> list[tuple[Sequence[int] | None, Sequence[int]]]:
    """Return, for each set of offers that requirements allow, these offers and the tasks; None where all are allowed."""
    if tasks.requirements is None:
        return [(None, range(len(tasks)))]
    measures = [offers.measures[name] for name in sorted(tasks.measures_asked.intersection(offers.measures))]
    # NaN, which stands for unset, is not even equal to itself.
    numbers = [[None if isnan(number) else number for number in column] for column in measures]
    columns: list[Sequence[str | float | None]] = [*offers.attributes.values(), *numbers]
    alike: dict[tuple[str | float | None, ...], list[int]] = {}
    for row, values in enumerate(zip(*columns, strict=True) if columns else repeat((), len(offers))):
        alike.setdefault(values, []).append(row)
    kinds = kinds_of(len(tasks), tasks.requirements)
    asking: list[list[int]] = [[] for _ in kinds.first_rows]
    for row, kind in enumerate(kinds.of_rows):
        asking[kind].append(row)
    found: dict[tuple[int, ...], list[int]] = {}
    everything = tuple(range(len(alike)))
    firsts = [rows[0] for rows in alike.values()]
    for number, rows in enumerate(sorted(asking, key=len, reverse=True)):
        groups = everything
        if number < _KINDS:
            required = tasks.requirements_of(rows[0])
            groups = tuple(at for at, first in enumerate(firsts) if all(offers.meets(one, first) for one in required))
        found.setdefault(groups, []).extend(rows)
    having = list(alike.values())
    return [
        (None if groups == everything else [row for at in groups for row in having[at]], rows)
        for groups, rows in found.items()
    ]


def _most(columns: Sequence[_Column], tasks: int, offers: int, mode: Mode) -> int:
    """Return how many of so many tasks so many offers could take, by the column that says the least."""
    if mode == "exclusive":
        return min([tasks, offers, *(_one_each(column) for column in columns)])
    # What nobody asks for says nothing, and would only make room in the sum.
    columns = [column for column in columns if any(column.asked)]
    totals = [sum(column.free) for column in columns]
    found = [tasks]
    for column, total in zip(columns, totals, strict=True):
        # The smallest ones, as long as all offers together have enough.
        if sum(column.asked) > total:
            found.append(bisect_right(list(accumulate(sorted(column.asked))), total))
    if len(found) > 1:
        # The same for all dimensions together, each in shares of what there is: any sum of the conditions holds, too.
        weights = [_SHARES // total if total else 0 for total in totals]
        weighted = [[weight * asked for asked in column.asked] for weight, column in zip(weights, columns, strict=True)]
        sizes = sorted(map(sum, zip(*weighted, strict=True)))
        found.append(bisect_right(list(accumulate(sizes)), sum(map(int.__mul__, weights, totals))))
    return min(found)


def _one_each(column: _Column) -> int:
    """Return how many tasks find an offer of their own: the smallest demand takes the smallest offer that has enough."""
    asked, taken = sorted(column.asked), 0
    if len(column.most) >= len(asked) and (not asked or asked[-1] <= min(column.most)):
        return len(asked)
    for free in sorted(column.most):
        if taken < len(asked) and asked[taken] <= free:
            taken += 1
    return taken
