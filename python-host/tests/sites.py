"""Clusters of every kind with two servers of 4 cores each, for the one suite that runs over all of them."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from offermatch._rows import offer_columns
from offermatch.model import Offer
from offermatch.scheduler.cluster import Cluster, Launch
from offermatch.scheduler.cluster.simulated import SimulatedCluster

GIB = 2**30


@dataclass
class Site:
    """A cluster under test, and payloads that mean the same on all of them.

    Attributes:
        cluster: The cluster.
        servers: The names of its two servers.
        works: A payload that ends well at once.
        lasts: A payload that does not end while a test runs.
        fails: A payload that fails at once.
        malformed: A payload that cannot be run.
    """

    cluster: Cluster
    servers: tuple[str, str]
    works: dict[str, Any]
    lasts: dict[str, Any]
    fails: dict[str, Any]
    malformed: dict[str, Any]

    def launch(self, key, payload, server=0, cores=1, **asked):
        """Launch one task, and return what became of it."""
        name = self.servers[server] if isinstance(server, int) else server
        demand = {"cpu": 1000 * cores, "memory": GIB // 16}
        return self.cluster.launch([Launch(key, f"task of {key}", name, demand, payload=payload, **asked)])[0]

    def report(self, key):
        return self.cluster.reports([key])[0]

    def ended(self, key, patience=60.0):
        """Return the report of a launch that ends, however busy the machine is."""
        deadline = time.monotonic() + patience
        while (report := self.report(key)).outcome == "running":
            assert time.monotonic() < deadline, f"{key} does not end"
            self.cluster.wait(0.05)
        return report

    def free_cores(self, server=0):
        """Return the free cores of a server; None where it makes no offer."""
        table = offer_columns(self.cluster.offers(), None)
        if self.servers[server] not in table.names:
            return None
        return table.available["cpu"][table.names.index(self.servers[server])] / 1000


@contextmanager
def simulated(clock):
    servers = [Offer(name, {"cpu": 4000, "memory": 8 * GIB}, devices=2) for name in ("one", "two")]
    cluster = SimulatedCluster(servers, clock=clock)
    brief = {"seconds": 0.01}
    yield Site(cluster, ("one", "two"), brief, {"seconds": 3600}, {**brief, "fails": "told so"}, {"seconds": "soon"})
    cluster.close()
