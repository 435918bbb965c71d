"""Queues, time limits, since when a task could have begun, and room that is held."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add columns and tables; every task is in the default queue, and has waited since it was submitted."""
    op.add_column("tasks", sa.Column("queue", sa.Text, nullable=False, server_default="default"))
    op.add_column("tasks", sa.Column("time_limit", sa.Double))
    op.add_column("tasks", sa.Column("ready_at", sa.Double))
    op.execute("UPDATE tasks SET ready_at = submitted_at WHERE state <> 'pending'")
    op.drop_index("tasks_ready", "tasks")
    op.create_index(
        "tasks_ready",
        "tasks",
        ["queue", sa.text("priority DESC"), "id"],
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_table(
        "queues",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("parent", sa.Text),
        sa.Column("weight", sa.Double, nullable=False),
        sa.Column("quota", sa.Text),
        sa.Column("changed_at", sa.Double, nullable=False),
    )
    op.create_table(
        "reservations",
        sa.Column("task_id", _ID, sa.ForeignKey("tasks.id"), primary_key=True, autoincrement=False),
        sa.Column("offer", sa.Text, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("until", sa.Double),
    )
