"""Ray's bin packing, exact and fast: drop-ins for two functions of Ray's autoscaler.

    bundles + nodes ──> whole numbers (quantities) ──> first-fit (packing) ──> residual and what nodes have left
    bundles + node types ──> runs of equal bundles (nodes) ──> how many nodes of each type to start

``install()`` puts both into the autoscaler of this process; docs/ray.md shows the one environment variable that does it
on a running cluster.
"""

from offermatch.ray.autoscaler import install, utilization_scorer
from offermatch.ray.nodes import get_nodes_for
from offermatch.ray.packing import get_bin_pack_residual

__all__ = ["get_bin_pack_residual", "get_nodes_for", "install", "utilization_scorer"]
