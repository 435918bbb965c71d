"""Container engines as a cluster."""

from offermatch.scheduler.cluster.container.cluster import ContainerCluster
from offermatch.scheduler.cluster.container.engine import Engine

__all__ = ["ContainerCluster", "Engine"]
