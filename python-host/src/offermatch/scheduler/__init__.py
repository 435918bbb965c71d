"""A scheduler around the matcher: tasks in a SQL database, offers from a cluster, one cycle after the other.

Needs ``offermatch[scheduler]``, and ``offermatch[postgresql]`` for a store on PostgreSQL. The clusters below
``offermatch.scheduler.cluster`` need neither, so each name is imported when it is asked for. docs/embedding.md shows how the
parts go together in a program of one's own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Report
    from offermatch.scheduler.cluster.simulated import SimulatedCluster
    from offermatch.scheduler.cycle import Cycle, Observer, Span
    from offermatch.scheduler.loop import Scheduler
    from offermatch.scheduler.order import Ordered, Waiting, order_tasks
    from offermatch.scheduler.queues import Queue, read_queues
    from offermatch.scheduler.store.store import Store
    from offermatch.scheduler.submission import Submission, read_submissions
    from offermatch.scheduler.watching.telemetry import Telemetry
    from offermatch.scheduler.why import why

__all__ = [
    "Cluster",
    "Cycle",
    "Fetched",
    "Launch",
    "Launched",
    "Observer",
    "Ordered",
    "Queue",
    "Report",
    "Scheduler",
    "SimulatedCluster",
    "Span",
    "Store",
    "Submission",
    "Telemetry",
    "Waiting",
    "order_tasks",
    "read_queues",
    "read_submissions",
    "why",
]

_HOMES = {
    "cluster.abc": ("Cluster", "Fetched", "Launch", "Launched", "Report"),
    "cluster.simulated": ("SimulatedCluster",),
    "cycle": ("Cycle", "Observer", "Span"),
    "loop": ("Scheduler",),
    "order": ("Ordered", "Waiting", "order_tasks"),
    "queues": ("Queue", "read_queues"),
    "store.store": ("Store",),
    "submission": ("Submission", "read_submissions"),
    "watching.telemetry": ("Telemetry",),
    "why": ("why",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name from its home."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
