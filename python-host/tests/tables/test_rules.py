"""Measures, preferences and groups by their names: rows, mappings, frames, pools, and what is wrong with them."""

import math
from pathlib import Path

import pandas
import pytest

from offermatch import (
    Group,
    InputError,
    Matcher,
    Offer,
    Preference,
    ReferenceMatcher,
    Task,
    TaskColumns,
    at_least,
    at_most,
    is_in,
    prefer,
)

BUILT = Path(__file__).parents[3] / "target" / "matcher.wasm"
RACKS = [Offer(f"s{i}", {"cpu": 2}, attributes={"rack": f"r{i // 2}", "zone": "ab"[i % 2]}) for i in range(4)]


@pytest.fixture(scope="module", params=["component", "reference"])
def matcher(request):
    return Matcher.load(BUILT) if request.param == "component" else ReferenceMatcher()


def gang(size, rules, **asked):
    return [Task(f"t{i}", {"cpu": 1}, group=rules if i == 0 else rules.name, **asked) for i in range(size)]


def placed(answer):
    return dict(zip(answer.task_names, answer.offer_names, strict=True))


def refused(call):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.hint
    return caught.value.code, caught.value.place


def test_rows_mappings_flat_rows_and_frames_say_the_same(matcher):
    rows = [
        Task("t", {"cpu": 1}, [at_least("gpu", 20)], preferences=[prefer(is_in("zone", "b"), 1)], group=Group("g", least=2)),
        Task("u", {"cpu": 1}, [is_in("zone", "a", "b"), at_most("price", 2)], group="g"),
    ]
    mappings = [
        {
            "name": "t",
            "demand": {"cpu": 1},
            "requirements": [{"measure": "gpu", "at_least": 20}],
            "preferences": [{"attribute": "zone", "in": ["b"], "weight": 1}],
            "group": {"name": "g", "least": 2},
        },
        {
            "name": "u",
            "demand": {"cpu": 1},
            "requirements": [{"attribute": "zone", "in": ["a", "b"]}, {"measure": "price", "at_most": 2}],
            "group": "g",
        },
    ]
    cells = {
        "name": ["t", "u"],
        "demand.cpu": [1, 1],
        "at_least.gpu": [20.0, None],
        "requires.zone": [None, "a|b"],
        "at_most.price": [None, 2],
        "prefers.zone": ["b", None],
        "prefers_weight.zone": [1, None],
        "group": ["g", "g"],
        "group.least": [2, None],
    }
    flat = [{key: column[row] for key, column in cells.items()} for row in range(2)]
    offers = [
        Offer("a", {"cpu": 4}, attributes={"zone": "a"}, measures={"gpu": 30, "price": 1}),
        Offer("b", {"cpu": 4}, attributes={"zone": "b"}, measures={"gpu": 40, "price": None}),
    ]
    offered = pandas.DataFrame(
        {
            "name": ["a", "b"],
            "cpu": [4, 4],
            "attribute.zone": ["a", "b"],
            "measure.gpu": [30, 40],
            "measure.price": [1, None],
        }
    )
    expected = matcher.match(rows, offers, mode="shared")
    assert placed(expected) == {"t": "b", "u": "a"}
    for tasks in (mappings, cells, pandas.DataFrame(cells)):
        assert matcher.match(tasks, offers, mode="shared").digest == expected.digest
    assert matcher.match(flat, offers, mode="shared", dimensions=["cpu"]).digest == expected.digest
    assert matcher.match(rows, offered, mode="shared").digest == expected.digest


def test_tables_of_columns_take_them(matcher):
    table = TaskColumns.build(
        ["t", "u"],
        {"cpu": [1, 1]},
        preferences=[[prefer(is_in("zone", "b"), 1)], []],
        groups=[Group("g", at_most={"offer": 1}), "g"],
    )
    assert placed(matcher.match(table, RACKS, mode="shared")) == {"t": "s1", "u": "s0"}
    assert table.picked([1]).groups == [Group("g", at_most={"offer": 1})]


def test_a_pool_knows_who_runs_as_its_offers_said_last(matcher):
    one = [Task("t", {"cpu": 1}, group=Group("web", at_most={"rack": 2}))]
    busy = Offer("s0", {"cpu": 1}, attributes={"rack": "r0", "zone": "a"}, occupants={"web": 2})
    with matcher.open([busy, *RACKS[1:]], mode="shared") as pool:
        assert placed(pool.assign(one)) == {"t": "s2"}
        assert pool.offers().occupants == {"web": {0: 2}}
        # Said of the group for this call only.
        assert placed(pool.assign(one, occupants={"web": {"s2": 2}})) == {"t": "s0"}
        pool.update(changed=[Offer("s0", {"cpu": 1}, attributes={"rack": "r0", "zone": "a"})])
        assert pool.offers().occupants == {}
        assert placed(pool.assign(one)) == {"t": "s0"}
        pool.upsert([Offer("s3", {"cpu": 2}, attributes={"rack": "r1"}, occupants={"web": 2})])
        assert placed(pool.assign(one)) == {"t": "s1"}
        pool.update(removed=["s3"])
        assert placed(pool.assign(one, occupants={"web": {"s1": 2}})) == {"t": "s2"}
        assert refused(lambda: pool.assign(one, occupants={"web": {"s9": 1}})) == ("row-unknown", "occupants, web.s9")
        assert refused(lambda: pool.assign(one, occupants={"web": {"s1": -1}})) == ("group-malformed", "occupants, web.s1")
        assert refused(lambda: pool.assign(one, occupants=["web"])) == ("file-malformed", "occupants")


def test_a_pool_takes_the_measures_that_it_was_opened_with(matcher):
    asked = [Task("t", {"cpu": 1}, [at_least("gpu", 2)])]
    with matcher.open([Offer("a", {"cpu": 1})], measures=["gpu"], mode="shared") as pool:
        assert not len(pool.assign(asked))
        pool.update(added=[Offer("b", {"cpu": 1}, measures={"gpu": 3})])
        assert placed(pool.assign(asked)) == {"t": "b"}
        unknown = [Offer("c", {"cpu": 1}, measures={"price": 3})]
        assert refused(lambda: pool.update(added=unknown)) == ("measure-malformed", "added offers")
        grouped = [Task("t", {"cpu": 1}, group=Group("g", together="rack"))]
        assert refused(lambda: pool.assign(grouped)) == ("group-malformed", "tasks, row 0 (t), group.together")


def test_members_without_a_place_are_explained_beside_those_with_one(matcher):
    answer = matcher.match(gang(5, Group("web", at_most={"zone": 2})), RACKS, mode="shared", explain=True)
    (found,) = answer.explanations
    assert (found.by_dimension, found.candidates, found.capable) == ({"cpu": 2}, 0, 4)
    assert found.checks["limit 0"].fails == 4
    assert found.words == {"limit 0": "at most 2 a zone"}
    assert (found.members.group, found.members.placed, found.members.running) == ("web", 0, 4)


def test_a_short_gang_says_how_many_of_its_members_find_an_offer(matcher):
    tasks = [Task(f"t{i}", {"cpu": 2}, group=Group("train", least=5)) for i in range(5)]
    answer = matcher.match(tasks, RACKS, mode="shared", explain=True)
    assert not len(answer)
    assert {(one.members.placed, one.members.running, one.members.least) for one in answer.explanations} == {(4, 0, 5)}


def test_what_is_left_out_takes_its_group_along(matcher):
    tasks = [*gang(2, Group("train", least=3)), Task("u", {"cpu": 1}), Task("t2", {"cpu": -1}, group="train")]
    answer = matcher.match(tasks, RACKS, mode="shared", bad_rows="leave-out")
    assert (placed(answer), answer.task_rows) == ({"u": "s0"}, [2])
    assert [(one.row, one.name, one.error.code) for one in answer.left_out] == [
        (3, "t2", "quantity-negative"),
        (0, "t0", "group-malformed"),
        (1, "t1", "group-malformed"),
    ]


def test_a_row_at_odds_with_its_group_is_left_out(matcher):
    tasks = [Task("a", {"cpu": 1}, group=Group("g", least=1)), Task("b", {"cpu": 1}, group=Group("g", together="rack"))]
    assert refused(lambda: matcher.match(tasks, RACKS)) == ("group-malformed", "tasks, row 1 (b), group")
    answer = matcher.match(tasks, RACKS, bad_rows="leave-out")
    assert (answer.task_names, [one.name for one in answer.left_out]) == (["a"], ["b"])


def test_what_no_offer_has_is_a_remark_and_refused_where_asked(matcher):
    tasks = [Task("t", {"cpu": 1}, [at_least("gpu", 1)], group=Group("g", together="row"))]
    answer = matcher.match(tasks, RACKS)
    assert answer.remarks == [
        "tasks, row 0 (t), requirements: no offer has the measure 'gpu'",
        "tasks, row 0 (t), group: no offer has the attribute 'row'",
    ]
    assert not len(answer)
    assert refused(lambda: matcher.match(tasks, RACKS, strict=True)) == (
        "unknown-attribute",
        "tasks, row 0 (t), requirements",
    )


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: at_least("gpu", math.nan), "measure-malformed"),
        (lambda: at_most("gpu", "much"), "measure-malformed"),
        (lambda: at_least("gpu", None), "measure-malformed"),
        (lambda: at_least(1, 1), "file-malformed"),
        (lambda: prefer(is_in("zone", "a"), -1), "preference-malformed"),
        (lambda: prefer(is_in("zone", "a"), math.inf), "preference-malformed"),
        (lambda: prefer("zone", 1), "file-malformed"),
        (lambda: Group(""), "group-malformed"),
        (lambda: Group("g", least=-1), "group-malformed"),
        (lambda: Group("g", at_most={"offer": 0}), "group-malformed"),
        (lambda: Group("g", least=2**32), "group-malformed"),
        (lambda: Group("g", together=3), "file-malformed"),
        (lambda: Group("g", at_most=[1]), "file-malformed"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_where_it_is_made(make, code):
    assert refused(make)[0] == code


@pytest.mark.parametrize(
    ("offer", "place"),
    [
        (Offer("o", {"cpu": 1}, measures={"gpu": math.nan}), "offers, row 0 (o), measures.gpu"),
        (Offer("o", {"cpu": 1}, measures={"gpu": [1]}), "offers, row 0 (o), measures.gpu"),
        (Offer("o", {"cpu": 1}, occupants={"g": 0.5}), "offers, row 0 (o), occupants.g"),
        (Offer("o", {"cpu": 1}, measures=3), "offers, row 0 (o), measures"),
    ],
)
def test_a_measure_or_an_occupant_that_cannot_be_names_its_row(matcher, offer, place):
    assert refused(lambda: matcher.match([], [offer]))[1] == place


def test_a_matcher_of_the_contract_before_refuses_each_rule_by_name():
    before = Matcher.load(BUILT.with_name("matcher-0.2.0.wasm"))
    tasks = {
        "measures": Task("t", {"cpu": 1}, [at_least("gpu", 1)]),
        "preferences": Task("t", {"cpu": 1}, preferences=[Preference(is_in("zone", "a"), 1)]),
        "groups": Task("t", {"cpu": 1}, group="g"),
    }
    offers = [Offer("o", {"cpu": 1}, measures={"gpu": 1}, attributes={"zone": "a"})]
    for rule, task in tasks.items():
        assert refused(lambda task=task: before.match([task], offers)) == ("rule-unserved", rule)
    # A measure that nobody asks for does not cross.
    assert len(before.match([Task("t", {"cpu": 1})], offers)) == 1


def test_typical_tasks_and_parameters_are_given_by_name():
    matcher = Matcher.load(BUILT)
    offers = [Offer("o", {"cpu": 1}, attributes={"zone": "a"})]
    task = Task("t", {"cpu": 1})
    with_group = [(Task("t", {"cpu": 1}, group="g"), 1)]
    assert refused(lambda: matcher.match([task], offers, parameters={"nobody": 1})) == ("parameter-unknown", "parameters")
    assert refused(lambda: matcher.match([task], offers, workload=with_group)) == (
        "workload-malformed",
        "workload, row 0 (t), group",
    )
    assert refused(lambda: matcher.match([task], offers, workload=[(task, -1)])) == (
        "workload-malformed",
        "workload, row 0, share",
    )
    assert refused(lambda: matcher.match([task], offers, workload=[(task, 0)])) == ("workload-malformed", "workload")
