"""The ledger verifies the rules of contract 0.3.0: what the reference answers holds, what breaks a rule is refused."""

from array import array
from math import inf, nan

import pytest

from offermatch import LyingMatcherError
from offermatch.model import Timings
from offermatch.reference import Reference
from offermatch.tables.devices import Devices
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import AT_LEAST, AT_MOST, Assigned, GroupTable, OfferTable, Requirements, TaskTable
from offermatch.verify.ledger import Ledger
from stories import Story


def numbers(*values):
    return array("Q", values)


# Rows 0 and 1 have the first value, 2 and 3 the second, 4 none.
ZONES = numbers(1, 1, 2, 2, 0)
OFFERS = OfferTable(5, [numbers(9, 9, 9, 9, 9)], [], [ZONES], measures=[array("d", [1.0, 2.0, 3.0, inf, nan])])


def asked(rows=3, occupants=(), limits=(), **columns):
    """Return tasks that are one group with these columns; occupants are offers and counts."""
    groups = GroupTable(1, **{name: numbers(value) for name, value in columns.items()})
    if limits:
        groups.limit_offsets = numbers(0, len(limits))
        groups.limit_attributes, groups.limit_counts = (numbers(*column) for column in zip(*limits, strict=True))
    for offer, count in occupants:
        groups.occupant_groups.append(0)
        groups.occupant_offers.append(offer)
        groups.occupant_counts.append(count)
    return TaskTable(rows, [numbers(*[1] * rows)], array("Q"), Requirements(), numbers(*[1] * rows), groups)


def accept(tasks, *offers):
    """Verify that the first tasks take these offers."""
    answer = Assigned(list(range(len(offers))), list(offers), [0.5] * len(offers))
    Ledger(OFFERS, "shared", inf).accept(tasks, answer)


HONEST = {
    "least of all": (asked(least=3), (0, 2, 4)),
    "least by those that run": (asked(least=3, occupants=[(4, 2)]), (0,)),
    "nobody of a group": (asked(least=3), ()),
    "together": (asked(together=1), (0, 1, 0)),
    "together with those that run": (asked(together=1, occupants=[(3, 1)]), (2, 3)),
    "together, bound by nobody": (asked(together=1, occupants=[(4, 1), (0, 0)]), (2, 3)),
    "together with some of those that are apart": (asked(together=1, occupants=[(0, 1), (2, 1)]), (2, 3)),
    "a limit by value": (asked(limits=[(1, 2)]), (0, 1, 2)),
    "a limit by offer": (asked(limits=[(0, 1)]), (0, 1, 4)),
    "away from a limit that is passed already": (asked(limits=[(1, 1)], occupants=[(0, 5)]), (2,)),
}

LIES = {
    "fewer than least": (asked(least=3), (0, 1), "2 members of group row 0, which asks for 3"),
    "fewer than least with those that run": (asked(least=3, occupants=[(0, 1)]), (0,), "asks for 3"),
    "apart": (asked(together=1), (0, 2), "not together"),
    "without a value to be together on": (asked(together=1), (4,), "not together"),
    "apart from those that run": (asked(together=1, occupants=[(3, 1)]), (0, 1), "not together"),
    "apart, as those that run are": (asked(together=1, occupants=[(0, 1), (2, 1)]), (0, 2), "not together"),
    "above a limit by value": (asked(limits=[(1, 1)]), (0, 1), "limit 0 of 1"),
    "above a limit by offer": (asked(limits=[(1, 3), (0, 1)]), (0, 0), "limit 1 of 1"),
    "above a limit with those that run": (asked(limits=[(1, 2)], occupants=[(1, 1)]), (0, 0), "limit 0 of 2"),
    "where a limit is passed already": (asked(limits=[(1, 1)], occupants=[(1, 5)]), (0,), "limit 0 of 1"),
    "without a value to count by": (asked(limits=[(1, 9)]), (4,), "without attribute 0"),
}


@pytest.mark.parametrize("name", HONEST)
def test_what_keeps_the_rules_of_a_group_is_accepted(name):
    tasks, offers = HONEST[name]
    accept(tasks, *offers)


@pytest.mark.parametrize("name", LIES)
def test_what_breaks_a_rule_of_a_group_is_refused(name):
    tasks, offers, word = LIES[name]
    with pytest.raises(LyingMatcherError, match=word) as caught:
        accept(tasks, *offers)
    assert caught.value.code == "answer-refused"


def bounded(kind, bound, weight=inf):
    conditions = Requirements(
        numbers(0, 1), numbers(kind), numbers(0), array("d", [bound]), array("d", [weight]), numbers(0, 0), numbers()
    )
    return TaskTable(1, [numbers(1)], array("Q"), conditions)


@pytest.mark.parametrize(
    ("kind", "bound", "holds"), [(AT_LEAST, 2.0, {1, 2, 3}), (AT_MOST, 2.0, {0, 1}), (AT_LEAST, inf, {3})]
)
def test_measures_are_compared(kind, bound, holds):
    for offer in range(OFFERS.rows):
        if offer in holds:
            accept(bounded(kind, bound), offer)
        else:
            with pytest.raises(LyingMatcherError, match="against a requirement"):
                accept(bounded(kind, bound), offer)
        accept(bounded(kind, bound, weight=3.0), offer)


def test_where_no_offer_has_a_measure_no_bound_holds():
    ledger = Ledger(OfferTable(1, [numbers(9)], [], [numbers(0)]), "shared", inf)
    with pytest.raises(LyingMatcherError, match="against a requirement"):
        ledger.accept(bounded(AT_MOST, inf), Assigned([0], [0], [0.5]))


def test_devices_are_taken_in_the_order_of_placing():
    # Rows 0 and 2 are one group, so 2 comes before 1: it takes the tighter device 0, and 1 is left with device 1.
    offers = OfferTable(1, [], [], [], Devices.of_rows([[500, 1000]]))
    tasks = TaskTable(3, [], numbers(0, 400, 500), Requirements(), numbers(1, 0, 1), GroupTable(1))
    answer = Reference(offers, Shape(0), SettingColumns("shared")).assign(tasks, Timings())
    Ledger(offers, "shared", inf).accept(tasks, answer)
    assert answer.devices == {2: (0,), 1: (1,)}


@pytest.mark.parametrize("block", range(6))
def test_what_the_reference_answers_holds_to_the_last_device(block):
    for seed in range(block * 200, block * 200 + 200):
        story = Story(seed)
        offers = story.offers(story.some(8))
        story.rows = offers.rows
        reference = Reference(offers, story.shape, story.settings)
        ledger = Ledger(offers, story.settings.mode, story.settings.score_limit)
        for _ in range(3):
            tasks = story.tasks()
            ledger.accept(tasks, reference.assign(tasks, Timings()))
            assert ledger.rows_listed() == sorted(reference._list), f"seed {seed}"
            if story.settings.mode == "shared":
                left = ledger.offers(range(ledger.rows))
                for row, offer in enumerate(reference._offers):
                    assert offer.devices == left.devices.of(row), f"seed {seed}, row {row}"
            changes = story.changes()
            reference.update(changes, Timings())
            ledger.update(changes)
