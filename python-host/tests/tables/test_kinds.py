"""Rows that ask the same are one kind, however their lists are made."""

import pickle
import random

import pytest

from offermatch import Task, at_least, is_in, prefer
from offermatch.tables.input import task_columns
from offermatch.tables.kinds import kinds_of


def _plain(required, preferred):
    """Return the kinds by comparing what each row asks with what the rows before ask."""
    weighed = [[(one.requirement, str(one.weight)) for one in preferences or ()] for preferences in preferred]
    asked = [(list(requirements or ()), weights) for requirements, weights in zip(required, weighed, strict=True)]
    first_rows = [row for row, one in enumerate(asked) if one not in asked[:row]]
    return [next(kind for kind, first in enumerate(first_rows) if asked[first] == one) for one in asked], first_rows


@pytest.mark.parametrize("seed", range(200))
def test_kinds_are_those_of_comparing_every_row(seed):
    rng = random.Random(seed)
    rows = rng.randrange(12)
    conditions = [is_in("zone", ["a"]), is_in("zone", ["b"]), at_least("memory", 0.0), at_least("memory", -0.0)]
    preferences = [prefer(one, weight) for one in conditions for weight in (0.0, -0.0, 0.5)]

    def column(entries):
        lists = [[rng.choice(entries) for _ in range(rng.randrange(3))] for _ in range(3)]
        # One object in many rows, the same entries in another list, or nothing.
        ways = (lambda: rng.choice(lists), lambda: list(rng.choice(lists)), lambda: None, lambda: ())
        return [rng.choice(ways)() for _ in range(rows)]

    required, preferred = column(conditions), column(preferences)
    nothing = [()] * rows
    assert kinds_of(rows, required, preferred) == _plain(required, preferred)
    assert kinds_of(rows, required) == _plain(required, nothing)
    assert kinds_of(rows, None, preferred) == _plain(nothing, preferred)


def test_rows_that_are_read_share_the_list_of_the_same_entries():
    gpu, zone = is_in("gpu", ["a100"]), is_in("zone", ["a", "b"])
    tasks = [Task(str(row), {"cpu": 1}, requirements=[gpu, zone] if row % 2 else [gpu]) for row in range(6)]
    lists = task_columns(tasks).requirements
    assert lists == [(gpu,), (gpu, zone)] * 3
    assert len(set(map(id, lists))) == 2


def test_a_table_finds_its_kinds_once_until_a_row_asks_for_something_else():
    zones = [(is_in("zone", [zone]),) for zone in "ab"]
    table = task_columns([Task(str(row), {"cpu": 1}, requirements=zones[row % 2]) for row in range(4)])
    found = table.kinds
    assert found == ([0, 1, 0, 1], [0, 1])
    assert table.kinds is found
    table.requirements[1] = zones[0]
    assert table.kinds == ([0, 0, 0, 1], [0, 3])
    table.preferences = [[prefer(zones[0][0], weight)] for weight in (0.0, -0.0, 0.0, 0.0)]
    assert table.kinds == ([0, 1, 0, 2], [0, 1, 3])
    table.preferences[0][0] = prefer(zones[0][0], 1.0)
    assert table.kinds == ([0, 1, 2, 3], [0, 1, 2, 3])
    table.requirements = table.preferences = None
    assert table.kinds == ([0] * 4, [0])


def test_what_is_found_does_not_cross_to_another_process():
    table = task_columns([Task(str(row), {"cpu": 1}, requirements=[is_in("zone", "a")]) for row in range(4)])
    size, found = len(pickle.dumps(table)), table.kinds
    assert len(pickle.dumps(table)) == size
    other = pickle.loads(pickle.dumps(table))
    assert (other, other.kinds) == (table, found)
