"""Runs a day four ways: the talk's cycle, the loop as fast as it is here, the component instead, all stages improved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from offermatch.matcher import Matcher
from offermatch.scheduler.day.figures import figures
from offermatch.scheduler.day.replay import INTERVAL, MOST_TASKS, Day, LoopSpeed, Side, loop_speed, replay
from offermatch.scheduler.day.workload import Workload

__all__ = ["CYCLE", "MOST_POLICIES", "SIDES", "compare", "compare_policies"]

SIDES = 4
"""How often the day is replayed."""
MOST_POLICIES = 6
"""How many policies are compared: as many as there are colours."""
CYCLE = 3.0
"""Seconds of a cycle besides matching: what the scheduler's own cycle took where `bench cycle` was measured."""

_BEFORE, _AFTER = (141.0, 150.0), (32.0, 23.0)
"""The talk's seconds for get_processable_tasks (2:21 min, then 32 s) and prepare_payloads (2 min 30 s, then 23 s)."""
_CYCLES = (
    "A cycle sees what waits and what is free when it begins, and launches when it ends. The next one begins at once, "
    f"{INTERVAL:g} s after the last began at the earliest, and looks at the {MOST_TASKS:,} oldest waiting tasks at most."
)
_WAITING = (
    "A task that does not fit is passed over until it does. What has not begun when the day ends counts as having "
    "waited until then."
)
_TALK_MATCHING = 196.0
"""The talk's seconds for match_tasks_to_offers: 3 min 16 s."""


def compare(
    workload: Workload,
    *,
    loop_seconds_per_pair: float | None = None,
    component_seconds_per_pair: float | None = None,
    progress: Callable[[int, str, float], None] = lambda *_: None,
) -> tuple[dict[str, Any], list[Day]]:
    """Return the figures of a day, and the days: the talk's cycle, loop, component, all improved.

    Args:
        workload: The day.
        loop_seconds_per_pair: What a look of one task at one offer takes in the loop; measured here unless given.
        component_seconds_per_pair: Likewise in the component; each match is measured here unless given.
        progress: Told which replay it is, what it is and its time of day in seconds.

    Raises:
        OffermatchError: The matcher failed.
    """
    matcher = Matcher.load()

    def component(tasks: int, offers: int, measured: float) -> float:
        return measured if component_seconds_per_pair is None else component_seconds_per_pair * tasks * offers

    def replayed(number: int, side: Side) -> Day:
        return replay(workload, side, matcher, progress=lambda at: progress(number, side.title, at))

    # The loop comes after the component: its speed is measured on what the component's busiest cycle saw.
    whole = replayed(0, Side("component-improved", "component, all improved", *_AFTER, component))
    only = replayed(1, Side("component", "component instead", *_BEFORE, component))
    loop = LoopSpeed(0, 0, 0.0, 0)
    if whole.sample is not None:
        loop = loop_speed(whole.sample, matcher)
    per_pair = loop.seconds_per_pair if loop_seconds_per_pair is None else loop_seconds_per_pair
    slow = replayed(2, Side("loop", "loop, measured here", *_BEFORE, lambda tasks, offers, _: per_pair * tasks * offers))
    talk = replayed(3, Side("talk", "the talk's cycle", *_BEFORE, lambda *_: _TALK_MATCHING))
    days = [talk, slow, only, whole]
    described = matcher.description
    name = f"{described.name} {described.version}, {matcher.digest}"
    sources = _sources(workload, loop, loop_seconds_per_pair, component_seconds_per_pair)
    return figures(workload, days, loop, name, sources), days


def compare_policies(
    workload: Workload,
    policies: Sequence[str],
    *,
    cycle: float = CYCLE,
    seconds_per_pair: float | None = None,
    progress: Callable[[int, str, float], None] = lambda *_: None,
) -> tuple[dict[str, Any], list[Day]]:
    """Return the figures of a day, and the days, by policies: the same tasks, servers and cycles, placed by each.

    Args:
        workload: The day.
        policies: The names of shipped policies, at most ``MOST_POLICIES``.
        cycle: The seconds that a cycle takes besides matching.
        seconds_per_pair: What a look of one task at one offer takes; each match is measured here unless given.
        progress: As of ``compare``.

    Raises:
        OffermatchError: A matcher failed, or there is no such policy.
    """

    def matching(tasks: int, offers: int, measured: float) -> float:
        return measured if seconds_per_pair is None else seconds_per_pair * tasks * offers

    matchers = [Matcher.load(policy=name) for name in policies]
    days = []
    for number, (name, matcher) in enumerate(zip(policies, matchers, strict=True)):
        side = Side(f"policy-{number + 1}", name, cycle / 2, cycle / 2, matching)

        def hear(at: float, number: int = number, name: str = name) -> None:
            progress(number, name, at)

        days.append(replay(workload, side, matcher, progress=hear))
    matched = (
        "Matching: each cycle's own, on the wall clock, from columns to verified answer."
        if seconds_per_pair is None
        else f"Given, not measured: matching takes {seconds_per_pair * 1e6:g} µs for each task and offer."
    )
    answers = (
        "Who runs where is the answer of the policy's component, in shared mode. One that looks ahead learns from the tasks "
        "of the cycle."
    )
    sources = {
        "measured": [matched],
        "talk": [],
        "simulated": [
            *workload.notes,
            f"The other stages of a cycle take {cycle:g} s, always.",
            _CYCLES,
            answers,
            _WAITING,
        ],
    }
    names = ", ".join(f"{matcher.description.name} {matcher.description.version}" for matcher in matchers)
    return figures(workload, days, LoopSpeed(0, 0, 0.0, 0), names, sources), days


def _sources(
    workload: Workload, loop: LoopSpeed, loop_given: float | None, component_given: float | None
) -> dict[str, list[str]]:
    """Return what the figures rest on."""
    pair = "for each task and offer"
    if loop_given is None:
        loop_time = (
            f"The loop's matching: the reference matcher placed {loop.tasks:,} tasks on {loop.offers:,} offers in "
            f"{loop.seconds:.2f} s of processor time (the least of {loop.rounds} rounds, on the tasks and offers of the "
            f"component's busiest cycle), {loop.seconds_per_pair * 1e6:.3f} µs {pair}. A cycle takes that times the tasks "
            "and offers it looks at. Its answer to the sample is the component's, bit for bit."
        )
    else:
        loop_time = f"Given, not measured: the loop's matching takes {loop_given * 1e6:g} µs {pair}."
    if component_given is None:
        component_time = "The component's matching: each cycle's own, on the wall clock, from columns to verified answer."
    else:
        component_time = f"Given, not measured: the component's matching takes {component_given * 1e6:g} µs {pair}."
    stages = (
        f"The other stages of a cycle: reading tasks {_BEFORE[0]:g} s and preparing payloads {_BEFORE[1]:g} s, before; "
        f"{_AFTER[0]:g} s and {_AFTER[1]:g} s, improved. They take as long in every cycle."
    )
    picture = (
        f"The matching of the talk's cycle: {_TALK_MATCHING:g} s, always. Its queue and offers are not known, so the loop "
        "as measured here is shown apart. The talk's cycle took 8 minutes and a third of its cluster idled, later a minute."
    )
    answers = (
        "Who runs where is the component's answer in all cases (shared mode, best-fit); the loop would give the same, later."
    )
    return {
        "measured": [loop_time, component_time],
        "talk": [stages, picture],
        "simulated": [*workload.notes, _CYCLES, answers, _WAITING],
    }
