"""What a store tells, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from offermatch.scheduler.store.schema import State
from offermatch.tables.columns import OfferColumns, TaskColumns

__all__ = ["Change", "Claim", "Outcome", "Place", "Processable", "Shown", "Sighting", "Underway", "Verdict", "Wanted"]

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
    """

    id: int
    key: str
    running: bool
    cancel_reason: str | None
    fenced: bool
    offer: str = ""


class Wanted(NamedTuple):
    """What is read of a task only when it is about to be launched.

    Attributes:
        payload: The task's own payload.
        inputs: Names of inputs, and objects with source, target and digest.
    """

    payload: dict[str, Any]
    inputs: list[Any]


@dataclass(frozen=True, slots=True)
class Processable:
    """Tasks whose dependencies are all done, first the highest priority, then the earliest.

    Attributes:
        ids: Their numbers.
        columns: What the matcher needs of them.
        last: Priority and number of the last of them, where more may be ready behind it; None where none is.
        avoided: The places where attempts have failed lately, by row.
    """

    ids: list[int]
    columns: TaskColumns
    last: tuple[int, int] | None = None
    avoided: Mapping[int, Sequence[str]] = field(default_factory=dict)


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


class Sighting(NamedTuple):
    """What the cluster offered when a task last found no offer.

    Attributes:
        at: When.
        offers: What.
    """

    at: float
    offers: OfferColumns


class Change(NamedTuple):
    """A line of a task's history."""

    at: float
    state: State
    attempt: int
    offer: str | None
    reason: str | None


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
    """

    name: str
    state: State
    columns: Mapping[str, Any]
    payload: Mapping[str, Any]
    inputs: list[Any]
    needs: Mapping[str, State]
    history: list[Change]
