"""Clusters of every kind with two servers of 4 cores each, for the one suite that runs over all of them."""

import time
from contextlib import ExitStack, contextmanager, suppress

from engines import IMAGE
from kubelet import Kubelet
from offermatch.kubernetes.api import Api, RefusedError, path_of
from offermatch.model import Offer
from offermatch.scheduler.cluster.container import ContainerCluster, Engine
from offermatch.scheduler.cluster.dask.dask import DaskCluster
from offermatch.scheduler.cluster.http.http import HttpCluster
from offermatch.scheduler.cluster.http.server import ClusterServer
from offermatch.scheduler.cluster.kubernetes import KubernetesCluster, Place
from offermatch.scheduler.cluster.process.processes import ProcessCluster
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.cluster.testing import Site

GIB = 2**30


QUICK = {"command": ["true"]}
LONG = {"command": ["sleep", "600"]}
FAILING = {"command": ["sh", "-c", "echo told so >&2; exit 3"]}
NO_COMMAND = {"command": "sleep 600"}


@contextmanager
def simulated(clock, directory=None):
    servers = [Offer(name, {"cpu": 4, "memory": 8 * GIB}, devices=2) for name in ("one", "two")]
    cluster = SimulatedCluster(servers, clock=clock, start=1e9 if clock == "virtual" else None)
    brief = {"seconds": 0.01}
    yield Site(cluster, ("one", "two"), brief, {"seconds": 3600}, {**brief, "fails": "told so"}, {"seconds": "soon"})
    cluster.close()


@contextmanager
def served(cluster, **settings):
    """Serve a cluster on loopback, and end the server after."""
    with ClusterServer(cluster, **settings) as server:
        yield server


@contextmanager
def processes(directory, name="one", **settings):
    """This machine as a server, and nothing left running after."""
    inputs = directory / "inputs"
    inputs.mkdir(exist_ok=True, parents=True)
    for file in ("a.bin", "b.bin"):
        (inputs / file).write_bytes(b"input")
    settings = {"inputs": inputs, **settings}
    cluster = ProcessCluster(Offer(name, {"cpu": 4, "memory": 8 * GIB}, devices=2), directory / name, **settings)
    keys = set()
    launch = cluster.launch
    cluster.launch = lambda launches: keys.update(one.key for one in launches) or launch(launches)
    try:
        yield cluster
    finally:
        if not cluster._closed:
            end_all(cluster, keys)
            cluster.close()


def end_all(cluster, keys, patience=60.0):
    """Cancel everything, and wait until nothing runs."""
    cluster.cancel([one.key for one in cluster.reports(list(keys)) if one.outcome == "running"])
    deadline = time.monotonic() + patience
    while any(one.outcome == "running" for one in cluster.reports(list(keys))):
        assert time.monotonic() < deadline, "what was cancelled does not end"
        cluster.wait(0.05)


@contextmanager
def agents(directory):
    """Two agents that run processes, reached over HTTP."""
    with ExitStack() as stack:
        servers = [stack.enter_context(served(stack.enter_context(processes(directory, name)))) for name in ("one", "two")]
        cluster = HttpCluster([server.url for server in servers], timeout_seconds=60.0)
        yield Site(cluster, ("one", "two"), QUICK, LONG, FAILING, NO_COMMAND)
        cluster.close()


@contextmanager
def gateway(directory):
    """One agent in front of two servers."""
    del directory
    with simulated("real") as site, served(site.cluster) as server:
        cluster = HttpCluster([server.url], timeout_seconds=60.0)
        yield Site(cluster, site.servers, site.works, site.lasts, site.fails, site.malformed)
        cluster.close()


@contextmanager
def containers(engines):
    """Two container engines, with no container and no mark after."""
    capacity = {"cpu": 4, "memory": 8 * GIB}
    shared = {"available": capacity, "devices": 2, "image": IMAGE, "device_driver": None}
    cluster = ContainerCluster(
        [Engine(one.address, name, **shared) for one, name in zip(engines, ("one", "two"), strict=True)]
    )
    isolated = {"network": "none"}
    yield Site(cluster, ("one", "two"), QUICK | isolated, LONG | isolated, FAILING | isolated, NO_COMMAND)
    cluster.close()
    for one in engines:
        one.clear()


@contextmanager
def dask(workers):
    """The workers of a Dask cluster, with nothing running and nothing remembered after."""
    from distributed import Client

    with Client(workers, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        cluster = DaskCluster(client.scheduler.address)
        yield Site(cluster, ("0", "1"), QUICK, LONG, FAILING, NO_COMMAND)
        cluster.close()
        again = DaskCluster(client)
        end_all(again, client.run_on_scheduler(keys_of_ledger))
        # The keys are used again by the next test, so Dask must have forgotten them.
        deadline = time.monotonic() + 60
        # A worker that still has a task of a key would run that one instead of the next test's.
        while client.run_on_scheduler(tasks_of_dask) or any(client.run(tasks_of_worker).values()):
            assert time.monotonic() < deadline, "Dask does not forget its tasks"
            time.sleep(0.01)
        client.unregister_scheduler_plugin("offermatch")


def keys_of_ledger(dask_scheduler=None):
    return list(dask_scheduler.plugins["offermatch"]._runs)


def tasks_of_worker(dask_worker=None):
    return [str(key) for key in dask_worker.state.tasks]


def tasks_of_dask(dask_scheduler=None):
    return [str(key) for key in dask_scheduler.tasks]


def node(name, labels=None, **status):
    """Return a node of 4 cores."""
    has = {"cpu": "4", "memory": "8Gi", "pods": "110", "nvidia.com/gpu": "2"}
    labels = {"kubernetes.io/hostname": name, **(labels or {})}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": has, "capacity": has, **status},
    }


@contextmanager
def kubernetes(kubeconfig):
    """Two nodes of a Kubernetes cluster, and what runs on them; nothing of it is left after."""
    api = Api(kubeconfig=str(kubeconfig))
    clear(api)
    for name in ("one", "two"):
        add_node(api, node(name))
    kubelet = Kubelet(kubeconfig)
    cluster = KubernetesCluster(Place(kubeconfig=str(kubeconfig), image="task"))
    try:
        yield Site(cluster, ("one", "two"), QUICK, LONG, FAILING, NO_COMMAND)
    finally:
        cluster.close()
        kubelet.close()
        clear(api)
        api.close()


def add_node(api, made):
    """Make a node; its status is set apart, and a new one is not to be kept away from."""
    api.create(path_of("Node"), made)
    api.patch(path_of("Node", None, made["metadata"]["name"], "status"), {"status": made["status"]})
    api.patch(path_of("Node", None, made["metadata"]["name"]), {"spec": {"taints": made.get("spec", {}).get("taints")}})


def clear(api):
    """Remove all pods, nodes, config maps, quotas, leases and events."""
    for kind in ("Pod", "Node", "ConfigMap", "ResourceQuota", "Lease", "Event"):
        for one in api.pages(path_of(kind))[0]:
            metadata = one["metadata"]
            if metadata.get("namespace", "default") != "default" or metadata["name"] == "kube-root-ca.crt":
                continue
            path = path_of(kind, metadata.get("namespace"), metadata["name"])
            api.delete(path, grace_seconds=0)
            if metadata.get("finalizers"):
                with suppress(RefusedError):
                    api.patch(path, {"metadata": {"finalizers": None}})
