"""The misbehaving components, and a small cycle to ask them."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from offermatch import LegacyMatcher, Limits, Matcher, Offer, Task, is_in

FOLDER = Path(__file__).parents[2] / "target" / "hostile"
LIMITS = Limits(memory_bytes=2**25, call_milliseconds=400)

TASKS = [
    Task(
        f"task-{row}",
        {"cpu": 1 + row % 3},
        requirements=[is_in("zone", "a")] if row % 4 == 0 else (),
        device_share=300 if row % 5 == 0 else 0,
    )
    for row in range(20)
]
OFFERS = [
    Offer(f"offer-{row}", {"cpu": 4 + row % 5}, attributes={"zone": "ab"[row % 2]}, devices=row % 3) for row in range(40)
]


def component(name):
    path = FOLDER / f"{name}.wasm"
    if not path.exists():
        pytest.skip(f"{path.name} is not built: run 'guest/build.sh hostile'")
    return path


def limits(name):
    """Return limits for a component. Who does not spin must not run out of time before it does what it does."""
    endless = name.startswith("spin-") or name == "wasi-stdout"
    return LIMITS if endless else replace(LIMITS, call_milliseconds=60_000)


@cache
def right(mode="exclusive"):
    """The digest of the right answer."""
    return LegacyMatcher().match(TASKS, OFFERS, mode=mode).digest


def the_host_is_alive():
    """A matcher that does as it should answers right, whatever was called before."""
    assert Matcher.load().match(TASKS, OFFERS).digest == right()
