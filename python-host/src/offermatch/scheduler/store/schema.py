"""The tables of the newest schema; docs/scheduler.md says what the states mean.

The migrations make them, and the indexes on them.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
)

__all__ = [
    "HEAD",
    "READY",
    "STATES",
    "State",
    "dependencies",
    "groups",
    "history",
    "metadata",
    "owners",
    "payloads",
    "places",
    "queues",
    "reservations",
    "sightings",
    "store",
    "tasks",
]

HEAD = "0006"
"""The newest revision."""

State = Literal["pending", "ready", "claimed", "running", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = ("pending", "ready", "claimed", "running", "done", "failed", "cancelled")

READY: ColumnElement[str] = literal_column("'ready'")
"""Written into the statement: a partial index is used only where the planner sees its condition."""

metadata = MetaData()

# SQLite numbers rows by itself only under this very word.
_ID = BigInteger().with_variant(Integer, "sqlite")

store = Table(
    "store",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_id", BigInteger, nullable=False),
)
"""One row: what tells this store's keys from those of others, and the next task's number, which is never used again."""

tasks = Table(
    "tasks",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("waits_for", Integer, nullable=False),
    Column("demand", Text, nullable=False),
    Column("requirements", Text),
    Column("devices", BigInteger, nullable=False),
    Column("device_share", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("owner", Text),
    Column("offer", Text),
    Column("reason", Text),
    Column("fenced", Integer, nullable=False),
    Column("cancel_reason", Text),
    Column("blocked_by", BigInteger),
    Column("losses", Integer, nullable=False, server_default="0"),
    Column("not_before", Double),
    Column("avoided", Text),
    Column("queue", Text, nullable=False, server_default="default"),
    Column("time_limit", Double),
    Column("ready_at", Double),
    Column("preferences", Text),
    Column("group_id", BigInteger),
    Column("evict_reason", Text),
    Column("evicted_for", BigInteger),
    Column("submitted_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
)
"""What a cycle reads and changes.

``demand`` is a JSON object; ``requirements`` and ``preferences`` are JSON arrays as ``rules`` writes them; ``waits_for``
counts the dependencies that are not done; ``fenced`` is 1 once the cluster is to be told never to start this attempt;
``blocked_by`` is the task whose failure had this one cancelled; ``losses`` counts attempts whose server was lost; until
``not_before`` no attempt is made; ``avoided`` is a JSON array of the places where attempts failed; ``time_limit`` is how
many seconds an attempt may run; since ``ready_at`` the task could have begun; ``evict_reason`` says why its attempt is to
be ended so that the task is ready again, ``evicted_for`` for which task."""

groups = Table(
    "groups",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("least", BigInteger, nullable=False),
    Column("together", Text),
    Column("at_most", Text),
    Column("fails_together", Integer, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("started", Integer, nullable=False),
    Column("claims", BigInteger, nullable=False),
)
"""Groups of tasks. A name whose tasks have all ended may be used again, and has another row then: what ended counts for
nobody any more. ``at_most`` is a JSON object; ``started`` is 1 once as many members as ``least`` asks for ran together;
``claims`` counts the claims of members, so that of two schedulers that have placed some one is the first."""

payloads = Table(
    "payloads",
    metadata,
    Column("task_id", _ID, primary_key=True, autoincrement=False),
    Column("payload", Text, nullable=False),
    Column("inputs", Text, nullable=False),
)
"""What is read only of tasks that are about to be launched: a JSON object and a JSON array."""

dependencies = Table(
    "dependencies",
    metadata,
    Column("needs_id", _ID, primary_key=True, autoincrement=False),
    Column("task_id", _ID, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

history = Table(
    "history",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("task_id", _ID, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("offer", Text),
    Column("reason", Text),
)

owners = Table(
    "owners",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("lease_until", Double, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("started_at", Double, nullable=False),
)
"""The schedulers that hold claims, and for how many seconds at a time.

One row is one lease, so that renewing it costs the same whatever is claimed."""

places = Table(
    "places",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cordoned", Integer, nullable=False),
    Column("draining", Integer, nullable=False),
    Column("left_out_until", Double, nullable=False),
    Column("strikes", Integer, nullable=False),
    Column("reason", Text),
    Column("changed_at", Double, nullable=False),
)
"""Offers of which more is known than the cluster says. ``cordoned``: nothing new goes there, until somebody says so; with
``draining`` what runs there is ended and made ready elsewhere. ``left_out_until``: different tasks have failed there;
``strikes`` says how often in a row it was left out."""

sightings = Table(
    "sightings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("offers", LargeBinary, nullable=False),
)
"""One row: what the cluster offered when a task last found no offer, as compressed JSON."""

queues = Table(
    "queues",
    metadata,
    Column("name", Text, primary_key=True),
    Column("parent", Text),
    Column("weight", Double, nullable=False),
    Column("quota", Text),
    Column("preempts", Text),
    Column("changed_at", Double, nullable=False),
)
"""Who shares the cluster; ``quota`` is a JSON object of what a queue may hold, ``preempts`` a JSON
array of the queues whose running tasks its own may end. The queue ``default`` needs no row."""

reservations = Table(
    "reservations",
    metadata,
    Column("task_id", _ID, ForeignKey("tasks.id"), primary_key=True, autoincrement=False),
    Column("offer", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double),
)
"""Room that is held for tasks which waited too long; ``until`` is when it is free by the time limits of what runs there."""
