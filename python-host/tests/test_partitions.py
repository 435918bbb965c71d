"""Partitions of a cycle: nothing connects them, nothing is lost, and on several threads they are answered as on one."""

import json
import math
import random
from collections import Counter
from dataclasses import replace

import pytest

from offermatch import Group, InputError, Matcher, Offer, ReferenceMatcher, Settings, Task, is_in, not_in
from offermatch.partitions import Partition, match_partitions, partition

VALUES = ("", "a", "b", "c")


def cycle(seed):
    """Return tasks and offers whose requirements, groups and occupants are drawn."""
    draw = random.Random(seed)
    tasks, offers = [], []
    for number in range(draw.randrange(25)):
        requirements = [
            (not_in if draw.random() < 0.2 else is_in)(
                draw.choice(["zone", "kind"]), draw.sample(VALUES[1:], draw.randint(1, 2))
            )
            for _ in range(draw.randrange(3))
        ]
        group = f"group-{draw.randrange(3)}" if draw.random() < 0.2 else None
        tasks.append(Task(f"task-{number}", {"cpu": draw.randint(1, 4)}, requirements=requirements, group=group))
    for number in range(draw.randrange(15)):
        attributes = {"zone": draw.choice(VALUES), "kind": draw.choice(VALUES)}
        occupants = {f"group-{draw.randrange(3)}": 2} if draw.random() < 0.1 else {}
        offers.append(Offer(f"offer-{number}", {"cpu": draw.randint(1, 8)}, attributes=attributes, occupants=occupants))
    # No group asks for more members than it has.
    sizes = Counter(task.group for task in tasks)
    groups = {name: Group(name, least=draw.randint(1, size)) for name, size in sizes.items() if name}
    return [replace(task, group=groups.get(task.group)) for task in tasks], offers


def meets(task, offer):
    """Return whether an offer meets the requirements, read from the rows."""

    def holds(required):
        value = offer.attributes[required.attribute]
        return (value != "" and value in required.values) != required.excludes

    return all(map(holds, task.requirements))


@pytest.mark.parametrize("seed", range(200))
def test_nothing_connects_partitions_and_they_are_answered_as_the_whole(seed):
    tasks, offers = cycle(seed)
    mode = ("shared", "exclusive")[seed % 2]
    parts, settings = partition(tasks, offers, Settings(mode))

    placed = [name for part in parts for name in part.tasks.names]
    assert sorted(placed) == sorted(task.name for task in tasks)
    for part in parts:
        mine, theirs = set(part.tasks.names), set(part.offers.names)
        for task in tasks:
            if task.name in mine:
                assert not [offer.name for offer in offers if offer.name not in theirs and meets(task, offer)]
                assert all(other.name in mine for other in tasks if other.group and other.group == task.group)

    reference = ReferenceMatcher()
    answers = match_partitions(parts, settings, matcher=reference, threads=3)
    for part, answer in zip(parts, answers, strict=True):
        assert answer.assignments == reference.match(part.tasks, part.offers, settings).assignments
    if mode == "shared":
        whole = reference.match(tasks, offers, mode=mode)
        found = [one for answer in answers for one in answer.assignments]
        assert sorted(found, key=lambda one: one.task) == sorted(whole.assignments, key=lambda one: one.task)


def zones(names, tasks=40, offers=30):
    """Return tasks and offers of some zones, one after the other."""
    draw = random.Random(1)
    asked = [
        Task(f"{zone}-task-{number}", {"cpu": draw.randint(1, 8), "memory": "1GiB"}, requirements=[is_in("zone", [zone])])
        for number in range(tasks)
        for zone in names
    ]
    offered = [
        Offer(f"{zone}-offer-{number}", {"cpu": draw.randint(1, 16), "memory": "4GiB"}, attributes={"zone": zone})
        for number in range(offers)
        for zone in names
    ]
    return asked, offered


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_the_component_answers_on_threads_as_on_one(mode):
    tasks, offers = zones("abcde")
    parts, settings = partition(tasks, offers, Settings(mode, weights={"cpu": 2.0}))
    assert [len(part.tasks) for part in parts] == [40] * 5
    matcher = Matcher.load()
    one = match_partitions(parts, settings, matcher=matcher, threads=1)
    assert [answer.digest for answer in match_partitions(parts, settings, matcher=matcher, threads=4)] == [
        answer.digest for answer in one
    ]
    assert all(len(answer) > 20 for answer in one)


def test_scales_are_those_of_all_offers_whatever_the_units_are():
    tasks = [Task(zone, {"cpu": 500}, requirements=[is_in("zone", [zone])]) for zone in "ab"]
    offers = [
        Offer(zone, {"cpu": cpu}, attributes={"zone": zone}, devices=[1000] * devices)
        for zone, cpu, devices in (("a", 1000, 1), ("b", 4000, 3))
    ]
    settings = Settings("shared", units={"cpu": "millicores"})
    parts, found = partition(tasks, offers, settings)
    assert found == replace(settings, scales={"cpu": "4000m", "devices": 3})
    whole = Matcher.load().match(tasks, offers, settings)
    assert [answer.assignments[0] for answer in match_partitions(parts, found)] == whole.assignments
    given = partition(tasks, offers, replace(settings, scales={"cpu": 8000}))[1]
    assert given.scales == {"cpu": 8000, "devices": 3}


def test_a_task_without_a_place_stands_in_the_first_partition_and_an_offer_without_a_task_in_none():
    tasks = [Task("nowhere", {"cpu": 1}, requirements=[is_in("zone", ["x"])]), *zones("a", 1, 0)[0]]
    offers = [*zones("ab", 0, 1)[1]]
    (part,), _ = partition(tasks, offers)
    assert (part.tasks.names, part.offers.names) == (["nowhere", "a-task-0"], ["a-offer-0"])
    (part,), _ = partition(tasks[:1], offers)
    assert (part.tasks.names, part.offers.names) == (["nowhere"], [])
    assert partition([], offers)[0] == []


def test_without_requirements_there_is_one_partition():
    tasks, offers = [Task("t", {"cpu": 1}), Task("u", {"cpu": 1})], [Offer("o", {"cpu": 4}), Offer("p", {"cpu": 4})]
    (part,), _ = partition(tasks, offers)
    assert (part.tasks.names, part.offers.names) == (["t", "u"], ["o", "p"])


def test_mistakes_name_the_partition():
    tasks, offers = zones("a", 2, 2)
    one = Partition(tasks, offers)
    with pytest.raises(InputError) as caught:
        match_partitions([one, Partition([], offers)])
    assert (caught.value.code, caught.value.place) == ("duplicate-name", "partition 1, offers")
    with pytest.raises(InputError) as caught:
        match_partitions([one], threads=0)
    assert (caught.value.code, caught.value.place) == ("setting-malformed", "threads")
    with pytest.raises(InputError) as caught:
        match_partitions([one], Settings(weights={"licences": 1.0}))
    assert caught.value.code == "setting-malformed"
    assert match_partitions([]) == []


@pytest.mark.parametrize("nothing", [0, 0.0, "0", "0 cores", "0m"])
def test_a_scale_of_0_is_the_largest_capacity_of_all_offers_however_it_is_written(nothing):
    tasks, offers = zones("ab", 4, 3)
    settings = Settings("shared", scales={"cpu": nothing})
    parts, found = partition(tasks, offers, settings)
    assert found.scales == partition(tasks, offers, Settings("shared"))[1].scales
    reference = ReferenceMatcher()
    answers = match_partitions(parts, found, matcher=reference)
    whole = reference.match(tasks, offers, settings).assignments
    assert sorted((one for answer in answers for one in answer.assignments), key=str) == sorted(whole, key=str)


def test_what_match_refuses_is_refused_with_the_same_place(tmp_path):
    tasks, offers = zones("ab", 2, 2)
    file = tmp_path / "tasks.json"
    file.write_text(json.dumps({"units": {"lic": "0.1"}, "tasks": [{"name": "t", "demand": {"cpu": 1}}]}))
    asks_more = [*tasks[:2], Task("c", {"gpu": 1}, requirements=[is_in("zone", ["b"])])]
    for asked, settings in (
        (file, Settings()),
        (asks_more, Settings()),
        (tasks, Settings(units={"lic": "0.1"})),
        (tasks, Settings(scales={"lic": 0})),
        (tasks, "shared"),
        (tasks, 0),
    ):
        with pytest.raises(InputError) as expected:
            ReferenceMatcher().match(asked, offers, settings)
        with pytest.raises(InputError) as caught:
            partition(asked, offers, settings)
        assert str(caught.value) == str(expected.value)


def test_rows_of_a_partition_are_called_by_their_numbers_in_the_whole_table():
    tasks, offers = zones("ab", 2, 2)
    tasks[3] = Task("odd", {"cpu": 1}, requirements=[is_in("zone", ["b"]), not_in("colour", ["red"])])
    parts, settings = partition(tasks, offers, Settings("shared"))
    answers = match_partitions(parts, settings, matcher=ReferenceMatcher())
    for answer in answers:
        assert [tasks[row].name for row in answer.task_rows] == answer.task_names
        assert [offers[row].name for row in answer.offer_rows] == answer.offer_names
    assert [remark for answer in answers for remark in answer.remarks] == [
        "tasks, row 3 (odd), requirements: no offer has the attribute 'colour'"
    ]


@pytest.mark.parametrize("threads", [0, -1, 1.5, 2.0, math.nan, "2", True])
def test_threads_are_a_whole_number(threads):
    # Without partitions, no thread would begin.
    with pytest.raises(InputError) as caught:
        match_partitions([], threads=threads)
    assert (caught.value.code, caught.value.place) == ("setting-malformed", "threads")


@pytest.mark.parametrize(
    ("partitions", "options", "place"),
    [
        (None, {}, "partitions"),
        ([zones("a", 1, 1)], {}, "partition 0"),
        ([], {"matcher": "bundled"}, "matcher"),
        ([], {"settings": "shared"}, "settings"),
    ],
)
def test_what_is_no_partition_no_matcher_and_no_settings_is_refused(partitions, options, place):
    with pytest.raises(InputError) as caught:
        match_partitions(partitions, **options)
    assert (caught.value.code, caught.value.place) == ("setting-malformed", place)
