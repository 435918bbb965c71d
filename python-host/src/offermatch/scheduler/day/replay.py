"""Replays a day on the simulated cluster: cycle after cycle, each as long as its stages take.

What is placed where is the matcher's real answer to what really waits and what is really free. Only time is simulated:
a cycle sees what waits and what is free when it begins, and launches when it ends.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter, thread_time

from offermatch.errors import ClusterError, LyingMatcherError
from offermatch.matcher import BaseMatcher, ReferenceMatcher
from offermatch.scheduler.cluster.abc import Launch
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.day.queue import Queue
from offermatch.scheduler.day.workload import Workload
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["Cycle", "Day", "LoopSpeed", "Sample", "Side", "loop_speed", "replay"]

MOST_TASKS = 100_000
"""How many waiting tasks a cycle looks at, the oldest first: the scheduler's own default."""
INTERVAL = 1.0
"""The least seconds between the beginnings of two cycles: the scheduler's own default."""
_SAMPLE = 200
"""Tasks of a sample."""


@dataclass(frozen=True)
class Side:
    """One way to run the day.

    Attributes:
        name: A short key.
        title: For people.
        get_tasks_seconds: What reading the processable tasks takes in each cycle.
        prepare_seconds: What preparing the payloads takes in each cycle.
        matching_seconds: What matching takes, from the number of tasks and of offers looked at and from the seconds that
            this very match took here.
    """

    name: str
    title: str
    get_tasks_seconds: float
    prepare_seconds: float
    matching_seconds: Callable[[int, int, float], float]


@dataclass(frozen=True)
class Cycle:
    """One cycle that ended within the day; times in seconds.

    Attributes:
        begin: When it began.
        seconds: How long it took.
        matching: How much of that was matching.
        waiting: How many tasks waited when it began.
        looked: How many of them it looked at.
        launched: How many it launched when it ended.
    """

    begin: float
    seconds: float
    matching: float
    waiting: int
    looked: int
    launched: int


@dataclass(frozen=True)
class Sample:
    """The first tasks of a cycle and the offers it saw."""

    tasks: TaskColumns
    offers: OfferColumns


@dataclass
class Day:
    """What became of the workload.

    Attributes:
        side: How it was run.
        starts: When each task was launched; -1 where it never was.
        servers: The row of its server; -1 likewise.
        cycles: In their order.
        sample: From the cycle that looked at most tasks, the first one of the day aside; None where there was nothing to do.
    """

    side: Side
    starts: array[float]
    servers: array[int]
    cycles: list[Cycle] = field(default_factory=list)
    sample: Sample | None = None


@dataclass(frozen=True)
class LoopSpeed:
    """How fast the loop in Python was.

    Attributes:
        tasks: How many it placed.
        offers: How many offers it looked at for each.
        seconds: Of processor time, which what else runs here does not add to; the least of the rounds.
        rounds: How often it was measured.
    """

    tasks: int
    offers: int
    seconds: float
    rounds: int

    @property
    def seconds_per_pair(self) -> float:
        """What one look of one task at one offer takes."""
        return self.seconds / (self.tasks * self.offers or 1)


def replay(
    workload: Workload, side: Side, matcher: BaseMatcher, *, progress: Callable[[float], None] = lambda _: None
) -> Day:
    """Return the day as one side runs it.

    Args:
        workload: The day.
        side: What its cycles cost.
        matcher: Who decides.
        progress: Told the time of day after each cycle, in seconds.

    Raises:
        OffermatchError: The matcher failed, or the cluster refused a launch.
    """
    tasks, arrivals, durations = workload.tasks, workload.arrivals, workload.durations
    count = len(tasks)
    day = Day(side, array("d", [-1.0]) * count, array("q", [-1]) * count)
    cluster = SimulatedCluster(workload.servers, clock="virtual")
    columns = list(tasks.demand.items())
    waiting = Queue(tasks)
    arrived = most = 0
    begin = 0.0
    while begin < workload.seconds:
        before, arrived = arrived, bisect_right(arrivals, begin)
        waiting.add(range(before, arrived))
        table, offers = waiting.first(MOST_TASKS), cluster.offers()
        looked = len(table)
        started = perf_counter()
        answer = matcher.match(table, offers, mode="shared")
        measured = perf_counter() - started
        if looked and (day.sample is None or looked > most):
            # The first cycle sees an empty cluster, so any later one is to be preferred.
            most = looked if day.cycles else 0
            day.sample = Sample(table.picked(range(min(_SAMPLE, looked))), offers)
        matching = side.matching_seconds(looked, len(offers), measured) if looked else 0.0
        end = begin + side.get_tasks_seconds + matching + side.prepare_seconds
        _pass(cluster, min(end, workload.seconds))
        progress(cluster.now())
        if end >= workload.seconds:
            break
        launches = []
        for at, server in zip(answer.task_rows, answer.offer_rows, strict=True):
            row = waiting.rows[at]
            day.starts[row], day.servers[row] = end, server
            whole, share = divmod(tasks.devices[row], 1000) if tasks.devices else (0, 0)
            name = tasks.names[row]
            demand = {dimension: column[row] for dimension, column in columns}
            launches.append(Launch(name, name, offers.names[server], demand, whole, share, {"seconds": durations[row]}))
        for one in cluster.launch(launches):
            if one.refusal is not None:
                raise ClusterError(one.refusal, f"{one.key}: {one.reason}", "this is a mistake of the simulation")
        day.cycles.append(Cycle(begin, end - begin, matching, len(waiting), looked, len(launches)))
        waiting.remove(answer.task_rows)
        begin = max(begin + INTERVAL, end)
    cluster.close()
    return day


def _pass(cluster: SimulatedCluster, until: float) -> None:
    """Let time pass; ``wait`` comes back at each event."""
    while (left := until - cluster.now()) > 0:
        cluster.wait(left)


def loop_speed(sample: Sample, matcher: BaseMatcher, *, rounds: int = 3) -> LoopSpeed:
    """Return how fast the loop in Python answers a sample, and hold its answer against the matcher's.

    Raises:
        LyingMatcherError: ``answer-refused``: the two answers differ.
    """
    expected = matcher.match(sample.tasks, sample.offers, mode="shared").digest
    times = []
    for _ in range(rounds):
        begin = thread_time()
        answer = ReferenceMatcher().match(sample.tasks, sample.offers, mode="shared")
        times.append(thread_time() - begin)
        if answer.digest != expected:
            message = f"the loop answers {answer.digest}, the matcher {expected}"
            raise LyingMatcherError("answer-refused", message, "do not use this matcher")
    return LoopSpeed(len(sample.tasks), len(sample.offers), min(times), rounds)
