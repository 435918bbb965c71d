"""Calls whose arguments go into memory without wasmtime-py: the same answers, and what is not known goes the other way."""

import gc
import threading
from array import array
from types import SimpleNamespace

import pytest
from wasmtime.component import Record

from offermatch import InputError, Matcher, Offer, Settings, Task, Timings
from offermatch.sample import KINDS, Sample
from offermatch.wasm import direct


@pytest.fixture
def matcher(monkeypatch):
    monkeypatch.delenv("OFFERMATCH_CROSSING", raising=False)
    return Matcher.load()


def converted(monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "packed")
    return Matcher.load()


def test_the_bundled_matcher_is_called_directly(matcher):
    assert matcher.direct


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_answers_are_those_of_the_library(matcher, monkeypatch, kind, mode):
    other = converted(monkeypatch)
    for seed in range(1, 6):
        tasks, offers = Sample(kind, 40 * seed, 30, seed).rows()
        for first in (0, 10):
            given = tasks[first:], offers[: 30 - first]
            assert matcher.match(*given, mode=mode).digest == other.match(*given, mode=mode).digest
            assert matcher.explain(*given, Settings(mode)) == other.explain(*given, Settings(mode))


def test_updates_are_those_of_the_library(matcher, monkeypatch):
    offers = [Offer(f"o{row}", {"cpu": 10 + row, "memory": 2**40}, devices=[1000, 400]) for row in range(20)]
    answers = []
    for one in (matcher, converted(monkeypatch)):
        with one.open(offers, Settings("shared")) as pool:
            found = []
            for row in range(20):
                pool.update(
                    removed=[f"o{row}"] if row % 3 == 0 else [],
                    changed=[Offer(f"o{row}", {"cpu": 9, "memory": 2**63 + row})] if row % 3 == 1 else [],
                    added=[Offer(f"new{row}", {"cpu": 7, "memory": 2**33}, devices=[250])] if row % 3 == 2 else [],
                )
                found.append(pool.assign([Task("t", {"cpu": 3, "memory": row}, device_share=100 * (row % 2))]).digest)
            answers.append((found, pool.offers()))
    assert answers[0] == answers[1]


def test_a_version_that_was_not_tested_is_called_by_the_library(matcher, monkeypatch):
    monkeypatch.setattr(direct, "_KNOWN_LAYOUT", False)
    other = Matcher.load()
    tasks, offers = Sample("realistic", 50, 40).rows()
    assert other.match(tasks, offers).digest == matcher.match(tasks, offers).digest


def test_a_layout_is_for_one_call_at_a_time(matcher):
    tasks, offers = Sample("uniform", 3, 200).rows()
    expected = matcher.match(tasks, offers).digest
    found, failed = [], []

    def run():
        try:
            for _ in range(50):
                found.append(matcher.match(tasks, offers).digest)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert found == [expected] * 300


def test_a_number_that_does_not_fit_is_refused_and_not_cut(matcher):
    instance = matcher._code.instance()
    layouts = instance._exports.layouts
    index = instance._exports.lists["assign"]
    layout = layouts(index, instance._function(index, "assign"), instance.store).pop()
    for kind, value in ((direct.U32, 2**32), (direct.U32, -1), (direct.Bool, 2)):
        with pytest.raises(OverflowError):
            direct._Whole(0, kind).put(layout._memory, value)
    for kind, value in ((direct.U32(), [1, 2**32]), (direct.U64(), [2**64]), (direct.U64(), [-1])):
        with pytest.raises(OverflowError):
            direct._Numbers(0, kind).put(layout._memory, value)


def test_lists_of_numbers_are_written_as_values():
    memory = direct._Memory()
    memory.reserve(8)
    memory.freeze()
    for kind, given, expected in (
        (direct.U32(), [7, 2**32 - 1], [7, 2**32 - 1]),
        (direct.S32(), [-1, 5], [2**32 - 1, 5]),
        (direct.Bool(), [True, False], [1, 0]),
        (direct.F64(), [1.5, -2.0], list(array("Q", array("d", [1.5, -2.0]).tobytes()))),
    ):
        direct._Numbers(0, kind).put(memory, given)
        area = memory.kept[-1]
        assert (memory.words[0], memory.words[1]) == (len(given), area.buffer_info()[0])
        assert list(area[1::4]) == expected
        memory.clear()
        assert list(memory.words) == [0] * 8
        assert memory.kept == []
    direct._Numbers(0, direct.U64()).put(memory, [])
    assert memory.words[0] == 0


def test_a_refused_call_leaves_the_layout_as_good_as_new(matcher):
    offers = [Offer(f"o{row}", {"cpu": 4}) for row in range(5)]
    with matcher.open(offers, Settings("shared")) as pool:
        with pytest.raises(InputError):
            pool.assign([Task("t", {"cpu": -1})])
        assert pool.assign([Task("t", {"cpu": 1})]).offer_names == ["o0"]


def test_nothing_of_a_call_is_left_for_the_next_one(matcher):
    tasks, offers = Sample("realistic", 50, 40).rows()
    layouts = matcher._code.instance()._exports._layouts
    blank = {index: list(found[0]._memory._blank) for index, found in layouts.items() if found}
    with matcher.open(offers, Settings("shared")) as pool:
        pool.assign(tasks)
        pool.update(removed=[offers[0].name], changed=[offers[1]], added=[Offer("new", offers[0].available)])
        pool.explain(tasks)
    assert len(blank) >= 4
    for index, words in blank.items():
        (layout,) = layouts[index]
        assert list(layout._memory.words) == words
        assert layout._memory.kept == []


def test_what_the_answer_holds_is_let_go(matcher):
    tasks, offers = Sample("uniform", 2, 50).rows()
    with matcher.open(offers, Settings("shared")) as pool:
        pool.assign(tasks)
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(200):
            pool.assign(tasks)
        gc.collect()
        assert len(gc.get_objects()) - before < 50


def test_a_type_that_is_not_known_has_no_layout():
    strange = SimpleNamespace(params=[("one", direct.Record())], result=None)
    assert direct.laid_out(strange) is None


def test_a_record_without_a_field_is_refused(matcher):
    instance = matcher._code.instance()
    with pytest.raises(KeyError):
        instance.call("open", [Record(), Record(), Record()], Timings(), direct=True)
