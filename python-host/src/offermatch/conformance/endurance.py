"""Thousands of calls of one pool: the memory of a few dozen has to do for them, and a matcher says the same of itself.

It is the memory of an instance that is looked at, so that only components are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

from offermatch.conformance.audit import Wrong
from offermatch.conformance.play import ANSWERED, Player
from offermatch.conformance.report import Finding
from offermatch.matcher import Matcher
from offermatch.recording.recording import Recording
from offermatch.wasm.contract import raises_scales

__all__ = ["endurance_cases", "endure"]

_MEMORY = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
"""The memory that is tried, in MiB, until some of it does for the first rounds of calls."""

_FEW = 30
"""Rounds in which a matcher shows how much memory it needs."""

_TASKS = 300
"""Tasks of a round, of which none is placed."""

_CASES = {
    "description": "One instance says the same of itself, before it is called and after.",
    "memory": "Half as much memory again as a few dozen calls need has to do for thousands.",
}


def endurance_cases(matcher: Matcher) -> Iterator[Recording]:
    """Yield the cases: one pool, and what is asked of it in each round."""
    offers = {"rows": 1, "available": [0]}
    steps: list[dict[str, Any]] = [
        {"assign": {"rows": _TASKS, "demand": [1] * _TASKS}},
        {"explain": {"rows": 1, "demand": [1]}},
        {"update": {"changed_rows": [0], "changed": offers}},
    ]
    description = matcher.description
    settings = {"mode": description.modes[0], "max_score": None}
    shape, grows = {"dimensions": 1, "attributes": 0}, raises_scales(description.contract)
    for name, about in _CASES.items():
        yield Recording(shape, settings, offers, steps, name=name, about=about, group="endurance", raise_scales=grows)


def endure(matcher: Matcher, case: Recording, rounds: int) -> Finding | None:
    """Return what is found in a case; so many rounds are made in the memory of the first few."""
    try:
        if case.name == "description":
            _check_description(matcher, case)
        else:
            _check_memory(matcher, case, rounds)
    except Wrong as wrong:
        return wrong.at(0)
    return None


def _check_description(matcher: Matcher, case: Recording) -> None:
    """Ask an instance what it is, before it is called and after."""
    player = Player(matcher, case)
    try:
        for _ in range(2):
            said = player.describe()
            if said is None or any(player.ask(step).word != ANSWERED for step in case.steps):
                raise Wrong("description", ANSWERED, "failed")
            if said != matcher.description:
                raise Wrong("description", "the same description", "another description")
    finally:
        player.close()


def _check_memory(matcher: Matcher, case: Recording, rounds: int) -> None:
    """Make thousands of calls in little more memory than a few dozen need."""
    most = matcher.limits.memory_bytes
    sizes = [*(size for mib in _MEMORY if (size := mib << 20) < most), most]
    needed = next((size for size in sizes if _lasts(matcher, case, size, _FEW)), None)
    if needed is None:
        raise Wrong("a few dozen calls", ANSWERED, "failed")
    if not _lasts(matcher, case, min(most, needed + needed // 2), rounds):
        raise Wrong("thousands of calls", "answered in the memory of a few dozen", "failed")


def _lasts(matcher: Matcher, case: Recording, memory_bytes: int, rounds: int) -> bool:
    """Return whether a matcher with so much memory answers so many rounds of calls."""
    player = Player(matcher.within(memory_bytes), case)
    try:
        answered = player.outcome.word == ANSWERED
        return answered and all(player.ask(step).word == ANSWERED for _ in repeat(None, rounds) for step in case.steps)
    finally:
        player.close()
