"""Both programs come to the same verdict on every matcher, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from conftest import COMPONENT, ROOT

FOLDER = ROOT / "target" / "hostile"
# Named after the groups that have to catch them.
GROUPS = sorted(path.stem for path in (ROOT / "tests" / "conformance").glob("*.json"))
WRONG = [f"wrong-{name}" for name in [*GROUPS, "order"] if name != "refusals"]
GROUPS_OF = {"wrong-order": ["ties"], "wrong-errors": ["errors", "refusals"]}
HOSTILE = (
    "capricious",
    "exclusive-twice",
    "first-fit",
    "ignore-devices",
    "ignore-requirements",
    "nan-scores",
    "over-commit",
    "rows-out-of-range",
    "same-task-twice",
    "wrong-explanations",
)


def _cases(folder: Path, *groups: str) -> tuple[str | Path, ...]:
    """Return the options that ask the cases of these groups only."""
    for group in groups:
        (folder / f"{group}.json").write_bytes((ROOT / "tests" / "conformance" / f"{group}.json").read_bytes())
    return "--cases", folder


def _report(host: Any, matcher: Path, *options: str | Path) -> tuple[int, str]:
    endurance = () if "--endurance" in options else ("--endurance", "0")
    done = host.run("conformance", *endurance, *options, "--json", "-", matcher)
    assert done.stdout, f"{host.name}: {done.stderr}"
    return done.returncode, done.stdout


def _same(hosts: Any, matcher: Path, *options: str | Path) -> dict[str, Any]:
    (code, rust), (other_code, python) = (_report(host, matcher, *options) for host in hosts)
    assert (code, rust) == (other_code, python)
    report: dict[str, Any] = json.loads(rust)
    assert code == (0 if report["conforms"] else 1)
    return report


def test_the_bundled_matcher_is_the_reference(hosts: Any) -> None:
    report = _same(hosts, COMPONENT, "--generated", "500", "--seed", "7")
    assert report["level"] == "reference"
    quick = _same(hosts, COMPONENT, "--quick", "--generated", "0")
    assert report["suite"]["cases"] > quick["suite"]["cases"] >= 400


def test_the_cases_in_a_directory_are_those_that_come_with_the_programs(hosts: Any) -> None:
    found = _same(hosts, COMPONENT, "--quick", "--generated", "0", "--cases", ROOT / "tests" / "conformance")
    shipped = _same(hosts, COMPONENT, "--quick", "--generated", "0")
    counts = [{group["group"]: group["cases"] for group in report["groups"]} for report in (found, shipped)]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("name", ["wrong-ties", "wrong-shared", "first-fit", "trap-describe"])
def test_the_reports_for_build_servers_are_the_same(hosts: Any, name: str, tmp_path: Path) -> None:
    skips = tmp_path / "skips.txt"
    skips.write_text('shared/* is of <no> matter "here"\n')
    cases = tmp_path / "cases"
    cases.mkdir()
    asked = ("--generated", "20", "--endurance", "0", "--skip", skips, *_cases(cases, "ties", "shared", "explain"))
    written = []
    for host in hosts:
        report = tmp_path / f"{host.name}.xml"
        host.run("conformance", *asked, "--junit", report, FOLDER / f"{name}.wasm")
        written.append(Xml.canonicalize(from_file=report, strip_text=True) if report.exists() else "none")
    assert written[0] == written[1]
    assert (written[0] == "none") == (name == "trap-describe")


@pytest.mark.parametrize("name", WRONG)
def test_a_matcher_that_is_wrong_in_one_thing_is_caught_by_its_group(hosts: Any, name: str, tmp_path: Path) -> None:
    groups = GROUPS_OF.get(name, [name.removeprefix("wrong-")])
    report = _same(hosts, FOLDER / f"{name}.wasm", "--generated", "100", *_cases(tmp_path, *groups))
    failed = {found["group"]: found["reference_failed"] for found in report["groups"]}
    assert all(failed[group] > 0 for group in groups)
    assert report["conforms"] is False


def test_a_matcher_of_an_older_contract_is_not_asked_newer_cases(hosts: Any) -> None:
    report = _same(hosts, COMPONENT.with_name("matcher-0.2.0.wasm"), "--quick", "--generated", "50")
    reasons = {found["group"]: {case["reason"] for case in found["skipped"]} for found in report["groups"]}
    newer = {"measures", "preferences", "least", "together", "limits", "occupants", "scales", "explanations", "refusals"}
    newer |= {"preemption", "mixed"}
    assert {group for group, found in reasons.items() if found == {"contract 0.2.0"}} == newer
    assert report["level"] == "reference"


@pytest.mark.parametrize("name", ["trap", "wasi-panic"])
def test_a_matcher_that_fails_at_its_first_call_does_not_conform(hosts: Any, name: str, tmp_path: Path) -> None:
    asked = ("conformance", "--generated", "0", *_cases(tmp_path, "shared"), FOLDER / f"{name}.wasm")
    rust, python = (host.run(*asked) for host in hosts)
    assert (rust.returncode, python.returncode) == (1, 1)
    assert "does not conform to the contract" in rust.stdout
    # Python calls a matcher when it loads it, to see how tables are best handed over, and refuses this one there.
    assert python.stderr.startswith("error[matcher-trapped]")


@pytest.mark.parametrize(
    ("name", "case"), [("change-description", "description"), ("keep-memory", "memory"), ("by-the-rules", None)]
)
def test_thousands_of_calls_in_the_memory_of_a_few_dozen(hosts: Any, name: str, case: str | None, tmp_path: Path) -> None:
    asked = ("--generated", "0", "--endurance", "1000", *_cases(tmp_path, "capacity"))
    report = _same(hosts, FOLDER / f"{name}.wasm", *asked)
    failed = [failure["case"] for group in report["groups"] for failure in group["failures"]]
    assert [group["group"] for group in report["groups"]] == ["capacity", "endurance"]
    assert (failed, report["level"]) == (([case], None) if case else ([], "reference"))


def test_a_policy_that_looks_ahead_is_not_compared_with_its_own_scores(hosts: Any) -> None:
    report = _same(hosts, ROOT / "target" / "policies" / "strand.wasm", "--quick", "--generated", "50")
    assert (report["level"], report["own_scores"]) == ("contract", False)


@pytest.mark.parametrize(("other", "level"), [("first-fit", "contract"), ("worst-fit", None)])
def test_two_builds_are_compared_by_both(hosts: Any, other: str, level: str | None, tmp_path: Path) -> None:
    policies = ROOT / "target" / "policies"
    asked = ("--against", policies / f"{other}.wasm", "--generated", "40", *_cases(tmp_path, "ties", "explain", "errors"))
    report = _same(hosts, policies / "first-fit.wasm", *asked)
    caught = {found["what"].endswith(", of the other build") for group in report["groups"] for found in group["failures"]}
    assert report["level"] == level
    assert (True in caught) == (level is None)


@pytest.mark.parametrize("name", ["measures", "preferences", "together", "scales", "preemption"])
def test_rules_are_caught_at_the_level_of_the_contract(hosts: Any, name: str, tmp_path: Path) -> None:
    asked = ("--level", "contract", "--generated", "800", *_cases(tmp_path, name))
    report = _same(hosts, FOLDER / f"wrong-{name}.wasm", *asked)
    failed = {found["group"]: found["contract_failed"] for found in report["groups"]}
    assert failed[name] > 0
    assert failed["mixed"] > 0


@pytest.mark.parametrize("name", HOSTILE)
def test_the_verdict_on_a_misbehaving_matcher_is_the_same(hosts: Any, name: str, tmp_path: Path) -> None:
    asked = _cases(tmp_path, "shared", "requirements", "devices", "explain")
    report = _same(hosts, FOLDER / f"{name}.wasm", "--generated", "50", *asked)
    assert report["level"] == ("contract" if name == "first-fit" else None)
