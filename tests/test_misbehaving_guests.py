"""What the host says of guests in other languages that abort, divide by zero or leave their memory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from offermatch import Matcher, Offer, Task
from offermatch.errors import MatcherError

FOREIGN = ROOT / "target" / "foreign"


@pytest.fixture(scope="module")
def in_c(tmp_path_factory: pytest.TempPathFactory) -> Matcher:
    """A matcher of guest/c whose policy misbehaves as the demand says."""
    folder = tmp_path_factory.mktemp("misbehaving")
    (folder / "policy.c").write_bytes((ROOT / "tests" / "guests" / "policy.c").read_bytes())
    (folder / "target").mkdir()
    (folder / "target" / "tools").symlink_to(FOREIGN / "c", target_is_directory=True)
    (folder / "target" / "crates").symlink_to(ROOT / "target", target_is_directory=True)
    script = ROOT / "guest" / "c" / "build.sh"
    done = subprocess.run([script, "at", folder, "misbehaving"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Matcher.load(Path(folder) / "target" / "misbehaving.wasm")


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
