"""The devices of offers, as lists and as columns."""

from hypothesis import given
from hypothesis import strategies as st

from offermatch.tables.devices import Devices

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
