"""Both programs give the same answer in the packing experiment, one pod at a time and in batches."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conftest import ROOT, RUST_HOST

TRACE = ROOT / "python-host" / "tests" / "bench" / "openb"


@pytest.mark.parametrize("batch", [1, 1000])
def test_both_programs_pack_alike(hosts: Any, batch: int) -> None:
    policies = ["first-fit", "best-fit:cpu=0.5,memory=0,devices=0.5", "fragmentation", "strand"]
    options = [option for policy in policies for option in ("--policy", policy)]
    done = hosts[1].run(
        "bench", "packing", "--trace", TRACE, "--list", "small", "--seed", "5", "--batch", str(batch), *options,
        "--rust-host", RUST_HOST, "--json", "-",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert all(run["placed"] > 0 for run in json.loads(done.stdout)["runs"])
