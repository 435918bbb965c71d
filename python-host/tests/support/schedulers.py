"""Schedulers with a matcher that is always there."""

from offermatch import ReferenceMatcher
from offermatch.scheduler.loop import Scheduler

__all__ = ["scheduler"]


def scheduler(store, cluster, **settings):
    """Return a scheduler that waits a second between cycles."""
    return Scheduler(store, cluster, ReferenceMatcher(), **{"interval": 1.0, **settings})
