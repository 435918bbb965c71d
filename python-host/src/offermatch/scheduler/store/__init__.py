"""Tasks in a SQL database."""

from offermatch.scheduler.store.leases import Lease
from offermatch.scheduler.store.records import Shown, Verdict
from offermatch.scheduler.store.store import Store

__all__ = ["Lease", "Shown", "Store", "Verdict"]
