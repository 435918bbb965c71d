"""Why tasks find, or do not find, an offer: every check that each offer fails."""

from dataclasses import fields
from math import inf
from typing import TYPE_CHECKING

from rows import DEVICE, Offer, Ranking, Task, tasks_of
from wit_world.exports.matching import Explanations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wit_world.exports.matching import Shape, TaskTable


class Check:
    """The offers that fail one check at all, those that fail it alone, and the least that one of these lacks."""

    __slots__ = ("alone", "fails", "missing")

    def __init__(self) -> None:
        self.fails = self.alone = 0
        self.missing: float = 0

    def alone_by(self, missing: float) -> None:
        """Count an offer that fails nothing else."""
        self.alone += 1
        # Nothing is never missing, so that zero stands for none so far.
        if missing and (not self.missing or missing < self.missing):
            self.missing = missing


class Checks:
    """All checks of one task."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.dimensions = [Check() for _ in task.demand]
        self.requirements = [Check() for _ in task.requirements]
        self.devices = Check()
        self.score_fails = self.candidates = self.capable = 0
        self.score_missing = inf

    def count(self, offer: Offer, score: "Callable[[Task, Offer], float]", max_score: float) -> None:
        """Count an offer of the list at every check that it fails."""
        self.capable += is_capable(offer, self.task)
        for at, requirement in enumerate(self.task.requirements):
            if requirement.weight != inf and not requirement.holds(offer):
                self.requirements[at].fails += 1
        failed = list(self.failed(offer))
        for check, _ in failed:
            check.fails += 1
        if len(failed) == 1:
            failed[0][0].alone_by(failed[0][1])
        if failed:
            return
        found = score(self.task, offer)
        if found < max_score:
            self.candidates += 1
        else:
            self.score_fails += 1
            # An offer at the limit misses nothing, so that infinity stands for none so far.
            self.score_missing = min(self.score_missing, found - max_score)

    def failed(self, offer: Offer) -> "Iterator[tuple[Check, float]]":
        """Yield every check that an offer fails, but for the score, and what is missing."""
        yield from ((self.dimensions[at], missing) for at, missing in self.task.short(offer))
        for at in self.task.broken(offer):
            yield self.requirements[at], self.task.requirements[at].distance(offer)
        if (missing := self.task.devices_missing(offer)) > 0:
            yield self.devices, missing

    def add_to(self, answer: Explanations) -> None:
        """Put the counts behind those of the tasks before."""
        answer.dimension_fails += [check.fails for check in self.dimensions]
        answer.dimension_alone += [check.alone for check in self.dimensions]
        answer.dimension_missing += [int(check.missing) for check in self.dimensions]
        answer.requirement_fails += [check.fails for check in self.requirements]
        answer.requirement_alone += [check.alone for check in self.requirements]
        answer.requirement_missing += [float(check.missing) for check in self.requirements]
        answer.devices_fails.append(self.devices.fails)
        answer.devices_alone.append(self.devices.alone)
        answer.devices_missing.append(int(self.devices.missing))
        # No task belongs to a group.
        answer.together_fails.append(0)
        answer.together_alone.append(0)
        answer.score_fails.append(self.score_fails)
        answer.score_missing.append(0.0 if self.score_missing == inf else self.score_missing)
        answer.candidates.append(self.candidates)
        answer.capable.append(self.capable)


def explained(
    table: "TaskTable", shape: "Shape", listed: list[Offer], score: "Callable[[Task, Offer], float]", ranking: Ranking
) -> Explanations:
    """Count, for each task, the listed offers at every check that they fail."""
    answer = Explanations(*([] for _ in fields(Explanations)))
    answer.members_placed = [0] * table.groups.rows
    for task in tasks_of(table, shape):
        checks = Checks(task)
        for offer in listed:
            checks.count(offer, score, ranking.max_score)
        checks.add_to(answer)
    return answer


def is_capable(offer: Offer, task: Task) -> bool:
    """Say whether an offer could serve a task if it were empty."""
    large = all(demand <= capacity for demand, capacity in zip(task.demand, offer.capacity))
    return large and -(-task.devices // DEVICE) <= len(offer.devices) and next(task.broken(offer), None) is None
