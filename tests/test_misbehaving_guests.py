"""What the hosts say of guests in other languages that throw, exit, overflow a number or leave their memory."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conftest import BUILT_HERE, ROOT
from offermatch import Matcher, Offer, Task
from offermatch.errors import MatcherError

FOREIGN = ROOT / "target" / "foreign"
SUFFIX = {"c": "c", "python": "py", "javascript": "js"}
PRINTED = {
    "python": {
        9001: ("policy.py", "ValueError: no such rack"),
        9002: ("unknown handle index",),
        9003: ("OverflowError: int too large to convert to float",),
        9004: ("TypeError: '<' not supported between instances of 'str' and 'float'",),
    },
    "javascript": {
        9001: ("Error: no such rack",),
        9002: ("ReferenceError: process is not defined",),
        9003: ("TypeError: can't convert BigInt to number",),
    },
}
"""What the errors of both hosts say where a guest may print, by what it is asked."""


def built(folder: Path, language: str, *words: str) -> Path:
    """Build a guest whose policy misbehaves as the demand says; return the folder of its components."""
    policy = ROOT / "tests" / "guests" / f"policy.{SUFFIX[language]}"
    (folder / policy.name).write_bytes(policy.read_bytes())
    (folder / "target").mkdir()
    (folder / "target" / "tools").symlink_to(FOREIGN / language, target_is_directory=True)
    (folder / "target" / "crates").symlink_to(ROOT / "target", target_is_directory=True)
    script = ROOT / "guest" / language / "build.sh"
    done = subprocess.run([script, "at", folder, "misbehaving", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "target"


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    """A matcher of guest/c whose policy misbehaves as the demand says."""
    return Matcher.load(built(tmp_path_factory.mktemp("misbehaving"), "c") / "misbehaving.wasm")


@pytest.mark.parametrize(
    ("demand", "trap"),
    [(9001, "unreachable"), (9002, "unreachable"), (9003, "integer divide by zero"), (9004, "out of bounds memory access")],
)
def test_a_trap_is_named_and_the_next_call_is_answered(in_c: Matcher, demand: int, trap: str) -> None:
    offers = [Offer("o", {"x": 100_000})]
    with pytest.raises(MatcherError, match=trap) as caught:
        in_c.match([Task("a", {"x": demand})], offers)
    assert caught.value.code == "matcher-trapped"
    heading = caught.value.hint.partition("docs/other-languages.md#")[2].partition(" ")[0]
    text = (ROOT / "docs" / "other-languages.md").read_text()
    assert f"## {heading.replace('-', ' ').capitalize()}" in text, f"the hint leads nowhere: {heading}"
    assert trap in text
    assert in_c.match([Task("a", {"x": 1})], offers).assignments[0].offer == "o"


@pytest.mark.parametrize("language", [each for each in BUILT_HERE if each.values != ("c",)])
def test_a_guest_that_may_print_says_what_was_thrown(hosts: Any, language: str, tmp_path: Path) -> None:
    component = built(tmp_path, language, "printing") / "misbehaving-printing.wasm"
    offers = tmp_path / "offers.json"
    offers.write_text(json.dumps([{"name": "o", "available": {"x": 100_000}}]))
    for demand, parts in PRINTED[language].items():
        tasks = tmp_path / "tasks.json"
        tasks.write_text(json.dumps([{"name": "a", "demand": {"x": demand}}]))
        for host in hosts:
            done = host.run("match", "--tasks", tasks, "--offers", offers, "--matcher", component)
            assert done.returncode != 0, host.name
            assert done.stderr.startswith("error[matcher-trapped]: "), f"{host.name}: {done.stderr}"
            assert "docs/other-languages.md#when-a-guest-fails" in done.stderr
            for part in parts:
                assert part in done.stderr, f"{host.name}: {done.stderr}"
