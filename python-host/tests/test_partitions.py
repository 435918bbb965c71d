"""Partitions of a cycle: nothing connects them, nothing is lost, and on several threads they are answered as on one."""

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
