"""Kubernetes as a cluster."""

from offermatch.scheduler.cluster.kubernetes.cluster import KubernetesCluster
from offermatch.scheduler.cluster.kubernetes.place import Place

__all__ = ["KubernetesCluster", "Place"]
