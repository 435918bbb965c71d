"""A policy that misbehaves as the demand says: what the host makes of it is in tests/test_misbehaving_guests.py."""

import sys

NAME, VERSION, POLICY = "misbehaving", "0.1.0", "misbehaving"

calls = 0


def score(ranking, task, offer):
    """Return a score, or do something worse."""
    global calls  # noqa: PLW0603 - that is the mistake
    match task.demand[0]:
        case 9001:
            raise ValueError("no score today")
        case 9002:
            sys.exit(3)
        case 9003:
            return 10**400
        case 9004:
            return "a text"
        case 9005:
            calls += 1
            return float(calls)
    return 0.0
