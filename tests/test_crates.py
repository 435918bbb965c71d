"""What is said of the crates that are published; `make crates` builds a program elsewhere with them."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from conftest import ROOT

PUBLISHED = ("offermatch-core", "offermatch-kit", "offermatch")


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"]
    found: dict[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    return found


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_a_published_crate_says_what_a_registry_shows(metadata: dict[str, Any]) -> None:
    crates = {crate["name"]: crate for crate in metadata["packages"] if crate["source"] is None}
    for name in PUBLISHED:
        for key in ("description", "license", "repository", "readme", "rust_version", "keywords", "categories"):
            assert crates[name][key], f"{name} has no {key}"


def test_no_dependency_needs_a_newer_compiler_than_is_declared(metadata: dict[str, Any]) -> None:
    (declared,) = {crate["rust_version"] for crate in metadata["packages"] if crate["source"] is None}
    newer = {
        f"{crate['name']} {crate['version']}": crate["rust_version"]
        for crate in metadata["packages"]
        if crate["rust_version"] and version(crate["rust_version"])[:2] > version(declared)[:2]
    }
    assert newer == {}
    for document in ("README.md", "docs/write-a-matcher.md", "docs/other-languages.md"):
        assert f"Rust {declared} or newer" in (ROOT / document).read_text(), document
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert f"cargo +{declared} check" in workflow, "a public forge builds with the oldest compiler"
