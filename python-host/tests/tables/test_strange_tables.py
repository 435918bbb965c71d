"""Whatever is given as a table, a column or a setting: there is an answer or an ``InputError``, nothing else."""

import collections
import datetime
import decimal
import enum
import fractions
import random
import types
import uuid

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from offermatch import (
    Group,
    InputError,
    Offer,
    OfferColumns,
    ReferenceMatcher,
    Settings,
    Task,
    TaskColumns,
    at_least,
    is_in,
    prefer,
)


class Colour(enum.Enum):
    """A value that is no number."""

    RED = 1


# fmt: off
VALUES = [
    0, 1, -1, True, None, 1.5, float("nan"), float("inf"), -0.0, 5e-324, 2**64, 2**200, -(2**63), 10**5000, 1j,
    decimal.Decimal("0.1"), decimal.Decimal("NaN"), decimal.Decimal("sNaN"), decimal.Decimal("1e999999"),
    fractions.Fraction(1, 3), "1", "2 cores", "1Gi", "", " ", "nan", "\ud800", "1" * 5000, b"1", bytearray(b"1"),
    memoryview(b"1"), [], [1], (), (1,), {}, {"cpu": 1}, {"a"}, range(3), object, lambda: 1, ..., Colour.RED,
    uuid.UUID(int=1), datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.timedelta(1),
    np.int8(1), np.uint64(2**64 - 1), np.float16(0.1), np.float64("nan"), np.longdouble(1), np.bool_(True), np.bytes_(b"1"),
    np.datetime64("2020"), np.timedelta64(1, "s"), np.ma.masked, np.array(1), np.array([1]), np.array([]), np.void(b"a"),
    pd.NA, pd.NaT, pd.Timestamp("2020"), pd.Interval(0, 1), pd.Series([1]), pd.DataFrame({"a": [1]}),
    pa.scalar(1), pa.scalar(None), pa.scalar([1]), pl.Series([1]), pl.DataFrame(), pl.lit(1), types.SimpleNamespace(),
    collections.Counter("a"), collections.deque([1]),
]
FIELDS = [
    "name", "demand", "available", "capacity", "devices", "device_share", "requirements", "preferences", "group",
    "attributes", "measures", "occupants", "cpu", "memory", "requires.gpu", "attribute.gpu", "demand.cpu", "available.cpu",
    "capacity.cpu", "at_least.m", "prefers.gpu", "prefers_weight.gpu", "measure.m", "occupants.g", "group.least",
    "group.at_most.zone", "group.together", "",
]
COLUMNS = [
    lambda n: np.arange(n) - 1,
    lambda n: np.ma.masked_array(np.arange(n), mask=[row % 2 for row in range(n)]),
    lambda n: np.array(["2020-01-01"] * n, dtype="datetime64[ns]"),
    lambda n: np.array([1] * n, dtype="timedelta64[ns]"),
    lambda n: np.ones((n, 2)),
    lambda n: np.ones(n, dtype=[("a", "i4"), ("b", "f4")]),
    lambda n: np.ones(n, dtype=">i8"),
    lambda n: np.ones(n * 2)[::2],
    lambda n: np.ones(n, dtype=complex),
    lambda n: pd.Series([None] * n, dtype="Int64"),
    lambda n: pd.Series(["a"] * n, dtype="category"),
    lambda n: pd.Series([1] * n, dtype="Sparse[int]"),
    lambda n: pd.Series([1] * n, index=[7] * n),
    lambda n: pd.Series([1] * n, dtype=pd.ArrowDtype(pa.int64())),
    lambda n: pl.Series([decimal.Decimal("1.5")] * n),
    lambda n: pl.Series([2**64] * n, dtype=pl.Int128),
    lambda n: pl.Series(["a"] * n, dtype=pl.Categorical),
    lambda n: pl.Series([[1]] * n),
    lambda n: pl.Series([{"a": 1}] * n),
    lambda n: pl.Series([None] * n),
    lambda n: pa.array([None] * n, pa.null()),
    lambda n: pa.array([None] * n, pa.duration("ns")),
    lambda n: pa.array([decimal.Decimal(10) ** 40] * n, pa.decimal256(60, 0)),
    lambda n: pa.array(["a"] * n).dictionary_encode(),
    lambda n: pa.array([True] * n),
    lambda n: pa.array([{"cpu": 1}] * n),
    lambda n: pa.array([[("cpu", 1)]] * n, pa.map_(pa.string(), pa.int64())),
    lambda n: pa.RunEndEncodedArray.from_arrays([n], [1]) if n else pa.array([]),
    lambda n: [f"t{row}" for row in range(n)],
    range,
    lambda n: "a" * n,
    lambda n: dict.fromkeys(range(n), 1),
    lambda n: set(range(n)),
]
# fmt: on


def column(rng, rows):
    kind = rng.randrange(4)
    if kind == 0:
        return [rng.choice(VALUES) for _ in range(rows)]
    return [rng.choice(VALUES)] * rows if kind == 1 else rng.choice(COLUMNS)(rows)


def table(rng):
    rows, fields = rng.randrange(4), rng.sample(FIELDS, rng.randrange(1, 5))
    fields[0] = "name" if rng.random() < 0.85 and "name" not in fields else fields[0]
    names = [f"t{row}" for row in range(rows)]
    columns = {field: names if field == "name" and rng.random() < 0.8 else column(rng, rows) for field in fields}
    row = lambda at: {field: f"t{at}" if field == "name" else rng.choice(VALUES) for field in fields}  # noqa: E731
    makers = [
        lambda: columns,
        lambda: pd.DataFrame(columns),
        lambda: pd.DataFrame(columns).set_index(fields[0]),
        lambda: pl.DataFrame(columns),
        lambda: pa.table(columns),
        lambda: pa.Table.from_arrays([pa.array(list(one)) for one in columns.values()], names=["name"] * len(columns)),
        lambda: [row(at) for at in range(rows)],
        lambda: [types.SimpleNamespace(**row(at)) for at in range(rows)],
        lambda: [Task(name, *(rng.choice(VALUES) for _ in range(rng.randrange(7)))) for name in names],
        lambda: [Offer(name, *(rng.choice(VALUES) for _ in range(rng.randrange(7)))) for name in names],
        lambda: rng.choice(VALUES),
    ]
    try:
        return rng.choice(makers)()
    except BaseException:  # noqa: BLE001 - what the library itself does not make, some of it by a panic
        return columns


TASKS, OFFERS = [Task("t", {"cpu": 1})], [Offer("o", {"cpu": 4, "memory": 4})]
OPTIONS = {
    "bad_rows": lambda _: "leave-out",
    "explain": lambda _: True,
    "strict": lambda _: True,
    "dimensions": lambda rng: rng.choice([("cpu",), rng.choice(VALUES)]),
    "name": lambda rng: rng.choice(["cpu", rng.choice(VALUES)]),
    "units": lambda rng: rng.choice([{"cpu": rng.choice(VALUES)}, rng.choice(VALUES)]),
    "weights": lambda rng: rng.choice([{"cpu": rng.choice(VALUES)}, rng.choice(VALUES)]),
    "scales": lambda rng: rng.choice([{"cpu": rng.choice(VALUES)}, rng.choice(VALUES)]),
    "parameters": lambda rng: rng.choice([{"used-first": rng.choice(VALUES)}, rng.choice(VALUES)]),
    "workload": lambda rng: rng.choice([[(Task("w", {"cpu": 1}), rng.choice(VALUES))], rng.choice(VALUES)]),
    "max_score": lambda rng: rng.choice(VALUES),
    "mode": lambda rng: rng.choice(VALUES),
}


def match(rng):
    given = {name: make(rng) for name, make in OPTIONS.items() if rng.random() < 0.08}
    tables = (table(rng), OFFERS) if rng.random() < 0.5 else (TASKS, table(rng))
    ReferenceMatcher().match(*tables, **given)


def build(rng):
    value, names, cpu = lambda: rng.choice(VALUES), ["a", "b"], {"cpu": [1, 2]}
    task = rng.choice(["devices", "device_shares", "requirements", "preferences", "groups"])
    offer = rng.choice(["capacity", "attributes", "measures", "occupants"])
    makers = [
        lambda: TaskColumns.build(column(rng, 2), {"cpu": column(rng, 2)}, **{task: column(rng, 2)}),
        lambda: TaskColumns.build(names, cpu, **{task: column(rng, 2)}),
        lambda: TaskColumns.build(names, value(), **{task: value()}),
        lambda: OfferColumns.build(names, cpu, **{offer: {"cpu": column(rng, 2)}}),
        lambda: OfferColumns.build(names, {"cpu": column(rng, 2)}, devices=column(rng, 2)),
        lambda: OfferColumns.build(names, cpu, **{offer: value()}),
        lambda: is_in(value(), value()),
        lambda: at_least(value(), value()),
        lambda: prefer(value(), value()),
        lambda: prefer(is_in("a", "b"), value()),
        lambda: Group(value(), value(), value(), value()),
        lambda: Group("g", value(), value(), {"zone": value()}),
    ]
    rng.choice(makers)()


def live(rng):
    value, pool = lambda: rng.choice(VALUES), ReferenceMatcher().open(OFFERS, Settings(mode="shared"))
    calls = [
        lambda: pool.assign(table(rng)),
        lambda: pool.explain(table(rng)),
        lambda: pool.update(added=table(rng)),
        lambda: pool.update(changed=table(rng)),
        lambda: pool.upsert(table(rng)),
        lambda: pool.update(removed=rng.choice([value(), [value()]])),
        lambda: pool.update(workload=value()),
        lambda: pool.assign([Task("t", group="g")], occupants=rng.choice([value(), {"g": value()}, {"g": {"o": value()}}])),
    ]
    rng.choice(calls)()


@pytest.mark.parametrize("ask", [match, build, live])
@pytest.mark.filterwarnings("ignore")
def test_only_input_errors_come_of_what_is_strange(ask):
    refused = []
    for seed in range(400):
        try:
            ask(random.Random(seed))
        except InputError as error:
            refused.append(error)
    assert [error for error in refused if not error.hint or error.code not in str(error)] == []
    # Strange is not hopeless, and what is refused is refused for many reasons.
    assert len(refused) < 380
    assert len({error.code for error in refused}) > 5
