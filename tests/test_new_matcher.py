"""`offermatch-host new` writes a project that builds, passes its own tests and conforms, with nothing done by hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, RUST_HOST, Host

DOCUMENT = ROOT / "docs" / "write-a-matcher.md"
BUILT = ROOT / "target" / "new-matcher"
"""What the projects of these tests build, kept from run to run."""


@pytest.fixture(scope="session")
def rust(hosts: tuple[Host, Host]) -> Host:
    return hosts[0]


@pytest.fixture(scope="module")
def project(rust: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new project, that builds where the last one did."""
    folder = tmp_path_factory.mktemp("new") / "my-policy"
    done = rust.run("new", "my-policy", "--path", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{folder}\n"
    BUILT.mkdir(parents=True, exist_ok=True)
    (BUILT / "my-policy.wasm").unlink(missing_ok=True)
    (folder / "target").symlink_to(BUILT, target_is_directory=True)
    return folder


def test_make_builds_tests_and_judges_what_both_hosts_serve(project: Path, rust: Host, same_answer) -> None:
    environment = {**os.environ, "OFFERMATCH": str(RUST_HOST), "CARGO_TERM_COLOR": "never"}
    made = subprocess.run(["make"], cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "2 passed" in made.stdout
    assert "my-policy" in made.stdout.split("2 passed", 1)[1], "the conformance report names the matcher"
    component = project / "target" / "my-policy.wasm"
    answer = same_answer("--matcher", component, "--sample", "realistic:300x200:3", "--mode", "shared")
    assert answer["matcher"]["policy"] == "my-policy"
    assert answer["placed"] > 0
    ours, theirs = (
        json.loads(rust.run("inspect", path, "--json").stdout)["imports"]
        for path in (component, ROOT / "target" / "matcher.wasm")
    )
    assert ours == theirs, "it imports something new"


def test_the_document_shows_what_is_written(project: Path) -> None:
    document = DOCUMENT.read_text()
    blocks = re.findall(r"```(?:rust|toml)\n(.*?)```", document, flags=re.DOTALL)
    written = [(project / "src" / "lib.rs").read_text(), (project / "Cargo.toml").read_text()]
    assert len(blocks) >= 2
    for block in blocks:
        assert any(block in text for text in written), f"no longer what `offermatch-host new` writes:\n{block}"


def test_the_kit_in_it_is_the_one_here(project: Path) -> None:
    for part in ("guest/core/src", "guest/kit/src", "guest/kit/wit"):
        ours = sorted(path.relative_to(ROOT) for path in (ROOT / part).rglob("*") if path.is_file())
        assert ours
        for path in ours:
            assert (project / "offermatch" / path).read_bytes() == (ROOT / path).read_bytes(), path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "does not begin with a letter"),
        ("1st", "does not begin with a letter"),
        ("My-Policy", "does not begin with a letter"),
        ("my policy", "' ' is not one of"),
        ("../escape", "does not begin with a letter"),
        ("a/b", "'/' is not one of"),
        ("größte", "is not one of"),
        ("match", "a word of Rust"),
        ("core", "a word of Rust"),
        ("offermatch-kit", "a crate that every matcher uses"),
        ("a" * 65, "65 characters, more than 64"),
    ],
)
def test_names_that_no_crate_can_have(rust: Host, tmp_path: Path, name: str, reason: str) -> None:
    done = rust.run("new", name, "--path", tmp_path / "new")
    assert done.returncode == 1
    assert done.stderr.startswith("error[project-name]: ")
    assert reason in done.stderr
    assert "hint: " in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("there", ["a file", "an empty folder", "a broken link"])
def test_what_is_there_stays(rust: Host, tmp_path: Path, there: str) -> None:
    path = tmp_path / "new"
    if there == "a file":
        path.write_text("mine")
    elif there == "an empty folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    done = rust.run("new", "my-policy", "--path", path)
    assert done.returncode == 1
    assert done.stderr.startswith("error[project-exists]: ")
    if there == "a file":
        assert path.read_text() == "mine"
    elif there == "an empty folder":
        assert not list(path.iterdir())
    else:
        assert path.is_symlink()


def test_where_nothing_can_be_written(rust: Host, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = rust.run("new", "my-policy", "--path", tmp_path / "file" / "new")
    assert done.returncode == 1
    assert done.stderr.startswith("error[project-unwritable]: ")
    assert "hint: " in done.stderr


def test_it_builds_without_this_checkout(project: Path) -> None:
    texts = [path for path in project.rglob("*") if path.is_file() and not path.is_relative_to(project / "target")]
    assert len(texts) > 20
    for path in texts:
        if path.name != "Makefile":  # it falls back on the program that wrote it
            assert str(ROOT) not in path.read_text(), path
    assert shutil.which("make")
