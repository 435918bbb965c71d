"""How long a lease lasts, what a task waits for besides an offer, and what is known of places."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and tables; every task and lease stays as it is."""
    # A lease of before says nothing of its length; whoever holds it writes it when it renews.
    op.add_column("owners", sa.Column("seconds", sa.Double, nullable=False, server_default="3600"))
    op.add_column("tasks", sa.Column("losses", sa.Integer, nullable=False, server_default="0"))
    op.add_column("tasks", sa.Column("not_before", sa.Double))
    op.add_column("tasks", sa.Column("avoided", sa.Text))
    op.create_table(
        "places",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("cordoned", sa.Integer, nullable=False),
        sa.Column("draining", sa.Integer, nullable=False),
        sa.Column("left_out_until", sa.Double, nullable=False),
        sa.Column("strikes", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("changed_at", sa.Double, nullable=False),
    )
    op.create_table(
        "sightings",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("offers", sa.LargeBinary, nullable=False),
    )
