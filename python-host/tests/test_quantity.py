"""What people write becomes what tests/cases/quantities says, however it comes in."""

import csv
from array import array
from fractions import Fraction
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offermatch import InputError, Offer, Task, TaskColumns
from offermatch.formats.documents import json_rows
from offermatch.formats.files import read_tasks
from offermatch.partitions import match_partitions, partition
from offermatch.quantity import MAXIMUM, SMALLEST, UNITS, as_written, check_units, parse, unit_of
from offermatch.tables.input import task_columns
from offermatch.tables.offers import OfferColumns

FOLDER = Path(__file__).parents[2] / "tests/cases/quantities"
CASES = [
    (f"{path.stem}: {case['given']!r:.40}: {case['why']}", case)
    for path in sorted(FOLDER.glob("*.json"))
    for case in json_rows(path, "cases")[0]
]


def expect(case, read):
    if "smallest" in case:
        assert read() == case["smallest"]
        return
    with pytest.raises(InputError) as caught:
        read()
    assert (caught.value.code, caught.value.hint) == (case["error"], case["hint"])


def test_there_are_as_many_cases_as_promised():
    assert len(CASES) >= 200


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_a_quantity_is_what_the_case_says(tmp_path, case):
    dimension, units, written = case["dimension"], case.get("units"), case["given"]
    expect(case, lambda: parse(written, unit=unit_of(dimension, units)))
    expect(case, lambda: TaskColumns.build(["t"], {dimension: [written]}, units=units).demand[dimension][0])
    expect(case, lambda: task_columns([Task("t", {dimension: written})], units=units).demand[dimension][0])
    table = lambda: OfferColumns.build(["o"], {dimension: [0]}, capacity={dimension: [written]}, units=units)  # noqa: E731
    expect(case, lambda: (table().capacity or table().available)[dimension][0])
    if isinstance(written, str) and written:
        path = tmp_path / "tasks.csv"
        header = f"demand.{dimension}" + (f"[{units[dimension]}]" if units else "")
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["name", header], ["t", written]])
        expect(case, lambda: read_tasks(path).demand[dimension][0])


@pytest.mark.parametrize("unit", ["cores", "millicores", "bytes", "MiB", "count", "0.001"])
@given(number=st.one_of(st.integers(-2, 2**65), st.floats(), st.decimals(), st.fractions()))
def test_a_column_of_numbers_reads_each_as_it_is_read_alone(unit, number):
    def alone():
        try:
            return parse(number, unit=UNITS[unit])
        except InputError as error:
            return error.code

    def column(values):
        try:
            return TaskColumns.build(["t"], {"x": values}, units={"x": unit}).demand["x"][0]
        except InputError as error:
            return error.code

    assert column([number]) == alone()
    if isinstance(number, float):
        assert column(numpy.array([number])) == alone()
        assert column(numpy.array([number, number])[:1]) == alone()
    elif isinstance(number, int) and 0 <= number < 2**64:
        assert column(numpy.array([number], dtype="u8")) == alone()


_THOUSANDTHS = st.integers(-1, 2 * 10**15).map(lambda number: number / 1000)
_NUMBERS = st.one_of(st.integers(-1, 2**65), st.integers(0, 9), st.floats(), _THOUSANDTHS, st.sampled_from([-0.0, 2.0**63]))


@pytest.mark.parametrize("unit", ["cores", "millicores", "bytes", "MiB", "count", "0.001"])
@given(values=st.lists(_NUMBERS, min_size=2, max_size=6))
def test_a_column_that_is_read_at_once_has_what_each_is_alone_or_the_error_of_the_first(unit, values):
    def alone():
        try:
            return [parse(value, f"tasks, row {row} ({row}), demand.x", UNITS[unit]) for row, value in enumerate(values)]
        except InputError as error:
            return str(error)

    def column():
        try:
            return (
                TaskColumns.build(list(map(str, range(len(values)))), {"x": values}, units={"x": unit}).demand["x"].tolist()
            )
        except InputError as error:
            return str(error)

    assert column() == alone()


@given(number=st.integers(0, 10**6))
def test_single_precision_is_read_by_its_own_text(number):
    narrow = numpy.float32(number / 1000)
    try:
        expected = parse(str(narrow), unit=UNITS["cores"])
    except InputError as error:
        expected = error.code
    try:
        found = TaskColumns.build(["t"], {"cpu": numpy.array([narrow])}).demand["cpu"][0]
    except InputError as error:
        found = error.code
    assert found == expected


@given(
    number=st.integers(0, 10**12),
    places=st.integers(0, 6),
    unit=st.sampled_from(sorted(UNITS)),
    space=st.sampled_from(["", " ", "\t"]),
    data=st.data(),
)
def test_text_stands_for_number_times_unit_or_is_refused(number, places, unit, space, data):
    suffix = data.draw(st.sampled_from(sorted(UNITS[unit].suffixes)))
    exact = Fraction(number, 10**places) * UNITS[unit].suffixes[suffix] * UNITS[unit].resolution
    digits = str(number).rjust(places + 1, "0")
    text = f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}{space}{suffix}"
    if exact.denominator == 1 and exact <= MAXIMUM:
        assert parse(text, unit=UNITS[unit]) == exact
    else:
        with pytest.raises(InputError):
            parse(text, unit=UNITS[unit])


@given(st.text(), st.sampled_from(sorted(UNITS)))
def test_any_text_is_read_or_refused(text, unit):
    try:
        found = parse(text, unit=UNITS[unit])
    except InputError as error:
        found = error.hint
    assert 0 <= found <= MAXIMUM if isinstance(found, int) else found


@given(st.dictionaries(st.sampled_from(["cpu", "memory", "licences", "CPU"]), st.integers(0, MAXIMUM)))
def test_what_is_written_is_read_as_it_was(quantities):
    assert {name: parse(value, unit=unit_of(name)) for name, value in as_written(quantities).items()} == quantities
    assert {name: parse(value, unit=unit_of(name, SMALLEST)) for name, value in quantities.items()} == quantities


def test_a_unit_that_is_none_and_a_dimension_that_is_none_are_refused():
    for units in ({"cpu": "furlongs"}, {"cpuu": "cores"}, {"cpu": "0.5"}):
        with pytest.raises(InputError) as caught:
            check_units(units, ["cpu", "memory"])
        assert caught.value.code == "setting-malformed", units


def test_units_reach_every_way_in(matcher):
    tasks, offers = [Task("t", {"cpu": 500, "scratch": "1GiB"})], [Offer("o", {"cpu": 800, "scratch": 2**31})]
    units = {"cpu": "millicores", "scratch": "bytes"}
    assert matcher.match(tasks, offers, units=units, scales={"cpu": 800}).scores[0] == 300 / 800 + 0.5
    with pytest.raises(InputError, match="there is no dimension 'memory'"):
        matcher.match(tasks, offers, units={**units, "memory": "bytes"})


def test_columns_that_were_read_in_other_units_cannot_be_compared(matcher):
    tasks, offers = [Task("t", {"licence": 5})], [Offer("o", {"licence": 1})]
    steps = {"licence": "0.1"}
    asked, offered = (TaskColumns.build(["t"], {"licence": [5]}, units=steps), OfferColumns.build(["o"], {"licence": [1]}))
    in_smallest = TaskColumns(["t"], {"licence": array("Q", [5])})
    with matcher.open(offers, mode="shared", units=steps) as pool:
        for call in (
            lambda: matcher.match(asked, offers),
            lambda: matcher.match(tasks, offered, units=steps),
            lambda: match_partitions(partition(asked, offered)[0], matcher=matcher),
            lambda: pool.assign(TaskColumns.build(["t"], {"licence": [5]})),
            lambda: pool.explain(TaskColumns.build(["t"], {"licence": [5]})),
            lambda: pool.update(changed=offered),
            lambda: pool.upsert(OfferColumns.build(["p"], {"licence": [1]})),
        ):
            with pytest.raises(InputError, match="declare one unit for both tables") as caught:
                call()
            assert (caught.value.code, caught.value.place) == ("setting-malformed", "units")
        assert pool.assign(in_smallest).assignments[0].score == 0.5
        assert pool.assign(asked).assignments == []


@pytest.mark.parametrize(
    ("devices", "hint"),
    [("500m", "device_share"), ("2 cores", "device_share"), (0.5, "device_share"), ("2GiB", "device_share")],
)
def test_devices_are_whole_and_the_hint_names_the_field_for_shares(matcher, devices, hint):
    with pytest.raises(InputError, match=hint):
        matcher.match([Task("t", devices=devices)], [Offer("o", devices=1)])
    with pytest.raises(InputError, match=hint):
        matcher.match([Task("t", devices=1)], [Offer("o", devices=devices)])


def test_no_dimension_is_called_as_the_devices_are(matcher):
    for tasks, offers in (
        ([Task("t", {"devices": 1})], [Offer("o", {"cpu": 1})]),
        ([Task("t")], [Offer("o", {"devices": 1})]),
        ([Task("t")], [Offer("o", {}, {"devices": 1})]),
    ):
        with pytest.raises(InputError) as caught:
            matcher.match(tasks, offers)
        assert caught.value.code == "unknown-dimension"
