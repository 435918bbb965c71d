"""Generated input, the same bit for bit in both hosts; docs/formats.md describes every kind.

Random numbers come from SplitMix64 (Steele, Lea, Flood 2014). Tasks are made first, then offers, each drawing in the order
that docs/formats.md writes down.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from offermatch.model import Offer, Quantity, Requirement, Task

__all__ = ["KINDS", "Sample", "SplitMix64", "parse_sample"]

_MASK = 2**64 - 1
_GIB = 2**30


class SplitMix64:
    """A small, seeded generator that every language can repeat exactly."""

    def __init__(self, seed: int) -> None:
        """Start from a seed of 64 bits."""
        self._state = seed & _MASK

    def next(self) -> int:
        """Return the next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``."""
        return (self.next() * limit) >> 64


_Rows = tuple[list[Task], list[Offer]]


def _uniform_demand(draw: SplitMix64) -> dict[str, Quantity]:
    return {"cpu": 1 + draw.below(16), "memory": _GIB * (1 + draw.below(64))}


def _uniform_available(draw: SplitMix64) -> dict[str, Quantity]:
    return {"cpu": 1 + draw.below(48), "memory": _GIB * (1 + draw.below(192))}


def _uniform(draw: SplitMix64, tasks: int, offers: int) -> _Rows:
    asked = [Task(f"task-{row}", _uniform_demand(draw)) for row in range(tasks)]
    return asked, [Offer(f"offer-{row}", _uniform_available(draw)) for row in range(offers)]


def _realistic(draw: SplitMix64, tasks: int, offers: int) -> _Rows:
    shapes: list[dict[str, Quantity]] = [
        {"cpu": 0.25 * (1 + draw.below(64)), "memory": 2**28 * (1 + draw.below(256))} for _ in range(200)
    ]
    asked = [Task(f"task-{row}", shapes[draw.below(200)]) for row in range(tasks)]
    types: list[dict[str, Quantity]] = [
        {"cpu": 8 + 4 * draw.below(23), "memory": _GIB * (16 + 8 * draw.below(47))} for _ in range(40)
    ]
    return asked, [Offer(f"offer-{row}", types[draw.below(40)]) for row in range(offers)]


def _ties(_: SplitMix64, tasks: int, offers: int) -> _Rows:
    asked = [Task(f"task-{row}", {"cpu": 1, "memory": _GIB}) for row in range(tasks)]
    return asked, [Offer(f"offer-{row}", {"cpu": 16, "memory": 64 * _GIB}) for row in range(offers)]


def _nothing_fits(draw: SplitMix64, tasks: int, offers: int) -> _Rows:
    asked = [
        Task(f"task-{row}", {"cpu": 49 + draw.below(16), "memory": _GIB * (1 + draw.below(64))}) for row in range(tasks)
    ]
    return asked, [Offer(f"offer-{row}", _uniform_available(draw)) for row in range(offers)]


def _constrained(draw: SplitMix64, tasks: int, offers: int) -> _Rows:
    def task(row: int) -> Task:
        demand = _uniform_demand(draw)
        requirements: list[Requirement] = []
        if draw.below(4) == 0:
            zones = dict.fromkeys(f"z{draw.below(8)}" for _ in range(2))
            requirements.append(Requirement("zone", tuple(zones)))
            if draw.below(2) == 0:
                requirements.append(Requirement("gpu", (f"g{draw.below(4)}",), excludes=True))
        return Task(f"task-{row}", demand, tuple(requirements))

    def offer(row: int) -> Offer:
        available = _uniform_available(draw)
        attributes: dict[str, str | None] = {"zone": f"z{draw.below(8)}"}
        if draw.below(2) == 0:
            attributes["gpu"] = f"g{draw.below(4)}"
        return Offer(f"offer-{row}", available, attributes=attributes)

    return [task(row) for row in range(tasks)], [offer(row) for row in range(offers)]


def _devices(draw: SplitMix64, tasks: int, offers: int) -> _Rows:
    def task(row: int) -> Task:
        demand = _uniform_demand(draw)
        kind = draw.below(8)
        share = 50 * (1 + draw.below(19)) if kind in (4, 5) else 0
        return Task(f"task-{row}", demand, devices=1 + draw.below(4) if kind > 5 else 0, device_share=share)

    def offer(row: int) -> Offer:
        available = _uniform_available(draw)
        return Offer(f"offer-{row}", available, devices=1 + draw.below(8) if draw.below(2) == 0 else 0)

    return [task(row) for row in range(tasks)], [offer(row) for row in range(offers)]


KINDS: dict[str, Callable[[SplitMix64, int, int], _Rows]] = {
    "uniform": _uniform,
    "realistic": _realistic,
    "ties": _ties,
    "nothing-fits": _nothing_fits,
    "constrained": _constrained,
    "devices": _devices,
}
"""The kinds of input, by name."""

_TEXT = re.compile(r"([a-z-]+):([0-9]{1,9})x([0-9]{1,9})(?::([0-9]{1,20}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated input.

    Attributes:
        kind: One of ``KINDS``.
        tasks: How many tasks.
        offers: How many offers.
        seed: The seed, 64 bits.
    """

    kind: str
    tasks: int
    offers: int
    seed: int = 1

    def __str__(self) -> str:
        """Return the text that ``parse_sample`` reads."""
        return f"{self.kind}:{self.tasks}x{self.offers}:{self.seed}"

    def rows(self) -> _Rows:
        """Return its tasks and offers."""
        return KINDS[self.kind](SplitMix64(self.seed), self.tasks, self.offers)


def parse_sample(text: str) -> Sample:
    """Return the sample that ``KIND:TASKSxOFFERS[:SEED]`` names.

    Raises:
        ValueError: The text names none.

    Examples:
        >>> parse_sample("uniform:20000x20000")
        Sample(kind='uniform', tasks=20000, offers=20000, seed=1)
    """
    match = _TEXT.fullmatch(text)
    if match is None or match[1] not in KINDS or int(match[4] or 1) > _MASK:
        raise ValueError(f"{text!r} is not KIND:TASKSxOFFERS[:SEED] with KIND one of {', '.join(KINDS)}")
    return Sample(match[1], int(match[2]), int(match[3]), int(match[4] or 1))
