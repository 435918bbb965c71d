"""Puts the drop-ins into Ray's autoscaler."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from offermatch.errors import InputError
from offermatch.ray.nodes import get_nodes_for, score
from offermatch.ray.packing import get_bin_pack_residual

__all__ = ["install", "utilization_scorer"]

_LOG = logging.getLogger("offermatch.ray")

_PLACES = {
    "ray.autoscaler._private.resource_demand_scheduler": ("get_bin_pack_residual", "get_nodes_for"),
    "ray.autoscaler._private.autoscaler": ("get_bin_pack_residual",),
}
"""The modules of Ray that hold the functions by name."""


def install() -> None:
    """Let the autoscaler of this process use ``get_bin_pack_residual`` and ``get_nodes_for`` of this package.

    Raises:
        InputError: ``extra-missing`` where Ray is not installed, or has not the functions that are replaced.
    """
    replacements = {"get_bin_pack_residual": get_bin_pack_residual, "get_nodes_for": get_nodes_for}
    found = []
    for name, functions in _PLACES.items():
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise InputError("extra-missing", f"{error.name} is not installed", "pip install 'ray==2.60.*'", name) from error
        for function in functions:
            if not hasattr(module, function):
                hint = "this version of Ray packs bundles elsewhere; the one that was tested is 2.60"
                raise InputError("extra-missing", f"{name} has no {function}", hint, name)
            found.append((module, function))
    for module, function in found:
        setattr(module, function, replacements[function])
    _LOG.info("Ray's autoscaler packs bundles with offermatch")


def utilization_scorer(
    node_resources: dict[str, float], resources: list[dict[str, float]], node_type: str, **context: Any
) -> Any:
    """Score a node type as Ray does, see ``offermatch.ray.nodes.score``."""
    del node_type, context
    return score(node_resources, resources)
