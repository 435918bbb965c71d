"""The slot: what is promoted, what is refused, and what goes on meanwhile."""

import asyncio
import hashlib
import json
import os
import threading
import time
from dataclasses import replace

import pytest

from hostile import OFFERS, TASKS, component, limits, right
from manifests import appears, described, manifest
from offermatch import (
    FallbackMatcher,
    InputError,
    Manifest,
    Matcher,
    MatcherError,
    Offer,
    ReferenceMatcher,
    Settings,
    Slot,
    Task,
)
from offermatch.cli.main import run
from offermatch.policies import BUNDLED


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    path = tmp_path_factory.mktemp("cases") / "case.recording.json"
    ReferenceMatcher().match(TASKS, OFFERS, record=path)
    return path


def test_a_command_writes_the_manifest_of_a_component(tmp_path, capsys):
    (tmp_path / "etc").mkdir()
    assert run(["policies", "--write", str(tmp_path / "matchers")]) == 0
    strand = tmp_path / "matchers" / "strand.wasm"
    place = tmp_path / "etc" / "manifest.json"
    assert run(["manifest", str(strand), "--write", str(tmp_path / "etc"), "--shadow-cycles", "3"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{place}: offermatch-strand 0.1.0, policy strand, sha256:")
    assert [path.name for path in place.parent.iterdir()] == ["manifest.json"]
    written = json.loads(place.read_text())
    assert (written["policy"], written["path"], written["shadow_cycles"]) == ("strand", "../matchers/strand.wasm", 3)
    assert run(["swap", "--manifest", str(place)]) == 0
    assert "would be promoted after 3 cycles in shadow" in capsys.readouterr().out
    assert run(["manifest", str(strand), "--conformance", "none"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {**written, "path": os.path.relpath(strand), "shadow_cycles": 0, "conformance": "none"}
    assert run(["manifest", str(strand), "--write", str(tmp_path / "nowhere" / "manifest.json")]) == 1
    assert "error[file-unwritable]" in capsys.readouterr().err
    assert run(["manifest", str(place)]) == 1
    assert "error[component-malformed]" in capsys.readouterr().err
    assert json.loads(place.read_text()) == written


def happened(slot):
    return [event.what for event in slot.history]


def test_a_candidate_may_use_what_the_first_matcher_may(tmp_path):
    tight = replace(Matcher.load().limits, output_rows=12_345)
    slot = Slot(Matcher.load(limits=tight))
    slot.swap(manifest(tmp_path))
    assert slot.current.limits == tight
    given = replace(tight, output_rows=54_321)
    slot = Slot(Matcher.load(limits=tight), limits=given)
    slot.swap(manifest(tmp_path))
    assert slot.current.limits == given


def test_a_candidate_is_promoted_and_rolled_back(tmp_path, case):
    first = ReferenceMatcher()
    slot = Slot(first, conformance=[case])
    slot.swap(manifest(tmp_path))
    assert (slot.digest, slot.previous) == (Matcher.load().digest, first)
    answer = slot.match(TASKS, OFFERS)
    assert (answer.digest, answer.matcher_digest) == (right(), slot.digest)
    slot.rollback()
    assert slot.current is first
    with pytest.raises(MatcherError) as caught:
        slot.rollback()
    assert caught.value.code == "nothing-to-roll-back"
    assert happened(slot) == ["loaded", "promoted", "rolled-back"]
    assert all(event.time.tzinfo for event in slot.history)


def test_there_may_be_nothing_to_roll_back():
    with pytest.raises(MatcherError) as caught:
        Slot(ReferenceMatcher()).rollback()
    assert caught.value.code == "nothing-to-roll-back"


def damaged(folder):
    path = folder / "damaged.wasm"
    path.write_bytes(BUNDLED.read_bytes()[:5000])
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return {"path": str(path), "digest": digest}


REFUSED = {
    "a wrong digest": (lambda folder: {"digest": "sha256:" + "0" * 64}, "digest-mismatch"),
    "a damaged component": (damaged, "component-malformed"),
    "no component": (lambda folder: {"path": "nowhere.wasm"}, "component-unreadable"),
    "another version": (lambda folder: {"version": "9.9.9"}, "manifest-malformed"),
    "another name": (lambda folder: {"matcher": "somebody"}, "manifest-malformed"),
    "another policy": (lambda folder: {"policy": "worst-fit"}, "manifest-malformed"),
    "a digest that is none": (lambda folder: {"digest": "sha256:1"}, "manifest-malformed"),
    "a key too few": (lambda folder: {"policy": None}, "manifest-malformed"),
    "a key too many": (lambda folder: {"shadow": 3}, "manifest-malformed"),
    "cycles below zero": (lambda folder: {"shadow_cycles": -1}, "manifest-malformed"),
}


def stays(slot, asked, code, before):
    with pytest.raises(MatcherError) as caught:
        slot.swap(asked)
    assert caught.value.code == code
    assert slot.current is before
    assert slot.match(TASKS, OFFERS).digest == right()
    event = slot.history[-1]
    assert (event.what, event.code) == ("refused", code)
    assert event.reason


@pytest.mark.parametrize("kind", REFUSED)
def test_a_candidate_is_refused_and_the_one_in_use_stays(tmp_path, kind):
    change, code = REFUSED[kind]
    slot = Slot(before := ReferenceMatcher())
    stays(slot, manifest(tmp_path, **change(tmp_path)), code, before)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("first-fit", "conformance-failed"),
        ("capricious", "conformance-failed"),
        ("newer-contract", "contract-version"),
        ("claims-newer-contract", "contract-version"),
        ("wrong-world", "wrong-world"),
        ("trap", "matcher-trapped"),
        ("spin-describe", "limit-time"),
        ("nan-scores", "conformance-failed"),
    ],
)
def test_a_hostile_candidate_is_refused(tmp_path, case, name, code):
    path = component(name)
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        said = described(path)
    except MatcherError:
        said = {"matcher": "any", "version": "0", "policy": "any", "digest": digest}
    slot = Slot(before := ReferenceMatcher(), conformance=[case], limits=limits(path.stem))
    stays(slot, manifest(tmp_path, **said, path=str(path)), code, before)


def test_a_candidate_of_an_older_contract_is_refused(tmp_path):
    older = tmp_path / "older.wasm"
    # Names of one length: what else the bytes say stays as it is.
    older.write_bytes(component("newer-contract").read_bytes().replace(b"@0.4.0", b"@0.0.9"))
    digest = "sha256:" + hashlib.sha256(older.read_bytes()).hexdigest()
    said = {"matcher": "any", "version": "0", "policy": "any", "digest": digest, "path": older.name}
    slot = Slot(before := ReferenceMatcher())
    stays(slot, manifest(tmp_path, **said), "contract-version", before)
    assert "0.0.9" in slot.history[-1].reason


@pytest.mark.parametrize("content", ["", "{", '{"matcher": "offermatch-ma', "[]", "null", "\xff"])
def test_a_manifest_half_written_is_refused(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_text(content, encoding="latin-1")
    slot = Slot(before := ReferenceMatcher())
    stays(slot, path, "manifest-malformed", before)
    stays(slot, tmp_path / "nowhere.json", "manifest-malformed", before)


class Failing(ReferenceMatcher):
    """Answers a number of cycles, then fails."""

    def __init__(self, good):
        self.good = good

    def session(self, *arguments):
        self.good -= 1
        if self.good < 0:
            raise MatcherError("matcher-trapped", "it broke")
        return super().session(*arguments)


def test_a_failure_on_probation_takes_the_new_one_back_and_the_cycle_is_answered():
    slot = Slot(before := ReferenceMatcher())
    slot.promote(Failing(2), probation_cycles=5)
    for _ in range(4):
        assert slot.match(TASKS, OFFERS).digest == right()
    assert slot.current is before
    assert happened(slot) == ["promoted", "rolled-back"]
    assert (slot.history[-1].code, slot.history[-1].reason) == ("matcher-trapped", "it broke")


def test_what_only_the_new_one_refuses_takes_it_back():
    slot = Slot(before := ReferenceMatcher())
    new = Failing(9)
    new.description = replace(ReferenceMatcher.description, modes=())
    slot.promote(new)
    with pytest.raises(InputError):
        slot.match(TASKS, OFFERS, max_score=-1.0)
    with pytest.raises(InputError):
        slot.match([Task("t", {"gpu": 1})], OFFERS)
    assert slot.current is new
    assert slot.match(TASKS, OFFERS).digest == right()
    assert slot.current is before
    assert slot.history[-1].code == "setting-malformed"


def test_after_probation_a_failure_is_a_failure():
    slot = Slot(ReferenceMatcher())
    slot.promote(new := Failing(3), probation_cycles=3)
    for _ in range(3):
        slot.match(TASKS, OFFERS)
    with pytest.raises(MatcherError, match="it broke"):
        slot.match(TASKS, OFFERS)
    assert slot.current is new
    assert happened(slot) == ["promoted", "confirmed"]


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_candidate_in_shadow_is_promoted_when_it_answered_the_same(tmp_path):
    slot = Slot(ReferenceMatcher())
    slot.swap(manifest(tmp_path, shadow_cycles=3))
    assert isinstance(slot.current, ReferenceMatcher)
    while slot.shadow is not None:
        assert slot.match(TASKS, OFFERS).digest == right()
        time.sleep(0.01)
    assert slot.digest == Matcher.load().digest
    assert happened(slot) == ["loaded", "shadowed", "promoted"]


@pytest.mark.parametrize("name", ["first-fit", "trap"])
def test_a_candidate_that_answers_otherwise_in_shadow_is_refused(tmp_path, name, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    slot = Slot(before := ReferenceMatcher())
    slot.swap(manifest(tmp_path, component(name), shadow_cycles=3, conformance="none"))
    assert slot.match(TASKS, OFFERS).digest == right()
    until(lambda: slot.shadow is None)
    assert slot.current is before
    assert (slot.history[-1].what, slot.history[-1].code) == ("refused", "shadow-differs")


def test_a_swap_ends_the_shadow_of_another(tmp_path):
    slot = Slot(ReferenceMatcher())
    slot.swap(manifest(tmp_path, shadow_cycles=1000))
    slot.match(TASKS, OFFERS)
    slot.swap(manifest(tmp_path))
    assert slot.shadow is None
    assert happened(slot) == ["loaded", "loaded", "promoted"]


@pytest.mark.parametrize("how", ["promote", "rollback", "manifest"])
def test_a_candidate_in_shadow_is_given_up_where_another_is_wanted_meanwhile(tmp_path, how):
    slot = Slot(ReferenceMatcher())
    slot.promote(used := Matcher.load())
    with slot.watch(tmp_path, poll_milliseconds=10):
        manifest(tmp_path, component("first-fit"), shadow_cycles=1, conformance="none")
        until(lambda: slot.shadow is not None)
        before = happened(slot)
        if how == "promote":
            slot.promote(used)
        elif how == "rollback":
            slot.rollback()
        else:
            manifest(tmp_path)
            until(lambda: slot.shadow is None)
        assert slot.shadow is None
        slot.match(TASKS, OFFERS)
    assert happened(slot) == before + {"promote": ["promoted"], "rollback": ["rolled-back"], "manifest": []}[how]


@pytest.mark.parametrize("which", ["manifest", "directory"])
def test_a_manifest_is_followed(tmp_path, which):
    path = tmp_path / "manifest.json"
    slot = Slot(ReferenceMatcher())
    with slot.watch(path if which == "manifest" else tmp_path, poll_milliseconds=10):
        appears(path, b'{"matcher": "off')
        until(lambda: happened(slot) == ["refused"])
        late = tmp_path / "late.wasm"
        manifest(tmp_path, digest="sha256:" + "0" * 64)
        until(lambda: slot.history[-1].code == "digest-mismatch")
        manifest(tmp_path, path=late.name)
        until(lambda: slot.history[-1].code == "component-unreadable")
        appears(late, BUNDLED.read_bytes())
        until(lambda: slot.digest == described(BUNDLED)["digest"])
        time.sleep(0.05)
    assert happened(slot) == ["refused", "refused", "refused", "loaded", "promoted"]
    assert slot.match(TASKS, OFFERS).digest == right()


def test_a_manifest_that_is_not_there_is_told_once(tmp_path, caplog):
    path = tmp_path / "manifest.json"
    slot = Slot(ReferenceMatcher())
    with slot.watch(path, poll_milliseconds=10):
        until(lambda: "manifest.json" in caplog.text)
        time.sleep(0.05)
        assert len(caplog.records) == 1
        appears(path, b"{")
        until(lambda: happened(slot) == ["refused"])


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_a_pool_moves_to_the_matcher_that_was_promoted(mode):
    slot = Slot(first := ReferenceMatcher())
    new = [Offer(f"new-{at}", dict.fromkeys(OFFERS[0].available, 3)) for at in range(3)]
    with slot.open(OFFERS, mode=mode) as pool, ReferenceMatcher().open(OFFERS, mode=mode) as reference:
        for number, matcher in enumerate((Matcher.load(), first, Matcher.load())):
            assert pool.assign(TASKS[:4]).digest == reference.assign(TASKS[:4]).digest
            slot.promote(matcher)
            update = {"removed": [OFFERS[number].name], "added": new[number : number + 1]}
            pool.update(**update)
            reference.update(**update)
            found = pool.assign(TASKS[4:])
            assert (found.digest, found.matcher) == (reference.assign(TASKS[4:]).digest, matcher.description)
            assert found.remarks == []
        assert pool.explain(TASKS[:1]) == reference.explain(TASKS[:1])


def test_a_pool_that_cannot_move_stays_and_says_so():
    slot = Slot(ReferenceMatcher())
    with slot.open(OFFERS) as pool:
        other = Failing(0)
        other.description = replace(ReferenceMatcher.description, name="other", modes=("shared",))
        slot.promote(other, probation_cycles=0)
        for _ in range(2):
            found = pool.assign(TASKS[:1])
            assert found.matcher == ReferenceMatcher.description
            assert ["stays" in remark and "other" in remark for remark in found.remarks] == [True]
        slot.rollback()
        assert pool.assign(TASKS[:1]).remarks == []


@pytest.mark.parametrize("name", ["trap", "nan-scores"])
def test_a_pool_that_fails_on_probation_takes_the_slot_back(name, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    slot = Slot(before := ReferenceMatcher())
    slot.promote(Matcher.load(component(name)))
    with slot.open(OFFERS) as pool:
        answer = pool.assign(TASKS)
        assert slot.current is before
        assert happened(slot) == ["promoted", "rolled-back"]
        assert slot.history[-1].code == {"trap": "matcher-trapped", "nan-scores": "answer-refused"}[name]
        assert (answer.digest, answer.matcher) == (right(), ReferenceMatcher.description)
        # After its probation, a failure is the pool's end.
        slot.promote(Matcher.load(component(name)), probation_cycles=0)
        with pytest.raises(MatcherError):
            pool.assign(TASKS)
        with pytest.raises(MatcherError, match="gone"):
            pool.assign(TASKS)


def test_cycles_of_a_pool_count_for_the_probation():
    slot = Slot(ReferenceMatcher())
    slot.promote(Matcher.load(), probation_cycles=3)
    with slot.open(OFFERS) as pool:
        for number in range(4):
            assert happened(slot) == ["promoted", "confirmed"][: 1 + (number == 3)]
            pool.assign(TASKS)
    assert happened(slot) == ["promoted", "confirmed"]


def test_a_pool_leaves_a_matcher_before_it_fails(monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    slot = Slot(Matcher.load(component("trap")))
    with slot.open(OFFERS) as pool:
        slot.promote(new := ReferenceMatcher())
        assert pool.assign(TASKS).digest == right()
    assert (slot.current, happened(slot)) == (new, ["promoted"])


def test_a_pool_that_only_the_new_one_refuses_is_opened_in_the_one_before():
    slot = Slot(before := ReferenceMatcher())
    new = Failing(9)
    new.description = replace(ReferenceMatcher.description, modes=())
    slot.promote(new)
    with pytest.raises(InputError):
        slot.open(OFFERS, Settings(max_score=-1.0))
    assert slot.current is new
    with slot.open(iter(OFFERS)) as pool:
        assert pool.assign(TASKS).digest == right()
    assert slot.current is before


def test_a_pool_with_a_slot_and_a_fallback_takes_the_slot_back_and_goes_on(monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    slot = Slot(before := Matcher.load())
    slot.promote(Matcher.load(component("trap")))
    with FallbackMatcher(slot).open(OFFERS) as pool, ReferenceMatcher().open(OFFERS) as reference:
        answers = [pool.assign(TASKS[:2]) for _ in range(2)]
        assert [answer.digest for answer in answers] == [reference.assign(TASKS[:2]).digest for _ in range(2)]
    # The matcher before is the primary still, so it is asked rather than the fallback.
    assert [answer.matcher for answer in answers] == [before.description] * 2
    assert [answer.fallback_reason for answer in answers] == [None] * 2
    assert (slot.current, happened(slot)) == (before, ["promoted", "rolled-back"])


def test_threads_and_tasks_call_while_it_is_swapped(tmp_path):
    # First-fit is the other matcher, so that an answer tells who gave it.
    first, second = Matcher.load(), Matcher.load(component("first-fit"))
    known = {matcher.digest: matcher.match(TASKS, OFFERS).digest for matcher in (first, second)}
    slot, stop, answers = Slot(first), threading.Event(), []

    def call():
        while not stop.is_set():
            answers.append(slot.match(TASKS, OFFERS))

    async def call_from_tasks():
        return await asyncio.gather(*(slot.match_async(TASKS, OFFERS) for _ in range(20)))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        slot.promote((second, first)[number % 2])
        if number % 10 == 0:
            answers.extend(asyncio.run(call_from_tasks()))
    stop.set()
    for thread in threads:
        thread.join()
    assert len(answers) > 80
    assert {known[answer.matcher_digest] == answer.digest for answer in answers} == {True}
    assert {answer.matcher_digest for answer in answers} == set(known)


def test_what_a_matcher_raises_reaches_the_task_that_awaits_it():
    async def call():
        await Failing(0).match_async(TASKS, OFFERS)

    with pytest.raises(MatcherError, match="it broke"):
        asyncio.run(call())


def test_the_command(tmp_path, capsys, case):
    asked = str(manifest(tmp_path))
    assert run(["swap", "--manifest", asked, "--conformance", str(case)]) == 0
    assert "would be promoted at once" in capsys.readouterr().out
    asked = str(manifest(tmp_path, shadow_cycles=7))
    assert run(["swap", "--manifest", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["would"] == "shadow"
    manifest(tmp_path, component("first-fit"))
    assert run(["swap", "--manifest", asked, "--conformance", str(case)]) == 1
    assert capsys.readouterr().err.startswith("error[conformance-failed]: ")


def test_manifests_are_relative_to_where_they_stand(tmp_path):
    (tmp_path / "m.wasm").write_bytes(BUNDLED.read_bytes())
    found = Manifest.read(manifest(tmp_path, path="m.wasm"))
    assert found.path == tmp_path / "m.wasm"
    assert (found.shadow_cycles, found.probation_cycles) == (0, 10)


def test_conformance_cases_that_cannot_be_read_are_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        Slot(ReferenceMatcher(), conformance=[tmp_path / "nowhere"])


def test_a_pool_with_a_slot_and_a_fallback_follows_a_promotion():
    slot = Slot(ReferenceMatcher())
    with FallbackMatcher(slot).open(OFFERS) as pool, ReferenceMatcher().open(OFFERS) as reference:
        for matcher in (Matcher.load(), ReferenceMatcher(), Matcher.load()):
            slot.promote(matcher)
            found = pool.assign(TASKS[:1])
            assert (found.digest, found.matcher) == (reference.assign(TASKS[:1]).digest, matcher.description)
            assert found.fallback_reason is None
