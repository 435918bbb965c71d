"""The reference in Python answers as the component of contract 0.3.0 does, to the bit, on stories with every rule mixed."""

import struct
from dataclasses import astuple, replace
from pathlib import Path

import pytest

from offermatch import Matcher
from offermatch.model import Timings
from offermatch.reference import Reference
from stories import Story

COMPONENT = Path(__file__).parents[3] / "target" / "matcher.wasm"


@pytest.fixture(scope="module")
def matcher():
    return Matcher.load(COMPONENT)


def bits(numbers):
    return [struct.pack("<d", number) for number in numbers]


def same_places(one, other):
    assert list(one.tasks) == list(other.tasks)
    assert list(one.offers) == list(other.offers)
    assert bits(one.scores) == bits(other.scores)


def columns(found):
    return [bits(map(float, column)) for column in astuple(found)]


def told(matcher, seed, **settings):
    """Tell a story to both, and compare everything."""
    story = Story(seed)
    story.settings = replace(story.settings, **settings)
    offers = story.offers(story.some(8))
    story.rows = offers.rows
    pools = [Reference(offers, story.shape, story.settings), matcher.backend(offers, story.shape, story.settings, Timings())]
    try:
        for _ in range(story.random.randint(1, 4)):
            tasks = story.tasks()
            mine, theirs = pools[0].checks(tasks, Timings()), pools[1].explain(tasks, Timings())
            assert columns(mine) == columns(theirs)
            same_places(*(pool.assign(tasks, Timings()) for pool in pools))
            changes = story.changes()
            for pool in pools:
                pool.update(changes, Timings())
    finally:
        pools[1].close()


@pytest.mark.parametrize("block", range(8))
def test_stories(matcher, block):
    for seed in range(block * 150, block * 150 + 150):
        try:
            told(matcher, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error


def test_stories_in_which_used_offers_come_first(matcher):
    for seed in range(400):
        try:
            told(matcher, seed, parameters=[1.0])
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error


def test_plans(matcher):
    planned = 0
    for seed in range(600):
        story = Story(seed, mode="shared")
        offers = story.offers(story.some(6))
        story.rows = offers.rows
        tasks = story.tasks(grouped=False)
        running = story.running(offers)
        priorities = [story.random.randint(0, 3) for _ in range(tasks.rows)]
        mine = Reference(offers, story.shape, story.settings).preempt(tasks, priorities, running, Timings())
        pool = matcher.backend(offers, story.shape, story.settings, Timings())
        theirs = pool.preempt(tasks, priorities, running, Timings())
        pool.close()
        assert [list(map(int, column)) for column in (mine.tasks, mine.offers, mine.victim_offsets, mine.victims)] == [
            list(column) for column in (theirs.tasks, theirs.offers, theirs.victim_offsets, theirs.victims)
        ], f"seed {seed}"
        assert bits(mine.scores) == bits(theirs.scores), f"seed {seed}"
        planned += len(mine.victims)
    assert planned > 50, "the stories are to have victims"
