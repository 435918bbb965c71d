"""`offermatch new --language ...` writes a project that builds, tests and certifies itself, with nothing done by hand."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from conftest import BUILT_HERE, LANGUAGES, ROOT, Host

FOREIGN = ROOT / "target" / "foreign"
PASSED = {"python": "Ran 1 test", "javascript": "pass 1", "c": "ok an even offer"}
"""What the tests of the policy say."""


@pytest.fixture(scope="session")
def python(hosts: tuple[Host, Host]) -> Host:
    return hosts[1]


def made(python: Host, language: str, folder: Path) -> Path:
    """Write a project that has the tools which `make foreign` has installed, so that nothing is fetched twice."""
    done = python.run("new", "my-policy", "--language", language, "--path", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{folder}\n"
    (folder / "target").mkdir()
    (folder / "target" / "tools").symlink_to(FOREIGN / language, target_is_directory=True)
    (folder / "target" / "crates").symlink_to(ROOT / "target", target_is_directory=True)
    return folder


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OFFERMATCH_CACHE": str(FOREIGN / "cache")}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("language", BUILT_HERE)
def test_make_builds_tests_and_certifies(python: Host, same_answer, language: str, tmp_path: Path) -> None:
    folder = made(python, language, tmp_path / "project")
    done = make(folder, "quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSED[language] in done.stdout + done.stderr
    assert "matcher  my-policy 0.1.0, policy my-policy, contract 0.3.0" in done.stdout
    assert "level    contract (asked: contract)" in done.stdout
    answer = same_answer("--matcher", folder / "target" / "my-policy.wasm", "--sample", "realistic:60x40:3")
    assert answer["matcher"]["policy"] == "my-policy"
    assert answer["placed"] > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_the_matcher_of_the_guest_and_names_nothing_of_this_machine(
    python: Host, language: str, tmp_path: Path
) -> None:
    folder = made(python, language, tmp_path / "project")
    texts = [path for path in folder.rglob("*") if path.is_file() and "target" not in path.relative_to(folder).parts]
    assert len(texts) > 10
    for path in texts:
        if path != folder / "Makefile":  # it has the program that wrote it
            assert str(ROOT) not in path.read_text(), path
            assert "@NAME@" not in path.read_text(), path
    kit = folder / "offermatch"
    for source in sorted((ROOT / "guest" / language).glob("*.[chjp]*")):
        if source.stem != "policy" or source.suffix == ".h":
            assert (kit / "guest" / language / source.name).read_bytes() == source.read_bytes()
    assert (kit / "wit" / "matcher.wit").read_bytes() == (ROOT / "wit" / "matcher.wit").read_bytes()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "does not begin with a letter"),
        ("My-Policy", "does not begin with a letter"),
        ("my policy", "' ' is not one of"),
        ("../escape", "does not begin with a letter"),
        ("lambda", "a word of Python"),
        ("best-fit", "the policy that the reference has"),
        ("a" * 65, "65 characters, more than 64"),
    ],
)
def test_names_that_no_matcher_can_have(python: Host, tmp_path: Path, name: str, reason: str) -> None:
    done = python.run("new", name, "--language", "python", "--path", tmp_path / "new")
    assert done.returncode == 1
    assert done.stderr.startswith("error[project-name]: ")
    assert reason in done.stderr
    assert "hint: " in done.stderr
    assert not (tmp_path / "new").exists()


def test_what_is_there_stays_and_a_file_is_no_folder(python: Host, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for path, code in ((tmp_path / "file", "project-exists"), (tmp_path / "file" / "new", "project-unwritable")):
        done = python.run("new", "my-policy", "--language", "c", "--path", path)
        assert done.returncode == 1
        assert done.stderr.startswith(f"error[{code}]: "), done.stderr
        assert "hint: " in done.stderr
    assert (tmp_path / "file").read_text() == "mine"
