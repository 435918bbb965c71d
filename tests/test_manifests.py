"""Both programs write the same manifests, and refuse the same by the same codes."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from conftest import COMPONENT
from offermatch import Manifest

ELSEWHERE = ["--shadow-cycles", "3", "--probation-cycles", str(2**64 - 1), "--conformance", "contract"]


@pytest.fixture
def component(tmp_path: Path) -> Path:
    path = tmp_path / "matchers" / "größter.wasm"
    path.parent.mkdir()
    path.write_bytes(COMPONENT.read_bytes())
    return path


@pytest.mark.parametrize("more", [[], ELSEWHERE, ["--conformance", "none"]])
def test_both_print_the_same(hosts: Any, component: Path, more: list[str]) -> None:
    texts = [host.run("manifest", component, *more) for host in hosts]
    assert [text.returncode for text in texts] == [0, 0]
    assert texts[0].stdout == texts[1].stdout
    found = json.loads(texts[0].stdout)
    assert list(found)[:5] == ["matcher", "version", "policy", "path", "digest"]
    assert Path(found["path"]).resolve() == component


@pytest.mark.parametrize("folder", ["matchers", "manifests/of/today"])
def test_both_write_the_same_file_and_follow_it(hosts: Any, component: Path, tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir(parents=True, exist_ok=True)
    told, written = [], []
    for host in hosts:
        done = host.run("manifest", component, "--write", place)
        assert done.returncode == 0, f"{host.name}: {done.stderr}"
        told.append(done.stdout)
        written.append((place / "manifest.json").read_bytes())
        assert {one.name for one in place.iterdir()} <= {"manifest.json", component.name}, "nothing else is left behind"
    assert told[0] == told[1]
    assert written[0] == written[1]
    up = {"matchers": "", "manifests/of/today": "../../../matchers/"}[folder]
    assert json.loads(written[0])["path"] == f"{up}{component.name}"
    found = Manifest.read(place)
    assert (found.shadow_cycles, found.probation_cycles, found.conformance) == (0, 10, "claimed")
    for host in hosts:
        judged = host.run("swap", "--manifest", place, "--json")
        assert json.loads(judged.stdout)["digest"] == found.digest, f"{host.name}: {judged.stderr}"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (["missing.wasm"], "component-unreadable"),
        (["text.wasm"], "component-malformed"),
        (["component.wasm", "--write", "nowhere/manifest.json"], "file-unwritable"),
        (["component.wasm", "--limits", "limits.json"], "limit-component"),
    ],
)
def test_both_refuse_by_the_same_code(hosts: Any, tmp_path: Path, what: list[str], code: str) -> None:
    (tmp_path / "text.wasm").write_text("no component", encoding="utf-8")
    (tmp_path / "component.wasm").write_bytes(COMPONENT.read_bytes())
    (tmp_path / "limits.json").write_text('{"component_bytes": 1000}', encoding="utf-8")
    given = [tmp_path / one if "." in one else one for one in what]
    for host in hosts:
        done = host.run("manifest", *given)
        assert (done.returncode, done.stdout) == (1, ""), f"{host.name}: {done.stdout}"
        assert re.match(rf"error\[{code}\]: .*\nhint: ", done.stderr), f"{host.name}: {done.stderr}"


def test_a_path_that_is_no_text_is_refused_by_both(hosts: Any, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.wasm")
    path.write_bytes(COMPONENT.read_bytes())
    for host in hosts:
        done = host.run("manifest", path)
        assert (done.returncode, done.stdout) == (1, ""), f"{host.name}: {done.stdout}"
        assert "error[manifest-malformed]" in done.stderr, f"{host.name}: {done.stderr}"


@pytest.mark.parametrize("number", ["-1", str(2**64), "many", "1.5"])
def test_cycles_that_are_none_are_usage_errors(hosts: Any, number: str) -> None:
    for host in hosts:
        done = host.run("manifest", COMPONENT, f"--shadow-cycles={number}")
        assert (done.returncode, done.stdout) == (2, ""), f"{host.name}: {done.stdout}"
