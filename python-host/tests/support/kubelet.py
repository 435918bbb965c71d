"""Plays the kubelets of nodes: pods that are bound run, end and fail as their commands say, in their status only."""

import threading
import time
from datetime import datetime, timezone

from offermatch.errors import ClusterError
from offermatch.kubernetes.api import Api, path_of
from offermatch.kubernetes.reflector import Reflector, name_of


class Kubelet:
    """Runs the pods of all nodes.

    Attributes:
        starts: The uids of the pods whose container was started, each start anew.
        names: How often a pod of a name was started.
    """

    def __init__(self, kubeconfig, lasts=0.0):
        self.api = Api(kubeconfig=str(kubeconfig))
        self.starts, self.names = [], {}
        self._lasts = lasts
        self._ended = threading.Event()
        self._running = {}
        self._pods = Reflector(self.api, path_of("Pod"))
        self._pods.start()
        self._pods.check(30)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._ended.set()
        self._thread.join()
        self._pods.stop()
        self.api.close()

    def _run(self):
        while not self._ended.wait(0.01):
            with self._pods.lock:
                pods = [pod for pod in self._pods.items.values() if pod["spec"].get("nodeName")]
            for pod in pods:
                try:
                    self._look(pod)
                except ClusterError:
                    continue

    def _look(self, pod):
        uid, metadata = pod["metadata"]["uid"], pod["metadata"]
        if pod["status"].get("phase") in ("Succeeded", "Failed"):
            return
        container = pod["spec"]["containers"][0]
        if "absent" in container["image"]:
            if not pod["status"].get("containerStatuses"):
                waiting = {"reason": "ErrImageNeverPull", "message": "it is not present"}
                self._tell(pod, "Pending", {"waiting": waiting})
        elif uid not in self._running:
            self._running[uid] = time.monotonic()
            self.starts.append(uid)
            self.names[name_of(pod)] = self.names.get(name_of(pod), 0) + 1
            self._tell(pod, "Running", {"running": {"startedAt": _now()}})
            return
        since = time.monotonic() - self._running.get(uid, time.monotonic() - 60)
        deadline = pod["spec"].get("activeDeadlineSeconds")
        if metadata.get("deletionTimestamp"):
            self._tell(pod, "Failed", _terminated(137, "Error", ""))
        elif deadline is not None and since > min(deadline, 0.05):
            told = {"reason": "DeadlineExceeded", "message": "Pod was active on the node longer than the specified deadline"}
            self._tell(pod, "Failed", _terminated(137, "Error", ""), **told)
        elif "absent" in container["image"] or since < self._lasts or container.get("command", ["true"])[0] == "sleep":
            return
        elif container.get("command", ["true"])[0] == "true":
            self._tell(pod, "Succeeded", _terminated(0, "Completed", ""))
        elif container["command"][0] == "eat":
            self._tell(pod, "Failed", _terminated(137, "OOMKilled", ""))
        else:
            self._tell(pod, "Failed", _terminated(3, "Error", "one line\ntold so\n"))

    def _tell(self, pod, phase, state, **more):
        container = pod["spec"]["containers"][0]
        told = {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        status = {"phase": phase, "startTime": _now(), "containerStatuses": [told], **more}
        metadata = pod["metadata"]
        path = path_of("Pod", metadata["namespace"], metadata["name"])
        self._pods.put(self.api.patch(f"{path}/status", {"status": status}))
        if metadata.get("deletionTimestamp") and phase in ("Succeeded", "Failed"):
            self.api.delete(path, metadata["uid"], grace_seconds=0)


def _terminated(code, reason, message):
    return {
        "terminated": {"exitCode": code, "reason": reason, "message": message, "startedAt": _now(), "finishedAt": _now()}
    }


def _now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
