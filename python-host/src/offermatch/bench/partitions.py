"""Partitions of one cycle: two on two threads of this process, and many on the workers of a Dask cluster.

On threads: two equal partitions, matched one after the other and at the same time, by turns. On Dask: a partition a worker;
what crosses to a worker and back, what the client spends on a partition, what a worker does, and the whole by the clock.
From these the time of a cluster of 1,000,000 offers on 100 workers is reckoned: the client serves one partition after the
other, the workers match at the same time.

The workers are processes on this machine: where it has fewer cores than there are workers, these wait for one another, and
only the processor time says what a worker costs.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

from offermatch.extras import require
from offermatch.matcher import Matcher
from offermatch.model import Mode, Offer, Settings, Task, is_in
from offermatch.partitions import Partition, match_partitions, partition
from offermatch.sample import Sample
from offermatch.tables.input import offer_columns, task_columns

__all__ = ["partitions", "table"]

_TARGET = 1.7
"""How many times quicker two threads are to be."""
_ROUNDS = 5
_NETWORK = 1e9
"""Bytes a second between client and workers, as a network of 10 Gbit/s has them with something to spare."""
_FAR = (1_000_000, 100)
"""The offers and the workers of the cluster that is reckoned."""
_MODE: Mode = "shared"


def partitions(
    kind: str = "realistic", rows: int = 10_000, workers: int = 8, *, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Return what was measured.

    Args:
        kind: The sample that each partition is.
        rows: Tasks of a partition, and offers of it.
        workers: Partitions, and workers of the Dask cluster; 0 for none.
        progress: Told what is being measured.

    Raises:
        ClusterError: ``extra-missing``, or no Dask cluster came up.
        MatcherError: The matcher failed.
    """
    found: dict[str, Any] = {"bench": "partitions", "kind": kind, "rows": rows}
    progress("two partitions on two threads")
    found["threads"] = _threads(kind, rows * 10)
    if workers:
        progress(f"{workers} partitions on as many workers of Dask")
        found["dask"] = _dask(kind, rows, workers)
    return found


def _zones(kind: str, rows: int, count: int) -> tuple[list[Task], list[Offer]]:
    """Return the same sample in each of some zones, which every task requires."""
    tasks, offers = Sample(kind, rows, rows).rows()
    asked, offered = [], []
    for zone in map(str, range(count)):
        required = is_in("zone", [zone])
        asked += [Task(f"{zone}-{one.name}", one.demand, requirements=[required]) for one in tasks]
        offered += [Offer(f"{zone}-{one.name}", one.available, one.capacity, attributes={"zone": zone}) for one in offers]
    return asked, offered


def _threads(kind: str, rows: int) -> dict[str, Any]:
    asked, offered = _zones(kind, rows, 2)
    tasks, offers = task_columns(asked), offer_columns(offered)
    begin = perf_counter()
    parts, settings = partition(tasks, offers, Settings(_MODE))
    finding = perf_counter() - begin
    matcher = Matcher.load()
    seconds = {1: [0.0] * 0, 2: [0.0] * 0}
    digests = set()
    for _ in range(_ROUNDS):
        for threads, taken in seconds.items():
            begin = perf_counter()
            answers = match_partitions(parts, settings, matcher=matcher, threads=threads)
            taken.append(perf_counter() - begin)
            digests.add(tuple(answer.digest for answer in answers))
    if len(parts) != 2 or len(digests) != 1:
        raise RuntimeError(f"{len(parts)} partitions, {len(digests)} answers")
    one, two = min(seconds[1]), min(seconds[2])
    return {
        "tasks": len(tasks),
        "offers": len(offers),
        "finding_ms": finding * 1000,
        "one_ms": one * 1000,
        "two_ms": two * 1000,
        "times": one / two,
        "met": one / two >= _TARGET,
    }


def _dask(kind: str, rows: int, workers: int) -> dict[str, Any]:
    require("dask", "distributed")
    import distributed  # noqa: PLC0415 - needs the extra

    from offermatch.scheduler.cluster import partitions as remote  # noqa: PLC0415

    parts, settings = partition(*_zones(kind, rows, workers), Settings(_MODE))
    columns = [Partition(task_columns(part.tasks), offer_columns(part.offers)) for part in parts]
    matcher = Matcher.load()
    out = len(pickle.dumps((columns[0].tasks, columns[0].offers), protocol=5))
    answer = matcher.match(columns[0].tasks, columns[0].offers, settings)
    back = len(answer) * (8 + 8 + 8)
    dask: Any = distributed
    with (
        dask.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        dask.Client(cluster) as client,
    ):
        remote.match_partitions(client, columns, settings, matcher=matcher)  # loads the component on each worker
        least = None
        for _ in range(_ROUNDS):
            begin, busy = perf_counter(), process_time()
            answers = remote.match_partitions(client, columns, settings, matcher=matcher)
            figures = perf_counter() - begin, process_time() - busy
            least = figures if least is None else min(least, figures)
    if [one.digest for one in answers] != [one.digest for one in match_partitions(columns, settings, matcher=matcher)]:
        raise RuntimeError("the workers answer otherwise")
    whole, client_seconds = least or (0.0, 0.0)
    begin = perf_counter()
    match_partitions(columns, settings, matcher=matcher, threads=1)
    here = perf_counter() - begin
    found = {
        "workers": workers,
        "offers": rows * workers,
        "bytes_out": out,
        "bytes_back": back,
        "whole_ms": whole * 1000,
        "client_ms": client_seconds / workers * 1000,
        "worker_ms": here / workers * 1000,
    }
    return {**found, "reckoned": _reckoned(found, rows)}


def _reckoned(measured: dict[str, Any], rows: int) -> dict[str, Any]:
    """Return what a cycle of a far larger cluster costs: the client's time, what crosses, and one worker's partitions."""
    offers, workers = _FAR
    count = -(-offers // rows)
    client = count * measured["client_ms"]
    crossing = count * (measured["bytes_out"] + measured["bytes_back"])
    worker = -(-count // workers) * measured["worker_ms"]
    return {
        "offers": offers,
        "workers": workers,
        "partitions": count,
        "bytes": crossing,
        "client_ms": client,
        "network_ms": crossing / _NETWORK * 1000,
        "worker_ms": worker,
        "whole_ms": max(client, crossing / _NETWORK * 1000) + worker,
        "one_machine_ms": count * measured["worker_ms"],
    }


def table(measured: dict[str, Any]) -> str:
    """Return what was measured, for people."""
    threads = measured["threads"]
    title = f"Partitions of {measured['kind']} tasks and offers, {_MODE}"
    lines = [title, "─" * len(title)]
    lines.append(f"two partitions, {threads['tasks']:,} tasks and {threads['offers']:,} offers in all:")
    lines.append(f"  found in {threads['finding_ms']:.0f} ms")
    met = "reached" if threads["met"] else "missed"
    lines.append(
        f"  one thread {threads['one_ms']:.0f} ms, two {threads['two_ms']:.0f} ms: {threads['times']:.2f} times"
        f" (asked {_TARGET}: {met})"
    )
    if dask := measured.get("dask"):
        far = dask["reckoned"]
        out, back = (dask[way] / 1e6 for way in ("bytes_out", "bytes_back"))
        lines.append(f"{dask['workers']} partitions of {measured['rows']:,} tasks and offers on as many workers of Dask:")
        lines.append(f"  {out:.2f} MB out and {back:.2f} MB back for a partition")
        lines.append(f"  {dask['client_ms']:.1f} ms of the client's processor, {dask['worker_ms']:.1f} ms of a worker's")
        lines.append(f"  the whole {dask['whole_ms']:.0f} ms by the clock of this machine")
        lines.append(f"reckoned for {far['offers']:,} offers, {far['partitions']} partitions, {far['workers']} workers:")
        lines.append(f"  {far['bytes'] / 1e6:.0f} MB cross, {far['network_ms']:.0f} ms at 10 Gbit/s")
        lines.append(f"  client {far['client_ms']:.0f} ms, worker {far['worker_ms']:.0f} ms: {far['whole_ms']:.0f} ms")
        lines.append(f"  one core of one machine, all partitions: {far['one_machine_ms']:.0f} ms")
    return "\n".join(lines) + "\n"
