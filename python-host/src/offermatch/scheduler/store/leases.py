"""Leases: which scheduler may launch, and until when.

A scheduler is one row of ``owners``. While it lives it renews the row; once the row has expired, any other scheduler
deletes it, and with it everything the slow or dead one might still have done: it can neither claim nor tell any more.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from offermatch.errors import StoreError
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.schema import owners, tasks

__all__ = ["Lease", "adopt", "end", "renew", "take"]

_SLACK = 1.0
"""Seconds by which a clock may be set back without a lease being lost."""


@dataclass(slots=True)
class Lease:
    """A scheduler's right to launch.

    Attributes:
        owner: One of a kind for each life of a scheduler.
        seconds: How long it holds after it was renewed.
        deadline: When it ends, on this machine's monotonic clock; at the latest when it ends in the store.
    """

    owner: str
    seconds: float
    deadline: float = field(default=0.0)

    def held(self, margin: float = 0.25) -> bool:
        """Return whether it holds for another part ``margin`` of its length."""
        return time.monotonic() < self.deadline - margin * self.seconds


def take(connection: Connection, database: Database, seconds: float) -> Lease:
    """Return a new lease."""
    lease = Lease(secrets.token_hex(8), seconds)
    # Before the store's clock is read, so that this side never thinks it has longer than the store says.
    begin = time.monotonic()
    now = database.now(connection)
    connection.execute(insert(owners).values(owner=lease.owner, lease_until=now + seconds, seconds=seconds, started_at=now))
    lease.deadline = begin + seconds
    return lease


def renew(connection: Connection, database: Database, lease: Lease) -> None:
    """Renew a lease.

    Raises:
        StoreError: ``lease-lost``: another scheduler has ended it.
    """
    begin = time.monotonic()
    until = database.now(connection) + lease.seconds
    mine = update(owners).where(owners.c.owner == lease.owner)
    if connection.execute(mine.values(lease_until=until, seconds=lease.seconds)).rowcount != 1:
        lease.deadline = 0.0
        hint = "give schedulers a longer lease than any pause of theirs"
        raise StoreError("lease-lost", f"the lease of {lease.seconds:g} s ran out, and another scheduler took over", hint)
    lease.deadline = begin + lease.seconds


def adopt(connection: Connection, database: Database, lease: Lease) -> int:
    """End expired leases, take over what they held, and return how many tasks that is.

    One that lies further ahead than it lasts was taken while the clock was ahead. It has expired, too: its owner renews it
    by the right clock, if it lives, and is otherwise waited for until the clock is there again.
    """
    now = database.now(connection)
    expired = (owners.c.lease_until < now) | (owners.c.lease_until > now + owners.c.seconds + _SLACK)
    connection.execute(delete(owners).where(expired, owners.c.owner != lease.owner))
    orphan = tasks.c.owner.is_not(None) & tasks.c.owner.not_in(select(owners.c.owner))
    return connection.execute(update(tasks).where(orphan).values(owner=lease.owner)).rowcount


def end(connection: Connection, lease: Lease) -> None:
    """End a lease; what it held is for the next scheduler to take over."""
    connection.execute(delete(owners).where(owners.c.owner == lease.owner))
    lease.deadline = 0.0
