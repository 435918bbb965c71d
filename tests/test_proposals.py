"""Both hosts allow a matcher the same WebAssembly proposals: tests/facts/proposals.toml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomllib
import wasmtime

PROPOSALS = tomllib.loads((Path(__file__).parent / "facts" / "proposals.toml").read_text())


@pytest.mark.parametrize("proposal", PROPOSALS)
def test_a_component_may_use_what_is_on_the_list(hosts: Any, tmp_path: Path, proposal: str) -> None:
    fact = PROPOSALS[proposal]
    path = tmp_path / "component.wasm"
    path.write_bytes(wasmtime.wat2wasm(fact["wat"]))
    # None of them is a matcher. Which one is read so far that this is found, is what is asked.
    expected = "wrong-world" if fact["allowed"] else "component-malformed"
    for host in hosts:
        done = host.run("match", "--sample", "uniform:1x1", "--matcher", path)
        found = re.search(r"^error\[([a-z-]+)\]", done.stderr, re.MULTILINE)
        assert found, f"{host.name}: {done.stderr}"
        assert found[1] == expected, f"{host.name}: {done.stderr}"
