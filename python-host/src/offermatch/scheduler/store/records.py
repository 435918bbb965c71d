"""The records that a store takes and gives: tasks of a cycle, claims, verdicts, places, reservations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from operator import eq
from typing import Any, Literal, NamedTuple

from offermatch.model import RULES
from offermatch.scheduler.store.schema import State
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import LONGEST_NAME, visible

__all__ = [
    "Change",
    "Claim",
    "GroupClaims",
    "GroupState",
    "Listed",
    "Outcome",
    "Place",
    "Preemption",
    "Processable",
    "Reservation",
    "Shown",
    "Sighting",
    "Underway",
    "Verdict",
    "Victim",
    "Wanted",
    "rules_of",
]

Outcome = Literal["running", "done", "failed", "lost", "again"]
"""``failed``: the attempt failed, and counts. ``lost``: its server is gone, which counts apart. ``again``: it never ran, so
that the next one does not count."""


class Verdict(NamedTuple):
    """What became of an attempt."""

    id: int
    outcome: Outcome
    reason: str = ""


class Claim(NamedTuple):
    """A task that is this scheduler's to launch.

    Attributes:
        id: Its number.
        attempt: The number of the attempt, from 1.
        key: The key of the attempt, for the cluster.
    """

    id: int
    attempt: int
    key: str


class Underway(NamedTuple):
    """A task that was claimed and has not ended, as far as the store knows.

    Attributes:
        id: Its number.
        key: The key of its attempt.
        running: Whether the cluster has said that it took it.
        cancel_reason: Why it is to be ended; None where it is not.
        fenced: Whether the cluster may have been told never to start it.
        offer: Where it went.
        ends_by: When it has run as long as it may, on the cluster's clock; None where it has no time limit.
        time_limit: That limit, in seconds.
        evict_reason: Why it is to be ended so that it is ready again; None where it is not.
        group: The number of its group; None where it has none.
    """

    id: int
    key: str
    running: bool
    cancel_reason: str | None
    fenced: bool
    offer: str = ""
    ends_by: float | None = None
    time_limit: float | None = None
    evict_reason: str | None = None
    group: int | None = None


class Wanted(NamedTuple):
    """What is read of a task only when it is about to be launched.

    Attributes:
        payload: The task's own payload.
        inputs: Names of inputs, and objects with source, target and digest.
    """

    payload: dict[str, Any]
    inputs: list[Any]


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group of tasks, and how it stands.

    Attributes:
        id: Its number.
        name: Its name.
        least: How many members are to run together.
        together: The attribute of which all members are to have one value.
        at_most: How many members there may be on one value of an attribute, or on one ``"offer"``.
        fails_together: Whether a member that fails ends the others.
        started: Whether as many as it needs were seen to run together.
        claims: How often members were claimed so far.
        counts: How many members are in each state.
        occupants: How many members are on each offer, those included that are to end.
        staying: Likewise, without those.
    """

    id: int
    name: str
    least: int
    together: str | None
    at_most: Mapping[str, int]
    fails_together: bool
    started: bool
    claims: int
    counts: dict[str, int] = field(default_factory=dict)
    occupants: dict[str, int] = field(default_factory=dict)
    staying: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What the matcher calls it: one of a kind, also where a name is used again."""
        return f"{self.id} {self.name}"

    @property
    def needed(self) -> int:
        """How many more members have to begin at once; 0 where any number may."""
        return max(0, self.least - self.counts.get("done", 0) - sum(self.staying.values())) if self.least > 1 else 0

    @property
    def rules(self) -> str:
        """What it asks, for people."""
        return rules_of(self.least, self.together, self.at_most, fails_together=self.fails_together)


def rules_of(least: int, together: str | None, at_most: Mapping[str, int], *, fails_together: bool = False) -> str:
    """Return what a group asks, for people.

    Examples:
        >>> rules_of(3, "rack", {"offer": 1})
        'least 3, together on rack, at most 1 on one offer'
    """
    parts = [f"least {least}"] if least else []
    parts += [f"together on {visible(together, LONGEST_NAME)}"] if together is not None else []
    parts += [f"at most {number} on one {visible(name, LONGEST_NAME)}" for name, number in at_most.items()]
    parts += ["fails together"] if fails_together else []
    return ", ".join(parts) or "no rules"


class GroupClaims(NamedTuple):
    """What a claim has to know of the groups among its tasks.

    Attributes:
        of: The number of the group of each task that has one, by the task's number.
        claims: How often members of each group had been claimed when its tasks were placed. Where somebody has claimed
            others since, no member is claimed.
        starting: The groups of which nobody runs.
    """

    of: Mapping[int, int]
    claims: Mapping[int, int]
    starting: Collection[int]


@dataclass(frozen=True, slots=True)
class Processable:
    """Tasks whose dependencies are all done, queue by queue, in each first the highest priority, then the earliest.

    Attributes:
        ids: Their numbers.
        columns: What the matcher needs of them.
        last: Priority and number of the last one of each queue behind which more may be ready.
        avoided: The places where attempts have failed lately, by row.
        queues: The queue of each; None where all are in the default queue.
        priorities: The priority of each.
        since: When each could first have begun.
        time_limits: How many seconds an attempt at each may run; None where it has no limit.
        group_of: The number of the group of each, 0 for none; None where no task has one.
        groups: How these groups stand.
    """

    ids: list[int]
    columns: TaskColumns
    last: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    avoided: Mapping[int, Sequence[str]] = field(default_factory=dict)
    queues: Sequence[str] | None = None
    priorities: Sequence[int] = ()
    since: Sequence[float] = ()
    time_limits: Sequence[float | None] = ()
    group_of: Sequence[int] | None = None
    groups: Mapping[int, GroupState] = field(default_factory=dict)

    def picked(self, rows: Sequence[int]) -> Processable:
        """Return these rows, in this order."""
        if len(rows) == len(self.ids) and all(map(eq, rows, count())):
            return self
        avoided = {at: self.avoided[row] for at, row in enumerate(rows) if row in self.avoided} if self.avoided else {}
        return Processable(
            [self.ids[row] for row in rows],
            self.columns.picked(rows),
            self.last,
            avoided,
            None if self.queues is None else [self.queues[row] for row in rows],
            [self.priorities[row] for row in rows],
            [self.since[row] for row in rows],
            [self.time_limits[row] for row in rows],
            None if self.group_of is None else [self.group_of[row] for row in rows],
            self.groups,
        )


class Place(NamedTuple):
    """An offer of which more is known than the cluster says.

    Attributes:
        name: Its name.
        cordoned: Whether it gets nothing new until somebody says so.
        draining: Whether what runs there ends, too.
        left_out_until: Until when it gets nothing because of what went wrong there.
        strikes: How often in a row it was left out.
        reason: Why.
    """

    name: str
    cordoned: bool
    draining: bool
    left_out_until: float
    strikes: int
    reason: str


class Reservation(NamedTuple):
    """Room that is held for a task.

    Attributes:
        offer: Where.
        since: Since when.
        until: When there is room for the task, by the time limits of what runs there; None where they do not say.
    """

    offer: str
    since: float
    until: float | None


class Victim(NamedTuple):
    """A task that runs.

    Attributes:
        id: Its number.
        name: Its name.
        queue: Its queue.
        priority: How much it matters.
        offer: Where it runs.
        demand: What it holds, by dimension, in the smallest unit.
        devices: Thousandths of devices that it holds.
        since: Since when it runs.
        may_end: Whether it may be ended for another task: it is known to run, is not to end anyhow, and has no gang.
    """

    id: int
    name: str
    queue: str
    priority: int
    offer: str
    demand: Mapping[str, int]
    devices: int
    since: float
    may_end: bool


class Preemption(NamedTuple):
    """A task for which others end.

    Attributes:
        id: Its number.
        offer: Where it is to run.
        victims: The numbers of the tasks that end there.
    """

    id: int
    offer: str
    victims: Sequence[int]


class Sighting(NamedTuple):
    """What the cluster offered when a task last found no offer, or a quota was on a dimension that no offer has.

    Attributes:
        at: When.
        offers: What.
        matcher: The name and version of the matcher.
        rules: What it serves of the rules that a matcher may leave out.
    """

    at: float
    offers: OfferColumns
    matcher: str = ""
    rules: Sequence[str] = RULES


class Change(NamedTuple):
    """A line of a task's history."""

    at: float
    state: State
    attempt: int
    offer: str | None
    reason: str | None


class Listed(NamedTuple):
    """A task of a list.

    Attributes:
        name: Its name.
        state: Where it stands.
        priority: How much it matters.
        reason: Why it is there, as its row says; else its offer, if it has one.
        queue: Its queue.
        group: How its group stands; None where it has none.
    """

    name: str
    state: State
    priority: int
    reason: str
    queue: str
    group: GroupState | None


@dataclass(frozen=True, slots=True)
class Shown:
    """All about one task.

    Attributes:
        name: Its name.
        state: Where it stands.
        columns: Every column of its row.
        payload: Its payload.
        inputs: Its inputs.
        needs: The state of each task it depends on.
        history: What happened, oldest first.
        group: How its group stands; None where it has none.
    """

    name: str
    state: State
    columns: Mapping[str, Any]
    payload: Mapping[str, Any]
    inputs: list[Any]
    needs: Mapping[str, State]
    history: list[Change]
    group: GroupState | None = None
