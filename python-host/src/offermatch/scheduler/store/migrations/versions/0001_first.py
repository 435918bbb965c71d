"""Tasks, their dependencies, payloads and history, and the schedulers that hold claims."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


# A partial index holds only what a cycle is about: it does not grow with the tasks that are done.
def _partial(name: str, columns: list[str | sa.TextClause], where: str) -> None:
    op.create_index(name, "tasks", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    """Make the tables."""
    made = op.create_table(
        "store",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("next_id", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(made, [{"name": secrets.token_hex(4), "next_id": 1}])
    op.create_table(
        "tasks",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("waits_for", sa.Integer, nullable=False),
        sa.Column("demand", sa.Text, nullable=False),
        sa.Column("requirements", sa.Text),
        sa.Column("devices", sa.BigInteger, nullable=False),
        sa.Column("device_share", sa.Integer, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("offer", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("fenced", sa.Integer, nullable=False),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("blocked_by", sa.BigInteger),
        sa.Column("submitted_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
    )
    _partial("tasks_ready", [sa.text("priority DESC"), "id"], "state = 'ready'")
    _partial("tasks_held", ["owner"], "owner IS NOT NULL")
    _partial("tasks_blocked", ["blocked_by"], "blocked_by IS NOT NULL")
    op.create_table(
        "payloads",
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id"), primary_key=True, autoincrement=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
    )
    op.create_table(
        "dependencies",
        sa.Column("needs_id", _ID, sa.ForeignKey("tasks.id"), primary_key=True, autoincrement=False),
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id"), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_index("dependencies_of", "dependencies", ["task_id"])
    op.create_table(
        "history",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id"), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("offer", sa.Text),
        sa.Column("reason", sa.Text),
    )
    op.create_index("history_of", "history", ["task_id"])
    op.create_table(
        "owners",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
    )
