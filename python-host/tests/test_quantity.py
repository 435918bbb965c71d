from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offermatch import InputError
from offermatch.quantity import MAXIMUM, UNITS, parse


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (0, 0),
        (MAXIMUM, MAXIMUM),
        ("500m", 500),
        ("0.5 cores", 500),
        ("1 core", 1000),
        ("200GiB", 200 * 2**30),
        ("1.5TiB", 3 * 2**39),
        ("1e3m", 1000),
        ("1E", 10**18),
        ("1E3", 1000),
        ("1Ei", 2**60),
        ("  7 kB ", 7000),
        (".5k", 500),
        ("5.", 5),
        ("-0", 0),
        ("18446744073709551615", MAXIMUM),
        (5.0, 5),
        (1e19, 10**19),
        (Decimal("12"), 12),
        ("0e999999999999", 0),
        ("1" + "0" * 5000 + "e-5000", 1),
    ],
)
def test_reads(written, expected):
    assert parse(written) == expected


@pytest.mark.parametrize(
    ("written", "code"),
    [
        (-1, "negative"),
        ("-5", "negative"),
        ("-0.5 cores", "negative"),
        (-0.5, "negative"),
        ("0.5", "fractional"),
        (0.5, "fractional"),
        ("0.0001 cores", "fractional"),
        ("1e-99999999999999", "fractional"),
        ("0." + "3" * 5000, "fractional"),
        ("1e-5000", "fractional"),
        ("inf", "not-finite"),
        ("-Infinity", "not-finite"),
        ("nan", "not-finite"),
        (float("inf"), "not-finite"),
        (Decimal("nan"), "not-finite"),
        (2**64, "too-large"),
        ("17EiB", "too-large"),
        (2.0**64, "too-large"),
        ("1e99999999999999", "too-large"),
        ("9" * 5000, "too-large"),
        ("5 parsecs", "unknown-unit"),
        ("5 gib", "unknown-unit"),
        ("5 Cores", "unknown-unit"),
        ("1e", "unknown-unit"),
        ("1 000", "unknown-unit"),
        ("", "malformed"),
        ("many", "malformed"),
        (".", "malformed"),
        ("٣", "malformed"),
        (True, "malformed"),
        (None, "malformed"),
        ([1], "malformed"),
    ],
)
def test_refuses(written, code):
    with pytest.raises(InputError) as caught:
        parse(written, "tasks, row 3")
    assert caught.value.code == f"quantity-{code}"
    assert caught.value.place == "tasks, row 3"
    assert caught.value.hint


@given(
    number=st.integers(0, 10**12),
    places=st.integers(0, 6),
    unit=st.sampled_from(sorted(UNITS)),
    space=st.sampled_from(["", " ", "\t"]),
)
def test_text_stands_for_number_times_unit_or_is_refused(number, places, unit, space):
    exact = Fraction(number, 10**places) * UNITS[unit]
    digits = str(number).rjust(places + 1, "0")
    text = f"{digits[: len(digits) - places]}.{digits[len(digits) - places :]}{space}{unit}"
    if exact.denominator == 1 and exact <= MAXIMUM:
        assert parse(text) == exact
    else:
        with pytest.raises(InputError):
            parse(text)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        number = parse(text)
    except InputError:
        return
    assert 0 <= number <= MAXIMUM
