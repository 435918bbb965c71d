"""What every cluster promises; one suite over all of them."""

from functools import partial

import pytest

from offermatch.scheduler.cluster.testing import ClusterSuite
from sites import agents, containers, dask, gateway, kubernetes, simulated

SITES = {
    "simulated-virtual": partial(simulated, "virtual"),
    "simulated-real": partial(simulated, "real"),
    "http-agents": agents,
    "http-gateway": gateway,
}


SERVED = {
    "dask": (dask, "dask_workers"),
    "containers": (containers, "engines"),
    "kubernetes": (kubernetes, "kubeconfig"),
}
"""Kinds whose servers are started once for all tests, by a fixture."""


@pytest.fixture(params=[*SITES, *SERVED])
def site(request, tmp_path):
    if request.param in SERVED:
        kind, fixture = SERVED[request.param]
        made_of = kind(request.getfixturevalue(fixture))
    else:
        made_of = SITES[request.param](tmp_path)
    with made_of as made:
        yield made


class TestClusters(ClusterSuite):
    """The suite of the package, over every kind of cluster."""
