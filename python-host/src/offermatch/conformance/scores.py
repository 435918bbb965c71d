"""The scores of a policy that nobody knows: those that a matcher gives when it is asked about one task and one offer alone.

A score is a policy's, and a policy is a function of the task, of what the offer has and of the settings. So a matcher itself
says what every offer scores, and the plain loop of the reference, ranked by these scores, what it has to answer. That is how
preferences, *together* and scales that follow are checked of any policy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, nan
from typing import Any

from offermatch.conformance.audit import Wrong
from offermatch.conformance.compare import difference
from offermatch.conformance.generate import generated
from offermatch.conformance.mixed import of_the_reference
from offermatch.conformance.play import ANSWERED, Outcome, play
from offermatch.conformance.report import Finding
from offermatch.matcher import DirectMatcher
from offermatch.model import Timings
from offermatch.recording.columns import (
    changes_of,
    devices_shown,
    explained_shown,
    offers_of,
    plan_shown,
    preempt_of,
    settings_of,
    shape_of,
    tasks_of,
)
from offermatch.recording.recording import Recording
from offermatch.reference.pool import Reference
from offermatch.reference.standing import Offer, Ranking, Task
from offermatch.tables.devices import Devices
from offermatch.tables.tables import Assigned
from offermatch.wasm.contract import raises_scales

__all__ = ["audit_by_scores", "hang_on_task_and_offer"]

_TRIALS = 100
"""Generated cases in which a policy may show that its scores hang on more than the task and the offer."""

_MOST_ROWS = 40
"""Cases with a larger table are not asked: a task and an offer cost a call."""


class _Scores:
    """What a matcher says of one task and one offer alone, as the policy of the reference loop.

    Attributes:
        workload: The tasks that are to be expected.
    """

    def __init__(self, matcher: DirectMatcher, case: Recording) -> None:
        self._matcher, self._case = matcher, case
        self.workload: Mapping[str, Any] | None = case.settings.get("workload")
        self._known: dict[Any, float] = {}

    def forget(self, workload: Mapping[str, Any]) -> None:
        """Expect other tasks from now on."""
        self.workload = workload
        self._known.clear()

    def __call__(self, ranking: Ranking, offer: Offer, task: Task) -> float:
        """Return the score; infinite where the offer is not taken."""
        # Of which number a device is, a policy makes nothing.
        devices, measures = sorted(offer.devices), struct.pack(f"<{len(offer.measures)}d", *offer.measures)
        columns = (offer.free, offer.capacity, offer.attributes, devices, task.demand, ranking.scales)
        key = (*map(tuple, columns), measures, task.devices)
        if key not in self._known:
            self._known[key] = self._asked(ranking, offer, devices, task)
        return self._known[key]

    def _asked(self, ranking: Ranking, offer: Offer, devices: Sequence[int], task: Task) -> float:
        offers: dict[str, Any] = {"rows": 1, "available": offer.free, "capacity": offer.capacity}
        offers |= {"attributes": offer.attributes, "measures": offer.measures}
        offers |= devices_shown(Devices.of_rows([devices]))
        tasks: dict[str, Any] = {"rows": 1, "demand": task.demand}
        if task.devices:
            tasks["devices"] = [task.devices]
        settings = {**self._case.settings, "max_score": None, "scales": ranking.scales, "workload": self.workload}
        probe = replace(self._case, settings=settings, offers=offers, steps=[{"assign": tasks}], open_error=None)
        answer = play(self._matcher, probe)[-1].answer
        return answer.scores[0] if isinstance(answer, Assigned) and len(answer.scores) == 1 else inf


def hang_on_task_and_offer(matcher: DirectMatcher) -> bool:
    """Return whether the scores of a matcher hang on the task, the offer and the settings, and on nothing else.

    Those of a policy that looks ahead hang on other tasks and offers, too, and only the rest of the contract is known of it.
    """
    return all(found == asked for seed in range(1, _TRIALS + 1) for found, asked in _trial(matcher, seed))


def _trial(matcher: DirectMatcher, seed: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the scores in an answer, each beside the one that the matcher gives alone, of offers as they were opened."""
    case = generated(seed)
    tables = [step["assign"] for step in case.steps if "assign" in step][:1]
    scales = [48] * (case.shape["dimensions"] + 1)
    settings = {**case.settings, "mode": matcher.description.modes[0], "max_score": None, "scales": scales}
    grows = raises_scales(matcher.description.contract)
    case = replace(case, settings=settings, steps=[{"assign": tasks} for tasks in tables], raise_scales=grows)
    if not tables or largest_table(case) > _MOST_ROWS:
        return
    answer = play(matcher, case)[-1].answer
    if not isinstance(answer, Assigned):
        yield b"answered", b"refused"
        return
    asked_tasks, offers = tasks_of(tables[0], case.shape, raw=False), offers_of(case.offers, case.shape, raw=False)
    scores, ranking = _Scores(matcher, case), Ranking([], scales, inf, lambda *_: nan)
    taken: set[int] = set()
    for task, offer, score in zip(answer.tasks, answer.offers, answer.scores, strict=False):
        if offer not in taken and task < asked_tasks.rows and offer < offers.rows:
            taken.add(offer)
            alone = scores(ranking, Offer(offers, offer), Task(asked_tasks, task))
            yield struct.pack("<d", score), struct.pack("<d", alone)


def audit_by_scores(matcher: DirectMatcher, case: Recording, outcomes: Sequence[Outcome]) -> Finding | None:
    """Return the first answer to a step that is not the one of the plain loop, ranked by the matcher's own scores."""
    if largest_table(case) > _MOST_ROWS:
        return None
    scores = _Scores(matcher, case)
    grows = case.raise_scales and raises_scales(matcher.description.contract)
    # The other parameters are the matcher's affair.
    parameters = of_the_reference(case.settings.get("parameters", ()), matcher.description)
    settings = replace(settings_of(case.settings, case.shape, raw=False), raise_scales=grows, parameters=parameters)
    pool = Reference(offers_of(case.offers, case.shape, raw=False), shape_of(case.shape), settings, scores)
    for at, (step, outcome) in enumerate(zip(case.steps, outcomes, strict=False)):
        if outcome.word != ANSWERED:
            continue
        try:
            difference(_answered(pool, scores, case, step), outcome)
        except Wrong as wrong:
            return replace(wrong.at(at), what=f"{wrong.what}, by its own scores")
    return None


def _answered(pool: Reference, scores: _Scores, case: Recording, step: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a step with its answer."""
    if "assign" in step:
        found = pool.assign(tasks_of(step["assign"], case.shape, raw=False), Timings())
        return {"answer": {name: getattr(found, name) for name in found.__slots__}}
    if "explain" in step:
        return {"answer": explained_shown(pool.checks(tasks_of(step["explain"], case.shape, raw=False), Timings()))}
    if "preempt" in step:
        return {"answer": plan_shown(pool.preempt(*preempt_of(step["preempt"], case.shape, raw=False), Timings()))}
    pool.update(changes_of(step["update"], case.shape, raw=False), Timings())
    if step["update"].get("workload") is not None:
        scores.forget(step["update"]["workload"])
    return {"answer": {}}


def largest_table(case: Recording) -> int:
    """Return the rows of the largest table of a case."""
    tables: list[Mapping[str, int]] = [case.offers]
    for step in case.steps:
        changes, plan = step.get("update", {}), step.get("preempt", {})
        tables += [step.get("assign", {}), step.get("explain", {}), plan.get("tasks", {}), plan.get("running", {})]
        tables += [changes.get("changed", {}), changes.get("added", {})]
    return max(table.get("rows", 0) for table in tables)
