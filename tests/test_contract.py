"""The contract's versions: a WIT folder does not change without its version, and every side names the same ones."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from conftest import COMPONENT, ROOT

WIT = ROOT / "wit"
BEFORE = COMPONENT.parent / "matcher-0.2.0.wasm"
SERVED = ("0.3.0", "0.2.0")

REMEDY = """
{folder} is not the contract {version} that wit/digests holds: {found}.
A contract that is out there does not change. Put wit/ back as it was, or make the change a new version: copy what was there
to wit/since-{version}/, give wit/matcher.wit the next number, write the line of that number into wit/digests, and let both
hosts serve both (docs/contract.md says how). Only the line of a version that was never released may be changed:
{version} {found}
"""


def package(folder: Path) -> str:
    """Return the version of the contract in a folder."""
    found = re.search(r"^package offermatch:matcher@(\S+);$", (folder / "matcher.wit").read_text(), re.MULTILINE)
    assert found, f"{folder}/matcher.wit names no version"
    return found[1]


def digest(folder: Path) -> str:
    """Return the digest of every WIT file of a contract, by its name and content."""
    found = hashlib.sha256()
    for path in sorted([*folder.glob("*.wit"), *folder.glob("deps/**/*.wit")]):
        found.update(f"{path.relative_to(folder).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return "sha256:" + found.hexdigest()


def digests() -> dict[str, str]:
    """Return what wit/digests holds."""
    lines = [line.split() for line in (WIT / "digests").read_text().splitlines() if line and not line.startswith("#")]
    versions = [version for version, _ in lines]
    assert len(set(versions)) == len(versions), "a version has two digests"
    return dict(lines)


def test_no_contract_changes_without_its_version() -> None:
    held = digests()
    folders = {package(WIT): WIT} | {path.name.removeprefix("since-"): path for path in WIT.glob("since-*")}
    assert len(folders) > 1
    for version, folder in folders.items():
        assert package(folder) == version
        found = digest(folder)
        assert held.get(version) == found, REMEDY.format(folder=folder.relative_to(ROOT), version=version, found=found)


def test_every_side_names_the_same_versions(hosts: Any) -> None:
    current, before = SERVED
    for host in hosts:
        inspected = [json.loads(host.run("inspect", path, "--json").stdout) for path in (COMPONENT, BEFORE)]
        assert [found["contract"] for found in inspected] == [current, before]
        assert [found["description"]["contract"] for found in inspected] == [current, before]
        assert [found["refused"] for found in inspected] == [None, None]


def test_both_versions_answer_alike_in_both_hosts(hosts: Any) -> None:
    sample = ("match", "--sample", "constrained:400x300", "--mode", "shared", "--explain")
    answers = [host.answer(*sample, "--matcher", path) for host in hosts for path in (COMPONENT, BEFORE)]
    assert len({answer["answer_digest"] for answer in answers}) == 1
    assert {answer["matcher"]["contract"] for answer in answers} == set(SERVED)
