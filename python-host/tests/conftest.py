import os
import signal
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("offermatch.scheduler.cluster.testing")

from apiserver import ApiServer
from engines import missing, podmans
from offermatch import Matcher, ReferenceMatcher
from offermatch.policies import BUNDLED
from offermatch.scheduler.store import Store
from postgres import PostgreSQL

settings.register_profile(
    "offermatch",
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("offermatch")


CROSSINGS = ("direct", "packed", "public")


def loaded(crossing):
    if not BUNDLED.exists():
        pytest.fail(f"{BUNDLED} is not there: run 'make component'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFERMATCH_CROSSING", crossing)
        matcher = Matcher.load()
    assert (matcher.crossing, matcher.direct) == ("public" if crossing == "public" else "packed", crossing == "direct")
    return matcher


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard():
    """Python leaves an interrupt alone where whoever started it ignores it, as a script's background job does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def _cache_of_its_own(tmp_path_factory):
    """Keep the tests out of the user's cache, and the user's cache out of the tests; processes of one run share theirs."""
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFERMATCH_CACHE", str(run / "compiled"))
        yield


@pytest.fixture(scope="session", params=CROSSINGS)
def component(request):
    """The bundled component, once through each crossing."""
    return loaded(request.param)


@pytest.fixture(scope="session")
def packed():
    return loaded("packed")


@pytest.fixture(scope="session")
def component_of():
    """Returns the matcher of a name: a crossing, or ``reference``."""
    return cache(lambda name: ReferenceMatcher() if name == "reference" else loaded(name))


@pytest.fixture(scope="session", params=[*CROSSINGS, "reference"])
def matcher(request):
    """Every implementation of the one interface."""
    return ReferenceMatcher() if request.param == "reference" else loaded(request.param)


@pytest.fixture(scope="session")
def dask_workers():
    """A real Dask cluster on loopback: two worker processes with 4 threads each, named 0 and 1."""
    from distributed import LocalCluster

    # Without a port of its own for its pages, it would take 8787, and fail where another Dask has that.
    with LocalCluster(
        n_workers=2, threads_per_worker=4, memory_limit="2GiB", processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def engines():
    """Two real Podman engines; skipped with the reason where they cannot run."""
    if reason := missing():
        pytest.skip(reason)
    with podmans(2) as made:
        yield made


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory):
    """A double of a Kubernetes API server."""
    server = ApiServer(tmp_path_factory.mktemp("kubernetes"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def kubeconfig(request):
    """The kubeconfig that OFFERMATCH_KUBECONFIG names, of a server that holds nothing of anybody; else the double's."""
    return os.environ.get("OFFERMATCH_KUBECONFIG") or request.getfixturevalue("apiserver").kubeconfig


@pytest.fixture(scope="session")
def postgresql():
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request, tmp_path):
    """The address of an empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tasks.db'}"
    return request.getfixturevalue("postgresql").database()


@pytest.fixture
def store(store_url):
    """An empty store, once on SQLite and once on PostgreSQL."""
    with Store(store_url) as opened:
        yield opened
