"""However a table comes in, the same table crosses."""

from array import array
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy
import pandas
import polars
import pyarrow
import pytest

from offermatch import InputError, Offer, OfferColumns, Task, TaskColumns, is_in
from offermatch.tables.input import offer_columns, task_columns

NUMBERS = [3, 0, 2**40, 7]
LARGE = [3, 2**63 + 1, 2**64 - 1, 7]


def as_numbers(column):
    return TaskColumns.build(None, {"slots": column}).demand["slots"].tolist()


@pytest.mark.parametrize(
    "convert",
    [
        list,
        tuple,
        iter,
        lambda values: array("Q", values),
        lambda values: array("q", values),
        lambda values: memoryview(array("L", values)),
        lambda values: memoryview(array("Q", [item for value in values for item in (value, 99)]))[::2],
        numpy.array,
        lambda values: numpy.array(values, dtype=">u8"),
        lambda values: numpy.array(values, dtype="f8"),
        lambda values: numpy.array(values, dtype=object),
        lambda values: numpy.array([values, values]).T[:, 0],
        pandas.Series,
        lambda values: pandas.Series(values, dtype="Int64"),
        polars.Series,
        pyarrow.array,
        lambda values: pyarrow.chunked_array([values[:2], values[2:]]),
        lambda values: [numpy.int64(value) for value in values],
        lambda values: [str(value) for value in values],
    ],
)
def test_columns_of_any_library_are_the_same_column(convert):
    assert as_numbers(convert(NUMBERS)) == NUMBERS


@pytest.mark.parametrize(
    "convert",
    [
        list,
        lambda values: array("Q", values),
        lambda values: numpy.array(values, dtype="u8"),
        polars.Series,
        lambda values: pyarrow.array(values, type=pyarrow.uint64()),
    ],
)
def test_numbers_above_63_bits_come_in_unharmed(convert):
    assert as_numbers(convert(LARGE)) == LARGE


@pytest.mark.parametrize("typecode", ["b", "B", "h", "H", "i", "I", "l", "L"])
def test_every_width_of_integer_is_taken(typecode):
    assert as_numbers(array(typecode, [1, 2, 3])) == [1, 2, 3]
    assert as_numbers(numpy.array([1, 2, 3], dtype=typecode)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ([1, True], "quantity-malformed"),
        ([1, -2], "quantity-negative"),
        ([1, 0.5], "quantity-fractional"),
        ([1, 2**64], "quantity-too-large"),
        ([1, None], "quantity-malformed"),
        ([1, float("nan")], "quantity-not-finite"),
        (array("q", [1, -2]), "quantity-negative"),
        (array("d", [1, 0.5]), "quantity-fractional"),
        (numpy.array([1, -2]), "quantity-negative"),
        (numpy.array([1, 0.5]), "quantity-fractional"),
        (numpy.array([1, numpy.inf]), "quantity-not-finite"),
        (numpy.array([1, 2.0**64]), "quantity-too-large"),
        (pandas.Series([1, -2]), "quantity-negative"),
        (pandas.Series([1, None]), "quantity-malformed"),
        (polars.Series([1, -2]), "quantity-negative"),
        (pyarrow.array([1, None]), "quantity-malformed"),
    ],
)
def test_a_bad_value_is_named_with_its_row(column, code):
    with pytest.raises(InputError) as caught:
        TaskColumns.build(["a", "b"], {"slots": column})
    assert (caught.value.code, caught.value.place) == (code, "tasks, row 1 (b), demand.slots")


@pytest.mark.parametrize(
    "column",
    [
        [1, None],
        [1, pandas.NA],
        [1, pandas.NaT],
        [1, numpy.ma.masked],
        pandas.Series([1, None]),
        pandas.Series([1, None], dtype="Int64"),
        pandas.Series([1, None], dtype="int64[pyarrow]"),
        pandas.Index([1.0, None]),
        polars.Series([1, None]),
        pyarrow.array([1, None]),
        pyarrow.chunked_array([[1], [None]]),
        numpy.ma.array([1, 5], mask=[False, True]),
        numpy.array([1, None], dtype=object),
    ],
)
def test_a_value_that_is_missing_is_called_null_with_its_row(column):
    with pytest.raises(InputError, match="the value is null") as caught:
        TaskColumns.build(["a", "b"], {"cpu": column})
    assert (caught.value.code, caught.value.place) == ("quantity-malformed", "tasks, row 1 (b), demand.cpu")
    assert caught.value.hint.startswith("write cores as")


def test_a_mask_that_hides_nothing_is_none():
    assert as_numbers(numpy.ma.array([1, 2])) == [1, 2]


@pytest.mark.parametrize(
    "column",
    [
        numpy.array([1, 2], dtype="datetime64[ns]"),
        numpy.array([1, 2], dtype="timedelta64[ns]"),
        [numpy.datetime64(1, "ns"), numpy.datetime64(2, "ns")],
        [numpy.timedelta64(1, "ns"), numpy.timedelta64(2, "ns")],
        pandas.Series(pandas.to_datetime([1, 2])),
        pandas.Series(pandas.to_datetime([1, 2], utc=True)),
        pandas.Series(pandas.to_timedelta([1, 2])),
        polars.Series([1, 2], dtype=polars.Datetime("ns")),
        polars.Series([1, 2], dtype=polars.Duration("ns")),
        polars.Series([1, 2], dtype=polars.Date),
        pyarrow.array([1, 2], type=pyarrow.timestamp("ns")),
        pyarrow.array([1, 2], type=pyarrow.duration("ns")),
        [datetime(2026, 1, 1), timedelta(1)],
    ],
)
def test_dates_and_durations_are_no_quantities(column):
    with pytest.raises(InputError) as caught:
        TaskColumns.build(["a", "b"], {"cpu": column})
    assert (caught.value.code, caught.value.place) == ("quantity-malformed", "tasks, row 0 (a), demand.cpu")


@pytest.mark.parametrize("kind", ["Int128", "UInt128"])
def test_integers_of_128_bits_count_where_they_fit(kind):
    kind = getattr(polars, kind)
    assert as_numbers(polars.Series([1, 2**64 - 1], dtype=kind)) == [1, 2**64 - 1]
    with pytest.raises(InputError) as caught:
        TaskColumns.build(["a", "b"], {"cpu": polars.Series([1, 2**64], dtype=kind)})
    assert (caught.value.code, caught.value.place) == ("quantity-too-large", "tasks, row 1 (b), demand.cpu")


def test_decimals_of_a_library_count_where_they_are_whole():
    assert as_numbers(pyarrow.array([Decimal("2.0")])) == as_numbers(polars.Series([Decimal("2.0")])) == [2]


@pytest.mark.parametrize("column", ["12", b"12", {1, 2}, frozenset((1, 2)), {0: 1, 1: 2}, 5, None, 1.5, object()])
def test_what_is_no_column_is_refused(column):
    for build in (
        lambda: TaskColumns.build(["a", "b"], {"cpu": column}),
        lambda: OfferColumns.build(["a", "b"], {}, capacity={"cpu": column}),
        lambda: OfferColumns.build(["a", "b"], {}, attributes={"zone": column}),
    ):
        with pytest.raises(InputError) as caught:
            build()
        assert caught.value.code == "column-length"


def test_booleans_are_no_numbers():
    with pytest.raises(InputError, match="boolean"):
        as_numbers(numpy.array([True, False]))


def test_a_column_has_one_axis():
    with pytest.raises(InputError) as caught:
        as_numbers(numpy.array([[1], [2]]))
    assert caught.value.code == "column-length"


def test_frames_match_as_rows_do(matcher):
    cpu, memory = [1, 2, 3, 2], [5, 5, 1, 5]
    names = ["a", "b", "c", "d"]
    rows = [Task(name, {"cpu": c, "memory": m}) for name, c, m in zip(names, cpu, memory, strict=True)]
    offers = [Offer(f"o{at}", {"cpu": at, "memory": 6}, attributes={"zone": None}) for at in range(5)]
    expected = matcher.match(rows, offers)
    data = {"name": names, "cpu": cpu, "memory": memory}
    for frame in (pandas.DataFrame(data), polars.DataFrame(data), pyarrow.table(data)):
        tasks = TaskColumns.build(frame["name"], {"cpu": frame["cpu"], "memory": frame["memory"]})
        assert matcher.match(tasks, offers).assignments == expected.assignments


def test_attributes_and_devices_come_in_columns(matcher):
    rows = [Offer("a", {"cpu": 1}, attributes={"zone": "x"}, devices=[500]), Offer("b", {"cpu": 1}, devices=2)]
    zone = pandas.Series(["x", float("nan")], dtype=object)
    columns = OfferColumns.build(["a", "b"], {"cpu": [1, 1]}, attributes={"zone": zone}, devices=[[500], 2])
    tasks = [Task("t", {"cpu": 1}, device_share=400, requirements=[is_in("zone", "x")]), Task("u", {}, devices=2)]
    assert matcher.match(tasks, columns).assignments == matcher.match(tasks, rows).assignments != []


def test_mappings_objects_and_flat_rows_are_the_same_rows():
    @dataclass
    class Flat:
        name: str
        cpu: int
        memory: int

    class Loose:
        def __init__(self, name, demand):
            self.name, self.demand = name, demand

    demand = {"cpu": 2, "memory": 3}
    tables = [
        task_columns([Task("a", demand), Task("b", demand)]),
        task_columns([{"name": "a", "demand": demand}, {"name": "b", "demand": {"memory": "3 B", "cpu": 2}}]),
        task_columns([Loose("a", demand), Loose("b", demand)]),
        task_columns([Task("a", demand), Loose("b", demand)]),
        task_columns([Flat("a", 2, 3), Flat("b", 2, 3)], dimensions=("cpu", "memory")),
        TaskColumns.build(["a", "b"], {"cpu": [2, 2], "memory": [3, 3]}),
    ]
    assert all((table.names, table.demand) == (tables[0].names, tables[0].demand) for table in tables)


def test_dimensions_stand_in_order_of_appearance():
    rows = [Offer("a", {"gpu": 1}, {"zeta": 4}), Offer("b", {"cpu": 1, "gpu": 1}), Offer("c", {"memory": 1})]
    assert list(offer_columns(rows).available) == ["gpu", "zeta", "cpu", "memory"]


def test_ragged_rows_are_filled_with_zero():
    table = task_columns([Task("a", {"cpu": 1}), Task("b", {"memory": 2}), Task("c")])
    assert {name: column.tolist() for name, column in table.demand.items()} == {"cpu": [1000, 0, 0], "memory": [0, 2, 0]}


def test_capacity_equal_to_available_is_left_out():
    assert offer_columns([Offer("a", {"cpu": 1}, {"cpu": 1})]).capacity is None


def test_further_dimensions_of_offers_are_not_read(matcher):
    offers = [Offer("a", {"cpu": 1, "memory": 9}), Offer("b", {"cpu": 1, "memory": 0})]
    answer = matcher.match([Task("t", {"cpu": 1})], offers, dimensions=("cpu",))
    assert answer.scores == [0.0]
