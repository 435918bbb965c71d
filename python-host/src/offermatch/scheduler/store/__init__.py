"""Tasks in a SQL database."""

from offermatch.scheduler.store.leases import Lease
from offermatch.scheduler.store.store import Store
from offermatch.scheduler.store.told import Shown, Verdict

__all__ = ["Lease", "Shown", "Store", "Verdict"]
