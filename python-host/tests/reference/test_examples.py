"""The examples of docs/semantics.md on the rules of contract 0.3.0, answered by the reference."""

from array import array
from math import inf, nan

from offermatch.model import Timings
from offermatch.reference import Reference
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import (
    AT_LEAST,
    AT_MOST,
    IN,
    Changes,
    GroupTable,
    OfferTable,
    Requirements,
    RunningTable,
    TaskTable,
)


def numbers(*values):
    return array("Q", values)


def offers(*free, attribute=(), measure=(), capacity=()):
    rows = len(free)
    return OfferTable(
        rows,
        [numbers(*free)],
        [numbers(*capacity)] if capacity else [],
        [numbers(*(attribute or [0] * rows))],
        measures=[array("d", measure)] if measure else [],
    )


def tasks(*demand, condition=None, members=0, occupants=(), limits=(), **rules):
    """Return tasks, the first of which are members of one group."""
    requirements = Requirements()
    if condition is not None:
        kind, bound, values, weight = condition
        offsets, ends = numbers(0, *[1] * len(demand)), numbers(0, len(values))
        bounds, weights = array("d", [bound]), array("d", [weight])
        requirements = Requirements(offsets, numbers(kind), numbers(0), bounds, weights, ends, numbers(*values))
    table = TaskTable(len(demand), [numbers(*demand)], numbers(), requirements)
    if members:
        table.group_of = numbers(*[1] * members, *[0] * (len(demand) - members))
        groups = table.groups = GroupTable(1, **{name: numbers(value) for name, value in rules.items()})
        if limits:
            groups.limit_offsets = numbers(0, len(limits))
            groups.limit_attributes, groups.limit_counts = (numbers(*column) for column in zip(*limits, strict=True))
        for offer, count in occupants:
            groups.occupant_groups.append(0)
            groups.occupant_offers.append(offer)
            groups.occupant_counts.append(count)
    return table


def pool(offered, mode="exclusive"):
    return Reference(
        offered, Shape(len(offered.available), 1, len(offered.measures)), SettingColumns(mode, raise_scales=True)
    )


def placed(offered, asked, mode="exclusive"):
    answer = pool(offered, mode).assign(asked, Timings())
    return list(zip(answer.tasks, answer.offers, answer.scores, strict=True))


def where(*given):
    return {task: offer for task, offer, _ in placed(*given)}


def test_measures():
    offered = offers(4, 4, 4, measure=[16.0, 80.0, nan])
    assert where(offered, tasks(1, condition=(AT_LEAST, 40.0, (), inf))) == {0: 1}
    assert where(offered, tasks(1, condition=(AT_MOST, 40.0, (), inf))) == {0: 0}
    unset = offers(4, measure=[nan])
    assert where(unset, tasks(1, condition=(AT_LEAST, -inf, (), inf))) == {}
    assert where(unset, tasks(1, condition=(AT_MOST, inf, (), inf))) == {}


def test_preferences():
    offered = offers(4, 4, attribute=[1, 2])
    assert placed(offered, tasks(1, condition=(IN, 0.0, (2,), 0.5))) == [(0, 1, 0.75)]
    assert placed(offers(4, attribute=[1]), tasks(1, condition=(IN, 0.0, (2,), 0.5))) == [(0, 0, 1.25)]


def test_least():
    offered = offers(2, 2)
    assert where(offered, tasks(2, 2, 2, 2, members=3, least=3)) == {3: 0}
    assert where(offers(2, 2, 2), tasks(2, 2, members=2, least=3, occupants=[(2, 1)])) == {0: 0, 1: 2}
    assert where(offers(2), tasks(2, 2, members=2, least=4, occupants=[(0, 2)])) == {}


def test_together():
    offered = offers(2, 2, 2, attribute=[1, 2, 2])
    assert where(offered, tasks(2, 2, members=2, together=1), "shared") == {0: 1, 1: 2}
    bound = tasks(2, 2, members=2, together=1, occupants=[(0, 1)])
    assert where(offered, bound, "shared") == {0: 0}
    apart = offers(2, 2, 2, 2, attribute=[1, 2, 3, 3])
    both = tasks(2, 2, members=2, together=1, occupants=[(0, 1), (1, 1)])
    assert where(apart, both, "shared") == {0: 0}


def test_at_most():
    offered = offers(2, 2, 2, attribute=[1, 1, 2])
    assert where(offered, tasks(2, 2, 2, members=3, limits=[(1, 1)]), "shared") == {0: 0, 1: 2}
    passed = tasks(2, 2, members=2, limits=[(1, 1)], occupants=[(0, 3)])
    assert where(offered, passed, "shared") == {0: 2}


def test_scales_follow():
    found = pool(offers(4, 2), "shared")
    found.update(Changes([], [], offers(), offers(8)), Timings())
    assert list(found.assign(tasks(1), Timings()).scores) == [1 / 8]
    found.update(Changes([2], [], offers(), offers()), Timings())
    assert list(found.assign(tasks(1), Timings()).scores) == [0.0]


def test_checks():
    offered = OfferTable(2, [numbers(4, 5), numbers(2, 0)], [], [numbers(0, 0)])
    asked = TaskTable(1, [numbers(6), numbers(1)], numbers(), Requirements())
    found = pool(offered).checks(asked, Timings())
    assert (found.dimension_fails, found.dimension_alone, found.dimension_missing) == ([2, 1], [1, 0], [2, 0])
    assert (found.candidates, found.capable) == ([0], [0])


def test_preemption():
    running = RunningTable(2, numbers(0, 0), array("q", [1, 1]), numbers(5, 9), [numbers(2, 2)])
    full = offers(0, capacity=[4])
    found = pool(full, "shared").preempt(tasks(2), [2], running, Timings())
    assert (found.tasks, found.offers, found.victims) == ([0], [0], [1])
    assert pool(full, "shared").preempt(tasks(2), [1], running, Timings()).tasks == []
