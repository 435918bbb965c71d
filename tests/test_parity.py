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


def _trace() -> Path | None:
    """Return the folder with the OpenB trace, if one lies in a folder beside the checkout."""
    found = sorted(ROOT.parent.glob("*/data/openb_node_list_gpu_node.csv"))
    return found[0].parent if found else None


@pytest.mark.skipif(_trace() is None, reason="the OpenB trace is not in a data/ folder beside the checkout")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pods", ["openb_pod_list_default.csv", "openb_pod_list_gpuspec33.csv"])
def test_openb_trace(same_answer: Same, pods: str, mode: str) -> None:
    trace = _trace()
    assert trace is not None
    files = ("--format", "openb", "--tasks", trace / pods, "--offers", trace / "openb_node_list_gpu_node.csv")
    answer = same_answer(*files, "--mode", mode, "--explain")
    assert (answer["tasks"], answer["offers"]) == (8152, 1213)
    assert answer["placed"] >= 1213 if mode == "shared" else answer["placed"] <= 1213
