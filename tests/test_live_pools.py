"""A pool lives alike in both hosts, in matchers of either contract, also while larger offers come and matchers change."""

from __future__ import annotations

import json
import random
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from offermatch import FallbackMatcher, Matcher, Slot
from offermatch.pool import Pool

TARGET = Path(__file__).parents[1] / "target"
EXAMPLE = TARGET / "release" / "examples" / "live_pool"
MATCHERS = {"0.2.0": TARGET / "matcher-0.2.0.wasm", "0.3.0": TARGET / "matcher.wasm"}
STORIES = 8


def _story(number: int) -> dict[str, Any]:
    """Return a pool whose offers get larger, in seven cycles."""
    draw = random.Random(number)
    named = 0
    here: list[str] = []

    def offer(name: str, most: int) -> dict[str, Any]:
        capacity = draw.randint(1, most)
        return {"name": name, "available": {"cpu": draw.randint(0, capacity)}, "capacity": {"cpu": capacity}}

    def new(count: int, most: int) -> list[dict[str, Any]]:
        nonlocal named
        names = [f"offer-{at}" for at in range(named, named + count)]
        named += count
        here.extend(names)
        return [offer(name, most) for name in names]

    story: dict[str, Any] = {"offers": new(draw.randint(0, 4), 6), "cycles": []}
    for cycle in range(7):
        removed = [here.pop(draw.randrange(len(here))) for _ in range(draw.randint(0, len(here) // 2))]
        changed = draw.sample(here, draw.randint(0, len(here)))
        most = 6 * (1 + cycle)
        story["cycles"].append(
            {
                "removed": removed,
                "changed": [offer(name, most) for name in changed],
                "added": new(draw.randint(0, 2), most),
                "tasks": [
                    {"name": f"task-{cycle}-{at}", "demand": {"cpu": draw.randint(0, 3)}} for at in range(draw.randint(1, 4))
                ],
            }
        )
    return story


def _lived(pool: Pool, cycles: list[dict[str, Any]], slot: Slot, other: Path | None) -> str:
    """Return what each task gets, as the example prints it."""
    lines = []
    for number, cycle in enumerate(cycles):
        if other is not None and number == len(cycles) // 2:
            slot.promote(Matcher.load(other), 0)
        pool.update(removed=cycle["removed"], changed=cycle["changed"], added=cycle["added"])
        answer = pool.assign(cycle["tasks"])
        assert answer.matcher is not None
        assert list(answer.remarks) == []
        lines += [
            f"{answer.matcher.contract} {one.task} {one.offer} {struct.pack('>d', one.score).hex()}\n"
            for one in answer.assignments
        ]
    return "".join(lines)


@pytest.mark.parametrize("promoted", [False, True], ids=["stays", "promoted"])
@pytest.mark.parametrize("contract", MATCHERS)
def test_both_hosts_place_alike(tmp_path: Path, contract: str, promoted: bool) -> None:
    path = MATCHERS[contract]
    other = next(found for version, found in MATCHERS.items() if version != contract) if promoted else None
    seen = set()
    for number in range(STORIES):
        story = _story(number)
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(story))
        arguments = [EXAMPLE, file, path, *([other] if other else [])]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"story {number}: {done.stderr}"
        slot = Slot(Matcher.load(path))
        opener = slot if promoted else FallbackMatcher(slot.current)
        with opener.open(story["offers"], mode="shared", dimensions=["cpu"]) as pool:
            assert _lived(pool, story["cycles"], slot, other) == done.stdout, f"story {number}"
        seen |= {line.split()[0] for line in done.stdout.splitlines()}
    assert seen == (set(MATCHERS) if promoted else {contract})


def test_a_larger_offer_raises_no_scale_of_a_matcher_of_the_contract_before(tmp_path: Path) -> None:
    # 4 of 8 cores are left beside a task of 4: by the scale of opening, 2, that is 2.0; by one that grew, 0.5.
    offers = [{"name": "small", "available": {"cpu": 2}}]
    large = {"name": "large", "available": {"cpu": 8}}
    story = {"offers": offers, "cycles": [{"added": [large], "tasks": [{"name": "t", "demand": {"cpu": 4}}]}]}
    file = tmp_path / "story.json"
    file.write_text(json.dumps(story))
    for contract, score in (("0.2.0", 2.0), ("0.3.0", 0.5)):
        done = subprocess.run([EXAMPLE, file, MATCHERS[contract]], capture_output=True, text=True, check=True)
        assert done.stdout == f"{contract} t large {struct.pack('>d', score).hex()}\n"
        with Matcher.load(MATCHERS[contract]).open(offers) as pool:
            pool.update(added=[large])
            assert pool.assign([{"name": "t", "demand": {"cpu": 4}}]).scores == [score]
