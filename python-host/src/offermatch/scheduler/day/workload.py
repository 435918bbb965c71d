"""The day's work: tasks with the time they arrive and the time they take, and the servers they run on.

A generated day keeps the talk's figures (servers, tasks a day); what the talk does not say is drawn, and said in the
notes. A day of the OpenB trace has the trace's own pods and nodes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import mul
from pathlib import Path
from random import Random

from offermatch.errors import InputError
from offermatch.formats.files import csv_rows
from offermatch.formats.openb import offers as openb_offers
from offermatch.formats.openb import tasks as openb_tasks
from offermatch.quantity import parse
from offermatch.scheduler.cluster.simulated import talk_servers
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["DAY", "NODES", "PODS", "Workload", "generated", "openb_day"]

DAY = 86400.0
"""Seconds."""
PODS, NODES = "openb_pod_list_default.csv", "openb_node_list_gpu_node.csv"
"""The files of the OpenB trace."""

_GIB = 2**30
_CORES, _CORE_WEIGHTS = (2, 4, 8, 16, 32, 48), (10, 20, 25, 25, 15, 5)
_GIB_A_CORE = (2, 3, 4, 6)
_SPREAD = 0.8
"""The standard deviation of the logarithm of the time a task takes."""
_WAVE, _PEAK = 0.15, 15 * 3600.0
"""How far arrivals rise above their mean at the peak and fall below it at night; when the peak is."""
_WAITING, _IN_BURSTS, _BURSTS, _BURST_SECONDS = 0.02, 0.05, 48, 60.0
"""The part of the tasks that waits at midnight; the part that comes in bursts, how many these are, and how long."""


@dataclass(frozen=True)
class Workload:
    """What is to be done in a day, or in its first hours.

    Attributes:
        name: For people.
        seconds: How long it is looked at; tasks arrive before that.
        servers: What the cluster has, empty.
        tasks: In the order of their arrival.
        arrivals: When each arrives, in seconds from midnight; rising.
        durations: How long each runs, in seconds.
        notes: What was assumed, in sentences.
    """

    name: str
    seconds: float
    servers: OfferColumns
    tasks: TaskColumns
    arrivals: array[float]
    durations: array[float]
    notes: tuple[str, ...]

    @property
    def capacity(self) -> dict[str, int]:
        """What all servers have, by dimension; devices as ``devices``, in thousandths."""
        found = {name: sum(column) for name, column in self.servers.available.items()}
        return {**found, "devices": sum(self.servers.devices.free)} if self.servers.devices.count else found

    @property
    def demand(self) -> dict[str, array[int]]:
        """What each task holds while it runs, for each dimension of ``capacity``."""
        zeros = array("Q", bytes(8 * len(self.tasks)))
        columns = {**self.tasks.demand, "devices": self.tasks.devices or zeros}
        return {name: columns.get(name, zeros) for name in self.capacity}

    @property
    def load(self) -> dict[str, float]:
        """What the tasks would use if each began when it arrives, as a part of what the servers have in that time."""
        runs = [min(run, self.seconds - at) for at, run in zip(self.arrivals, self.durations, strict=True)]
        capacity = self.capacity
        return {
            name: sum(map(mul, column, runs)) / (capacity[name] * self.seconds or 1.0)
            for name, column in self.demand.items()
        }


def generated(tasks: int, servers: int = 2000, *, seed: int = 1, load: float = 1.05, hours: float = 24.0) -> Workload:
    """Return a day drawn from the talk's figures. The same arguments give the same day.

    Args:
        tasks: How many arrive in 24 hours, from 1.
        servers: How many servers, from 1: the talk's cluster, or as much of it, or more of the same.
        seed: Where chance starts.
        load: What the tasks ask of the CPUs in 24 hours, as a part of what there is.
        hours: How much of the day is looked at, from midnight; above 0 and at most 24.

    Raises:
        InputError: ``setting-malformed``.
    """
    _check("tasks", tasks, 1)
    _check("servers", servers, 1)
    _check("load", load)
    _check("hours", hours, most=24.0)
    talk = talk_servers()
    offers = offer_columns([replace(talk[row % len(talk)], name=f"server-{row}") for row in range(servers)])
    random = Random(seed)  # noqa: S311 - chance that can be repeated, not a secret
    arrivals = array("d", [at for at in sorted(_arrivals(random, tasks)) if at < hours * 3600.0])
    count = len(arrivals)
    cores = random.choices(_CORES, _CORE_WEIGHTS, k=count)
    memory = random.choices(_GIB_A_CORE, k=count)
    table = TaskColumns.build(
        [f"task-{row}" for row in range(count)],
        {
            "cpu": cores,
            "memory": [one * each * _GIB for one, each in zip(cores, memory, strict=True)],
        },
    )
    mean_cores = sum(map(math.prod, zip(_CORES, _CORE_WEIGHTS, strict=True))) / sum(_CORE_WEIGHTS)
    mean_seconds = load * sum(offers.available["cpu"]) / 1000 * DAY / (tasks * mean_cores)
    middle = math.log(mean_seconds) - _SPREAD**2 / 2
    durations = array("d", [random.lognormvariate(middle, _SPREAD) for _ in range(count)])
    cpus, memory_bytes = sum(offers.available["cpu"]) // 1000, sum(offers.available["memory"])
    size = (
        f"{tasks:,} tasks in 24 hours on {servers:,} servers with {cpus:,} CPUs and {memory_bytes / 2**50:.2f} PiB. "
        "The talk has 170,000 to 978,000 tasks a day on 2,000 servers with 250,000 CPUs and 1.2 PiB."
    )
    shape = (
        f"A task asks for {_CORES[0]} to {_CORES[-1]} CPUs, {mean_cores:.1f} on average, and {_GIB_A_CORE[0]} to "
        f"{_GIB_A_CORE[-1]} GiB of memory for each. Drawn; the talk does not say."
    )
    length = (
        f"In 24 hours the tasks ask for {load:.0%} of the CPUs. So a task runs {mean_seconds / 60:.1f} minutes on average "
        "(log-normal): this and the length of a cycle decide how much of the cluster idles."
    )
    arriving = (
        f"{_WAITING:.0%} of the tasks wait at midnight, when the cluster is empty. The others arrive through the day, "
        f"{_WAVE:.0%} above the mean at 15:00 and as much below it at 03:00; {_IN_BURSTS:.0%} come in {_BURSTS} bursts "
        "of a minute."
    )
    notes = (size, shape, length, arriving, "No task fails, no server is lost, and no task needs another one.")
    return Workload(f"a generated day, seed {seed}", hours * 3600.0, offers, table, arrivals, durations, notes)


def _arrivals(random: Random, tasks: int) -> list[float]:
    """Return when the tasks of 24 hours arrive, in no order."""
    waiting, bursting = int(tasks * _WAITING), int(tasks * _IN_BURSTS)
    bursts = [_moment(random) for _ in range(_BURSTS)]
    found = [0.0] * waiting
    found += [min(DAY - 1, random.choice(bursts) + random.random() * _BURST_SECONDS) for _ in range(bursting)]
    return found + [_moment(random) for _ in range(tasks - waiting - bursting)]


def _moment(random: Random) -> float:
    """Return a moment of the day, by rejection from the daily curve."""
    while True:
        at = random.random() * DAY
        if random.random() * (1 + _WAVE) < 1 + _WAVE * math.cos((at - _PEAK) / DAY * math.tau):
            return at


def openb_day(folder: Path, *, servers: int | None = None, load: float = 1.05, hours: float = 24.0) -> Workload:
    """Return the pods of the OpenB trace, laid on one day by their time of day, on a part of its nodes.

    The trace asks for a fraction of its cluster, so as many nodes are kept, evenly spread over the list, as give the load.

    Args:
        folder: Where ``PODS`` and ``NODES`` are.
        servers: How many nodes to keep; as many as give the load unless given.
        load: What the pods ask of the dimension most asked for, within the time looked at.
        hours: How much of the day is looked at, from midnight; above 0 and at most 24.

    Raises:
        InputError: ``setting-malformed``, or a file that cannot be used.
    """
    _check("load", load)
    _check("hours", hours, most=24.0)
    pods, nodes = folder / PODS, folder / NODES
    header, cells = csv_rows(pods)
    rows = list(cells)
    table = task_columns(openb_tasks(header, rows, str(pods)), source=str(pods))
    created, scheduled, deleted = (_seconds(header, rows, name, pods) for name in _TIMES)
    held = array(
        "d",
        [
            max(0.0, end - (begin if begin >= 0 else made))
            for made, begin, end in zip(created, scheduled, deleted, strict=True)
        ],
    )
    order = sorted(
        (row for row in range(len(table)) if created[row] % DAY < hours * 3600.0), key=lambda row: created[row] % DAY
    )
    arrivals = array("d", [created[row] % DAY for row in order])
    durations = array("d", [held[row] for row in order])
    header, cells = csv_rows(nodes)
    everything = openb_offers(header, cells, str(nodes))
    whole = Workload("", hours * 3600.0, offer_columns(everything), table.picked(order), arrivals, durations, ())
    asked = max(whole.load.values(), default=0.0)
    kept = servers or max(1, min(len(everything), round(len(everything) * asked / load)))
    _check("servers", kept, 1, len(everything))
    part = [
        node for row, node in enumerate(everything) if (row + 1) * kept // len(everything) > row * kept // len(everything)
    ]
    days = len({int(one // DAY) for one in created})
    folded = (
        f"The {len(table):,} pods that the OpenB trace creates on {days} days, laid on one day by their time of day; "
        f"{len(order):,} of them arrive in the time looked at. Each has its own demand, GPU models and run time "
        "(deletion less scheduling, or less creation where it was never scheduled), cut at the end of the day."
    )
    nodes_kept = (
        f"{kept:,} of the trace's {len(everything):,} nodes, evenly spread over the list, so that the pods ask for about "
        f"{asked * len(everything) / kept:.0%} of the resource most asked for. The trace's own load is far lower."
    )
    notes = (folded, nodes_kept, "Pods that no kept node can hold wait until the end. No task fails, no server is lost.")
    return replace(whole, name="the OpenB trace on one day", servers=offer_columns(part), notes=notes)


_TIMES = ("creation_time", "scheduled_time", "deletion_time")


def _seconds(header: Sequence[str], rows: Sequence[Sequence[str]], name: str, path: Path) -> list[float]:
    """Return a column of times; -1 where there is none."""
    if name not in header:
        hint = "give the trace's own files"
        raise InputError("missing-column", f"there is no column {name!r}", hint, f"{path}, line 1")
    at = header.index(name)
    return [float(parse(cells[at], f"{path}, row {row}, {name}")) if cells[at] else -1.0 for row, cells in enumerate(rows)]


def _check(name: str, value: float, least: float = 0.0, most: float = math.inf) -> None:
    if not least <= value <= most or not 0 < value < math.inf:
        limits = f"from {least:g}" if least else "above 0"
        hint = f"give a number {limits}" + (f" to {most:g}" if most < math.inf else "")
        raise InputError("setting-malformed", f"{value!r} is out of range", hint, name)
