"""No policy places more tasks, or uses more of anything, than the upper bound says."""

import random

import pytest

from offermatch import Matcher, Offer, ReferenceMatcher, Requirement, Task, policies
from offermatch.cli.main import run
from offermatch.sample import parse_sample
from offermatch.tables.bound import upper_bound
from offermatch.tables.input import offer_columns, task_columns

MATCHERS = {name: Matcher.load(policy=name) for name in policies.names()}


def drawn(seed):
    """Draw tasks and offers that are scarce, with requirements and devices, and sometimes none of something."""
    pick = random.Random(seed)
    most = pick.choice([1, 3, 20, 1 << 50])
    zones = ["a", "b", "c"][: pick.randint(1, 3)]

    def quantities(factor):
        return {name: pick.randint(0, most * factor) for name in ("cores", "slots")}

    def required():
        values = tuple(pick.sample([*zones, "nowhere"], pick.randint(1, len(zones))))
        return (Requirement("zone", values, excludes=pick.random() < 0.4),) if pick.random() < 0.5 else ()

    tasks = [
        Task(
            f"t{at}", quantities(1), required(), **pick.choice([{}, {"devices": pick.randint(0, 2)}, {"device_share": 400}])
        )
        for at in range(pick.randint(0, 30))
    ]
    offers = [
        Offer(
            f"o{at}",
            quantities(3),
            attributes={"zone": pick.choice([*zones, None])},
            devices=[pick.choice([0, 400, 1000]) for _ in range(pick.randint(0, 3))],
        )
        for at in range(pick.randint(0, 8))
    ]
    return tasks, offers


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_no_policy_is_above_it(mode):
    tight = 0
    for seed in range(150):
        tasks, offers = drawn(seed)
        asked = task_columns(tasks)
        for name, matcher in MATCHERS.items():
            answer = matcher.match(tasks, offers, mode=mode, bound=True)
            assert len(answer) <= answer.bound.tasks, (seed, name)
            tight += len(answer) == answer.bound.tasks < len(tasks)
            for dimension, most in answer.bound.used.items():
                column = asked.devices if dimension == "devices" else asked.demand.get(dimension, [0] * len(tasks))
                assert sum(column[row] for row in answer.task_rows) <= most, (seed, name, dimension)
    assert tight > 100, "the bound says something"


def test_it_is_reached_where_nothing_is_lost():
    tasks = [Task(f"t{at}", {"cores": 2}) for at in range(10)]
    offers = [Offer(f"o{at}", {"cores": 4}) for at in range(3)]
    answer = ReferenceMatcher().match(tasks, offers, mode="shared", bound=True)
    assert (len(answer), answer.bound.tasks, answer.bound.used) == (6, 6, {"cores": 12})
    answer = ReferenceMatcher().match(tasks, offers, mode="exclusive", bound=True)
    assert (len(answer), answer.bound.tasks) == (3, 3)


def test_what_fits_nowhere_does_not_count():
    tasks = [Task("large", {"cores": 9}), Task("gang", {"cores": 1}, devices=3), Task("small", {"cores": 1})]
    offers = [Offer(f"o{at}", {"cores": 8}, devices=2) for at in range(4)]
    bound = upper_bound(task_columns(tasks), offer_columns(offers), "shared", ("cores",))
    assert (bound.tasks, bound.used) == (1, {"cores": 1, "devices": 0})


def test_only_dimensions_that_are_matched_count():
    tasks = [Task("t", {"cores": 1})]
    offers = [Offer("o", {"cores": 1, "slots": 0})]
    assert ReferenceMatcher().match(tasks, offers, dimensions=("cores",), bound=True).bound.used == {"cores": 1}


def test_a_pool_counts_what_is_left():
    with ReferenceMatcher().open([Offer("o", {"cores": 5})], mode="shared") as pool:
        first = pool.assign([Task("a", {"cores": 3})], bound=True)
        second = pool.assign([Task("b", {"cores": 3}), Task("c", {"cores": 1})], bound=True)
    assert (first.bound.tasks, second.bound.tasks, second.bound.used) == (1, 1, {"cores": 1})
    assert ReferenceMatcher().match([Task("t")], [Offer("o", {"cores": 1})]).bound is None


def test_kinds_of_requirements_beyond_those_that_are_looked_at_count_as_none():
    tasks = [Task(f"t{at}", {"cores": 1}, (Requirement("zone", (f"z{at}",)),)) for at in range(50)]
    offers = [Offer("o", {"cores": 100}, attributes={"zone": "z0"})]
    answer = ReferenceMatcher().match(tasks, offers, mode="shared", bound=True)
    assert len(answer) == 1 <= answer.bound.tasks == 50 - 31


def test_the_summary_says_it(capsys):
    assert run(["match", "--sample", "uniform:40x10", "--bound", "--output", "summary"]) == 0
    assert "at most 10 tasks could be placed, by any matcher" in capsys.readouterr().out


def test_it_costs_less_than_the_match():
    """By processor time in one run: a plain loop's match, which is what there is without a component."""
    from time import process_time

    tasks, offers = parse_sample("constrained:2000x2000").rows()
    tasks, offers = task_columns(tasks), offer_columns(offers)
    begin = process_time()
    ReferenceMatcher().match(tasks, offers)
    middle = process_time()
    upper_bound(tasks, offers, "exclusive", tuple(offers.available))
    assert process_time() - middle < (middle - begin) / 10
