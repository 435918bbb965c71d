"""Ordinary cases with ordinary answers, by every implementation."""

import math
import traceback
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy
import pytest

from offermatch import (
    Assignment,
    Explanation,
    InputError,
    Offer,
    ReferenceMatcher,
    Settings,
    Task,
    is_in,
    match_tasks_to_offers,
    not_in,
)
from offermatch.model import Check


def test_the_worked_example_of_the_semantics(matcher):
    offers = [Offer("a", {"cpu": "4 cores"}), Offer("b", {"cpu": "2 cores"})]
    tasks = [Task("t", {"cpu": "1 core"}), Task("u", {"cpu": "1 core"})]
    assert matcher.match(tasks, offers).assignments == [Assignment("t", "b", 0.25), Assignment("u", "a", 0.75)]
    assert matcher.match(tasks, offers, mode="shared").assignments == [
        Assignment("t", "b", 0.25),
        Assignment("u", "b", 0.0),
    ]


def test_swap_remove_decides_later_ties(matcher):
    offers = [Offer(name, {"cpu": 1}) for name in "abcd"]
    tasks = [Task(f"t{row}", {"cpu": 1}) for row in range(4)]
    assert matcher.match(tasks, offers).offer_names == ["a", "d", "c", "b"]


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_empty_tables(matcher, mode):
    assert matcher.match([], [], mode=mode).assignments == []
    assert matcher.match([], [Offer("a", {"cpu": 1})], mode=mode).assignments == []
    answer = matcher.match([Task("t", {"cpu": 1})], [], mode=mode, explain=True)
    assert answer.unplaced == ["t"]
    nothing = dict.fromkeys(("cpu", "devices", "together", "score"), Check(0, 0, 0))
    assert answer.explanations == [Explanation("t", 0, {"cpu": 0}, (), 0, 0, 0, nothing, 0)]
    assert answer.digest == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_zero_demand_and_zero_capacity(matcher):
    answer = matcher.match([Task("t", {"cpu": 0})], [Offer("a", {"cpu": 0})])
    assert answer.assignments == [Assignment("t", "a", 0.0)]
    assert matcher.match([Task("t")], [Offer("a")]).assignments == [Assignment("t", "a", 0.0)]


def test_the_largest_quantities(matcher):
    top = 2**64 - 1
    answer = matcher.match(
        [Task("t", {"memory": 0}), Task("u", {"memory": top})], [Offer("a", {"memory": top}), Offer("b", {"memory": top})]
    )
    assert answer.scores == [1.0, 0.0]


def test_max_score_is_not_reached(matcher):
    offers, tasks = [Offer("a", {"cpu": 2})], [Task("t", {"cpu": 1})]
    assert matcher.match(tasks, offers, max_score=0.5).assignments == []
    assert len(matcher.match(tasks, offers, max_score=math.nextafter(0.5, 1.0))) == 1
    assert matcher.match(tasks, offers, max_score=0, explain=True).explanations[0].by_score == 1


def test_weights_and_scales(matcher):
    offers = [Offer("a", {"cpu": 3, "memory": 9}), Offer("b", {"cpu": 9, "memory": 3})]
    tasks = [Task("t", {"cpu": 1, "memory": 1})]
    answer = matcher.match(tasks, offers, weights={"memory": 0.5}, scales={"cpu": 4})
    assert answer.assignments == [Assignment("t", "a", 0.5 + 0.5 * 8 / 9)]


def test_shares_take_the_tightest_device_and_whole_ones_the_lowest(matcher):
    with matcher.open([Offer("a", {}, devices=[1000, 500, 1000])], Settings("shared")) as pool:
        assert len(pool.assign([Task("t", device_share=500)])) == 1
        assert pool.explain([Task("u", devices=2)])[0].candidates == 1
        assert len(pool.assign([Task("v", device_share=100), Task("w", devices=2), Task("x", devices=1)])) == 2


def test_unset_is_in_no_set(matcher):
    offers = [Offer("a", {"cpu": 1}), Offer("b", {"cpu": 1}, attributes={"zone": "x"})]
    assert matcher.match([Task("t", requirements=[is_in("zone", "x")])], offers).offer_names == ["b"]
    assert matcher.match([Task("t", requirements=[not_in("zone", "x")])], offers).offer_names == ["a"]
    assert matcher.match([Task("t", requirements=[is_in("gpu", "x")])], offers).offer_names == []
    assert matcher.match([Task("t", requirements=[not_in("gpu", "x")])], offers).offer_names == ["a"]
    assert matcher.match([Task("t", requirements=[is_in("zone", "")])], offers).offer_names == []


def test_reasons_are_counted_at_every_check(matcher):
    offers = [
        Offer("small", {"cpu": 0}),
        Offer("elsewhere", {"cpu": 2}, attributes={"zone": "y"}),
        Offer("bare", {"cpu": 2}, attributes={"zone": "x"}),
        Offer("loose", {"cpu": 9}, attributes={"zone": "x"}, devices=1),
        Offer("tight", {"cpu": 1}, attributes={"zone": "x"}, devices=1),
    ]
    task = Task("t", {"cpu": 1}, requirements=[not_in("zone", "z"), is_in("zone", "x")], devices=1)
    with matcher.open(offers, Settings(max_score=0.5)) as pool:
        checks = {
            "cpu": Check(1, 0, 0),
            "requirement 0": Check(0, 0, 0),
            "requirement 1": Check(2, 0, 0),
            "devices": Check(3, 1, 1000),
            "together": Check(0, 0, 0),
            # 8 of 9 cores are left, half of which is the term's weight among two: 0.5 is asked.
            "score": Check(1, 1, 8 / 9 - 0.5),
        }
        words = {"requirement 0": "zone not in z", "requirement 1": "zone in x"}
        assert pool.explain([task, task.__class__("u", task.demand, task.requirements, 1)]) == [
            Explanation(name, 5, {"cpu": 1}, (0, 2), 3, 1, 1, checks, 2, words=words) for name in "tu"
        ]


def test_an_offer_comes_back_at_the_end_of_the_list(matcher):
    with matcher.open([Offer(name, {"cpu": 1}) for name in "abc"]) as pool:
        pool.update(removed=["a"])
        pool.update(changed=[Offer("a", {"cpu": 1})], added=[Offer("d", {"cpu": 1})])
        tasks = [Task(f"t{row}", {"cpu": 1}) for row in range(4)]
        assert pool.assign(tasks).offer_names == ["c", "d", "a", "b"]


def test_the_drop_in_of_the_talk():
    @dataclass
    class Row:
        name: str
        cpu: int
        memory: int

    placed = match_tasks_to_offers([Row("t", 1, 1)], [Row("a", 2, 2), Row("b", 1, 1)], dimensions=("cpu", "memory"))
    assert placed == {"b": "t"}


def test_answers_come_as_columns_and_as_rows(matcher):
    answer = matcher.match([Task("t", {"cpu": 9}), Task("u", {"cpu": 1})], [Offer("a", {"cpu": 1})])
    assert (answer.task_rows, answer.offer_rows, answer.scores) == ([1], [0], [0.0])
    assert (answer.task_names, answer.offer_names, answer.unplaced, len(answer)) == (["u"], ["a"], ["t"], 1)
    assert answer.timings.call > 0


def test_the_text_of_an_error_has_its_code_and_its_hint(matcher):
    with pytest.raises(InputError) as caught:
        matcher.match([Task("t", {"cpu": -1})], [Offer("a", {"cpu": 1})])
    error = caught.value
    assert str(error) == f"{error.place}: {error.message} [quantity-negative], hint: {error.hint}"
    assert error.hint
    shown = "".join(traceback.format_exception(error))
    assert f"[{error.code}], hint: {error.hint}" in shown


def test_a_node_holds_as_many_tasks_of_two_cores_as_it_has_cores_for(matcher):
    tasks = [Task(f"t{row}", {"cpu": "2"}) for row in range(1000)]
    assert len(matcher.match(tasks, [Offer("node", {"cpu": "7910m"})], mode="shared")) == 3


def test_offers_that_come_later_are_taken_however_large_they_are(matcher):
    with matcher.open([Offer("small", {"cpu": 1})], Settings("shared")) as pool:
        pool.update(added=[Offer("large", {"cpu": 1000})])
        assert pool.assign([Task("t", {"cpu": 2})]).offer_names == ["large"]
    with matcher.open([], Settings("shared"), dimensions=("cpu",)) as pool:
        pool.update(added=[Offer("large", {"cpu": 96})])
        assert pool.assign([Task("t", {"cpu": 1})]).offer_names == ["large"]


@pytest.mark.parametrize("one", [numpy.int64(1), numpy.float32(1), Decimal(1), Fraction(1), 1])
def test_a_number_of_a_setting_is_of_any_kind(one):
    tasks, offers = [Task("t", {"cpu": 1})], [Offer("o", {"cpu": 2})]
    named = {"max_score": one, "weights": {"cpu": one}, "parameters": {"used-first": one}}
    expected = ReferenceMatcher().match(tasks, offers, max_score=1.0, weights={"cpu": 1.0}, parameters={"used-first": 1.0})
    assert ReferenceMatcher().match(tasks, offers, **named).assignments == expected.assignments


@pytest.mark.parametrize("none", [True, "1", 1j, math.nan, Decimal("NaN"), Decimal("sNaN"), numpy.bool_(True), 10**400])
def test_what_is_no_finite_number_is_refused_as_a_setting(none):
    for named in ({"max_score": none}, {"weights": {"cpu": none}}, {"parameters": {"used-first": none}}):
        with pytest.raises(InputError):
            ReferenceMatcher().match([], [Offer("o", {"cpu": 2})], **named)


def test_a_record_is_a_file():
    for call in (lambda: ReferenceMatcher().match([], [], record=5), lambda: ReferenceMatcher().open([], record=5)):
        with pytest.raises(InputError) as caught:
            call()
        assert (caught.value.code, caught.value.place) == ("setting-malformed", "record")


@pytest.mark.parametrize("given", [None, 5, [None], [5], "rack"])
@pytest.mark.parametrize("what", ["attributes", "measures"])
def test_attributes_and_measures_of_a_pool_are_names(what, given):
    with pytest.raises(InputError) as caught:
        ReferenceMatcher().open([], **{what: given})
    assert (caught.value.code, caught.value.place) == ("setting-malformed", what)


@pytest.mark.parametrize("dimensions", ["cpu", ["cpu", 5], ("cpu", "memory", "cpu")])
def test_dimensions_are_names_each_once(dimensions):
    with pytest.raises(InputError) as caught:
        ReferenceMatcher().match([], [Offer("o", {"cpu": 2, "memory": 1})], dimensions=dimensions)
    assert (caught.value.code, caught.value.place) == ("setting-malformed", "dimensions")
