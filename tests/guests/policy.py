"""A policy that misbehaves as the demand says: tests/test_misbehaving_guests.py has what the host makes of it."""

import sys

from rows import Offer, Ranking, Task

NAME = POLICY = "misbehaving"
VERSION = "0.1.0"

calls = []


def score(ranking: Ranking, task: Task, offer: Offer) -> float:
    """Return 0.0, if at all."""
    match task.demand[0]:
        case 9001:
            raise ValueError("no such rack")
        case 9002:
            sys.exit(3)
        case 9003:
            return float(2**2000)
        case 9004:
            return "cheap"
        case 9005:
            calls.append(task)
            return float(len(calls))
    return 0.0
