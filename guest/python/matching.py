"""A matcher in Python: docs/semantics.md as a plain loop, behind the contract in wit/.

componentize-py makes a component of this module and a CPython. It looks for one class for each exported interface
(``Matching``) and, in a module named like the interface (this one), for one for each exported resource (``Pool``);
``wit_world`` is what it makes of the contract. A table comes as a dataclass of flat lists, and an ``Err`` that is raised
is the contract's ``error``.

    policy       what makes an offer good: the file to change
    matching     who takes what?
    rows         flat columns as rows, and whether an offer can take a task
    checks       are the tables what the contract asks for?
    explain      why does a task find no offer?
"""

import policy
from checks import check_changes, check_offers, check_settings, check_tasks
from explain import explained
from rows import DEVICE, Offer, Ranking, Task, offers_of, tasks_of
from wit_world import exports
from wit_world.exports import matching
from wit_world.exports.matching import (
    Assignments,
    Changes,
    Description,
    Explanations,
    Mode,
    OfferTable,
    Rule,
    Settings,
    Shape,
    TaskTable,
)


class Matching(exports.Matching):
    """The interface's functions."""

    def describe(self) -> Description:
        """Say what this matcher is, and which of the rules that may be left out it serves."""
        modes, rules = [Mode.EXCLUSIVE, Mode.SHARED], [Rule.MEASURES, Rule.PREFERENCES]
        return Description(policy.NAME, policy.VERSION, policy.POLICY, "0.3.0", modes, rules, [])

    def set_traced(self, traced: bool) -> None:
        """Do nothing: this matcher tells of no spans, whether calls are traced or not."""


class Pool(matching.Pool):
    """The interface's resource: offers, and the list whose order decides ties."""

    @classmethod
    def open(cls, shape: Shape, offers: OfferTable, settings: Settings) -> "Pool":
        """Open a pool of these offers, listed in the order of their rows."""
        check_settings(settings, shape)
        check_offers(offers, shape)
        pool = cls()
        pool.shape = shape
        pool.exclusive = settings.mode == Mode.EXCLUSIVE
        pool.offers = offers_of(offers, shape)
        pool.list = list(range(offers.rows))
        terms = shape.dimensions + 1
        pool.given = settings.scales or [0] * terms
        pool.ranking = Ranking(settings.weights or [1.0] * terms, [scale or 1 for scale in pool.given])
        if settings.max_score is not None:
            pool.ranking.max_score = settings.max_score
        pool.raise_scales(pool.offers)
        return pool

    def assign(self, tasks: TaskTable) -> Assignments:
        """Place the tasks, one after the other."""
        check_tasks(tasks, self.shape)
        answer = Assignments([], [], [])
        for row, task in enumerate(tasks_of(tasks, self.shape)):
            position, score = self.best(task)
            if position is None:
                continue
            answer.tasks.append(row)
            answer.offers.append(self.list[position])
            answer.scores.append(score)
            if self.exclusive:
                self.swap_remove(position)
            else:
                task.take(self.offers[self.list[position]])
        return answer

    def update(self, changes: Changes) -> None:
        """Apply what has changed: removed, changed, added."""
        check_changes(changes, self.shape, len(self.offers))
        for row in changes.removed:
            if row in self.list:
                self.swap_remove(self.list.index(row))
        listed = set(self.list)
        changed, added = offers_of(changes.changed, self.shape), offers_of(changes.added, self.shape)
        for row, offer in zip(changes.changed_rows, changed):
            self.offers[row] = offer
            if row not in listed:
                self.list.append(row)
        for offer in added:
            self.list.append(len(self.offers))
            self.offers.append(offer)
        self.raise_scales(changed + added)

    def explain(self, tasks: TaskTable) -> Explanations:
        """Count each offer of the list at every check it fails."""
        check_tasks(tasks, self.shape)
        return explained(tasks, self.shape, [self.offers[row] for row in self.list], self.score, self.ranking)

    def best(self, task: Task) -> tuple[int | None, float]:
        """Return the place in the list of the offer with the lowest score, the first among equals, and the score."""
        place, lowest = None, self.ranking.max_score
        demand, required, preferred = task.demand, task.required(), task.preferred()
        for position, row in enumerate(self.list):
            offer = self.offers[row]
            if any(map(int.__gt__, demand, offer.free)) or task.devices_missing(offer) > 0:
                continue
            if required and not all(one.holds(offer) for one in required):
                continue
            score = self.score(task, offer) if preferred else policy.score(self.ranking, task, offer)
            if score < lowest:
                place, lowest = position, score
        return place, lowest

    def score(self, task: Task, offer: Offer) -> float:
        """Return the policy's score and then, in order, what each preference costs that does not hold."""
        score = policy.score(self.ranking, task, offer)
        for one in task.preferred():
            if not one.holds(offer):
                score += one.weight
        return score

    def raise_scales(self, offers: list[Offer]) -> None:
        """Raise the scales that were not given to the largest capacity there has been."""
        largest = [*map(max, zip(*(offer.capacity for offer in offers)))] or [0] * self.shape.dimensions
        largest.append(DEVICE * max((len(offer.devices) for offer in offers), default=0))
        scales = zip(self.given, self.ranking.scales, largest)
        self.ranking.scales = [given or max(scale, most) for given, scale, most in scales]

    def swap_remove(self, position: int) -> None:
        """Take an offer out of the list: the last one moves into its place."""
        self.list[position] = self.list[-1]
        self.list.pop()
