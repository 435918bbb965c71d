"""Component values in and out: what crosses, and the crossing that wasmtime-py documents.

    PackedCrossing   a string a column; needs the contract's `packed` interface        (packed)
    BulkCrossing     fills wasmtime's arrays of values itself; needs their layout      (bulk)
    PublicCrossing   value by value; slow, needs nothing and is right by definition    (here)

What is lowered is a tree of plain values: ``U32``, ``F64``, ``Enum`` and ``Text`` scalars, ``Matrix`` for lists, ``Table``
for a record of columns, dicts for other records, a ``ResourceAny`` for a handle. What is lifted are ints, floats, strings,
lists, dicts for records, ``(case, payload)`` for variants. A ``result`` is its payload, wrapped in ``Refused`` if an error.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter as _clock
from typing import Any, Protocol

from wasmtime import Store
from wasmtime.component import Func, Record, Variant

from offermatch.model import Timings

__all__ = [
    "F64",
    "U32",
    "Crossing",
    "Enum",
    "Matrix",
    "PublicCrossing",
    "Refused",
    "Stage",
    "Table",
    "Text",
    "from_public",
    "to_public",
]


@dataclass(frozen=True, slots=True)
class U32:
    """A u32."""

    number: int


@dataclass(frozen=True, slots=True)
class F64:
    """An f64."""

    number: float


@dataclass(frozen=True, slots=True)
class Enum:
    """A case of an enum."""

    case: str


@dataclass(frozen=True, slots=True)
class Text:
    """A string, as the bytes of its UTF-8."""

    encoded: bytes


@dataclass(frozen=True, slots=True)
class Matrix:
    """A list of numbers or booleans: columns of one length, laid side by side row by row.

    Attributes:
        kind: ``bool``, ``u32``, ``u64`` or ``f64``.
        columns: One array a column; ``"d"`` arrays for f64, ``"Q"`` arrays for the others.
    """

    kind: str
    columns: Sequence[array[Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of tasks or offers as the contract has it: a record of how many rows and of flat columns."""

    rows: int
    columns: Mapping[str, Matrix]

    def record(self) -> dict[str, Any]:
        """Return the fields of the contract's record, in its order."""
        return {"rows": U32(self.rows), **self.columns}


@dataclass(frozen=True, slots=True)
class Refused:
    """The error of a ``result``: a variant's case and payload."""

    case: str
    payload: Any


class Crossing(Protocol):
    """Calls a component's function with lowered values and lifts the result.

    Attributes:
        name: ``packed``, ``bulk`` or ``public``.
    """

    name: str

    def call(self, store: Store, func: Func, params: Sequence[Any], timings: Timings) -> Any:
        """Return what the function returns; times are added to ``timings``.

        Raises:
            WasmtimeError: The component trapped, or the types differ.
        """


class PublicCrossing:
    """The documented interface of wasmtime-py: slow, and right by definition."""

    name = "public"

    def call(self, store: Store, func: Func, params: Sequence[Any], timings: Timings) -> Any:
        """Call through ``Func.__call__``, whose one step is timed as the call."""
        with Stage(timings, "lower"):
            values = [to_public(param) for param in params]
        with Stage(timings, "call"):
            result = func(store, *values)
        with Stage(timings, "lift"):
            return from_public(result)


def to_public(value: Any) -> Any:
    """Return a value to be lowered as wasmtime-py takes it."""
    if isinstance(value, Table):
        return to_public(value.record())
    if isinstance(value, Mapping):
        record = Record()
        for name, item in value.items():
            setattr(record, name, to_public(item))
        return record
    if isinstance(value, Matrix):
        # An empty matrix may have columns, and a matrix without columns has no rows.
        flat = [item for row in zip(*value.columns, strict=True) for item in row]
        return [bool(item) for item in flat] if value.kind == "bool" else flat
    if isinstance(value, Text):
        return value.encoded.decode()
    if isinstance(value, (U32, F64)):
        return value.number
    return value.case if isinstance(value, Enum) else value


def from_public(value: Any, *, top: bool = True) -> Any:
    """Return a value from wasmtime-py as it is lifted; a variant at the top is the error of a ``result``."""
    if isinstance(value, Record):
        return {name: from_public(item, top=False) for name, item in vars(value).items()}
    if isinstance(value, Variant):
        payload = from_public(value.payload, top=False)
        return Refused(value.tag, payload) if top else (value.tag, payload)
    if isinstance(value, list) and value and isinstance(value[0], (Record, Variant)):
        return [from_public(item, top=False) for item in value]
    return value


class Stage:
    """Adds the time a block takes to one stage of the timings."""

    __slots__ = ("_begin", "_stage", "_timings")

    def __init__(self, timings: Timings, stage: str) -> None:
        self._timings, self._stage = timings, stage

    def __enter__(self) -> None:
        self._begin = _clock()

    def __exit__(self, *_: object) -> None:
        setattr(self._timings, self._stage, getattr(self._timings, self._stage) + _clock() - self._begin)
