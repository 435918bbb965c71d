"""The examples of docs/semantics.md on the rules of contract 0.3.0, in rows."""

from pathlib import Path

import pytest

from offermatch import Group, Matcher, Offer, ReferenceMatcher, Task, at_least, at_most, is_in, prefer

BUILT = Path(__file__).parents[3] / "target" / "matcher.wasm"


@pytest.fixture(scope="module", params=["component", "reference"])
def match(request):
    matcher = Matcher.load(BUILT) if request.param == "component" else ReferenceMatcher()

    def placed(tasks, offers):
        answer = matcher.match(tasks, offers, mode="shared")
        return dict(zip(answer.task_names, answer.offer_names, strict=True))

    return placed


def test_measures(match):
    offers = [Offer("a", measures={"memory": 16}), Offer("b", measures={"memory": 80}), Offer("c")]
    assert match([Task("t", requirements=[at_least("memory", 40)])], offers) == {"t": "b"}
    assert match([Task("t", requirements=[at_most("memory", 40)])], offers) == {"t": "a"}
    assert match([Task("t", requirements=[at_least("memory", float("-inf"))])], offers[2:]) == {}
    assert match([Task("t", requirements=[at_most("memory", float("inf"))])], offers[2:]) == {}


def test_preferences(match):
    offers = [Offer("a", {"cpu": 4}, attributes={"side": "north"}), Offer("b", {"cpu": 4}, attributes={"side": "south"})]
    assert match([Task("t", {"cpu": 1}, preferences=[prefer(is_in("side", "south"), 0.5)])], offers) == {"t": "b"}
    assert match([Task("t", {"cpu": 1}, preferences=[prefer(is_in("side", "west"), 0.5)])], offers) == {"t": "a"}


def members(count, group):
    return [Task(f"m{at}", {"cpu": 2}, group=group) for at in range(count)]


def test_least(match):
    offers = [Offer("a", {"cpu": 2}), Offer("b", {"cpu": 2})]
    gang = Group("g", least=3)
    assert match([*members(3, gang), Task("next", {"cpu": 2})], offers) == {"next": "a"}
    beside = [*offers, Offer("c", occupants={"g": 1})]
    assert match(members(2, gang), beside) == {"m0": "a", "m1": "b"}


def test_least_that_is_broken_already(match):
    four = Group("g", least=4)
    assert match(members(1, four), [Offer("a", {"cpu": 2}), Offer("b", occupants={"g": 3})]) == {"m0": "a"}
    assert match(members(2, four), [Offer("a", {"cpu": 2}), Offer("b", occupants={"g": 2})]) == {}


def test_together(match):
    offers = [Offer(name, {"cpu": 2}, attributes={"rack": rack}) for name, rack in (("a", "r"), ("b", "s"), ("c", "s"))]
    group = Group("g", together="rack")
    assert match(members(2, group), offers) == {"m0": "b", "m1": "c"}
    bound = [Offer("a", {"cpu": 2}, attributes={"rack": "r"}, occupants={"g": 1}), *offers[1:]]
    assert match(members(2, group), bound) == {"m0": "a"}


def test_at_most(match):
    offers = [Offer(name, {"cpu": 2}, attributes={"zone": zone}) for name, zone in (("a", "x"), ("b", "x"), ("c", "y"))]
    group = Group("g", at_most={"zone": 1})
    assert match(members(3, group), offers) == {"m0": "a", "m1": "c"}
    full = [Offer("a", {"cpu": 2}, attributes={"zone": "x"}, occupants={"g": 2}), *offers[1:]]
    assert match(members(1, group), full) == {"m0": "c"}
