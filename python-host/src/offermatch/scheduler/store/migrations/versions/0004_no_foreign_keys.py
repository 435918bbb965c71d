"""No foreign keys on what is written by the ten thousand.

Each of these rows is written in the transaction that has found or made its task, and no task is ever deleted, so that the
keys can refuse nothing. PostgreSQL looked each row up again, one by one: half of the time of a submission, and of a line of
history. SQLite does not look, and has its tables written anew without them, so that the schema is one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_KEYS = {"payloads": ("task_id",), "dependencies": ("needs_id", "task_id"), "history": ("task_id",)}


def upgrade() -> None:
    """Drop the keys; every row stays as it is."""
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in _KEYS.items():
            for column in columns:
                op.drop_constraint(f"{table}_{column}_fkey", table, type_="foreignkey")
        return
    metadata = sa.MetaData()
    sa.Table(
        "payloads",
        metadata,
        sa.Column("task_id", _ID, primary_key=True, autoincrement=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
    )
    sa.Table(
        "dependencies",
        metadata,
        sa.Column("needs_id", _ID, primary_key=True, autoincrement=False),
        sa.Column("task_id", _ID, primary_key=True, autoincrement=False),
        sa.Index("dependencies_of", "task_id"),
        sqlite_with_rowid=False,
    )
    sa.Table(
        "history",
        metadata,
        sa.Column("id", _ID, primary_key=True),
        sa.Column("task_id", _ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("offer", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Index("history_of", "task_id"),
    )
    for made in metadata.sorted_tables:
        with op.batch_alter_table(made.name, copy_from=made, recreate="always"):
            pass
