"""One database behind two dialects: transactions, what they share, and what SQLite and PostgreSQL each do in their way."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    Table,
    Text,
    any_,
    create_engine,
    event,
    func,
    literal,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from offermatch.errors import InputError, OffermatchError, StoreError
from offermatch.extras import require

__all__ = ["Database"]

_BUSY_SECONDS = 60.0
"""How long a writer of SQLite waits for another."""
_CACHE_KIBIBYTES = 64 * 1024
"""Of SQLite's pages that a connection keeps: those that a cycle of some ten thousand tasks walks."""
_CHECKPOINT_PAGES = 8_000
"""Pages in SQLite's log after which a commit copies them into the file; a large cycle writes half as many."""
_MANY = 10_000
"""Rows after which PostgreSQL's planner needs new figures at once; it looks for itself about once a minute."""
_UNWRITABLE = ("disk is full", "readonly database", "disk I/O error", "No space left on device", "read-only transaction")
"""What SQLite and PostgreSQL say of a disk that takes nothing more."""
_UNREACHABLE = ("OperationalError", "InterfaceError")
"""What SQLAlchemy and the drivers call an error of the connection."""
_LOCK = 0x6F666D
"""The number of PostgreSQL's advisory lock that writers of the task graph take; any would do."""


class Database:
    """Where a store lives.

    Attributes:
        url: Its address, without the password.
        sqlite: Whether it is SQLite; PostgreSQL otherwise.
    """

    def __init__(self, url: str) -> None:
        """Name a database; nothing is opened yet.

        Raises:
            InputError: ``setting-malformed`` for an address that cannot be used, ``extra-missing``.
        """
        hint = "such as sqlite:///tasks.db or postgresql://user@host/database"
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise InputError("setting-malformed", f"{url!r} is not the address of a database", hint, "store") from error
        kind = parsed.get_backend_name()
        if kind not in ("sqlite", "postgresql"):
            raise InputError("setting-malformed", f"{kind!r} is not a database that can be used", hint, "store")
        self.sqlite = kind == "sqlite"
        if self.sqlite and parsed.database in (None, "", ":memory:"):
            raise InputError("setting-malformed", "a store is a file", hint, "store")
        self._file = Path(parsed.database) if self.sqlite and parsed.database else None
        self.url = parsed.render_as_string(hide_password=True)
        if not self.sqlite:
            require("postgresql", "psycopg")
            parsed = parsed.set(drivername="postgresql+psycopg")
        # The driver's own are of what it is asked without SQLAlchemy between.
        self._errors = (SQLAlchemyError, sqlite3.Error if self.sqlite else import_module("psycopg").Error)
        arguments: dict[str, Any] = (
            {"timeout": _BUSY_SECONDS} if self.sqlite else {"connect_timeout": 10, "prepare_threshold": None}
        )
        try:
            # A connection that the server has closed meanwhile is found out before it is used.
            self._engine = create_engine(parsed, connect_args=arguments, pool_pre_ping=not self.sqlite)
        except (ArgumentError, NoSuchModuleError) as error:
            raise InputError("setting-malformed", str(error), hint, "store") from error
        if self.sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    def is_missing(self) -> bool:
        """Return whether this is a file of SQLite that the first look at it would make."""
        return self._file is not None and not self._file.exists()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a transaction that only reads.

        Raises:
            StoreError: ``store-unreachable`` or ``store-refused``.
        """
        with self._our_errors(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, alone: bool = True) -> Iterator[Connection]:
        """Give a transaction that is committed at the end.

        Args:
            alone: Whether other writers that ask for the same wait until it ends. On SQLite all do.

        Raises:
            StoreError: ``store-unreachable`` or ``store-refused``; whether it was committed is not known then.
        """
        with self._our_errors(), self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            if alone and not self.sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    def now(self, connection: Connection) -> float:
        """Return the clock that leases are measured by: the server's, or this machine's where the store is a file on it."""
        if self.sqlite:
            return time.time()
        return float(connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one())

    def among(self, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
        """Return the condition that a column is one of many integers or texts, in one parameter.

        It costs the same whatever the planner believes about the table.
        """
        if self.sqlite:
            return column.in_(select(func.json_each(json.dumps(list(values))).table_valued("value").c.value))
        return column == any_(literal(list(values), ARRAY(_kind(values))))

    def given(self, **columns: Sequence[Any]) -> FromClause:
        """Return columns of integers or texts as a table to join with.

        Join it by a primary key and by nothing else: what a planner believes to be one row, it pairs with all of these.
        """
        if self.sqlite:
            value = func.json_each(json.dumps(list(zip(*columns.values(), strict=True)))).table_valued("value").c.value
            extracted = [func.json_extract(value, f"$[{at}]").label(name) for at, name in enumerate(columns)]
            # Left to itself, SQLite would read the parameter anew for every row of the other table.
            return select(*extracted).cte().prefix_with("MATERIALIZED")
        return _unnested({name: (list(column), _kind(column)) for name, column in columns.items()})

    def insert(self, connection: Connection, table: Table, columns: Mapping[str, Sequence[Any]]) -> None:
        """Insert rows that are given as columns, in the way that is fast on this database."""
        names = ", ".join(columns)
        rows = zip(*columns.values(), strict=True)
        driver: Any = connection.connection.driver_connection
        if self.sqlite:
            driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608 - names of the schema
            return
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def rows(self, connection: Connection, statement: Executable) -> list[tuple[Any, ...]]:
        """Return the rows of a statement as the driver has them, without names: of thousands, the names cost most."""
        cursor = connection.execute(statement).cursor
        return list(cursor.fetchall()) if cursor is not None else []

    def analyse(self, connection: Connection, rows: int) -> None:
        """Let the planner know of so many new rows, if they are many."""
        if not self.sqlite and rows >= _MANY:
            connection.execute(text("ANALYZE tasks, dependencies, payloads"))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except OffermatchError:
            raise
        except self._errors as error:
            cause = str(getattr(error, "orig", None) or error).strip()
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            unreachable = lost or any(kind.__name__ in _UNREACHABLE for kind in type(error).__mro__)
            if any(sign in cause for sign in _UNWRITABLE):
                hint = "make room, or have it writable; nothing that was committed is lost"
                raise StoreError("store-unwritable", cause, hint, self.url) from error
            if unreachable:
                hint = "see that the database runs and takes connections; nothing that was committed is lost"
                raise StoreError("store-unreachable", cause, hint, self.url) from error
            raise StoreError("store-refused", cause, "is this a store of offermatch?", self.url) from error


def _unnested(columns: Mapping[str, tuple[list[Any], Any]]) -> FromClause:
    arrays = [literal(values, ARRAY(kind)) for values, kind in columns.values()]
    return func.unnest(*arrays).table_valued(*columns).render_derived()


def _kind(column: Sequence[Any]) -> Any:
    return BigInteger() if any(isinstance(value, int) for value in column) else Text()


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # SQLAlchemy begins transactions itself, below; the module must not.
    connection.isolation_level = None
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # Turning it on waits for nobody, whatever the time-out; on is on for all who come later. Only a lock goes
            # away by itself: a full or read-only disk is told at once.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    # A claim has to be on the disk before the launch that follows from it.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
