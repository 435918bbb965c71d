"""The policy: best-fit, the tightest offer wins."""

from rows import Offer, Ranking, Task

NAME = "best-fit-python"
"""The matcher's name."""
VERSION = "0.1.0"
"""The matcher's version."""
POLICY = "best-fit"
"""The policy's name."""


def score(ranking: Ranking, task: Task, offer: Offer) -> float:
    """Return the score of an offer that can take the task; the lowest wins.

    Subtracted in integers, then as doubles weighed and divided: Python rounds integers to the nearest double, as the
    contract does. In a loop, since ``sum`` rounds otherwise.
    """
    total = 0.0
    for weight, free, demand, scale in zip(ranking.weights, offer.free, task.demand, ranking.scales):
        total += weight * float(free - demand) / float(scale)
    return total + ranking.weights[-1] * float(sum(offer.devices) - task.devices) / float(ranking.scales[-1])
