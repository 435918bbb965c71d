"""Clusters that tasks are launched on."""

from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Outcome, Report

__all__ = ["Cluster", "Fetched", "Launch", "Launched", "Outcome", "Report"]
