"""Kubernetes as a cluster."""

from offermatch.scheduler.cluster.kubernetes.cluster import KubernetesCluster, Place

__all__ = ["KubernetesCluster", "Place"]
