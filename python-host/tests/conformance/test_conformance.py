"""The conformance cases on every matcher of this package, and on matchers that are wrong in one thing."""

import json
from dataclasses import replace
from math import isfinite
from xml.etree import ElementTree as Xml

import pytest

from hostile import component
from offermatch import InputError, Limits, Matcher, ReferenceMatcher
from offermatch.cli.main import run
from offermatch.conformance import Skips, Suite
from offermatch.conformance.files import GROUPS, SHIPPED
from offermatch.conformance.generate import generated
from offermatch.conformance.mixed import mixed, parameters
from offermatch.conformance.play import play
from offermatch.conformance.rules import served, why_not_asked
from offermatch.conformance.scores import largest_table
from offermatch.tables.tables import Assigned, Plan

SUITE = Suite.shipped()
CASES = [case for group in SUITE.groups for case in group.cases]
WRONG = {group: f"wrong-{group}" for group in GROUPS} | {"refusals": "wrong-errors"}
RANKED = ("weights",)
"""Groups whose wrong matchers follow another policy, though not best-fit."""
UNCHECKED = ("errors", "refusals")
"""Groups of tables that the reference matcher leaves to its host."""


@pytest.mark.parametrize("group", SUITE.groups, ids=[group.name for group in SUITE.groups])
def test_the_bundled_matcher_answers_as_worked_out(group, component):
    (found,) = Suite([group]).judge(component, generated=0).groups
    assert (found.cases, found.failures, found.skipped) == (len(group.cases), [], [])


@pytest.mark.parametrize("group", SUITE.groups, ids=[group.name for group in SUITE.groups])
def test_the_reference_matcher_answers_as_worked_out(group):
    # The laws ask a case again and again, which takes the plain loop half a minute for a large one.
    for laws in (True, False):
        cases = [case for case in group.cases if (largest_table(case) <= 1000) == laws]
        (found,) = Suite([replace(group, cases=cases)]).judge(ReferenceMatcher(), generated=0, laws=laws).groups
        assert (found.cases, found.failures) == (len(cases), [])
        skipped = [case.name for case in cases] if group.name in UNCHECKED else []
        assert [line["case"] for line in found.skipped] == skipped


def test_generated_cases_are_answered_as_by_the_reference_matcher():
    """OFFERMATCH_CROSSING chooses none here: the crossing is the one that is used."""
    report = Suite().judge(Matcher.load(), generated=400)
    assert [(found.group, found.cases, found.failures) for found in report.groups] == [
        ("generated", 400, []),
        ("mixed", 400, []),
    ]
    assert report.own_scores


def test_generated_cases_are_what_they_are():
    """Settings, steps and sizes of some seeds, so that no seed becomes another case unnoticed."""
    case = generated(1)
    assert case.shape == {"dimensions": 2, "attributes": 2}
    assert generated(2**64 - 1).settings["max_score"] == 0.5
    kinds = {next(iter(step)) for seed in range(60) for step in generated(seed).steps}
    assert kinds == {"assign", "update", "explain"}
    assert any(generated(seed).offers["rows"] >= 160 for seed in range(300))


def test_generated_cases_mix_every_rule():
    cases = [mixed(seed) for seed in range(200)]
    tables = [step[kind] for case in cases for step in case.steps for kind in ("assign", "explain") if kind in step]
    grouped = [table for table in tables if any(table.get("group_of", ()))]
    assert len(grouped) == 194
    assert sum(len(table["groups"]["occupant_groups"]) for table in grouped) == 364
    assert sum(sum(map(isfinite, table.get("requirement_weights", ()))) for table in tables) == 848
    assert sum(bool(case.settings.get("workload")) for case in cases) == 44
    plans = [
        outcome.answer for case in cases for outcome in play(ReferenceMatcher(), case) if isinstance(outcome.answer, Plan)
    ]
    assert (len(plans), sum(bool(plan.tasks) for plan in plans), sum(bool(plan.victims) for plan in plans)) == (62, 30, 14)


def test_generated_cases_set_parameters_before_they_are_answered():
    drawn = [parameters(seed, ReferenceMatcher().description) for seed in range(200)]
    assert sum(one != [] and one[0] > 0 for one in drawn) > 60
    asked = [replace(mixed(seed), settings={**mixed(seed).settings, "parameters": [1.0]}) for seed in range(200)]
    differ = [places(case) != places(replace(case, settings={**case.settings, "parameters": []})) for case in asked]
    assert sum(differ) > 0


def places(case):
    answers = [outcome.answer for outcome in play(ReferenceMatcher(), case)]
    return [list(answer.offers) for answer in answers if isinstance(answer, Assigned)]


@pytest.mark.parametrize("draw", [generated, mixed])
def test_generated_cases_place_something(draw):
    answers = [[outcome.answer for outcome in play(ReferenceMatcher(), draw(seed))] for seed in range(1000)]
    placing = [any(isinstance(answer, Assigned) and len(answer.tasks) for answer in of_case) for of_case in answers]
    assert sum(placing) >= 0.6 * len(placing)


@pytest.mark.parametrize("group", GROUPS)
def test_a_matcher_that_is_wrong_in_one_thing_is_caught_by_its_group(group):
    cases = Suite([found for found in SUITE.groups if found.name == group])
    report = cases.judge(Matcher.load(component(WRONG[group])), generated=0)
    (found,) = report.groups
    assert found.reference_failed > 0
    assert (found.contract_failed > 0) == (group not in RANKED)
    assert report.level == ("contract" if group in RANKED else None)


def test_a_matcher_of_an_older_contract_is_not_asked_newer_cases():
    report = SUITE.quick().judge(ReferenceMatcher("0.2.0"), generated=0)
    skipped = {group.group: {line["reason"] for line in group.skipped} for group in report.groups}
    newer = ["measures", "preferences", "least", "together", "limits", "occupants"]
    newer += ["preemption", "scales", "explanations"]
    assert [group for group, reasons in skipped.items() if reasons == {"contract 0.2.0"}] == newer
    assert report.level == "reference"
    assert "skipped  scales/by-capacity: contract 0.2.0" in report.to_text()


def test_a_matcher_is_not_asked_what_it_does_not_serve():
    reasons = {}
    description = replace(ReferenceMatcher().description, rules=("preferences", "workload"))
    for case in CASES:
        reasons.setdefault(case.group, set()).add(why_not_asked(case, description))
    assert reasons["scales"] == reasons["preferences"] - {"does not serve measures"} == reasons["capacity"] == {None}
    assert reasons["least"] == reasons["limits"] == reasons["occupants"] == {"does not serve groups"}
    assert reasons["measures"] == {"does not serve measures"}
    assert reasons["explanations"] == {None, "does not serve measures", "does not serve groups"}
    description = replace(ReferenceMatcher().description, preempts=False)
    unserved = [case.group for case in CASES if why_not_asked(case, description) == "does not serve preemption"]
    assert set(unserved) == {"preemption", "refusals"}
    assert unserved.count("preemption") == sum(case.group == "preemption" for case in CASES)


def test_the_loop_behind_the_wrong_matchers_is_right():
    assert Suite.shipped().quick().judge(Matcher.load(component("by-the-rules")), generated=0).level == "reference"


def test_generated_cases_are_asked_without_the_rules_that_a_matcher_does_not_serve():
    matcher = ReferenceMatcher()
    description = replace(matcher.description, rules=("measures", "preferences"), preempts=False)
    asked = [served(mixed(seed), description) for seed in range(40)]
    assert [case.steps for case in asked] != [mixed(seed).steps for seed in range(40)]
    assert all(case.steps and why_not_asked(case, description) is None for case in asked)
    matcher.description = description
    cases, rules = Suite().judge(matcher, generated=40).groups
    assert [(group.group, len(group.passed), group.skipped) for group in (cases, rules)] == [
        ("generated", 40, []),
        ("mixed", 40, []),
    ]
    # A requirement about a measure has no rest.
    matcher.description = replace(description, rules=("preferences",))
    report = Suite().judge(matcher, generated=40)
    skipped = report.groups[1].skipped
    assert {line["reason"] for line in skipped} == {"does not serve measures"}
    assert f"skipped  mixed, {len(skipped)} cases: does not serve measures" in report.to_text()


def test_a_policy_that_looks_ahead_is_not_compared_with_its_own_scores():
    report = SUITE.quick().judge(Matcher.load(policy="strand"), generated=40)
    assert (report.level, report.own_scores) == ("contract", False)
    assert "its scores hang on more than the task and the offer" in report.to_text()


def test_another_policy_conforms_to_the_contract():
    report = SUITE.quick().judge(Matcher.load(component("first-fit")), generated=50)
    assert (report.level, report.asked, report.conforms) == ("contract", "contract", True)
    assert report.verdict == "conforms to the contract; policy first-fit, not the reference"
    assert "first difference" not in report.to_text()


def test_a_matcher_that_answers_differently_every_time_is_caught():
    few = Suite([group for group in SUITE.groups if group.name == "explain"])
    assert few.judge(Matcher.load(component("capricious")), generated=0).level is None


@pytest.mark.parametrize(("name", "case"), [("change-description", "description"), ("keep-memory", "memory")])
def test_thousands_of_calls_in_the_memory_of_a_few_dozen(name, case):
    report = Suite().judge(Matcher.load(component(name)), generated=0, endurance=1000)
    (group,) = report.groups
    assert [failure.case for failure in group.failures] == [case]
    assert (group.cases, report.level) == (2, None)


def test_a_matcher_that_fails_too_often_is_asked_no_more(monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    report = SUITE.judge(Matcher.load(component("trap"), limits=Limits(call_milliseconds=20_000)), generated=5)
    assert report.level is None
    assert sum(group.not_run for group in report.groups) > 150
    assert "were not run" in report.to_text()
    suites = Xml.fromstring(report.to_junit())
    assert sum(int(suite.get("errors")) for suite in suites) > 5


def test_what_is_skipped_is_shown(tmp_path):
    path = tmp_path / "skip.txt"
    path.write_text("# comment\n\nties/*  are of no matter here\nsizes/no-tasks  neither\n")
    report = SUITE.quick().judge(Matcher.load(), generated=0, skips=Skips.read(path))
    ties = next(group for group in report.groups if group.group == "ties")
    assert len(ties.skipped) == ties.cases
    assert "skipped  sizes/no-tasks: neither" in report.to_text()
    assert report.level == "reference"
    for text in ("ties/*\n", "ties reason\n"):
        path.write_text(text)
        with pytest.raises(InputError, match="GROUP/CASE") as caught:
            Skips.read(path)
        assert caught.value.code == "file-malformed"


def test_every_file_of_cases_is_shipped():
    assert sorted(path.stem for path in SHIPPED.glob("*.json")) == sorted(GROUPS)
    assert len(SUITE) >= 400
    assert all(case.about for case in CASES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "offermatch-cases/3"}, "its format"),
        ({"group": None}, "its keys"),
        ({"cases": [{"name": "a"}]}, "says why"),
        ({"cases": [{"name": "a", "about": "b", "ofers": {}}]}, "no key 'ofers'"),
        ({"cases": [{"name": "a", "about": "b", "offers": {"available": [{"repeat": [1], "times": 2**30}]}}]}, "more than"),
        ({"cases": [{"name": "a", "about": "b", "offers": {"rows": 0}}] * 2}, "of its own"),
    ],
)
def test_what_are_no_cases_is_refused(tmp_path, change, words):
    content = {"format": "offermatch-cases/1", "group": "g", "about": "a", "cases": []} | change
    (tmp_path / "g.json").write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    with pytest.raises(InputError, match=words) as caught:
        Suite.read(tmp_path)
    assert caught.value.code == "file-malformed"


def test_the_command(tmp_path, capsys):
    files = ["--json", str(tmp_path / "report.json"), "--junit", str(tmp_path / "report.xml")]
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "weights.json").write_bytes((SHIPPED / "weights.json").read_bytes())
    arguments = ["conformance", "--cases", str(cases), "--generated", "3", "--endurance", "20", *files]
    assert run(arguments) == 0
    assert "answers as the reference" in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["conforms"]
    assert report["own_scores"]
    assert [group["group"] for group in report["groups"]] == ["weights", "generated", "mixed", "endurance"]
    wrong = str(component("wrong-weights"))
    assert run([*arguments, wrong]) == 1
    assert "first difference, weights/twice-the-weight, step 0" in capsys.readouterr().out
    assert Xml.parse(tmp_path / "report.xml").getroot().find("testsuite").get("failures") == "11"
    assert run([*arguments, wrong, "--level", "contract"]) == 0
    assert run(["conformance", "--level", "perfect"]) == 2


def test_two_builds_that_answer_differently_are_caught():
    suite = Suite([group for group in Suite.shipped().groups if group.name == "ties"])
    one, other = Matcher.load(policy="first-fit"), Matcher.load(policy="worst-fit")
    same = suite.judge(one, level="contract", generated=0, against=one)
    assert (same.level, same.conforms) == ("contract", True)
    found = suite.judge(one, level="contract", generated=0, against=other)
    assert not found.conforms
    assert any("of the other build" in failure.what for group in found.groups for failure in group.failures)
