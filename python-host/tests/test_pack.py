"""Offline packing: every task once, no offer too full, never worse than at once, never below its bound."""

import itertools
import random

import pytest

from offermatch import InputError, Offer, Requirement, Task
from offermatch.bench import pack as bench
from offermatch.cli.main import run
from offermatch.pack.problem import problem
from offermatch.pack.search import Kind, Problem, lower_bound, pack
from offermatch.tables.input import offer_columns, task_columns


def check(asked, found):
    """Check a packing against its problem."""
    placed = [task for _, tasks in found.offers for task in tasks]
    assert sorted([*placed, *found.unplaced]) == list(range(len(asked.demands)))
    used = {}
    for kind, tasks in found.offers:
        assert tasks
        used[kind] = used.get(kind, 0) + 1
        for at, capacity in enumerate(asked.kinds[kind].capacity):
            assert sum(asked.demands[task][at] for task in tasks) <= capacity
        assert all(asked.allowed[task] is None or kind in asked.allowed[task] for task in tasks)
    assert all(asked.kinds[kind].most is None or count <= asked.kinds[kind].most for kind, count in used.items())
    assert found.bound <= len(found.offers) <= found.at_once


def drawn(seed):
    pick = random.Random(seed)
    dimensions = pick.randint(1, 3)
    top = pick.choice([4, 30, 1 << 62])
    kinds = [
        Kind([pick.randint(0, top) for _ in range(dimensions)], pick.choice([None, 1, 3])) for _ in range(pick.randint(1, 4))
    ]
    demands = [[pick.randint(0, top // 2) for _ in range(dimensions)] for _ in range(pick.randint(0, 30))]
    allowed = [
        frozenset(pick.sample(range(len(kinds)), pick.randint(0, len(kinds)))) if pick.random() < 0.3 else None
        for _ in demands
    ]
    return Problem(demands, kinds, allowed)


@pytest.mark.parametrize("seed", range(120))
def test_a_packing_holds(seed):
    asked = drawn(seed)
    check(asked, pack(asked, seed=seed, goes_on=lambda rounds: rounds < 60))


def fewest(demands, capacity):
    """Return the fewest offers by trying every partition."""
    best = len(demands)

    def place(at, loads):
        nonlocal best
        if len(loads) >= best:
            return
        if at == len(demands):
            best = len(loads)
            return
        for number, load in enumerate(loads):
            room = [one + more for one, more in zip(load, demands[at], strict=True)]
            if all(one <= capacity for one in room):
                place(at + 1, [*loads[:number], room, *loads[number + 1 :]])
        place(at + 1, [*loads, demands[at]])

    place(0, [])
    return best


def test_small_ones_are_packed_as_well_as_can_be():
    found = []
    for seed in range(25):
        pick = random.Random(seed)
        demands = [[pick.randint(1, 60), pick.randint(1, 60)] for _ in range(8)]
        asked = Problem(demands, [Kind([100, 100])], [None] * 8)
        best = fewest(demands, 100)
        assert lower_bound(asked) <= best
        result = pack(asked, goes_on=lambda rounds: rounds < 300)
        check(asked, result)
        found.append(len(result.offers) - best)
    assert sum(found) == 0


def test_the_search_finds_fewer_on_public_kinds_of_instances():
    at_once = searched = 0
    for number, dimensions in itertools.product((1, 4, 6, 7), (3, 5)):
        capacity, demands = bench.instance(number, 60, dimensions, 1)
        asked = Problem(demands, [Kind([capacity] * dimensions)], [None] * len(demands))
        found = pack(asked, goes_on=lambda rounds: rounds < 300)
        check(asked, found)
        at_once, searched = at_once + found.at_once, searched + len(found.offers)
    assert searched <= 0.97 * at_once


@pytest.mark.parametrize("number", bench.CLASSES)
def test_instances_are_within_their_class(number):
    capacity, demands = bench.instance(number, 40, 5, 3)
    assert len(demands) == 40
    assert all(0 <= one <= capacity for demand in demands for one in demand)
    assert bench.instance(number, 40, 5, 3) == (capacity, demands)


def test_tables_become_a_problem():
    tasks = [Task("a", {"cores": 2}, (Requirement("zone", ("x",)),), 2), Task("b", {"cores": 1})]
    offers = [
        Offer(f"o{at}", {"cores": 4}, attributes={"zone": zone}, devices=3) for at, zone in enumerate(["x", None, "x"])
    ]
    asked, alike = problem(task_columns(tasks), offer_columns(offers), unlimited=False)
    assert (asked.demands, [kind.most for kind in asked.kinds], alike) == ([[2, 2], [1, 0]], [2, 1], [[0, 2], [1]])
    assert asked.allowed == [frozenset({0}), None]
    with pytest.raises(InputError, match="shares of a device"):
        problem(task_columns([Task("s", {"cores": 1}, device_share=3)]), offer_columns(offers), unlimited=True)


def test_nothing_to_pack():
    assert pack(Problem([], [Kind([1])], []), goes_on=lambda _: True).offers == []
    found = pack(Problem([[1]], [], [None]), goes_on=lambda _: True)
    assert (found.offers, found.unplaced, found.bound) == ([], [0], 0)


def test_the_command(capsys):
    assert run(["pack", "--sample", "uniform:60x60", "--rounds", "100", "--output", "summary"]) == 0
    assert "60 of 60 tasks packed on " in capsys.readouterr().out
    assert run(["bench", "pack", "--class", "5", "--tasks", "20"]) == 0
    assert "FFD-L2" in capsys.readouterr().out
