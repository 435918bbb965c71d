"""A launch as a pod, and what a pod says of its launch."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from offermatch.errors import InputError
from offermatch.kubernetes.api import Object
from offermatch.scheduler.cluster.abc import Launch, Report
from offermatch.scheduler.cluster.container.image import Image
from offermatch.visible import visible

__all__ = [
    "CANCELLED",
    "FINALIZER",
    "KEY",
    "LABEL",
    "LAUNCH",
    "SENT_AT",
    "SETTLED",
    "Wanted",
    "cancelled_by",
    "has_ended",
    "is_of",
    "launch_pod",
    "pod_name",
    "report_of",
    "stuck",
    "tombstone",
]

LABEL = "offermatch/launch"
"""The label of every pod of a launch."""
KEY, LAUNCH, SENT_AT = "offermatch/key", "offermatch/task", "offermatch/sent-at"
CANCELLED, CANCELLED_AT = "offermatch/cancelled", "offermatch/cancelled-at"
SETTLED = "offermatch/settled"
FINALIZER = "offermatch/report"
"""Keeps a pod that somebody deletes until the store has its end."""

_NOBODY = "offermatch-cluster"
"""The scheduler that these pods name: none takes them, they are bound by whoever makes them."""
_OUT = (
    "OutOf",
    "NodeAffinity",
    "NodeShutdown",
    "Node",
    "Evicted",
    "Preempt",
    "UnexpectedAdmissionError",
    "Terminated",
    "Shutdown",
)
"""What kubelets give as a pod's reason where the node refused it or took it away."""
_HOPELESS = ("InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError")
_HOPEFUL = ("ErrImagePull", "ImagePullBackOff", "CreateContainerError", "RunContainerError", "ImageInspectError")


@dataclass(frozen=True)
class Wanted:
    """What a payload asks of Kubernetes.

    Attributes:
        image: The image, its command, environment and timeout.
        service_account: Whose token the container gets; None for no token.
    """

    image: Image
    service_account: str | None

    @classmethod
    def of(cls, payload: Mapping[str, Any], default: str | None) -> Wanted:
        """Return what a payload asks for.

        Raises:
            InputError: ``payload-malformed``.
        """
        for name in ("mounts", "network", "processes"):
            if name in payload:
                raise InputError(
                    "payload-malformed",
                    f"{name} cannot be said of a pod",
                    "docs/kubernetes.md describes payloads",
                    "payload",
                )
        account = payload.get("service_account")
        if account is not None and (not isinstance(account, str) or not account):
            message = f"service_account is {account!r}, which is no name"
            raise InputError("payload-malformed", message, "docs/kubernetes.md describes payloads", "payload")
        return cls(Image.of(payload, default), account)


def pod_name(key: str) -> str:
    """Return the name of a key's pod: characters that no name takes are their numbers, a long key is its digest."""
    name = re.sub(r"[^a-wyz0-9-]|-$", lambda found: f"x{ord(found[0]):x}x", key)
    if len(name) > 200:
        name = f"sha256-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return f"offermatch-{name}"


def launch_pod(launch: Launch, wanted: Wanted, resource: str, tolerations: Sequence[Object]) -> Object:
    """Return the pod of a launch, not bound yet."""
    image = wanted.image
    limits = {
        name: f"{asked}m" if name == "cpu" else str(asked)
        for name, asked in launch.demand.items()
        if asked and name != "pods"
    }
    if launch.devices:
        limits[resource] = str(launch.devices)
    container: Object = {
        "name": "task",
        "image": image.name,
        "imagePullPolicy": {"missing": "IfNotPresent", "always": "Always", "never": "Never"}[image.pull],
        "env": [{"name": name, "value": value} for name, value in image.environment.items()],
        "resources": {"requests": limits, "limits": limits},
        "securityContext": {"allowPrivilegeEscalation": False},
        # The end of the log is then the reason of a failure.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if image.command is not None:
        container["command"] = list(image.command)
    spec: Object = {
        "schedulerName": _NOBODY,
        "restartPolicy": "Never",
        "enableServiceLinks": False,
        "automountServiceAccountToken": wanted.service_account is not None,
        "containers": [container],
        "tolerations": list(tolerations),
    }
    if wanted.service_account is not None:
        spec["serviceAccountName"] = wanted.service_account
    if image.timeout_seconds is not None:
        spec["activeDeadlineSeconds"] = max(1, round(image.timeout_seconds))
    return _pod(launch.key, {LAUNCH: launch.task, SENT_AT: repr(launch.sent_at)}, spec)


def tombstone(key: str, reason: str) -> Object:
    """Return a pod that only keeps the name of a key, so that its launch finds it taken."""
    spec = {
        "schedulerName": _NOBODY,
        "restartPolicy": "Never",
        "containers": [{"name": "task", "image": "offermatch/cancelled"}],
    }
    return _pod(key, cancelled_by(reason), spec)


def cancelled_by(reason: str) -> dict[str, str]:
    """Return the annotations of a cancelled launch."""
    return {CANCELLED: reason, CANCELLED_AT: repr(time.time())}


def _pod(key: str, annotations: Mapping[str, str], spec: Object) -> Object:
    metadata = {
        "name": pod_name(key),
        "labels": {LABEL: "yes"},
        "annotations": {KEY: key, **annotations},
        "finalizers": [FINALIZER],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def is_of(pod: Object, key: str) -> bool:
    """Return whether a pod is the launch of a key, and not somebody else's pod with its name."""
    metadata = pod["metadata"]
    return LABEL in (metadata.get("labels") or {}) and (metadata.get("annotations") or {}).get(KEY) == key


def has_ended(pod: Object) -> bool:
    """Return whether a pod runs no more and never will."""
    if not pod["spec"].get("nodeName"):
        return CANCELLED in pod["metadata"]["annotations"]
    status = pod.get("status") or {}
    if status.get("phase") in ("Succeeded", "Failed"):
        return True
    states = [one.get("state") or {} for one in status.get("containerStatuses") or []]
    return bool(pod["metadata"].get("deletionTimestamp")) and bool(states) and all("terminated" in one for one in states)


def report_of(key: str, pod: Object, node_is_there: bool) -> Report:
    """Return where the launch of a pod stands."""
    annotations, status = pod["metadata"]["annotations"], pod.get("status") or {}
    cancelled = annotations.get(CANCELLED)
    if not pod["spec"].get("nodeName"):
        if cancelled is None:
            return Report(key, "unknown")
        return Report(key, "failed", cancelled, float(annotations[CANCELLED_AT]))
    ended = _terminated(status)
    at = _seconds(ended.get("finishedAt")) or float(annotations.get(CANCELLED_AT, 0.0)) or _latest(pod)
    if not has_ended(pod):
        if node_is_there:
            return Report(key, "running")
        return Report(key, "lost", visible(f"its node {pod['spec']['nodeName']} is gone"), time.time())
    if status.get("phase") == "Succeeded" or (status.get("phase") != "Failed" and ended.get("exitCode") == 0):
        return Report(key, "done", finished_at=at)
    if cancelled is not None:
        return Report(key, "failed", cancelled, at)
    why = str(status.get("reason") or "")
    if why == "DeadlineExceeded":
        timeout = pod["spec"].get("activeDeadlineSeconds")
        return Report(key, "failed", f"it ran longer than its timeout of {timeout} s", at)
    if why.startswith(_OUT):
        return Report(key, "lost", visible(f"{why}: {status.get('message') or 'its node did not keep it'}"), at)
    why = _why(ended, status)
    deleted = pod["metadata"].get("deletionTimestamp") and ended.get("exitCode") in (None, 137, 143)
    return Report(key, "failed", f"{why}; its pod was deleted" if deleted else why, at)


def _terminated(status: Object) -> Object:
    for one in status.get("containerStatuses") or []:
        found = (one.get("state") or {}).get("terminated")
        if found:
            return dict(found)
    return {}


def _why(ended: Object, status: Object) -> str:
    code = ended.get("exitCode")
    if ended.get("reason") == "OOMKilled":
        return f"exit status {code}: it was killed because it used more memory than it asked for"
    lines = [line for line in str(ended.get("message") or status.get("message") or "").splitlines() if line.strip()]
    said = lines[-1] if lines else str(status.get("reason") or "")
    what = "it failed" if code is None else f"exit status {code}"
    return visible(what + (f": {said}" if said else ""))


def stuck(pod: Object, patience: float) -> str:
    """Return why the container of a pod will not start; empty where it may."""
    for one in (pod.get("status") or {}).get("containerStatuses") or []:
        waiting = (one.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        since = _seconds(pod["status"].get("startTime")) or _seconds(pod["metadata"].get("creationTimestamp"))
        if reason in _HOPELESS or (reason in _HOPEFUL and time.time() > since + patience):
            return visible(f"image {one.get('image')}: {reason}: {waiting.get('message') or ''}".rstrip(": "))
    return ""


def _latest(pod: Object) -> float:
    times = [one.get("lastTransitionTime") for one in (pod.get("status") or {}).get("conditions") or []]
    return max(map(_seconds, times), default=0.0) or _seconds(pod["metadata"].get("creationTimestamp")) or time.time()


def _seconds(text: Any) -> float:
    """Return the seconds since the epoch of a time of Kubernetes; 0.0 where there is none."""
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0
