"""Matchers written in other languages answer what the bundled one answers, in both hosts, within stated limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import BUILT_HERE, COMPONENT, LANGUAGES, ROOT

FOREIGN = ROOT / "target" / "foreign"
LIMITS = {"memory_bytes": 256 << 20, "table_elements": 10_000, "call_milliseconds": 600_000}
"""What they are given: CPython and the JavaScript engine start with 10 to 14 MB, and 100,000
tasks are more in their numbers. Time is for a busy machine."""

FEW = ("--quick", "--generated", "25")
"""What they are asked here; `make certified` asks all."""

Same = Callable[..., dict[str, Any]]


def skips(language: str) -> Path:
    """Return the cases that a new project in a language leaves out."""
    templates = ROOT / "guest" / "templates"
    own = templates / language / "skip.txt"
    return own if own.exists() else templates / "project" / "skip.txt"


@pytest.fixture(scope="module", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Keep what the large components are compiled to, from run to run, beside them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFERMATCH_CACHE", str(FOREIGN / "cache"))
        yield


@pytest.fixture(scope="module")
def limits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of limits."""
    file = tmp_path_factory.mktemp("foreign") / "limits.json"
    file.write_text(json.dumps(LIMITS))
    return file


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_imports_no_more_than_the_contract_and_says_what_it_is(hosts: Any, language: str, limits: Path) -> None:
    for host in hosts:
        inspection = host.run("inspect", FOREIGN / f"{language}.wasm", "--json", "--limits", limits)
        assert inspection.returncode == 0, f"{host.name}: {inspection.stderr}"
        found = json.loads(inspection.stdout)
        # Tools for dynamic languages import the contract's interface of spans, and the types it uses, whether called or not.
        imported = {name.partition("@")[0] for name in found["imports"]}
        assert imported <= {"wasi:otel/tracing", "wasi:otel/types", "wasi:clocks/wall-clock"}
        assert language != "c" or imported == set()
        said = found["description"]
        assert (said["name"], said["policy"], said["contract"]) == (f"best-fit-{language}", "best-fit", "0.3.0")


@pytest.mark.parametrize(
    ("sample", "mode"),
    [("devices:150x60:5", "shared"), ("devices:60x90:5", "exclusive"), ("constrained:150x100:5", "shared")],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_samples_are_answered_as_by_the_bundled_matcher(
    same_answer: Same, language: str, limits: Path, sample: str, mode: str
) -> None:
    arguments = ("--sample", sample, "--mode", mode, "--explain")
    expected = same_answer(*arguments, "--matcher", COMPONENT)
    answer = same_answer(*arguments, "--matcher", FOREIGN / f"{language}.wasm", "--limits", limits)
    assert answer.pop("matcher")["name"] == f"best-fit-{language}"
    del expected["matcher"]
    assert answer == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_certified_as_the_reference_by_both_programs(hosts: Any, language: str, limits: Path) -> None:
    asked = ("conformance", *FEW, "--json", "-", "--skip", skips(language), "--limits", limits)
    rust, python = (host.run(*asked, FOREIGN / f"{language}.wasm") for host in hosts)
    assert (rust.returncode, rust.stdout) == (0, python.stdout), rust.stderr + python.stderr
    report = json.loads(rust.stdout)
    assert report["level"] == "reference"
    left_out = {"componentize-js 0.23.0 never frees the lists that a call hands over"} if language == "javascript" else set()
    skipped = {one["reason"] for group in report["groups"] for one in group["skipped"]}
    assert [(group["group"], group["skipped"]) for group in report["groups"][-3:-1]] == [("generated", []), ("mixed", [])]
    unserved = ("groups", "workload", "preemption", "groups, preemption")
    assert skipped == left_out | {f"does not serve {rules}" for rules in unserved}


@pytest.mark.parametrize("language", BUILT_HERE)
def test_it_is_built_twice_and_answers_the_same(hosts: Any, language: str, limits: Path) -> None:
    again = FOREIGN / f"{language}-again.wasm"
    asked = ("conformance", "--against", again, *FEW, "--endurance", "0", "--limits", limits, FOREIGN / f"{language}.wasm")
    done = hosts[1].run(*asked)
    assert done.returncode == 0, done.stdout + done.stderr
