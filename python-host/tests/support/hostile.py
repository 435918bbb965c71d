"""The misbehaving components, and a small cycle to ask them."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from offermatch import Limits, Matcher, Offer, ReferenceMatcher, Task, is_in

FOLDER = Path(__file__).parents[3] / "target" / "hostile"
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
    return ReferenceMatcher().match(TASKS, OFFERS, mode=mode).digest


def the_host_is_alive():
    """A matcher that does as it should answers right, whatever was called before."""
    assert Matcher.load().match(TASKS, OFFERS).digest == right()


def match(matcher):
    return matcher.match(TASKS, OFFERS)


def share(matcher):
    return matcher.match(TASKS, OFFERS, mode="shared")


def explain(matcher):
    return matcher.explain(TASKS, OFFERS)


def update(matcher):
    with matcher.open(OFFERS) as pool:
        pool.update(removed=["offer-1"])


CALLING = {
    "allocate": (match, "matcher-trapped", "unreachable"),
    "exclusive-twice": (match, "answer-refused", "two tasks"),
    "grow-tables": (match, "matcher-trapped", "unreachable"),
    "huge-text": (match, "limit-output", "output_text_bytes = 65,536"),
    "ignore-devices": (match, "answer-refused", "devices do not serve"),
    "ignore-requirements": (match, "answer-refused", "against a requirement"),
    "million-assignments": (match, "limit-output", "134,217,728 bytes"),
    "million-reasons": (explain, "limit-output", "1,000,000 numbers"),
    "nan-scores": (match, "answer-refused", "not finite"),
    "over-commit": (share, "answer-refused", "beyond what is available"),
    "recurse": (match, "matcher-trapped", "call stack exhausted"),
    "rows-out-of-range": (match, "answer-refused", "offer row"),
    "same-task-twice": (match, "answer-refused", "do not rise"),
    "spin-assign": (match, "limit-time", "call_milliseconds = 400"),
    "spin-explain": (explain, "limit-time", "call_milliseconds = 400"),
    "spin-open": (match, "limit-time", "call_milliseconds = 400"),
    "spin-update": (update, "limit-time", "call_milliseconds = 400"),
    "trap": (match, "matcher-trapped", "unreachable"),
    "wasi-exit": (match, "matcher-trapped", "exit.*I am leaving"),
    "wasi-panic": (match, "matcher-trapped", "standard error: .*help .*bytes in all"),
    "wasi-stdout": (match, "limit-time", "standard output: "),
    "wrong-explanations": (explain, "answer-refused", "add up"),
}
