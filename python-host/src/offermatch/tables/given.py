"""What a caller gives as tasks or offers, read a field at a time whatever it is made of.

    GivenRows      dataclasses, objects, mappings, database rows: an attribute or a key of each
    GivenColumns   frames, Arrow tables, dicts of columns

A field that rows need not have is None where no row has it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import chain
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

from offermatch.errors import InputError
from offermatch.tables.frames import columns_by_name
from offermatch.tables.ingest import kinds, texts
from offermatch.tables.most import check_rows, listed_rows
from offermatch.visible import called, shown_value

__all__ = ["Given", "GivenColumns", "GivenRows", "given"]

_MISSING = object()

# The interpreter reads an attribute that is named in the code faster than any getter that is given the name.
_READERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "name": lambda rows: [row.name for row in rows],
    "demand": lambda rows: [row.demand for row in rows],
    "available": lambda rows: [row.available for row in rows],
    "capacity": lambda rows: [row.capacity for row in rows],
    "attributes": lambda rows: [row.attributes for row in rows],
    "requirements": lambda rows: [row.requirements for row in rows],
    "devices": lambda rows: [row.devices for row in rows],
    "device_share": lambda rows: [row.device_share for row in rows],
    "preferences": lambda rows: [row.preferences for row in rows],
    "group": lambda rows: [row.group for row in rows],
    "measures": lambda rows: [row.measures for row in rows],
    "occupants": lambda rows: [row.occupants for row in rows],
}

# One look at what rows rarely say takes less time than one look at each field.
_SAYS: dict[str, Callable[[list[Any]], bool]] = {
    "preferences or group": lambda rows: any([row.preferences or row.group for row in rows]),  # noqa: C419
    "measures or occupants": lambda rows: any([row.measures or row.occupants for row in rows]),  # noqa: C419
}


class Given(ABC):
    """Tasks or offers as they were given.

    Attributes:
        source: What they are called in errors.
        name: The field that has the names.
        fields: The fields there are; None for objects, whose attributes are not listed.
    """

    source: str
    name: str
    fields: Collection[str] | None

    @abstractmethod
    def __len__(self) -> int:
        """Return how many rows there are."""

    @abstractmethod
    def picked(self, rows: Sequence[int]) -> Given:
        """Return some rows only."""

    @abstractmethod
    def read(self, field: str, names: Sequence[str]) -> Any:
        """Return the column of a field that every row has.

        Raises:
            InputError: ``missing-column``.
        """

    @abstractmethod
    def optional(self, field: str, empty: Any) -> Any:
        """Return the column of a field, in which rows that do not have it get ``empty``; None where no row has it."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names.

        Raises:
            InputError: ``missing-column``.
        """

    def never_says(self, what: str) -> bool:
        """Return whether no row says any of what a key of ``_SAYS`` names; False where it takes a closer look."""
        del what
        return False

    def has(self, field: str) -> bool:
        """Return whether the rows have a field."""
        return self.fields is not None and field in self.fields

    def prefixed(self, prefix: str) -> dict[str, Any]:
        """Return the columns of the fields with a prefix, by what follows it."""
        texts = [field for field in self.fields or () if isinstance(field, str)]
        found = [field for field in texts if field.startswith(prefix) and len(field) > len(prefix)]
        return {field[len(prefix) :]: self.optional(field, None) for field in found}

    def place(self, row: int, names: Sequence[str], field: str = "") -> str:
        """Return where a row stands, for errors."""
        return called(f"{self.source}, row {row}", names[row]) + (f", {field}" if field else "")


class GivenRows(Given):
    """Rows, all of them mappings or all of them objects.

    Attributes:
        listed: The rows.
        keyed: Whether they are mappings.
    """

    def __init__(self, listed: list[Any], source: str, name: str, *, keyed: bool) -> None:
        """Take rows of one kind."""
        self.listed, self.source, self.name, self.keyed = listed, source, name, keyed
        self.kinds = set() if keyed else kinds(listed)
        self.fields = dict.fromkeys(chain.from_iterable(listed)) if keyed else None

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.listed)

    def picked(self, rows: Sequence[int]) -> GivenRows:
        """Return some rows only."""
        return GivenRows([self.listed[row] for row in rows], self.source, self.name, keyed=self.keyed)

    def converted(self, convert: Callable[[Any, str], Any]) -> GivenRows:
        """Return the objects that are made of the rows, each with its place for errors."""
        listed = [convert(row, f"{self.source}, row {at}") for at, row in enumerate(self.listed)]
        return GivenRows(listed, self.source, self.name, keyed=False)

    def names(self) -> list[Any]:
        """Return the names, missing ones as None."""
        rows, name = self.listed, self.name
        try:
            if self.keyed:
                return [row[name] for row in rows]
            return _READERS[name](rows) if name in _READERS else list(map(attrgetter(name), rows))
        except (AttributeError, KeyError):
            return [row.get(name) for row in rows] if self.keyed else [getattr(row, name, None) for row in rows]

    def read(self, field: str, names: Sequence[str]) -> list[Any]:
        """Return the column of a field that every row has."""
        try:
            return self._read(field)
        except (AttributeError, KeyError):
            rows = enumerate(self.listed)
            row = next(at for at, found in rows if not (field in found if self.keyed else hasattr(found, field)))
            what = "a key" if self.keyed else "an attribute"
            hint = f"give every row what it has; with dimensions=(...) each dimension is {what} of the row"
            raise InputError(
                "missing-column", f"the row has no {shown_value(field)}", hint, self.place(row, names)
            ) from None

    def optional(self, field: str, empty: Any) -> list[Any] | None:
        """Return the column of a field, filled where it is missing."""
        if self.keyed:
            if not self.has(field):
                return None
        elif not self._may_have(field):
            return None
        try:
            return self._read(field)
        except (AttributeError, KeyError):
            if self.keyed:
                return [row.get(field, empty) for row in self.listed]
            column = [getattr(row, field, _MISSING) for row in self.listed]
            if all(value is _MISSING for value in column):
                return None
            return [empty if value is _MISSING else value for value in column]

    def never_says(self, what: str) -> bool:
        """Return whether no row says any of this."""
        if self.keyed:
            return False
        try:
            # Where the first row says it, all the others need no look.
            return not _SAYS[what](self.listed[:1]) and not _SAYS[what](self.listed)
        except Exception:  # noqa: BLE001 - of a row without such a field, or a value that is neither true nor false
            return False

    def _may_have(self, field: str) -> bool:
        """Whether some object may have an attribute."""
        return (
            any(hasattr(kind, field) or hasattr(kind, "__getattr__") for kind in self.kinds) or field in self._set_on_objects
        )

    @cached_property
    def _set_on_objects(self) -> Collection[str]:
        """The attributes that objects have and their classes do not."""
        kept = {kind for kind in self.kinds if "__dict__" in dir(kind)}
        return set().union(*[row.__dict__ for row in self.listed if type(row) in kept]) if kept else ()

    def _read(self, field: str) -> list[Any]:
        if self.keyed:
            return [row[field] for row in self.listed]
        return _READERS[field](self.listed) if field in _READERS else list(map(attrgetter(field), self.listed))


class GivenColumns(Given):
    """A table in columns.

    Attributes:
        columns: The columns by name, of any library.
    """

    def __init__(self, columns: Mapping[str, Any], rows: int, source: str, name: str) -> None:
        """Take columns of one length."""
        self.columns, self.rows, self.source, self.name = columns, rows, source, name
        self.fields = columns.keys()

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self.rows

    def picked(self, rows: Sequence[int]) -> GivenColumns:
        """Return some rows only."""
        columns = {name: _picked(column, rows) for name, column in self.columns.items()}
        return GivenColumns(columns, len(rows), self.source, self.name)

    def names(self) -> list[Any]:
        """Return the names, missing ones as None."""
        return texts(self.columns[self.name])

    def read(self, field: str, names: Sequence[str]) -> Any:
        """Return the column of a field."""
        del names
        column = self.columns.get(field)
        if column is None:
            hint = "the columns are " + ", ".join(map(str, self.columns))
            raise InputError("missing-column", f"there is no column {shown_value(field)}", hint, self.source)
        return column

    def optional(self, field: str, empty: Any) -> Any:
        """Return the column of a field."""
        del empty
        return self.columns.get(field)


def given(table: Any, source: str, name: str) -> Given:
    """Return tasks or offers as what they are made of.

    Raises:
        InputError: Neither rows nor a table, or columns that do not belong together.
    """
    columns = columns_by_name(table, source)
    if columns is not None:
        return _columns(columns, source, name)
    try:
        listed = listed_rows(table, source)
    except TypeError:
        hint = "give rows, a frame, a dictionary of columns, or the path of a file"
        raise InputError("file-malformed", f"{shown_value(table)} is no table", hint, source) from None
    found = {kind: _keyed(kind) for kind in kinds(listed)}
    if not any(found.values()):
        return GivenRows(listed, source, name, keyed=False)
    if found.keys() != {dict}:
        listed = [_mapping(row) if found[type(row)] else row for row in listed]
    if all(found.values()):
        return GivenRows(listed, source, name, keyed=True)
    # Mappings among objects: the few of them become objects, too.
    named = [SimpleNamespace(**{str(key): row[key] for key in row}) if isinstance(row, dict) else row for row in listed]
    return GivenRows(named, source, name, keyed=False)


def _columns(columns: dict[str, Any], source: str, name: str) -> GivenColumns:
    if name not in columns:
        hint = f"say which column has the names with name=...; the columns are {', '.join(columns) or 'none'}"
        raise InputError("missing-column", f"there is no column {shown_value(name)}", hint, source)
    lengths = {}
    for field, column in columns.items():
        try:
            if isinstance(column, (str, bytes, Mapping, set, frozenset)) or _has_columns(column):
                raise TypeError  # noqa: TRY301 - as of what has no length
            lengths[field] = len(column)
        except TypeError:
            hint = "a column is a list, an array or a series, one value a row"
            raise InputError("column-length", f"{shown_value(column)} is no column", hint, f"{source}, {field}") from None
    rows = lengths[name]
    check_rows(rows, source)
    for field, length in lengths.items():
        if length != rows:
            message = f"{length} values stand beside {rows} names"
            raise InputError("column-length", message, "all columns of a table have one length", f"{source}, {field}")
    return GivenColumns(columns, rows, source, name)


def _has_columns(column: Any) -> bool:
    """Whether what stands for a column has more than one axis, as a frame or a matrix."""
    return getattr(column, "ndim", 1) != 1 or hasattr(column, "column_names") or hasattr(column, "columns")


def _keyed(kind: type) -> bool:
    """Whether rows of a kind are read by their keys: mappings, and what databases return."""
    if issubclass(kind, Mapping) or hasattr(kind, "_mapping"):
        return True
    return hasattr(kind, "keys") and hasattr(kind, "__getitem__")


def _mapping(row: Any) -> dict[str, Any]:
    """Return a row of a database, or a mapping of any kind, as a dictionary."""
    # SQLAlchemy's rows are tuples that have their mapping beside them.
    return dict(row if isinstance(row, Mapping) else getattr(row, "_mapping", row))


def _picked(column: Any, rows: Sequence[int]) -> Any:
    """Return some values of a column of any library."""
    if not len(rows):
        return column[:0]
    library = type(column).__module__.partition(".")[0]
    # What a library cannot pick from, such as a column of another byte order, is picked from as values.
    with suppress(Exception):
        if library in ("pandas", "pyarrow"):
            return column.take(list(rows))
        if library == "numpy":
            return column[list(rows)]
        if library == "polars" and str(column.dtype).startswith(("Int", "UInt", "Float")):
            return column.gather(list(rows))
    values = texts(column)
    return [values[row] for row in rows]
