"""What a hostile matcher may answer, one test a lie: nothing of it reaches the caller, at a glance or row by row."""

from array import array
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offermatch import LyingMatcherError, MatcherError, Offer, ReferenceMatcher, Settings, Task, is_in
from offermatch.model import Description
from offermatch.tables.tables import Assigned, Explained, OfferTable, Requirements, TaskTable
from offermatch.verify import glance as glances
from offermatch.verify.glance import Taken, glance
from offermatch.verify.ledger import Ledger

TASKS = [
    Task("small", {"cpu": 1}),
    Task("large", {"cpu": 4}),
    Task("shared", {"cpu": 1}, device_share=600),
    Task("zoned", {"cpu": 1}, requirements=[is_in("zone", "a")]),
]
OFFERS = [
    Offer("a", {"cpu": 4}, attributes={"zone": "a"}, devices=1),
    Offer("b", {"cpu": 2}, attributes={"zone": "b"}),
    Offer("c", {"cpu": 9}),
]


def unsure(*_, **__):
    """See nothing, so that each row is looked at."""


@pytest.fixture(params=[unsure, partial(glance, few=1)], ids=["plain", "glance"], autouse=True)
def checks(request, monkeypatch):
    monkeypatch.setattr("offermatch.verify.ledger.glance", request.param)


class Liar(ReferenceMatcher):
    """A matcher that answers what it was told to."""

    description = Description("liar", "1.0.0", "none", "0.1.0", ("exclusive", "shared"))

    def __init__(self, *answers):
        self._answers = list(answers)

    def backend(self, *_):
        return self

    def assign(self, *_):
        return self._answers.pop(0)

    def explain(self, *_):
        return self._answers.pop(0)

    def update(self, *_):
        pass

    def close(self):
        pass


def answer(*rows):
    return Assigned([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])


HONEST = (0, 0, 0.5)

LIES = {
    "columns of different lengths": (Assigned([0, 1], [0], [0.5]), "columns of"),
    "a task that does not exist": (answer(HONEST, (4, 2, 0.5)), "task row"),
    "an offer that does not exist": (answer(HONEST, (1, 3, 0.5)), "offer row"),
    "a task twice": (answer(HONEST, (0, 1, 0.5)), "do not rise"),
    "tasks out of order": (answer((1, 2, 0.5), HONEST), "do not rise"),
    "a score that is no number": (answer((0, 0, float("nan"))), "score"),
    "a score that is infinite": (answer((0, 0, float("-inf"))), "score"),
    "a score that is not below the maximum": (answer((0, 0, 31.0)), "score"),
    "a task on too small an offer": (answer((1, 1, 0.5)), "dimension 0"),
    "a share without a device": (answer((2, 1, 0.5)), "devices"),
    "a task against its requirement": (answer((3, 1, 0.5)), "requirement"),
    "a task with a requirement on an unset attribute": (answer((3, 2, 0.5)), "requirement"),
}


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused(lie, mode):
    told, word = LIES[lie]
    with pytest.raises(LyingMatcherError, match=word) as caught:
        Liar(told).match(TASKS, OFFERS, mode=mode, max_score=31.0)
    assert caught.value.code == "answer-refused"


def test_an_offer_is_not_given_twice_in_exclusive_mode():
    told = answer((0, 2, 0.5), (1, 2, 0.5))
    with pytest.raises(LyingMatcherError, match="two tasks"):
        Liar(told).match(TASKS, OFFERS)
    assert len(Liar(told).match(TASKS, OFFERS, mode="shared")) == 2


def test_an_offer_that_left_is_not_given_again():
    pool = Liar(answer((0, 2, 0.5)), answer((0, 2, 0.5))).open(OFFERS)
    pool.assign(TASKS[:1])
    with pytest.raises(LyingMatcherError, match="left the list"):
        pool.assign(TASKS[1:])


def test_an_offer_is_not_promised_beyond_its_capacity_by_many_small_tasks():
    told = answer(*((row, 1, 0.5) for row in range(3)))
    with pytest.raises(LyingMatcherError, match="beyond"):
        Liar(told).match([Task(f"t{row}", {"cpu": 1}) for row in range(3)], OFFERS, mode="shared")


def test_a_device_is_not_promised_twice():
    told = answer((0, 0, 0.5), (1, 0, 0.5))
    halves = [Task(f"t{row}", {}, device_share=600) for row in range(2)]
    with pytest.raises(LyingMatcherError, match="devices"):
        Liar(told).match(halves, OFFERS, mode="shared")


def test_what_was_taken_stays_taken_in_the_next_call():
    pool = Liar(answer((0, 1, 0.5)), answer((0, 1, 0.5))).open(OFFERS, Settings("shared"))
    pool.assign([Task("t", {"cpu": 2})])
    with pytest.raises(LyingMatcherError, match="beyond"):
        pool.assign([Task("u", {"cpu": 1})])


def test_changes_are_followed():
    pool = Liar(answer((0, 1, 0.5)), answer((0, 1, 0.5), (1, 3, 0.5)), answer((0, 0, 0.5))).open(OFFERS)
    pool.assign([Task("t", {"cpu": 2})])
    pool.update(removed=["a"], changed=[Offer("b", {"cpu": 7})], added=[Offer("d", {"cpu": 8})])
    assert len(pool) == 3
    assert pool.assign([Task("u", {"cpu": 7}), Task("v", {"cpu": 8})]).offer_names == ["b", "d"]
    with pytest.raises(LyingMatcherError, match="left the list"):
        pool.assign([Task("w")])


@pytest.mark.parametrize(
    "told",
    [
        Explained([1], [], [1], [0], [0]),
        Explained([3, 0], [], [0], [0], [0]),
        Explained([3], [], [], [0], [0]),
        Explained([3], [0], [0], [0], [0]),
    ],
)
def test_reasons_must_add_up(told):
    with pytest.raises(LyingMatcherError, match="add up"):
        Liar(told).open(OFFERS).explain([Task("t", {"cpu": 1})])


def test_a_pool_that_lied_takes_no_more_calls():
    pool = Liar(answer((0, 9, 0.5)), answer()).open(OFFERS)
    with pytest.raises(LyingMatcherError):
        pool.assign([Task("t")])
    with pytest.raises(MatcherError, match="gone"):
        pool.assign([Task("t")])


def test_an_empty_answer_holds():
    assert Liar(Assigned([], [], [])).match(TASKS, OFFERS).unplaced == [task.name for task in TASKS]


NUMBERS = st.integers(0, 3) | st.sampled_from([-1, 2**32, 2**63, 2**64 - 1, 2**64])
QUANTITIES = st.sampled_from([0, 1, 2, 2**63, 2**64 - 1])
SCORES = st.sampled_from([0.0, -0.0, -1.0, 30.9, 31.0, 1e308, -1e308, float("inf"), float("-inf"), float("nan")])


@given(st.data(), st.sampled_from(["exclusive", "shared"]), st.integers(0, 2), st.integers(1, 4), st.integers(1, 4))
def test_a_glance_accepts_and_refuses_what_the_plain_checks_do_in_the_same_words(data, mode, dimensions, tasks, offers):
    def columns(rows):
        column = st.lists(QUANTITIES, min_size=rows, max_size=rows).map(lambda values: array("Q", values))
        return data.draw(st.lists(column, min_size=dimensions, max_size=dimensions))

    asked = TaskTable(tasks, columns(tasks), array("Q"), Requirements())
    offered = OfferTable(offers, columns(offers), [], [])
    rows = st.lists(st.tuples(NUMBERS, NUMBERS, SCORES), max_size=4)
    told = [answer(*one) for one in data.draw(st.lists(rows, min_size=1, max_size=3))]
    before = [column[:] for column in offered.available]
    verdicts = []
    for look in (partial(glance, few=1), unsure):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("offermatch.verify.ledger.glance", look)
            ledger, said = Ledger(offered, mode, 31.0), []
            try:
                for one in told:
                    ledger.accept(asked, one)
                    # A copy: the next answer may be taken from the same columns.
                    left = [column[:] for column in ledger._now.left] if mode == "shared" else []
                    said.append((ledger.listed, left))
            except LyingMatcherError as error:
                said.append(str(error))
            verdicts.append(said)
    assert verdicts[0] == verdicts[1]
    assert offered.available == before


def test_a_glance_says_yes_to_what_holds():
    asked = TaskTable(2, [array("Q", [1, 2])], array("Q"), Requirements())
    honest, before = answer((0, 1, 0.5), (1, 0, 0.5)), Taken([array("Q", [2, 2])], bytearray(2))
    look = partial(glance, asked, honest, few=1)
    assert look(before, 31.0, exclusive=True).gone == bytearray([1, 1])
    assert look(before, 31.0, exclusive=False) == Taken([array("Q", [0, 1])], bytearray(2))
    assert before == Taken([array("Q", [2, 2])], bytearray(2))
    assert look(Taken([array("Q", [1, 1])], bytearray(2)), 31.0, exclusive=True) is None


def test_a_glance_grows_its_memory_and_forgets_what_was_in_it():
    rows = 50_000
    asked = TaskTable(rows, [array("Q", [1]) * rows], array("Q"), Requirements())
    everything = Assigned(array("I", range(rows)), array("I", range(rows)), array("d", bytes(8 * rows)))
    for _ in range(2):
        taken = glance(asked, everything, Taken([array("Q", [1]) * rows], bytearray(rows)), 31.0, exclusive=True)
        assert taken.gone.count(1) == rows


def test_an_answer_too_small_or_too_sparse_for_a_glance_is_looked_at():
    asked = TaskTable(2, [], array("Q"), Requirements())
    told = answer((0, 1, 0.5))
    assert glance(asked, told, Taken([], bytearray(2)), 31.0, exclusive=True) is None
    assert glance(asked, told, Taken([], bytearray(64)), 31.0, exclusive=True, few=1) is not None
    assert glance(asked, told, Taken([], bytearray(65)), 31.0, exclusive=True, few=1) is None


def test_what_glances_is_compiled_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / "kept"))
    glances._module.cache_clear()
    glances._module()
    (entry,) = (tmp_path / "kept").glob("*.cwasm")
    before = entry.stat().st_mtime_ns
    glances._module.cache_clear()
    monkeypatch.setattr(glances, "_idle", [])
    asked = TaskTable(1, [], array("Q"), Requirements())
    assert glance(asked, answer(HONEST), Taken([], bytearray(1)), 31.0, exclusive=True, few=1) is not None
    assert entry.stat().st_mtime_ns == before


def test_threads_glance_side_by_side():
    rows = 2_000
    asked = TaskTable(rows, [array("Q", range(rows))], array("Q"), Requirements())
    everything = Assigned(range(rows), range(rows), [0.5] * rows)

    def look(number):
        left = array("Q", range(rows))
        left[-1] -= number % 2
        return glance(asked, everything, Taken([left], bytearray(rows)), 31.0, exclusive=False)

    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(look, range(200)))
    assert taken[1::2] == [None] * 100
    assert taken[::2] == [Taken([array("Q", bytes(8 * rows))], bytearray(rows))] * 100
