"""Rows that are read at once: the same tables as row by row, and everything else is left to the other way."""

import random
from dataclasses import fields, replace

import pytest

from offermatch import InputError, Offer, Task, at_least
from offermatch.model import Requirement
from offermatch.tables import rows as reading
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.plain import plain_offers, plain_tasks


class Text(str):
    __slots__ = ()


VALUES = [0, 1, 0.25, 7, 2**40, 2.0, 2**63, 2**64 - 1, 2**64, -1, True, 1.5, "3", "2 cores", None, 10**30]
UNITS = [None, {"cpu": "millicores"}, {"memory": "MiB"}, {"cpu": "parsecs"}]


def quantities(chance):
    names = chance.choice([("cpu", "memory"), ("cpu",), ("memory", "cpu"), (), ("devices",), ("cpu", "a" * 3)])
    most = 5 if chance.random() < 0.8 else len(VALUES)
    return {name: VALUES[chance.randrange(most)] for name in names}


def some_rows(chance, kind):
    field = "demand" if kind is Task else "available"
    one, rich, rows = quantities(chance), chance.random() < 0.5, []
    zones = (Requirement("zone", ("a",)), at_least("memory", 1.5))
    for row in range(chance.randrange(1, 6)):
        given = one if chance.random() < 0.8 else quantities(chance)
        made = kind(f"row-{row if chance.random() < 0.97 else 0}", **{field: given})
        if one and rich:
            if kind is Task:
                made = replace(made, requirements=chance.choice([(), [zones[0]], zones[:1], zones]))
            else:
                capacity = {name: chance.choice(VALUES[:5]) for name in one} if chance.random() < 0.3 else given
                attributes = {"zone": chance.choice(["a", "b", None]), "rack": "1"}
                devices = chance.choice([0, 2, [], [300, 1000], [1001], (5,)]) if chance.random() < 0.1 else row % 2
                made = replace(made, capacity=dict(capacity), attributes=attributes, devices=devices)
        if chance.random() < 0.1:
            other = [
                {"name": chance.choice(["", 5, None, Text("t")])},
                {"devices": chance.choice([1, True, -1])},
                {"requirements": [Requirement("zone", ("a",))]} if kind is Task else {"attributes": {"zone": 5}},
                {"device_share": 300} if kind is Task else {"capacity": {"cpu": 2**50}},
                {
                    chance.choice([one.name for one in fields(kind)][1:]): chance.choice(
                        [None, "", 0, 0.0, False, (), [], {}]
                    )
                },
            ]
            made = replace(made, **chance.choice(other))
        rows.append(made)
    return rows


def read(columns, rows, **options):
    try:
        return columns(rows, **options)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize(("columns", "kind"), [(task_columns, Task), (offer_columns, Offer)])
def test_tables_are_those_of_the_other_way(monkeypatch, columns, kind):
    plain = 0
    for seed in range(3000):
        chance = random.Random(seed)
        rows = some_rows(chance, kind)
        options = {
            "units": chance.choice(UNITS),
            "dimensions": chance.choice([None, ("cpu", "memory")]),
            "bad_rows": chance.choice(["refuse", "leave-out"]),
        }
        if kind is Task:
            options["known"] = chance.choice([None, ("cpu", "memory"), ("cpu",)])
        found = read(columns, rows, **options)
        with monkeypatch.context() as patch:
            patch.setattr(reading, "plain_tasks", lambda *_: None)
            patch.setattr(reading, "plain_offers", lambda *_: None)
            assert repr(found) == repr(read(columns, rows, **options)), (seed, rows, options)
        plain += (plain_tasks if kind is Task else plain_offers)(rows, "rows", options["units"]) is not None
    assert plain > 300


def test_each_field_of_a_row_is_read_or_leaves_the_row_to_the_other_way():
    # A new field would be lost without a word: read it in plain.py, or name it among those that say nothing there.
    assert [one.name for one in fields(Task)] == [
        *("name", "demand", "requirements", "devices", "device_share", "preferences", "group")
    ]
    assert [one.name for one in fields(Offer)] == [
        *("name", "available", "capacity", "attributes", "devices", "measures", "occupants")
    ]


def test_a_rule_for_bad_rows_that_is_none_is_refused():
    with pytest.raises(InputError, match="bad_rows"):
        task_columns([Task("a", {"cpu": 1})], bad_rows="maybe")


@pytest.mark.parametrize(
    "rows", [[], (Task("a", {"cpu": 1}),), [{"name": "a"}], [Task("a", {"cpu": 1}), Offer("b")], "a.csv"]
)
def test_other_rows_are_left_alone(rows):
    assert plain_tasks(rows, "tasks", None) is None
    assert plain_offers(rows, "offers", None) is None
