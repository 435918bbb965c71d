"""The schema's revisions: what a database has, and bringing it to the newest."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from offermatch.errors import StoreError
from offermatch.extras import require
from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.schema import HEAD

__all__ = ["open_schema", "upgrade"]

_KNOWN = ("0001", "0002", "0003", "0004", "0005", HEAD)
"""The revisions this version knows, newest last."""


def open_schema(database: Database) -> None:
    """Make the tables in an empty database, and refuse any revision but the newest.

    Raises:
        StoreError: ``schema-old``, ``schema-unknown``, ``store-refused``.
    """
    with database.read() as connection:
        found = _revision(connection, database.url)
    if found is None:
        upgrade(database)
    elif found != HEAD:
        hint = "run 'offermatch store upgrade'; a copy of the database beforehand does no harm"
        raise StoreError(
            "schema-old", f"the store has the schema {found}, this version works with {HEAD}", hint, database.url
        )


def upgrade(database: Database) -> str:
    """Bring the schema to the newest revision, and return that.

    Raises:
        StoreError: ``schema-unknown``, ``store-refused``.
    """
    require("scheduler", "alembic")
    from alembic import command  # noqa: PLC0415 - takes longer to import than most commands take
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with database.write() as connection:
        # Another may have come first while this one waited for the lock.
        if _revision(connection, database.url) != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return HEAD


def _revision(connection: Connection, place: str) -> str | None:
    """Return the revision, None for an empty database."""
    names = set(inspect(connection).get_table_names())
    if "alembic_version" not in names:
        if names:
            shown = ", ".join(sorted(names)[:3])
            hint = "name a database of its own for the store"
            raise StoreError("store-refused", f"the database has tables of something else ({shown})", hint, place)
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in _KNOWN:
        hint = "it was made by a newer version of offermatch; use that"
        raise StoreError("schema-unknown", f"the store has the schema {found}, this version knows {HEAD}", hint, place)
    return found
