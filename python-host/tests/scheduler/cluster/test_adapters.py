"""Clusters by their names, those of other packages too."""

import sys
from contextlib import closing

import pytest

from offermatch import InputError
from offermatch.scheduler.cluster.adapters import Access, connect
from offermatch.scheduler.cluster.http.http import HttpCluster
from offermatch.scheduler.cluster.simulated import SimulatedCluster

ADAPTER = """
from offermatch.scheduler.cluster.simulated import SimulatedCluster


def connect(text, access):
    cluster = SimulatedCluster([], clock="virtual")
    cluster.name = text
    return cluster
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with an adapter, as an installer leaves it."""
    (tmp_path / "foreign_clusters.py").write_text(ADAPTER)
    kept = tmp_path / "foreign_clusters-1.0.dist-info"
    kept.mkdir()
    (kept / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-clusters\nVersion: 1.0\n")
    (kept / "entry_points.txt").write_text(
        "[offermatch.clusters]\nforeign = foreign_clusters:connect\nbroken = foreign_clusters:nothing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("foreign_clusters", None)


def test_a_cluster_of_another_package_is_found_by_its_entry_point(installed):
    with closing(connect("foreign:somewhere")) as cluster:
        assert cluster.name == "foreign:somewhere"


def test_an_adapter_that_cannot_be_loaded_says_so(installed):
    with pytest.raises(InputError, match="foreign_clusters:nothing cannot be loaded") as caught:
        connect("broken:x")
    assert caught.value.code == "setting-malformed"


def test_the_shipped_ones_are_found_the_same_way():
    with closing(connect("simulated")) as cluster:
        assert isinstance(cluster, SimulatedCluster)
    with closing(connect("http://127.0.0.1:1,http://127.0.0.1:2")) as cluster:
        assert isinstance(cluster, HttpCluster)


@pytest.mark.parametrize("text", ["", "slurm:x", "dask", "dask:", "docker:", "podman"])
def test_what_names_no_cluster_is_refused(text, installed):
    with pytest.raises(InputError) as caught:
        connect(text)
    assert caught.value.code == "setting-malformed"
    assert ("foreign" in caught.value.hint) == (text in ("", "slurm:x"))


@pytest.mark.parametrize("text", ["simulated", "dask:tcp://x:1", "docker:tcp://x:1"])
def test_an_access_that_a_cluster_has_no_use_for_is_refused(text, tmp_path):
    for access in (Access(token=tmp_path / "token"), Access(authority=tmp_path / "ca"), Access(lost_after=1.0)):
        with pytest.raises(InputError, match="takes no token"):
            connect(text, access)
