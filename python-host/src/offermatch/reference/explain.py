"""Why a task finds, or does not find, an offer: every check that each offer fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from math import inf

from offermatch.reference.groups import Members, limits_of
from offermatch.reference.standing import DEVICE, Offer, Ranking, Task
from offermatch.tables.tables import Explained, Explanations, TaskTable

__all__ = ["explained", "first_failures"]


class _Check:
    """The offers that fail one check at all, those that fail it alone, and the least that one of these lacks."""

    __slots__ = ("alone", "fails", "missing")

    def __init__(self) -> None:
        self.fails = self.alone = 0
        self.missing: float = 0

    def alone_by(self, missing: float) -> None:
        self.alone += 1
        # Nothing is never missing, so that zero stands for none so far.
        if missing and (not self.missing or missing < self.missing):
            self.missing = missing


class _Checks:
    """All checks of one task."""

    def __init__(self, task: Task, dimensions: int, limits: int) -> None:
        self.task = task
        self.dimensions = [_Check() for _ in range(dimensions)]
        self.conditions = [_Check() for _ in task.conditions]
        self.devices, self.together = _Check(), _Check()
        self.limits = [_Check() for _ in range(limits)]
        self.score_fails = self.candidates = 0
        self.score_missing = inf

    def count(self, row: int, offer: Offer, members: Members | None, ranking: Ranking) -> None:
        """Count an offer at every check that it fails."""
        failed = list(self._failed(row, offer, members))
        for at, one in enumerate(self.task.conditions):
            if one.weight != inf and not one.holds(offer):
                self.conditions[at].fails += 1
        for check, _ in failed:
            check.fails += 1
        if len(failed) == 1:
            failed[0][0].alone_by(failed[0][1])
        if failed:
            return
        score = ranking.score(offer, self.task)
        if score < ranking.max_score:
            self.candidates += 1
            return
        self.score_fails += 1
        distance = score - ranking.max_score
        self.score_missing = min(self.score_missing, distance)

    def _failed(self, row: int, offer: Offer, members: Members | None) -> Iterator[tuple[_Check, float]]:
        task = self.task
        yield from ((self.dimensions[at], missing) for at, missing in task.short(offer))
        yield from ((self.conditions[at], task.conditions[at].distance(offer)) for at in task.broken(offer))
        if not task.is_served_by(offer.devices):
            yield self.devices, task.devices_missing(offer)
        if members is not None:
            if not members.is_together(offer):
                yield self.together, 0
            for at, admitted in enumerate(members.limits(row, offer)):
                if not admitted:
                    yield self.limits[at], 0

    def add_to(self, all_of: Explanations) -> None:
        """Put the counts behind those of the tasks before."""
        all_of.dimension_fails += [check.fails for check in self.dimensions]
        all_of.dimension_alone += [check.alone for check in self.dimensions]
        all_of.dimension_missing += [int(check.missing) for check in self.dimensions]
        all_of.requirement_fails += [check.fails for check in self.conditions]
        all_of.requirement_alone += [check.alone for check in self.conditions]
        all_of.requirement_missing += [float(check.missing) for check in self.conditions]
        all_of.devices_fails.append(self.devices.fails)
        all_of.devices_alone.append(self.devices.alone)
        all_of.devices_missing.append(int(self.devices.missing))
        all_of.together_fails.append(self.together.fails)
        all_of.together_alone.append(self.together.alone)
        all_of.limit_fails += [check.fails for check in self.limits]
        all_of.limit_alone += [check.alone for check in self.limits]
        all_of.score_fails.append(self.score_fails)
        all_of.score_missing.append(0.0 if self.score_missing == inf else self.score_missing)
        all_of.candidates.append(self.candidates)


def explained(
    table: TaskTable,
    offers: Sequence[Offer],
    listed: Sequence[int],
    ranking: Ranking,
    dimensions: int,
) -> Explanations:
    """Count, for each task beside the occupants of its group, the listed offers at every check that they fail.

    Args:
        table: The tasks.
        offers: All offers, by row.
        listed: The rows in the list.
        ranking: How offers are ranked.
        dimensions: How many dimensions there are.
    """
    all_of = Explanations(*([] for _ in fields(Explanations)))
    for row in range(table.rows):
        task = Task(table, row)
        group = table.group_of[row] if table.group_of else 0
        members = Members(table.groups, group - 1, offers) if group else None
        checks = _Checks(task, dimensions, len(list(limits_of(table.groups, group - 1))) if group else 0)
        for number in listed:
            checks.count(number, offers[number], members, ranking)
        checks.add_to(all_of)
        all_of.capable.append(sum(_is_capable(offers[number], task) for number in listed))
    return all_of


def _is_capable(offer: Offer, task: Task) -> bool:
    """Return whether an offer could serve a task if it were empty."""
    large = all(demand <= capacity for demand, capacity in zip(task.demand, offer.capacity, strict=True))
    return large and -(-task.devices // DEVICE) <= len(offer.devices) and next(task.broken(offer), None) is None


def first_failures(table: TaskTable, listed: Sequence[Offer], ranking: Ranking, dimensions: int) -> Explained:
    """Count each listed offer at the first check that it fails, as contract 0.2.0 has it."""
    answer = Explained([], [], [], [], [])
    for row in range(table.rows):
        task = Task(table, row)
        by_dimension = [0] * dimensions
        by_requirement = [0] * len(task.conditions)
        by_devices = by_score = candidates = 0
        for offer in listed:
            short, refused = next(task.short(offer), None), next(task.broken(offer), None)
            if short is not None:
                by_dimension[short[0]] += 1
            elif refused is not None:
                by_requirement[refused] += 1
            elif not task.is_served_by(offer.devices):
                by_devices += 1
            elif not ranking.score(offer, task) < ranking.max_score:
                by_score += 1
            else:
                candidates += 1
        answer.by_dimension += by_dimension
        answer.by_requirement += by_requirement
        answer.by_devices.append(by_devices)
        answer.by_score.append(by_score)
        answer.candidates.append(candidates)
    return answer
