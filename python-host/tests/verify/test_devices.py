"""The rule of devices of the checks and that of the reference loop are written apart, and are one rule."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from offermatch.reference import standing as reference
from offermatch.verify import devices

ASKED = st.one_of(st.integers(0, 999), st.integers(0, 9).map(lambda whole: 1000 * whole))


def test_the_two_rules_agree_on_every_small_server():
    for count in range(5):
        for free in product((0, 299, 300, 999, 1000), repeat=count):
            for asked in (0, 1, 299, 300, 301, 999, 1000, 2000, 4000, 5000):
                assert devices.devices_for(free, asked) == reference.devices_for(free, asked), (free, asked)


@given(st.lists(st.integers(0, 1000), max_size=9), st.lists(ASKED, max_size=9))
def test_the_two_rules_take_the_same_devices(free, asked):
    mine, theirs = free[:], free[:]
    for thousandths in asked:
        assert devices.take_devices(mine, thousandths) == reference.take_devices(theirs, thousandths)
        assert mine == theirs


def test_a_share_goes_to_the_tightest_device_and_to_the_first_of_equals():
    assert devices.devices_for([1000, 500, 400, 400], 400) == (2,)
    assert devices.devices_for([1000, 399], 400) == (0,)
    assert devices.devices_for([399], 400) is None


def test_whole_devices_are_the_first_free_ones():
    assert devices.devices_for([999, 1000, 1000, 1000], 2000) == (1, 2)
    assert devices.devices_for([999, 1000], 2000) is None
