"""Plans of preemption are verified: those of the reference hold, and each lie is refused."""

from array import array
from math import inf

import pytest

from offermatch import LyingMatcherError
from offermatch.model import Timings
from offermatch.reference import DESCRIPTION, Reference
from offermatch.session import Verified
from offermatch.tables.devices import Devices
from offermatch.tables.tables import IN, OfferTable, Plan, Requirements, RunningTable, TaskTable
from offermatch.verify.ledger import Ledger
from offermatch.verify.plan import check_plan
from stories import Story


def numbers(*values):
    return array("Q", values)


# Offer 0 has 1 of 6 free and a device in use, offer 1 is full, offer 2 is another zone's and empty.
OFFERS = OfferTable(3, [numbers(1, 0, 9)], [numbers(6, 4, 9)], [numbers(1, 1, 2)], Devices.of_rows([[0], [], []]))
# On offer 0: 2 at priority 0, 3 at priority 1 with the device. On offer 1: 4 at priority 5.
RUNNING = RunningTable(
    3,
    numbers(0, 0, 1),
    array("q", [0, 1, 5]),
    numbers(7, 8, 9),
    [numbers(2, 3, 4)],
    numbers(0, 0, 1, 1),
    numbers(0),
    numbers(1000),
)


def tasks(*demand, devices=()):
    """Return tasks that require the first zone."""
    rows = len(demand)
    required = Requirements(
        array("Q", range(rows + 1)),
        numbers(*[IN] * rows),
        numbers(*[0] * rows),
        value_offsets=array("Q", range(rows + 1)),
        values=numbers(*[1] * rows),
    )
    return TaskTable(rows, [numbers(*demand)], numbers(*devices), required)


def plan(*moves):
    """Return a plan of moves: task, offer, victims."""
    found = Plan([], [], [], [0], [])
    for task, offer, victims in moves:
        found.tasks.append(task)
        found.offers.append(offer)
        found.scores.append(0.5)
        found.victims.extend(victims)
        found.victim_offsets.append(len(found.victims))
    return found


def check(asked, found, priority=5):
    check_plan(Ledger(OFFERS, "shared", 31.0), asked, [priority] * asked.rows, RUNNING, found)


def altered(**columns):
    found = plan((0, 0, [0]))
    for name, column in columns.items():
        setattr(found, name, column)
    return found


HONEST = {
    "nothing": (tasks(3), plan()),
    "no victim": (tasks(1), plan((0, 0, []))),
    "one victim": (tasks(3), plan((0, 0, [0]))),
    "the other one": (tasks(4), plan((0, 0, [1]))),
    "a victim for its device": (tasks(0, devices=(500,)), plan((0, 0, [1]))),
    "one after the other": (tasks(3, 3), plan((0, 0, [0]), (1, 0, [1]))),
    "what is left over serves the next": (tasks(3, 1), plan((0, 0, [1]), (1, 0, []))),
}

LIES = {
    "columns of different lengths": (tasks(3), altered(scores=[]), "columns of"),
    "offsets that do not end": (tasks(3), altered(victim_offsets=[0, 0]), "offsets of victims"),
    "a task that does not exist": (tasks(3), plan((1, 0, [0])), "task row"),
    "a task twice": (tasks(3), plan((0, 0, [0]), (0, 0, [1])), "do not rise"),
    "an offer that does not exist": (tasks(3), plan((0, 3, [])), "offer row"),
    "a score without end": (tasks(3), altered(scores=[inf]), "score"),
    "a score at the limit": (tasks(3), altered(scores=[31.0]), "score"),
    "a victim that does not run": (tasks(3), plan((0, 0, [3])), "running row"),
    "a victim twice in one plan": (tasks(3), plan((0, 0, [0, 0])), "victims that do not rise"),
    "a victim of two plans": (tasks(3, 2), plan((0, 0, [0]), (1, 0, [0])), "ended twice"),
    "a victim elsewhere": (tasks(3), plan((0, 0, [2])), "does not run"),
    "a victim of equal priority": (tasks(3), plan((0, 1, [2])), "matters as much"),
    "no room": (tasks(4), plan((0, 0, [0])), "without room"),
    "no room after the plan before": (tasks(3, 3), plan((0, 0, [0]), (1, 0, [])), "without room"),
    "no device": (tasks(0, devices=(500,)), plan((0, 0, [0])), "without room"),
    "a victim in vain": (tasks(1), plan((0, 0, [0])), "in vain"),
    "one victim too many": (tasks(4), plan((0, 0, [0, 1])), "running row 0 ended in vain"),
    "against a requirement": (tasks(3), plan((0, 2, [])), "requirement"),
}


@pytest.mark.parametrize("name", HONEST)
def test_a_plan_that_can_come_true_is_accepted(name):
    check(*HONEST[name])


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused(name):
    asked, found, word = LIES[name]
    with pytest.raises(LyingMatcherError, match=word) as caught:
        check(asked, found)
    assert caught.value.code == "answer-refused"


def test_an_offer_that_left_takes_nothing():
    ledger = Ledger(OFFERS, "shared", inf)
    ledger._now.gone[0] = 1
    with pytest.raises(LyingMatcherError, match="left the list"):
        check_plan(ledger, tasks(1), [5], RUNNING, plan((0, 0, [])))


def left(ledger):
    table = ledger.offers(range(ledger.rows))
    return table.available, table.devices


def test_what_the_reference_plans_holds_and_takes_nothing():
    victims = 0
    for seed in range(600):
        story = Story(seed, mode="shared")
        offers = story.offers(story.some(6))
        story.rows = offers.rows
        asked = story.tasks(grouped=False)
        running = story.running(offers)
        priorities = [story.random.randint(0, 3) for _ in range(asked.rows)]
        ledger = Ledger(offers, "shared", story.settings.score_limit)
        before = left(ledger)
        session = Verified(DESCRIPTION, "", Reference(offers, story.shape, story.settings), story.shape)
        found = session.preempt(asked, priorities, running, ledger, Timings())
        victims += len(found.victims)
        assert left(ledger) == before, f"seed {seed}"
    assert victims > 50, "the stories are to have victims"
