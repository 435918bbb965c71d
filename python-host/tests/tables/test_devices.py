"""The devices of offers, as lists and as columns."""

from hypothesis import given
from hypothesis import strategies as st

from offermatch import InputError
from offermatch.tables.devices import Devices
from offermatch.tables.offers import OfferColumns

ROWS = st.lists(st.lists(st.integers(0, 1000), max_size=3), max_size=6)


@given(ROWS, st.data())
def test_a_row_has_what_it_was_given(rows, data):
    devices = Devices.of_rows(rows)
    assert [devices.of(row) for row in range(len(rows))] == rows
    assert (devices.count, devices.most) == (sum(map(len, rows)), max(map(len, rows), default=0))
    if rows:
        places = data.draw(st.lists(st.integers(0, len(rows) - 1)))
        assert devices.picked(places) == Devices.of_rows([rows[place] for place in places])


@given(ROWS.filter(any), st.data())
def test_what_is_free_of_a_copy_changes_apart(rows, data):
    devices = Devices.of_rows(rows)
    row = data.draw(st.integers(0, len(rows) - 1))
    changed = devices.copied()
    changed.set(row, [0] * len(rows[row]))
    assert [changed.of(at) for at in range(len(rows))] == [
        [0] * len(one) if at == row else one for at, one in enumerate(rows)
    ]
    assert devices == Devices.of_rows(rows)


@given(ROWS, st.integers(0, 3))
def test_rows_without_devices_come_behind(rows, more):
    assert Devices.of_rows(rows).followed_by_none(more) == Devices.of_rows([*rows, *[[]] * more])


def test_without_a_device_there_are_no_columns():
    nothing = Devices.of_rows([[], []])
    nothing.set(1, [])
    assert nothing == Devices() == nothing.picked([1])
    assert nothing.of(1) == []


def _devices(given):
    """Return the devices of a column, or the error."""
    try:
        return OfferColumns.build(list(map(str, range(len(given)))), {}, devices=given).devices
    except InputError as error:
        return str(error)


_COUNTS, _FREE = st.integers(-1, 9), st.integers(-1, 1001)


@given(st.one_of(st.lists(_COUNTS), st.lists(st.lists(_FREE, max_size=3)), st.lists(_COUNTS | st.lists(_FREE, max_size=3))))
def test_a_column_that_is_read_at_once_is_that_of_reading_each_row(given):
    expected = _devices([*given, None])  # each by itself, as one says nothing
    if isinstance(expected, Devices):
        expected = Devices(expected.offsets[:-1], expected.free)
    assert _devices(given) == expected


def test_more_devices_than_can_cross_are_refused_by_name():
    assert "4294968 devices cannot be" in _devices([1, 4_294_968])
    assert _devices([0, 2]) == Devices.of_rows([[], [1000, 1000]])
