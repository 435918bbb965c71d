"""The two hosts give the same answer, bit for bit, to whatever they are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT

KINDS = ("uniform", "realistic", "ties", "nothing-fits", "constrained", "devices")
MODES = ("exclusive", "shared")

Same = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_samples_with_every_reason(same_answer: Same, kind: str, mode: str) -> None:
    answer = same_answer("--sample", f"{kind}:900x500:7", "--mode", mode, "--explain")
    assert answer["placed"] + len(answer["unplaced"]) == 900
    assert all(task["candidates"] == 0 for task in answer["unplaced"] if mode == "exclusive")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", ["10000x2000", "20000x20000"])
@pytest.mark.parametrize("kind", KINDS)
def test_samples_of_the_size_of_the_talk(same_answer: Same, kind: str, size: str, mode: str) -> None:
    answer = same_answer("--sample", f"{kind}:{size}", "--mode", mode)
    assert (answer["placed"] > 0) == (kind != "nothing-fits")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_both_references_agree_with_the_component(hosts: Any, kind: str, mode: str) -> None:
    rust, python = hosts
    sample = ("match", "--sample", f"{kind}:400x300:3", "--mode", mode, "--explain")
    expected = rust.answer(*sample)
    for host, matcher in [(rust, "reference"), (python, "reference")]:
        answer = host.answer(*sample, "--matcher", matcher)
        for differs in ("matcher",):
            answer.pop(differs)
        assert answer == {key: value for key, value in expected.items() if key not in {"matcher"}}


KEPT = ROOT / "python-host" / "tests" / "bench" / "openb"
# The lists of the whole trace join those that are kept here where they lie in a folder beside the checkout.
PODS = [*sorted(KEPT.glob("openb_pod_list_*.csv")), *sorted(ROOT.parent.glob("*/data/openb_pod_list_*.csv"))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pods", PODS, ids=lambda pods: pods.stem)
def test_openb_trace(same_answer: Same, pods: Path, mode: str) -> None:
    nodes = pods.with_name("openb_node_list_gpu_node.csv")
    answer = same_answer("--format", "openb", "--tasks", pods, "--offers", nodes, "--mode", mode, "--explain")
    asked, offered = (len(file.read_text().splitlines()) - 1 for file in (pods, nodes))
    assert (answer["tasks"], answer["offers"]) == (asked, offered)
    assert 0 < answer["placed"] <= (asked if mode == "shared" else offered)
    assert answer["placed"] + len(answer["unplaced"]) == asked
