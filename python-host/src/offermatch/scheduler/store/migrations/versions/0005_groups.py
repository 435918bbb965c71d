"""Preferences, groups of tasks, and attempts that end so that others can run."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add columns and a table; no task is in a group, and no queue ends what runs in another."""
    op.add_column("tasks", sa.Column("preferences", sa.Text))
    op.add_column("tasks", sa.Column("group_id", sa.BigInteger))
    op.add_column("tasks", sa.Column("evict_reason", sa.Text))
    op.add_column("tasks", sa.Column("evicted_for", sa.BigInteger))
    op.create_index(
        "tasks_group",
        "tasks",
        ["group_id"],
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_table(
        "groups",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("least", sa.BigInteger, nullable=False),
        sa.Column("together", sa.Text),
        sa.Column("at_most", sa.Text),
        sa.Column("fails_together", sa.Integer, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("started", sa.Integer, nullable=False),
        sa.Column("claims", sa.BigInteger, nullable=False),
    )
    op.create_index("groups_name", "groups", ["name"])
    op.add_column("queues", sa.Column("preempts", sa.Text))
