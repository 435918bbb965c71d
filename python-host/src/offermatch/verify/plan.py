"""A plan of preemption, checked against the host's own tables.

No victim matters as much as the task, the room is there, and no victim ends in vain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn

from offermatch.errors import LyingMatcherError
from offermatch.tables.tables import Plan, RunningTable, TaskTable
from offermatch.verify.devices import DEVICE, devices_for
from offermatch.verify.ledger import Ledger

__all__ = ["check_plan"]


class _Room:
    """What is free on one offer, as the plans so far leave it."""

    def __init__(self, ledger: Ledger, row: int) -> None:
        offer = ledger.offers([row])
        self.free = [column[0] for column in offer.available]
        self.devices = offer.devices.of(0)

    def alter(self, running: RunningTable, row: int, sign: int) -> None:
        """Take a running task away, or give it back."""
        self.free = [free + sign * column[row] for free, column in zip(self.free, running.demand, strict=True)]
        if running.device_offsets:
            for at in range(running.device_offsets[row], running.device_offsets[row + 1]):
                self.devices[running.device_numbers[at]] += sign * running.device_thousandths[at]

    def serves(self, demand: Sequence[int], thousandths: int) -> bool:
        """Return whether a task fits."""
        enough = all(asked <= free for asked, free in zip(demand, self.free, strict=True))
        return enough and devices_for(self.devices, thousandths) is not None

    def take(self, demand: Sequence[int], thousandths: int) -> None:
        """Take what a task that fits uses."""
        self.free = [free - asked for free, asked in zip(self.free, demand, strict=True)]
        for number in devices_for(self.devices, thousandths) or ():
            self.devices[number] -= min(thousandths, DEVICE)


def check_plan(ledger: Ledger, tasks: TaskTable, priorities: Sequence[int], running: RunningTable, plan: Plan) -> None:
    """Check that a plan can come true, task after task, and that it ends no more than it has to.

    Args:
        ledger: What is free; it stays as it is.
        tasks: What was asked.
        priorities: How much each task matters.
        running: What runs and may be taken away; what it uses is not free.
        plan: Who is to take what once the victims have ended.

    Raises:
        LyingMatcherError: ``answer-refused``.
    """
    _check_columns(ledger, tasks, running, plan)
    rooms: dict[int, _Room] = {}
    ended: set[int] = set()
    for at, (task, offer) in enumerate(zip(plan.tasks, plan.offers, strict=True)):
        victims = plan.victims[plan.victim_offsets[at] : plan.victim_offsets[at + 1]]
        where = f"task row {task} on offer row {offer}"
        if ledger.breaks_requirement(tasks, task, offer):
            _refuse(f"{where} against a requirement")
        room = rooms.get(offer) or rooms.setdefault(offer, _Room(ledger, offer))
        for victim in victims:
            if victim in ended:
                _refuse(f"running row {victim} ended twice")
            ended.add(victim)
            if running.offers[victim] != offer:
                _refuse(f"running row {victim} ended for {where}, where it does not run")
            if running.priorities[victim] >= priorities[task]:
                _refuse(f"running row {victim} ended for {where}, though it matters as much")
            room.alter(running, victim, 1)
        demand, thousandths = [column[task] for column in tasks.demand], tasks.devices[task] if tasks.devices else 0
        if not room.serves(demand, thousandths):
            _refuse(f"{where} without room")
        for victim in victims:
            room.alter(running, victim, -1)
            if room.serves(demand, thousandths):
                _refuse(f"running row {victim} ended in vain for {where}")
            room.alter(running, victim, 1)
        room.take(demand, thousandths)


def _check_columns(ledger: Ledger, tasks: TaskTable, running: RunningTable, plan: Plan) -> None:
    count, offsets, victims = len(plan.tasks), plan.victim_offsets, plan.victims
    if not count == len(plan.offers) == len(plan.scores) == len(offsets) - 1:
        _refuse(f"columns of {count}, {len(plan.offers)} and {len(plan.scores)} values and {len(offsets)} offsets")
    if offsets[0] != 0 or offsets[-1] != len(victims) or any(offsets[at] > offsets[at + 1] for at in range(count)):
        _refuse("offsets of victims that fall, or that do not end where the victims do")
    if any(not 0 <= row < tasks.rows for row in plan.tasks):
        _refuse(f"a task row that is not one of the {tasks.rows}")
    if any(plan.tasks[at] >= plan.tasks[at + 1] for at in range(count - 1)):
        _refuse("task rows that do not rise, so a task may stand twice")
    if any(not 0 <= row < ledger.rows for row in plan.offers):
        _refuse(f"an offer row that is not one of the {ledger.rows}")
    if not all(map(ledger.is_listed, plan.offers)):
        _refuse("an offer that has left the list")
    if not all(math.isfinite(score) and score < ledger.max_score for score in plan.scores):
        _refuse("a score that is not finite or not below the maximal score")
    if any(not 0 <= row < running.rows for row in victims):
        _refuse(f"a running row that is not one of the {running.rows}")
    for at in range(count):
        own = victims[offsets[at] : offsets[at + 1]]
        if any(own[place] >= own[place + 1] for place in range(len(own) - 1)):
            _refuse("victims that do not rise")


def _refuse(what: str) -> NoReturn:
    hint = "do not use this matcher; the plan was thrown away and nothing was ended"
    raise LyingMatcherError("answer-refused", f"the matcher planned {what}", hint)
