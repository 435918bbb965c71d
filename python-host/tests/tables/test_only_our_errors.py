"""Whatever stands in a table: it is used, or refused in our words. No exception of another library comes out."""

import datetime
import decimal
import fractions
import uuid

import numpy
import pandas
import polars
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offermatch import InputError, Offer, ReferenceMatcher, Task, is_in

ODD = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**64,
    -(2**70),
    0.5,
    1.0,
    float("nan"),
    float("inf"),
    1e300,
    1 + 2j,
    "",
    " ",
    "a",
    "5",
    "-5",
    "5 GiB",
    "\ud800",
    "\x00",
    b"",
    b"5",
    bytearray(b"5"),
    (),
    (1,),
    (None,),
    [],
    [1],
    [[]],
    ["a"],
    [None],
    {},
    {"gpu": 1},
    {1: 2},
    {"gpu": None},
    {"": ""},
    set(),
    {1},
    frozenset({"a"}),
    range(3),
    object(),
    Ellipsis,
    NotImplemented,
    int,
    len,
    lambda: 1,
    Exception("x"),
    decimal.Decimal("1.5"),
    decimal.Decimal("NaN"),
    decimal.Decimal("sNaN"),
    decimal.Decimal("Infinity"),
    fractions.Fraction(1, 3),
    datetime.datetime(2026, 1, 1),
    datetime.timedelta(1),
    datetime.date(2026, 1, 1),
    uuid.UUID(int=1),
    numpy.int64(1),
    numpy.uint64(2**64 - 1),
    numpy.float32(0.1),
    numpy.float64("nan"),
    numpy.bool_(True),
    numpy.str_("a"),
    numpy.bytes_(b"a"),
    numpy.datetime64("2026-01-01", "ns"),
    numpy.timedelta64(1, "ns"),
    numpy.datetime64("NaT"),
    numpy.ma.masked,
    numpy.array(1),
    numpy.array([1]),
    numpy.array([]),
    numpy.array(["a"]),
    numpy.zeros((2, 2)),
    numpy.array([object()], dtype=object),
    numpy.ma.array([1], mask=[True]),
    pandas.NA,
    pandas.NaT,
    pandas.Timestamp("2026-01-01"),
    pandas.Timedelta(1),
    pandas.Series([1]),
    pandas.Series([None]),
    pandas.Series([], dtype=object),
    pandas.DataFrame({"a": [1]}),
    pandas.Index([1]),
    pandas.Categorical(["a"]),
    pandas.Interval(0, 1),
    pandas.Period("2026"),
    polars.Series([1]),
    polars.Series([None]),
    polars.Series([{"a": 1}]),
    polars.Series([[1]]),
    polars.DataFrame({"a": [1]}),
    polars.lit(1),
    polars.Series([1], dtype=polars.Duration("ns")),
    pyarrow.array([1]),
    pyarrow.array([None]),
    pyarrow.scalar(1),
    pyarrow.scalar(None),
    pyarrow.array([{"a": 1}]),
    pyarrow.array([b"a"]),
    pyarrow.array([1], type=pyarrow.timestamp("ns")),
    pyarrow.table({"a": [1]}),
    pyarrow.nulls(2),
    is_in("zone", "a"),
    [is_in("zone", "a")],
    Task("a"),
    Offer("a"),
    {"attribute": "zone", "in": ["a"]},
    [{"attribute": "zone", "in": ["a"]}],
    [{"attribute": {}, "in": [{}]}],
    iter([1]),
    (one for one in [1]),
]
odd = st.sampled_from(ODD)
MATCHER = ReferenceMatcher()
pytestmark = pytest.mark.filterwarnings("ignore")


def answered(tasks, offers, **options):
    try:
        return MATCHER.match(tasks, offers, **options)
    except InputError as error:
        return error


def tried(tasks, offers, **options):
    for bad_rows in ("refuse", "leave-out"):
        found = answered(tasks, offers, bad_rows=bad_rows, explain=True, **options)
        if isinstance(found, InputError):
            assert found.hint
            assert len(str(found)) < 20_000
        else:
            assert repr(found)


@settings(max_examples=100)
@given(odd, odd, odd, odd, odd)
def test_tasks(name, demand, requirements, devices, share):
    offers = [Offer("o", {"gpu": 1})]
    tried([Task(name, {"gpu": demand}, requirements, devices, share)], offers)
    tried([Task("good"), Task(name, demand, requirements)], offers)
    tried(
        [{"name": name, "demand": demand, "requirements": requirements, "devices": devices, "device_share": share}], offers
    )
    tried([{"name": name, "gpu": demand, "devices": devices}], offers, dimensions=("gpu",))
    tried([{"name": "a", "requirements": [{"attribute": name, "in": demand, "not_in": requirements}]}], offers)


@settings(max_examples=100)
@given(odd, odd, odd, odd, odd)
def test_offers(name, available, capacity, attributes, devices):
    tasks = [Task("t", {"gpu": 1}, [is_in("zone", "a")])]
    tried(tasks, [Offer(name, {"gpu": available}, {"gpu": capacity}, {"zone": attributes}, devices)])
    tried(tasks, [Offer("good"), Offer(name, available, capacity, attributes, devices)])
    tried(
        tasks, [{"name": name, "available": available, "capacity": capacity, "attributes": attributes, "devices": devices}]
    )
    tried(tasks, [Offer("a", {"gpu": 1}, devices=[available, capacity])])


@settings(max_examples=100)
@given(
    st.lists(odd, min_size=1, max_size=3),
    st.lists(odd, max_size=3),
    st.sampled_from(["gpu", "demand", "requires.zone", "requirements", "devices", "device_share"]),
)
def test_columns(names, values, column):
    offers = {"name": ["o"], "gpu": [1]}
    tried({"name": names, column: values}, offers)
    tried({"name": ["a"] * len(values), column: values}, offers)
    plain = all(type(value) in (int, float, str, bool, type(None)) for value in values)
    for column_of in (pandas.Series, pyarrow.array, numpy.array, *([polars.Series] if plain else [])):
        try:
            made = column_of(values)
        except Exception:  # noqa: BLE001 - the library cannot hold them
            continue
        tried({"name": list("abc")[: len(values)], column: made}, offers)


@settings(max_examples=100)
@given(odd, odd)
def test_anything_for_a_table(tasks, offers):
    tried(tasks, [Offer("o", {"gpu": 1})])
    tried([Task("t", {"gpu": 1})], offers)
    tried([tasks], [offers])
    tried({"name": tasks}, {"name": offers})
    tried({"name": ["a"], "gpu": tasks}, {"name": ["o"], "attribute.zone": offers})
