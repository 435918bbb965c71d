"""As few offers as can be found for all tasks: first-fit of the largest, then an iterated search.

The search empties a few offers, puts what they held elsewhere or back into fewer of them, and keeps what is no worse: what
counts is how many offers are used, and then how unevenly they are filled, since an offer that is nearly empty is the next
one to go. All of it is integers, and random numbers come from one generator, so that both programs find the same after the
same number of rounds. docs/pack.md has the rules and their sources.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from offermatch.sample import SplitMix64

__all__ = ["Found", "Kind", "Problem", "lower_bound", "pack"]

_SCALE = 1 << 10
"""What the largest capacity of a dimension counts where dimensions are added up."""
_FINE = 1 << 20
"""The same for the order of the tasks."""
_WINDOW = 64
"""Offers, besides the emptied ones, that a task is tried on."""


@dataclass(slots=True)
class Kind:
    """Offers that are alike.

    Attributes:
        capacity: What one of them has in each dimension.
        most: How many of them may be used; None for any number.
    """

    capacity: Sequence[int]
    most: int | None = None


@dataclass(slots=True)
class Problem:
    """What is to be packed.

    Attributes:
        demands: What each task asks in each dimension.
        kinds: The offers.
        allowed: For each task the numbers of the kinds it may run on; None where it may run on all of them.
    """

    demands: Sequence[Sequence[int]]
    kinds: Sequence[Kind]
    allowed: Sequence[frozenset[int] | None]


@dataclass(slots=True)
class _Bin:
    """An offer in use."""

    kind: int
    free: list[int]
    room: list[int]
    load: int = 0
    tasks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        offers: The offers in use: their kinds, and the tasks on each.
        unplaced: The tasks that no offer takes.
        at_once: How many offers first-fit used, before the search.
        bound: How many are needed at least.
        rounds: Of the search.
    """

    offers: list[tuple[int, list[int]]]
    unplaced: list[int]
    at_once: int
    bound: int
    rounds: int


def pack(problem: Problem, *, seed: int = 1, goes_on: Callable[[int], bool] = lambda _: False) -> Found:
    """Return a packing: that of first-fit, improved for as long as ``goes_on`` says so of the number of rounds."""
    search = _Search(problem, seed)
    search.first_fit()
    at_once, bound, rounds = len(search.bins), lower_bound(problem, search.unplaced), 0
    while len(search.bins) > max(bound, 1) and goes_on(rounds):
        search.round()
        rounds += 1
    offers = [(one.kind, sorted(one.tasks)) for one in search.bins]
    return Found(offers, sorted(search.unplaced), at_once, bound, rounds)


def lower_bound(problem: Problem, unplaced: Sequence[int] = ()) -> int:
    """Return how many offers are needed at least for the tasks but some.

    For each dimension alone: what is asked in all, taken from the largest offers first, and the bound L2 of S. Martello and
    P. Toth, "Lower bounds and reduction procedures for the bin packing problem", 1990, with the largest offer.
    """
    left_out = set(unplaced)
    best = 0
    for dimension in range(len(problem.kinds[0].capacity) if problem.kinds else 0):
        asked = sorted(one[dimension] for row, one in enumerate(problem.demands) if row not in left_out and one[dimension])
        if asked:
            best = max(best, _by_volume(problem, dimension, sum(asked)), _martello_toth(asked, problem, dimension))
    return max(best, 1) if len(left_out) < len(problem.demands) else 0


def _by_volume(problem: Problem, dimension: int, asked: int) -> int:
    used = 0
    for kind in sorted(problem.kinds, key=lambda kind: -kind.capacity[dimension]):
        capacity = kind.capacity[dimension]
        if capacity == 0:
            break
        needed = -(-asked // capacity)
        if kind.most is None or needed <= kind.most:
            return used + needed
        used += kind.most
        asked -= kind.most * capacity
    return used


def _martello_toth(asked: Sequence[int], problem: Problem, dimension: int) -> int:
    """Large ones need an offer each; those between have it with none of these, and what is small fills what they leave."""
    capacity = max(kind.capacity[dimension] for kind in problem.kinds)
    middle = bisect_right(asked, capacity // 2)
    small, large = asked[:middle], asked[middle:]
    below = [0, *accumulate(large)]
    best, rest = len(large), sum(small)
    for at, least in enumerate(small):
        if at == 0 or small[at - 1] != least:
            between = bisect_right(large, capacity - least)
            more = rest - (between * capacity - below[between])
            best = max(best, len(large) + max(0, -(-more // capacity)))
        rest -= least
    return best


class _Search:
    """A packing that is being improved."""

    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem = problem
        self.random = SplitMix64(seed)
        dimensions = len(problem.kinds[0].capacity) if problem.kinds else 0
        self.most = [max([1, *(kind.capacity[at] for kind in problem.kinds)]) for at in range(dimensions)]
        self.unplaced = [task for task in range(len(problem.demands)) if not self.somewhere(task)]
        out = set(self.unplaced)
        # What fits nowhere has no size: it is never placed.
        asked = [[0] * dimensions if task in out else one for task, one in enumerate(problem.demands)]
        self.shares = [[share * _SCALE // most for share, most in zip(one, self.most, strict=True)] for one in asked]
        self.loads = [sum(one) for one in self.shares]
        self.sizes = [_size(one, self.most) for one in asked]
        self.order = sorted(range(len(problem.kinds)), key=lambda at: -_size(problem.kinds[at].capacity, self.most))
        self.used = [0] * len(problem.kinds)
        self.bins: list[_Bin] = []

    def first_fit(self) -> None:
        """Place the largest first, each on the first offer in use that takes it, else on the largest offer left."""
        tasks = sorted(set(range(len(self.sizes))).difference(self.unplaced))
        for task in sorted(tasks, key=lambda task: -self.sizes[task]):
            found = next((one for one in self.bins if self.fits(task, one)), None)
            if found is None:
                found = self.opened(task)
                if found is None:
                    self.unplaced.append(task)
                    continue
                self.bins.append(found)
            self.put(task, found)

    def somewhere(self, task: int) -> bool:
        """Say whether an empty offer takes a task."""
        return any(self.takes(at, kind.capacity, task) for at, kind in enumerate(self.problem.kinds))

    def takes(self, kind: int, free: Sequence[int], task: int) -> bool:
        """Say whether an offer of a kind with so much free takes a task."""
        allowed = self.problem.allowed[task]
        if allowed is not None and kind not in allowed:
            return False
        return all(asked <= left for asked, left in zip(self.problem.demands[task], free, strict=True))

    def opened(self, task: int) -> _Bin | None:
        """Return a new offer for a task."""
        for at in self.order:
            kind = self.problem.kinds[at]
            if kind.most is None or self.used[at] < kind.most:
                fresh = self.fresh(at)
                if self.fits(task, fresh):
                    self.used[at] += 1
                    return fresh
        return None

    def fresh(self, kind: int) -> _Bin:
        """Return an empty offer."""
        capacity = self.problem.kinds[kind].capacity
        return _Bin(kind, list(capacity), [free * _SCALE // most for free, most in zip(capacity, self.most, strict=True)])

    def fits(self, task: int, one: _Bin) -> bool:
        """Say whether an offer in use takes a task."""
        return self.takes(one.kind, one.free, task)

    def put(self, task: int, one: _Bin) -> None:
        """Place a task."""
        one.free = [free - asked for free, asked in zip(one.free, self.problem.demands[task], strict=True)]
        one.room = [room - share for room, share in zip(one.room, self.shares[task], strict=True)]
        one.load += self.loads[task]
        one.tasks.append(task)

    def left(self, task: int, one: _Bin) -> int:
        """Return how much room a task would leave on an offer."""
        return sum((room - share) ** 2 for room, share in zip(one.room, self.shares[task], strict=True))

    def round(self) -> None:
        """Empty a few offers, and place what they held again."""
        emptied = self.chosen()
        kept = [one for at, one in enumerate(self.bins) if at not in emptied]
        begin = self.random.below(len(kept)) if kept else 0
        window = [(begin + at) % len(kept) for at in range(min(_WINDOW, len(kept)))]
        trial = {at: _Bin(kept[at].kind, kept[at].free, kept[at].room, kept[at].load, list(kept[at].tasks)) for at in window}
        before = [self.bins[at] for at in emptied] + [kept[at] for at in window]
        tasks = [task for at in emptied for task in self.bins[at].tasks]
        weighed = {task: self.sizes[task] * (192 + self.random.below(129)) for task in tasks}
        spare = [self.bins[at].kind for at in emptied]
        spare.sort(key=self.order.index)
        places = list(trial.values())
        for task in sorted(tasks, key=lambda task: (-weighed[task], task)):
            best, least = None, 0
            for place in places:
                if self.fits(task, place):
                    left = self.left(task, place)
                    if best is None or left < least:
                        best, least = place, left
            if best is None:
                for kind in spare:
                    fresh = self.fresh(kind)
                    if self.fits(task, fresh):
                        spare.remove(kind)
                        best = fresh
                        places.append(fresh)
                        break
            if best is None:
                return
            self.put(task, best)
        if len(places) > len(before):
            return
        if len(places) == len(before) and sum(one.load**2 for one in places) < sum(one.load**2 for one in before):
            return
        for kind in spare:
            self.used[kind] -= 1
        for at, one in trial.items():
            kept[at] = one
        self.bins = kept + places[len(trial) :]

    def chosen(self) -> list[int]:
        """Return which offers to empty: two to four, often the one that is filled least."""
        count = min(2 + self.random.below(3), len(self.bins))
        first = self.random.below(len(self.bins))
        if self.random.below(2) == 0:
            first = min(range(len(self.bins)), key=lambda at: self.bins[at].load)
        found = [first]
        while len(found) < count:
            other = self.random.below(len(self.bins))
            if other not in found:
                found.append(other)
        return found


def _size(asked: Sequence[int], most: Sequence[int]) -> int:
    """Return the square of the length of a vector, each dimension in shares of the largest capacity."""
    return sum((one * _FINE // top) ** 2 for one, top in zip(asked, most, strict=True))
