"""Both hosts as programs: whatever is tested here is what a user would run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
RUST_HOST = ROOT / "target" / "release" / "offermatch-host"
COMPONENT = ROOT / "target" / "matcher.wasm"


LANGUAGES = ("python", "javascript", "c")
"""In which there are matchers beside Rust's."""
BUILT_HERE = [
    pytest.param(
        language,
        marks=pytest.mark.skipif(
            language != "c" and os.environ.get("OFFERMATCH_LANGUAGES") != "all",
            reason="takes an interpreter's matcher minutes: `make test-languages` runs it",
        ),
    )
    for language in LANGUAGES
]
"""The same for tests that build, or compile once more."""


@dataclass(frozen=True)
class Host:
    """A host, as the command that runs it."""

    name: str
    command: tuple[str, ...]

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the program and return what it printed."""
        command = [*self.command, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    def answer(self, *arguments: str | Path) -> dict[str, Any]:
        """Return the JSON that a run that must succeed printed, without what differs from run to run."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{self.name}: {done.stderr}"
        answer: dict[str, Any] = json.loads(done.stdout)
        answer.pop("milliseconds", None)
        return answer


@pytest.fixture(scope="session")
def hosts() -> tuple[Host, Host]:
    """Return the Rust host and the Python host."""
    assert RUST_HOST.exists(), f"{RUST_HOST} is not built: run `make host`"
    return Host("rust", (str(RUST_HOST),)), Host("python", (sys.executable, "-m", "offermatch"))


@pytest.fixture(scope="session")
def same_answer(hosts: tuple[Host, Host]) -> Callable[..., dict[str, Any]]:
    """Return a function that runs `match` on both hosts, compares all they print, and returns it."""

    def run(*arguments: str | Path) -> dict[str, Any]:
        rust, python = (host.answer("match", *arguments) for host in hosts)
        assert rust == python
        return rust

    return run
