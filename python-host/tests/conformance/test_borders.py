"""The cases have the numbers at the border in every column: those that languages take for another number.

A number that stands alone in its list is asked, too: some tools hand over a list of one otherwise.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from offermatch.conformance import Suite

WIDE = {str(number) for number in (2**31, 2**32 - 1, 2**53 + 1, 2**63, 2**64 - 1)}
NARROW = {str(number) for number in (2**31, 2**32 - 1)}
DOUBLE = {"-0.0", "5e-324"}

BORDERS = {
    **dict.fromkeys(("available", "capacity", "demand", "scales", "starts"), WIDE),
    **dict.fromkeys(("attributes", "device_free", "device_offsets", "devices", "removed", "changed_rows"), NARROW),
    **dict.fromkeys(("requirement_offsets", "requirement_kinds", "requirement_subjects"), NARROW),
    **dict.fromkeys(("value_offsets", "values", "group_of", "least", "together"), NARROW),
    **dict.fromkeys(("limit_offsets", "limit_attributes", "limit_counts"), NARROW),
    **dict.fromkeys(("occupant_groups", "occupant_offers", "occupant_counts"), NARROW),
    **dict.fromkeys(("offers", "device_numbers", "device_thousandths"), NARROW),
    **dict.fromkeys(("measures", "requirement_bounds", "requirement_weights", "weights", "shares"), DOUBLE),
}
"""The columns that cross to a matcher, each with the numbers that it can hold."""
NEVER_ALONE = {"device_offsets", "requirement_offsets", "value_offsets", "limit_offsets", "scales", "weights"}
"""Columns of two numbers or more."""
OF_TWO = {"shares", "starts"}
"""Columns of which one number alone says nothing: they are compared with each other."""


def columns(found: Any) -> Iterator[tuple[str, list[Any]]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from columns(value)
        elif isinstance(value, list):
            yield name, value


@pytest.fixture(scope="module")
def asked() -> dict[tuple[str, bool], set[str]]:
    """Return the numbers of each column, among others and alone."""
    found = defaultdict(set)
    for case in (case for group in Suite.shipped().groups for case in group.cases):
        steps = ({call: table for call, table in step.items() if call != "answer"} for step in case.steps)
        for table in ({"settings": case.settings, "offers": case.offers}, *steps):
            for name, column in columns(table):
                # A column of thousands is one number many times.
                found[name, len(column) == 1].update(map(repr, column[:1000]))
    return found


@pytest.mark.parametrize("column", BORDERS)
def test_a_column_has_the_numbers_at_its_border(asked, column):
    assert asked[column, False] >= BORDERS[column]
    if column not in NEVER_ALONE | OF_TWO:
        assert asked[column, True] >= BORDERS[column]
