"""Every code block of README and of the documents is right: Python runs, data is read, commands are understood.

A command is not run but parsed, by the program it names: what it would do, other tests do.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas
import pytest

from conftest import ROOT
from offermatch import Manifest, Offer, Task
from offermatch.cli.main import parser
from offermatch.formats.files import read_tables
from offermatch.provenance.trust import Trust
from offermatch.recording.recording import Recording

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

DOCUMENTS = [ROOT / "README.md", ROOT / "python-host" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^( *)```([a-z]+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One code block, with the line it begins at."""

    document: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Return the code blocks in a language."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            if match[2] in languages:
                found.append(Block(document, line, match[2], textwrap.dedent(match[3])))
    return found


def test_every_block_is_of_a_language_that_is_tested() -> None:
    known = {"python", "pycon", "json", "toml", "console", "sh", "rust", "text"}
    languages = {language for document in DOCUMENTS for _, language, _ in BLOCK.findall(document.read_text())}
    assert languages <= known


TASKS = [Task("render-1", {"cpu": "1 core", "memory": "1GiB"})]
OFFERS = [Offer("server-1", {"cpu": "2 cores", "memory": "4GiB"})]

# What a document has said in prose before the block, and what stands outside of it: servers, and files of the reader's own.
GIVEN: dict[str, Any] = {"tasks": TASKS, "offers": OFFERS}
# Each with the test that runs what it shows.
NEEDS_A_SERVER = {
    "distributed": "python-host/tests/scheduler/cluster/test_dask.py",
    "prepare_inputs": "python-host/tests/scheduler/test_staging.py",
    "/etc/scheduler/matcher": "python-host/tests/slot/test_slot.py",
    "oci://": "python-host/tests/provenance/test_registry.py",
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = dict(GIVEN)
    exec("from offermatch import *", names)
    if document.name == "python.md":
        names["tasks"] = pandas.DataFrame({"name": ["t"], "cpu": [1]})
        names["offers"] = pandas.DataFrame({"name": ["o"], "cpu": [2]})
    for block in blocks("python"):
        if block.document != document or ">>> " in block.text:
            continue
        code = compile(block.text, str(block), "exec")
        elsewhere = next((test for mark, test in NEEDS_A_SERVER.items() if mark in block.text), None)
        if elsewhere is not None:
            assert (ROOT / elsewhere).is_file(), f"{block} is shown to run by {elsewhere}"
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, names)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_data_is_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "block.json"
    # A digest cut short for the page is any digest.
    file.write_text(block.text.replace("sha256:...", "sha256:" + "0" * 64))
    found = json.loads(block.text)
    if isinstance(found, dict) and "keys" in found:
        assert Trust.read(file).keys
    elif isinstance(found, dict) and "digest" in found and "matcher" in found and "path" in found:
        assert Manifest.read(file).matcher == found["matcher"]
    elif isinstance(found, dict) and str(found.get("format", "")).startswith("offermatch-recording/"):
        assert Recording.read(file).steps
    elif isinstance(found, list) and "available" in found[0]:
        empty = tmp_path / "tasks.json"
        empty.write_text("[]")
        assert len(read_tables(empty, file)[1]) == len(found)
    elif isinstance(found, list) and found[0].get("demand") is not None:
        empty = tmp_path / "offers.json"
        empty.write_text("[]")
        assert len(read_tables(file, empty)[0]) == len(found)
    else:
        assert block.document.name in {"clusters.md", "conformance.md", "formats.md"}, (
            f"{block} is of no format that is read here"
        )


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_settings_are_toml(block: Block) -> None:
    assert tomllib.loads(block.text)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of the console blocks, each with its place."""
    for block in blocks("console", "sh"):
        inside = None
        for line in block.text.splitlines():
            if inside is not None:
                inside = None if line == inside else inside
                continue
            if block.language == "console" and not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ")
            here = re.search(r"<<'(\w+)'$", command)
            if here:
                inside = here[1]
                continue
            for part in re.split(r";|&&|\||>", command)[:1]:
                yield str(block), shlex.split(part, comments=True)


COMMANDS = list(commands())


@pytest.mark.parametrize(("place", "command"), COMMANDS, ids=[" ".join(command)[:60] for _, command in COMMANDS])
def test_commands_are_understood(place: str, command: list[str], hosts: Any, capsys: pytest.CaptureFixture[str]) -> None:
    while command and re.fullmatch(r"[A-Z_]+=\S*", command[0]):
        command = command[1:]
    if command[:3] == ["python", "-m", "offermatch"]:
        command = ["offermatch", *command[3:]]
    program, arguments = command[0], command[1:]
    if program == "offermatch":
        try:
            parser().parse_args(arguments)
        except SystemExit:
            pytest.fail(f"{place}: {capsys.readouterr().err}")
    elif program == "offermatch-host":
        # The question for help is answered once everything before it has been understood.
        asked = [*hosts[0].command, *arguments, "--help"]
        done = subprocess.run(asked, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{place}: {done.stderr}"
    elif program == "make":
        targets = (ROOT / "Makefile").read_text() + (ROOT / "host/program/templates/matcher/Makefile").read_text()
        for target in arguments:
            assert re.search(rf"^{target}:", targets, re.MULTILINE), f"{place}: make {target}"
    elif program == "python3":
        assert arguments[:2] == ["-m", "venv"], f"{place}: {command}"
    elif program == "pip":
        extras = tomllib.loads((ROOT / "python-host/pyproject.toml").read_text())["project"]["optional-dependencies"]
        for wanted in re.findall(r"\[(.*?)\]", " ".join(arguments)):
            assert set(wanted.split(",")) <= set(extras), f"{place}: {wanted}"
    else:
        assert program in {"cd", "cargo", "createdb", "dask", "kubectl", "openssl", "ray"}, f"{place}: {program}"
