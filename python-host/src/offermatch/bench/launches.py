"""What a launch costs the scheduler: many launches over HTTP to one gateway, in a process of its own, with many offers.

Processor time is that of the client, with its threads and the wire format. Every launch has to be taken, and every one is
asked about once afterwards.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import time
from multiprocessing.connection import Connection
from typing import Any

from offermatch.errors import ClusterError
from offermatch.model import Offer
from offermatch.scheduler.cluster.abc import Launch
from offermatch.scheduler.cluster.simulated import SimulatedCluster

__all__ = ["launches", "table"]

_TOGETHER = 5000
"""Launches in one call, as the scheduler makes them."""


def _serve(offers: int, each: int, pipe: Connection) -> None:
    from offermatch.scheduler.cluster.http.server import ClusterServer  # noqa: PLC0415

    servers = [Offer(f"server-{at}", {"cpu": each}) for at in range(offers)]
    cluster = SimulatedCluster(servers, clock="real", seconds=3600.0)
    with ClusterServer(cluster) as server:
        pipe.send(server.url)
        pipe.recv()


def launches(number: int = 20_000, offers: int = 2_000) -> dict[str, Any]:
    """Return what so many launches cost.

    Args:
        number: How many launches.
        offers: On how many offers, one after the other.

    Raises:
        ClusterError: The gateway did not take a launch, or does not know one.
    """
    from offermatch.scheduler.cluster.http.http import HttpCluster  # noqa: PLC0415

    here, there = multiprocessing.Pipe()
    each = -(-number // offers)
    gateway = multiprocessing.get_context("spawn").Process(target=_serve, args=(offers, each, there), daemon=True)
    gateway.start()
    try:
        if not here.poll(60):
            raise ClusterError("agent-unreachable", "the gateway does not begin", "see what it wrote")
        cluster = HttpCluster([here.recv()])
        made = [
            Launch(f"bench-{at}-1", f"task-{at}", f"server-{at % offers}", {"cpu": 1000}, sent_at=time.time())
            for at in range(number)
        ]
        found = len(cluster.offers())
        begin, used = time.perf_counter(), time.process_time()
        answers = [one for at in range(0, number, _TOGETHER) for one in cluster.launch(made[at : at + _TOGETHER])]
        launched, launching = time.process_time() - used, time.perf_counter() - begin
        begin, used = time.perf_counter(), time.process_time()
        reports = cluster.reports([one.key for one in made])
        asked, asking = time.process_time() - used, time.perf_counter() - begin
        cluster.close()
        refused = [one for one in answers if one.refusal is not None]
        if refused:
            raise ClusterError("request-refused", f"{len(refused)} launches, {refused[0].reason}", "this is a mistake")
        if any(one.outcome != "running" for one in reports):
            raise ClusterError("cluster-forgot", "the gateway lost launches", "this is a mistake")
        here.send(None)
    finally:
        gateway.join(5)
        gateway.terminate()
    return {
        "launches": number,
        "offers": found,
        "launch_processor_ms": 1000 * launched / number,
        "launch_wall_seconds": launching,
        "report_processor_ms": 1000 * asked / number,
        "report_wall_seconds": asking,
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }


def table(measured: dict[str, Any]) -> str:
    """Return the figures as text."""
    machine = f"{measured['cpus']} CPUs, Python {measured['python']}"
    lines = [f"{measured['launches']:,} launches on {measured['offers']:,} offers behind one gateway; {machine}\n"]
    for what in ("launch", "report"):
        each, whole = measured[f"{what}_processor_ms"], measured[f"{what}_wall_seconds"]
        lines.append(f"{what}  {each:.4f} ms of processor time each, {whole:.2f} s in all")
    return "\n".join(lines) + "\n"
