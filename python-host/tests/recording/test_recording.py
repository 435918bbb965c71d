"""Recordings: what is written, and what a replay says of it."""

import gzip
import json

import pytest
from hypothesis import given, settings

from cases import DIMENSIONS, pool_settings
from cases import offers as some_offers
from cases import tasks as some_tasks
from hostile import OFFERS, TASKS, component
from offermatch import (
    Difference,
    InputError,
    Matcher,
    MatcherError,
    Offer,
    Recording,
    ReferenceMatcher,
    Running,
    Settings,
    Task,
    replay,
)
from offermatch.cli.main import run


def recorded(tmp_path, matcher, name="cycle.recording.json", **options):
    path = tmp_path / name
    answer = matcher.match(TASKS, OFFERS, record=path, **options)
    return Recording.read(path), answer


@pytest.mark.parametrize("name", ["cycle.recording.json", "cycle.recording.json.gz"])
def test_a_cycle_is_recorded_and_answered_the_same(tmp_path, matcher, name):
    recording, answer = recorded(tmp_path, matcher, name, mode="shared", explain=True, weights={"cpu": 0.1})
    assert [next(iter(step)) for step in recording.steps] == ["assign", "explain"]
    assert recording.steps[0]["answer"]["offers"] == answer.offer_rows
    assert recording.matcher["name"] == matcher.description.name
    assert recording.matcher.get("digest", "") == matcher.digest
    for other in (Matcher.load(), ReferenceMatcher()):
        assert replay(recording, other) == []


def test_a_pool_is_recorded_when_it_is_closed(tmp_path, matcher):
    path = tmp_path / "pool.recording.json"
    with matcher.open([Offer("a", {"cpu": 4}), Offer("b", {"cpu": 2})], Settings("shared"), record=path) as pool:
        pool.assign([Task("t", {"cpu": 1})])
        pool.update(removed=["b"], changed=[Offer("a", {"cpu": 9})], added=[Offer("c", {"cpu": 3})])
        pool.explain([Task("u", {"cpu": 4})])
        assert not path.exists()
    recording = Recording.read(path)
    assert [next(iter(step)) for step in recording.steps] == ["assign", "update", "explain"]
    assert replay(recording, matcher) == []


def test_a_pool_that_plans_is_replayed_with_the_plan(tmp_path, matcher):
    path = tmp_path / "plans.recording.json"
    running = [Running("a", 1, start, {"slots": 2}, {number: 500}) for start, number in ((7, 0), (9, 1))]
    offers = [Offer("a", {"slots": 0}, {"slots": 4}, devices=[0, 0]), Offer("b", {"slots": 1})]
    with matcher.open(offers, Settings("shared"), record=path) as pool:
        moves = pool.preempt([Task("t", {"slots": 2}, device_share=500), Task("u", {"slots": 9})], [2, 2], running)
    recording = Recording.read(path)
    assert [next(iter(step)) for step in recording.steps] == ["preempt"]
    planned = recording.steps[0]["answer"]
    assert (planned["offers"], planned["victims"]) == ([0], [1]) == ([0], list(moves[0].victims))
    for other in (Matcher.load(), ReferenceMatcher()):
        assert replay(recording, other) == []
    planned |= {"scores": [0.5], "victims": [0]}
    first, second = (str(found) for found in replay(recording, matcher))
    assert first.startswith("step 0, task 0: offer 0 at 0.5 -> offer 0 at ")
    assert second == "step 0, victims: [0] -> [1]"


def test_a_plan_is_of_the_second_format(tmp_path):
    path = tmp_path / "plan.recording.json"
    document = {"shape": {"dimensions": 1}, "settings": {"mode": "shared", "max_score": 31.0}, "offers": {}}
    document["steps"] = [{"preempt": {}, "answer": {"victim_offsets": [0]}}]
    path.write_text(json.dumps({"format": "offermatch-recording/2", **document}))
    assert replay(Recording.read(path), Matcher.load()) == []
    path.write_text(json.dumps({"format": "offermatch-recording/1", **document}))
    with pytest.raises(InputError, match="no key 'preempt'"):
        Recording.read(path)


def test_parameters_that_a_matcher_takes_since_a_recording_have_their_defaults(tmp_path):
    strand = Matcher.load(policy="strand")
    own = strand.description.parameters[0]
    recording, _ = recorded(tmp_path, strand, parameters={own.name: own.minimum})
    parameters = recording.settings["parameters"]
    assert len(parameters) == len(strand.description.parameters) > 1
    assert parameters.pop() == strand.description.parameters[-1].default
    assert replay(recording, strand) == []
    parameters += [own.maximum] * (len(strand.description.parameters) + 1)
    assert [found.after for found in replay(recording, strand)] == ["column-length"]


def test_the_same_cycle_is_the_same_file(tmp_path, packed):
    for name in ("a.gz", "b.gz"):
        packed.match(TASKS, OFFERS, record=tmp_path / name)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert json.loads(gzip.decompress((tmp_path / "a.gz").read_bytes()))["format"] == "offermatch-recording/2"


@settings(max_examples=25)
@given(some_tasks(), some_offers(), pool_settings)
def test_any_cycle_replays_the_same_in_the_component_and_in_the_loop(tmp_path_factory, tasks, offers, given_settings):
    path = tmp_path_factory.mktemp("recording") / "any.recording.json"
    reference = ReferenceMatcher()
    with reference.open(offers, given_settings, dimensions=DIMENSIONS, record=path) as pool:
        pool.assign(tasks)
        pool.explain(tasks)
    recording = Recording.read(path)
    assert replay(recording, reference) == []
    assert replay(recording, Matcher.load()) == []


def test_what_differs_is_told_task_by_task(tmp_path, packed):
    recording, answer = recorded(tmp_path, packed)
    recording.steps[0]["answer"]["offers"][0] = 39
    recording.steps[0]["answer"]["tasks"][-1] += 1
    first, *rest = replay(recording, packed)
    score = answer.scores[0]
    assert first == Difference(0, "task 0", f"offer 39 at {score}", f"offer {answer.offer_rows[0]} at {score}")
    assert len(rest) == 2
    assert "-> not placed" in str(rest[-1])


REFUSALS = [
    {"assign": {"rows": 1, "demand": []}, "error": "column-length"},
    {"assign": {"rows": 1, "demand": [1], "devices": [1001]}, "error": "broken-devices"},
    {"update": {"removed": [0, 0]}, "error": "repeated-row"},
    {"update": {"removed": [7]}, "error": "out-of-range"},
    {"assign": {"rows": 1, "demand": [1]}, "answer": {"tasks": [0], "offers": [1], "scores": [0.25]}},
]


def recording_of(steps, **keys):
    document = {
        "format": "offermatch-recording/1",
        "shape": {"dimensions": 1, "attributes": 0},
        "settings": {"mode": "exclusive", "max_score": 31.0},
        "offers": {"rows": 2, "available": [4, 2]},
        "steps": steps,
        **keys,
    }
    return Recording.of(document, "case")


def test_refusals_are_compared_except_by_the_loop(component):
    assert replay(recording_of(REFUSALS), component) == []
    assert replay(recording_of(REFUSALS), ReferenceMatcher()) == []
    wrong = [{**step, "error": "bad-setting"} for step in REFUSALS[:1]]
    assert [str(found) for found in replay(recording_of(wrong), component)] == [
        "step 0, error: bad-setting -> column-length"
    ]
    settled = [{"assign": {"rows": 1, "demand": []}, "answer": {}}]
    assert [found.after for found in replay(recording_of(settled), component)] == ["column-length"]


def test_a_refused_opening_is_compared(component):
    refused = {"settings": {"mode": "shared", "max_score": 31.0, "weights": [1.0]}, "open_error": "column-length"}
    assert replay(recording_of([], **refused), component) == []
    assert replay(recording_of([], **refused), ReferenceMatcher()) == []
    assert replay(recording_of([], open_error="bad-setting"), component)[0].step == -1


def test_a_cycle_that_fails_is_recorded_up_to_there(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    with pytest.raises(MatcherError):
        recorded(tmp_path, Matcher.load(component("trap")))
    recording = Recording.read(tmp_path / "cycle.recording.json")
    assert set(recording.steps[0]) == {"assign"}
    assert replay(recording, Matcher.load()) == []
    with pytest.raises(MatcherError):
        recorded(tmp_path, Matcher.load(component("nan-scores")))
    assert set(Recording.read(tmp_path / "cycle.recording.json").steps[0]) == {"assign"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected a value"),
        ("[]", "its format"),
        ('{"format": "offermatch-recording/9"}', "its format"),
        ('{"format": "offermatch-recording/1"}', "'shape'"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path, content, words):
    path = tmp_path / "odd.recording.json"
    path.write_text(content)
    with pytest.raises(InputError, match=words) as caught:
        Recording.read(path)
    assert caught.value.code == "file-malformed"


@pytest.mark.parametrize(
    "steps", [[{}], [{"assign": {"rows": "x"}}], [{"assign": {"rows": 1, "demand": [-1]}}], [{"update": 3}]]
)
def test_columns_that_cannot_be_read_are_refused(steps, component):
    with pytest.raises(InputError, match="case") as caught:
        replay(recording_of(steps), component)
    assert caught.value.code == "file-malformed"


def test_unreadable_and_unwritable(tmp_path, packed):
    (tmp_path / "broken.json.gz").write_bytes(gzip.compress(b"{}")[:-9])
    for name, code in (("nowhere", "file-unreadable"), ("broken.json.gz", "file-malformed")):
        with pytest.raises(InputError) as caught:
            Recording.read(tmp_path / name)
        assert caught.value.code == code
    with pytest.raises(InputError) as caught:
        packed.match(TASKS, OFFERS, record=tmp_path / "nowhere" / "cycle.json")
    assert caught.value.code == "file-unwritable"


def test_the_command(tmp_path, capsys):
    path = str(tmp_path / "cycle.recording.json.gz")
    assert run(["match", "--sample", "devices:30x20", "--mode", "shared", "--record", path]) == 0
    capsys.readouterr()
    for name in ("bundled", "reference"):
        assert run(["replay", path, "--matcher", name]) == 0
        assert "0 of 1 recordings differ" in capsys.readouterr().out
    other = str(component("first-fit"))
    assert run(["replay", path, "--matcher", other]) == 1
    shown = capsys.readouterr()
    assert ("step 0, task" in shown.out, shown.err) == (True, "")
    assert run(["replay", path, "--matcher", other, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["differing"] == 1
