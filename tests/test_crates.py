"""What is said of the crates that are published; `make crates` builds a program elsewhere with them."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from conftest import ROOT

PUBLISHED = ("offermatch-core", "offermatch-kit", "offermatch")
LIBRARY = ROOT / "host" / "library" / "src"


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


def test_the_library_alone_compiles_few_crates() -> None:
    """There were 223 when the library, the program and the copy engine were one crate."""
    command = ["cargo", "tree", "--locked", "--package", "offermatch", "--edges", "normal", "--prefix", "none"]
    tree = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    crates = {tuple(line.split()[:2]) for line in tree.splitlines()}
    assert 100 < len(crates) <= 223 // 2, sorted(crates)


def exported() -> dict[str, str]:
    """Return the library's own types and functions that `lib.rs` exports, each with the file that defines it."""
    text = (LIBRARY / "lib.rs").read_text()
    found = {}
    for names in re.findall(r"^pub use (?!offermatch_core)([^;]+);", text, re.MULTILINE):
        for name in re.findall(r"\b(\w+)\b(?=\s*[,}]|\s*$)", names):
            defined = [
                path
                for path in LIBRARY.rglob("*.rs")
                if re.search(rf"^pub (?:struct|enum|trait|fn) {name}\b", path.read_text(), re.MULTILINE)
            ]
            if defined:
                found[name] = defined[0].read_text()
    return found


EXPORTED = exported()


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_exported_has_an_example(name: str) -> None:
    """In its documentation or that of one of its functions, or it names the item whose example shows it."""
    assert has_example(name), f"{name} has no example"


def has_example(name: str) -> bool:
    text = EXPORTED[name]
    above = re.search(rf"((?:^(?:///|#\[).*\n)+)^pub (?:struct|enum|trait|fn) {name}\b", text, re.MULTILINE)
    assert above, f"{name} is not documented"
    elsewhere = re.search(r"^/// Example: \[`(?:crate::)?(\w+)`\]", above[1], re.MULTILINE)
    if elsewhere:
        assert elsewhere[1] != name
        return has_example(elsewhere[1])
    inside = re.findall(rf"^impl(?:<[^>]*>)? {name}\b[^{{]*\{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)
    return "/// ```" in above[1] or any("/// ```" in body for body in inside)
