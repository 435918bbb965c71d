"""Kubernetes as a cluster: one offer a node, one pod a launch.

The API server itself starts a key at most once, since the key is the pod's name, and a pod is bound once and runs its
container once:

    create, unbound ──> what was forgotten is read ──> bound to the chosen node ──> runs, and stays until the store has its
    end

An unbound pod never runs, so a scheduler may die between the two: the next one binds the pod, or cancels it. Cancelling
deletes an unbound pod, which cannot be bound any more; a finalizer keeps it, and with it the name. A key that has no pod
yet gets such a pod. What was forgotten is one time in a config map, ``offermatch-horizon``, see ``settled``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from offermatch.errors import ClusterError, InputError
from offermatch.kubernetes.api import Api, Object, RefusedError, path_of
from offermatch.kubernetes.reflector import Reflector
from offermatch.model import Offer
from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Output, Report, Stream
from offermatch.scheduler.cluster.adapters import Access
from offermatch.scheduler.cluster.kubernetes import pod as pods
from offermatch.scheduler.cluster.kubernetes.nodes import Nodes
from offermatch.scheduler.cluster.kubernetes.place import Place
from offermatch.scheduler.cluster.kubernetes.pod import Wanted, pod_name
from offermatch.scheduler.cluster.servers import malformed
from offermatch.scheduler.cluster.settled import Settled
from offermatch.visible import visible

__all__ = ["KubernetesCluster", "connect"]

_T = TypeVar("_T")
_HORIZON = "offermatch-horizon"


class KubernetesCluster(Cluster):
    """The nodes of a Kubernetes cluster."""

    name = "kubernetes"

    def __init__(self, place: Place | None = None, *, concurrency: int = 16, timeout_seconds: float = 30.0) -> None:
        """Find the cluster; nothing is asked yet.

        Args:
            place: Where pods go; the current context's namespace unless given.
            concurrency: How many requests are under way at most.
            timeout_seconds: How long one request may take.

        Raises:
            ClusterError: ``extra-missing``.
            InputError: ``setting-malformed``.
        """
        self._place = place = place or Place()
        self._api = Api(place.context, place.kubeconfig, timeout_seconds=timeout_seconds, connections=concurrency + 4)
        self._namespace = place.namespace or self._api.namespace
        self._timeout = timeout_seconds
        self._nodes = Nodes(place.devices, place.tolerate)
        self._node_objects = Reflector(self._api, path_of("Node"), self._nodes.node_changed, label_selector=place.selector)
        self._pods = Reflector(self._api, path_of("Pod"), self._nodes.pod_changed)
        self._workers = ThreadPoolExecutor(concurrency, "kubernetes")
        self._lock = threading.RLock()
        self._settled = Settled()
        self._untold: dict[str, str] = {}
        self._began = self._closed = False

    @property
    def problems(self) -> Mapping[str, str]:
        """Why which node, by its name, makes no offer, and what keeps the server from being watched."""
        watched = {one: reflector.problem for one, reflector in (("nodes", self._node_objects), ("pods", self._pods))}
        return {**{name: problem for name, problem in watched.items() if problem}, **self._nodes.problems}

    def offers(self) -> Sequence[Offer]:
        """Return what is free on each node that takes pods.

        Raises:
            ClusterError: ``cluster-unreachable``, ``request-refused``.
        """
        self._ready()
        with self._pods.lock, self._node_objects.lock:
            return [server.offer() for server in self._nodes.servers().values()]

    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return each name as it is: Kubernetes has no store of inputs, so a name is an address that containers know."""
        del concurrency
        self._check_open()
        return [Fetched(name, name) for name in inputs]

    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Create pods, see that none of their keys was forgotten, and bind them."""
        self._ready()
        # Calls take turns, so that two never count the same room.
        with self._lock:
            once = {launch.key: launch for launch in reversed(launches)}
            answers: dict[str, Launched] = {}
            self._read_horizon()
            there = self._found(list(once))
            create: dict[str, tuple[Launch, Object]] = {}
            bind: dict[str, tuple[Launch, Object]] = {}
            with self._pods.lock, self._node_objects.lock:
                servers = self._nodes.servers()
            for launch in reversed(once.values()):
                found = there[launch.key]
                if isinstance(found, ClusterError):
                    answers[launch.key] = Launched(launch.key, "unreachable", str(found))
                elif found is not None:
                    bind[launch.key] = (launch, found)
                else:
                    made = self._made(launch, servers)
                    if isinstance(made, Launched):
                        answers[launch.key] = made
                    else:
                        create[launch.key] = (launch, made)
            for key, created in zip(create, self._each(create.values(), lambda pair: self._create(*pair)), strict=True):
                if isinstance(created, Launched):
                    answers[key] = created
                else:
                    bind[key] = (create[key][0], created)
            # Whoever forgets raises the horizon before it lets go of a name. So a launch that took the name after that
            # sees it now. self._read_horizon()
            answers.update((one.key, one) for one in self._each(bind.values(), lambda pair: self._start(*pair)))
        return [answers[launch.key] for launch in launches]

    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return what the pods say; of a key that no watch has shown the server is asked."""
        self._ready()
        found = self._found(list(dict.fromkeys(keys)))
        stuck: dict[str, str] = {}
        reports: dict[str, Report] = {}
        for key, pod in found.items():
            if isinstance(pod, ClusterError):
                raise pod
            if key in self._untold:
                reports[key] = Report(key, "running")
            elif pod is None or not pods.is_of(pod, key):
                reports[key] = Report(key, "unknown")
            else:
                node = str(pod["spec"].get("nodeName") or "")
                reports[key] = pods.report_of(key, pod, not node or self._nodes.has(node))
                if reports[key].outcome == "running" and pods.CANCELLED not in pod["metadata"]["annotations"]:
                    stuck.update({key: reason} if (reason := pods.stuck(pod, self._place.image_seconds)) else {})
        if stuck:
            self._each(stuck.items(), lambda pair: self._cancel(*pair))
        return [reports[key] for key in keys]

    def cancel(self, keys: Sequence[str]) -> None:
        """End what runs by its deadline, and keep the names of what does not, so that it starts no more."""
        self._ready()
        told = [(key, "it was cancelled") for key in dict.fromkeys(keys)]
        for (key, _), wrong in zip(told, self._each(told, lambda pair: self._cancel(*pair)), strict=True):
            if wrong:
                self._untold[key] = wrong
            else:
                self._untold.pop(key, None)

    def forget(self, keys: Sequence[str]) -> None:
        """Mark the pods of these keys, and remove those that are old enough."""
        self._ready()
        with self._lock:
            found = self._found(list(dict.fromkeys(keys)))
            ended = [pod for key, pod in found.items() if isinstance(pod, dict) and pods.is_of(pod, key)]
            gone = [pod for pod in ended if pods.has_ended(pod) or not self._nodes.has(pod["spec"].get("nodeName") or "")]
            self._each([pod for pod in gone if pods.SETTLED not in pod["metadata"]["labels"]], self._settle)
            before = self._settled.horizon
            due = self._settled.due(time.time())
            if self._settled.horizon > before:
                self._raise_horizon(self._settled.horizon)
            self._each(due, self._remove)

    def output(self, key: str, stream: Stream, most: int = 65536) -> Output | None:
        """Return the end of a container's log, which holds both streams and is given as standard output."""
        self._ready()
        pod = self._found([key])[key]
        if stream != "stdout" or not isinstance(pod, dict) or not pods.is_of(pod, key) or not pod["spec"].get("nodeName"):
            return None
        try:
            kept, size = self._api.text(self._path(key, "log"), most)
        except RefusedError:
            return None
        return Output(kept.decode(errors="replace"), size)

    def history(self, key: str) -> list[str]:
        """Return the events of a launch, the earliest first: when its image was pulled, what a node had against it.

        Raises:
            ClusterError: ``cluster-unreachable``.
        """
        self._ready()
        selector = f"involvedObject.name={pod_name(key)},involvedObject.kind=Pod"
        found, _ = self._api.pages(path_of("Event", self._namespace), fieldSelector=selector)
        found.sort(key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime") or ""))
        when = [str(one.get("lastTimestamp") or one.get("eventTime") or "") for one in found]
        return [
            visible(f"{at} {one.get('reason', '')}: {one.get('message', '')}") for at, one in zip(when, found, strict=True)
        ]

    def close(self) -> None:
        """Let go of connections; what runs goes on."""
        if not self._closed:
            self._closed = True
            if self._began:
                self._node_objects.stop()
                self._pods.stop()
            self._workers.shutdown()
            self._api.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ClusterError("cluster-closed", "this cluster was closed", "make another")

    def _ready(self) -> None:
        self._check_open()
        with self._lock:
            begins = not self._began
            if begins:
                self._began = True
                self._node_objects.start()
                self._pods.start()
        self._node_objects.check(self._timeout)
        self._pods.check(self._timeout)
        if begins:
            # What an earlier process has settled is still to be removed one day.
            with self._pods.lock:
                for pod in self._pods.items.values():
                    metadata = pod["metadata"]
                    if pods.SETTLED in (metadata.get("labels") or {}) and metadata.get("namespace") == self._namespace:
                        self._settled.add(metadata["annotations"][pods.KEY], float(metadata["annotations"][pods.SENT_AT]))

    def _each(self, values: Any, call: Callable[[Any], _T]) -> list[_T]:
        return list(self._workers.map(call, list(values)))

    def _path(self, key: str, part: str = "") -> str:
        return path_of("Pod", self._namespace, pod_name(key), part)

    def _found(self, keys: Sequence[str]) -> dict[str, Object | ClusterError | None]:
        """Return the pod of each name, as the watch or else the server has it."""
        with self._pods.lock:
            found: dict[str, Any] = {key: self._pods.items.get(f"{self._namespace}/{pod_name(key)}") for key in keys}
        absent = [key for key, pod in found.items() if pod is None]
        found.update(zip(absent, self._each(absent, self._asked), strict=True))
        return found

    def _asked(self, key: str) -> Object | ClusterError | None:
        try:
            pod = self._api.found(self._path(key))
        except ClusterError as error:
            return error
        if pod is not None:
            self._pods.put(pod)
        return pod

    def _made(self, launch: Launch, servers: Mapping[str, Any]) -> Object | Launched:
        """Return the pod of a launch whose room is there, and count it; else the refusal."""
        key = launch.key
        if reason := self._settled.late(launch):
            return Launched(key, "launch-late", reason)
        if reason := malformed(launch):
            return Launched(key, "payload-refused", reason)
        if launch.device_share:
            return Launched(key, "payload-refused", "Kubernetes gives whole devices, and no share of one")
        try:
            wanted = Wanted.of(launch.payload, self._place.image)
        except InputError as error:
            return Launched(key, "payload-refused", str(error))
        server = servers.get(launch.offer)
        if server is None:
            return Launched(key, "offer-gone", visible(f"no node called {launch.offer!r} takes pods"))
        if "pods" in server.free and server.free["pods"] < 1:
            return Launched(key, "offer-full", "the node has as many pods as it takes")
        if reason := server.shortage(launch):
            return Launched(key, "offer-full", reason)
        server.take(launch)
        if "pods" in server.free and not launch.demand.get("pods"):
            server.free["pods"] -= 1
        return pods.launch_pod(launch, wanted, self._place.devices, self._nodes.tolerations)

    def _create(self, launch: Launch, pod: Object) -> Object | Launched:
        try:
            return self._api.create(path_of("Pod", self._namespace), pod)
        except RefusedError as error:
            if error.reason == "AlreadyExists":
                found = self._asked(launch.key)
                if isinstance(found, dict):
                    return found
                return Launched(launch.key, "unreachable", f"somebody else makes and removes {pod_name(launch.key)}")
            if error.status in (400, 422):
                return Launched(launch.key, "payload-refused", error.message)
            if "quota" in error.message:
                return Launched(launch.key, "offer-full", error.message)
            return Launched(launch.key, "unreachable", error.message)
        except ClusterError as error:
            return Launched(launch.key, "unreachable", str(error))

    def _start(self, launch: Launch, pod: Object) -> Launched:
        """Bind a pod, unless it was bound or cancelled before."""
        key, metadata = launch.key, pod["metadata"]
        try:
            if not pods.is_of(pod, key):
                return Launched(key, "offer-full", f"a pod of somebody else is called {pod_name(key)}")
            if pods.CANCELLED in metadata["annotations"]:
                self._cancel(key, metadata["annotations"][pods.CANCELLED])
                return Launched(key)
            if pod["spec"].get("nodeName") or metadata.get("deletionTimestamp"):
                return Launched(key)
            late = self._settled.late(launch)
            if late or not self._nodes.has(launch.offer):
                self._let_go(pod)
                return (
                    Launched(key, "launch-late", late) if late else Launched(key, "offer-gone", f"{launch.offer} has gone")
                )
            target = {"apiVersion": "v1", "kind": "Node", "name": launch.offer}
            body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": metadata["name"]}, "target": target}
            try:
                self._api.create(self._path(key, "binding"), body)
            except RefusedError as error:
                if error.status not in (404, 409):
                    raise
                # Another has bound it, or has cancelled it: either way the key is known.
                self._asked(key)
                return Launched(key)
            self._pods.put({**pod, "spec": {**pod["spec"], "nodeName": launch.offer}})
        except ClusterError as error:
            return Launched(key, "unreachable", str(error))
        return Launched(key)

    def _cancel(self, key: str, reason: str) -> str:
        """End a key, or keep its name so that it starts no more; return why that could not be told, empty where it was."""
        try:
            pod = self._found([key])[key]
            if isinstance(pod, ClusterError):
                raise pod
            if pod is None:
                try:
                    pod = self._api.create(path_of("Pod", self._namespace), pods.tombstone(key, reason))
                except RefusedError as error:
                    if error.reason != "AlreadyExists":
                        raise
                    pod = self._asked(key)
                    if not isinstance(pod, dict):
                        return "it came and went"
            if not pods.is_of(pod, key) or (pods.has_ended(pod) and pod["metadata"].get("deletionTimestamp")):
                return ""
            self._end(key, pod, reason)
        except ClusterError as error:
            return str(error)
        return ""

    def _end(self, key: str, pod: Object, reason: str) -> None:
        if pod["spec"].get("nodeName"):
            if not pods.has_ended(pod):
                # The node ends it, and it stays to tell how it ended, which a pod that is deleted does not.
                change = {"metadata": {"annotations": pods.cancelled_by(reason)}, "spec": {"activeDeadlineSeconds": 1}}
                self._pods.put(self._api.patch(self._path(key), change))
            return
        if pods.CANCELLED not in pod["metadata"]["annotations"]:
            pod = self._api.patch(self._path(key), {"metadata": {"annotations": pods.cancelled_by(reason)}})
        if pod["spec"].get("nodeName"):
            self._end(key, {**pod, "metadata": {**pod["metadata"]}}, reason)
            return
        # From here on nobody can bind it; whoever was quicker has it bound, and then it is ended as it runs.
        self._api.delete(self._path(key), pod["metadata"]["uid"])
        found = self._asked(key)
        if isinstance(found, ClusterError):
            raise found

    def _let_go(self, pod: Object) -> None:
        """Remove a pod and its name."""
        path = path_of("Pod", self._namespace, pod["metadata"]["name"])
        with suppress(RefusedError):
            others = [one for one in pod["metadata"].get("finalizers") or [] if one != pods.FINALIZER]
            self._api.delete(path, pod["metadata"]["uid"], grace_seconds=0)
            self._api.patch(path, {"metadata": {"uid": pod["metadata"]["uid"], "finalizers": others}})
        self._pods.drop(pod)

    def _settle(self, pod: Object) -> None:
        annotations = pod["metadata"]["annotations"]
        sent_at = float(annotations.get(pods.SENT_AT, 0.0))
        if sent_at > 0.0:
            with suppress(ClusterError):
                path = path_of("Pod", self._namespace, pod["metadata"]["name"])
                self._pods.put(self._api.patch(path, {"metadata": {"labels": {pods.SETTLED: "yes"}}}))
                self._settled.add(annotations[pods.KEY], sent_at)

    def _remove(self, key: str) -> None:
        with suppress(ClusterError):
            pod = self._found([key])[key]
            if isinstance(pod, dict) and pods.is_of(pod, key):
                self._let_go(pod)

    def _read_horizon(self) -> None:
        found = self._api.found(path_of("ConfigMap", self._namespace, _HORIZON))
        if found is not None:
            self._settled.horizon = max(self._settled.horizon, float((found.get("data") or {}).get("sent-at", 0.0)))

    def _raise_horizon(self, horizon: float) -> None:
        """Write down that launches sent no later are refused, unless a later time stands there."""
        path, name = path_of("ConfigMap", self._namespace), {"name": _HORIZON}
        while True:
            found = self._api.found(f"{path}/{_HORIZON}")
            try:
                if found is None:
                    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": name, "data": {"sent-at": repr(horizon)}}
                    self._api.create(path, made)
                elif float((found.get("data") or {}).get("sent-at", 0.0)) < horizon:
                    self._api.replace(f"{path}/{_HORIZON}", {**found, "data": {"sent-at": repr(horizon)}})
            except RefusedError as error:
                # Another scheduler has written it in between.
                if error.status != 409:
                    raise
            else:
                return


def connect(text: str, access: Access) -> KubernetesCluster:
    """Return the cluster of ``kubernetes``, or ``kubernetes:CONTEXT?SETTING=VALUE&...``."""
    access.unused(text)
    return KubernetesCluster(Place.of(text.partition(":")[2]))
