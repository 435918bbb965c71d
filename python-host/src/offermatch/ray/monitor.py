"""Loaded by Ray's autoscaler through ``RAY_AUTOSCALER_UTILIZATION_SCORER``: loading it installs the drop-ins."""

from offermatch.ray.autoscaler import install, utilization_scorer

__all__ = ["utilization_scorer"]

install()
