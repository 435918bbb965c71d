"""The policy @NAME@: the offer wins that, in the dimension of which it has most left over, has least left over."""

from rows import Offer, Ranking, Task

NAME = "@NAME@"
"""The matcher's name."""
VERSION = "0.1.0"
"""The matcher's version."""
POLICY = "@NAME@"
"""The policy's name."""


def score(ranking: Ranking, task: Task, offer: Offer) -> float:
    """Return the largest of weight * (free - demand) / scale over all dimensions; the lowest score wins."""
    largest = 0.0
    for weight, free, demand, scale in zip(ranking.weights, offer.free, task.demand, ranking.scales):
        largest = max(largest, weight * float(free - demand) / float(scale))
    return largest
