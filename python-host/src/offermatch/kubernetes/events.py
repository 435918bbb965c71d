"""Says of a pod why it waits: in its condition ``PodScheduled``, and as an event."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from offermatch.errors import ClusterError
from offermatch.formats.ports import port_of
from offermatch.kubernetes.api import Api, Object, path_of
from offermatch.kubernetes.view import Waiting
from offermatch.model import AnyRequirement, Comparison, Explanation
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["Events", "explained"]

_AGAIN_SECONDS = 60.0
_MOST_REMEMBERED = 200_000


def explained(found: Explanation, requirements: Sequence[AnyRequirement], meanings: Mapping[str, str]) -> str:
    """Return why no node takes a pod, in the manner of kube-scheduler.

    Args:
        found: What the matcher says.
        requirements: What was asked of a node.
        meanings: How a node fails a check, by the name of the check, where that is a rule about other pods.
    """
    parts = [f"{count} {_short_of(name)}" for name, count in found.by_dimension.items() if count]
    for at, (one, count) in enumerate(zip(requirements, found.by_requirement, strict=True)):
        if not count:
            continue
        if f"requirement {at}" in meanings:
            parts.append(f"{count} {visible(meanings[f'requirement {at}'], LONGEST_NAME)}")
        elif isinstance(one, Comparison):
            parts.append(f"{count} do not have {visible(str(one), LONGEST_NAME)}")
        elif one.attribute.startswith("taint:"):
            taint = visible(one.attribute.removeprefix("taint:"), LONGEST_NAME)
            parts.append(f"{count} have the taint {taint}, which it does not tolerate")
        elif one.attribute == "metadata.name":
            parts.append(f"{count} do not meet its node affinity")
        else:
            parts.append(f"{count} do not meet its rule on {visible(one.attribute.removeprefix('exists:'), LONGEST_NAME)}")
    for name, check in (found.checks or {}).items():
        if name in meanings and check.fails and not name.startswith("requirement "):
            parts.append(f"{check.fails} {visible(meanings[name], LONGEST_NAME)}")
    if found.by_score:
        parts.append(f"{found.by_score} score too high")
    if found.candidates:
        parts.append(f"{found.candidates} would take it")
    return f"0/{found.offers} nodes are available: {', '.join(parts) or 'there is no node'}"


def _short_of(name: str) -> str:
    port = port_of(name)
    if port is None:
        return f"have too little {visible(name, LONGEST_NAME)}"
    return f"didn't have free ports for the requested pod ports ({visible(port, LONGEST_NAME)})"


class Events:
    """Writes reasons, each pod's again only after a while or where it is another one."""

    def __init__(self, api: Api, scheduler: str) -> None:
        """Take the server, and the name under which events are written."""
        self._api, self._scheduler = api, scheduler
        self._written: dict[str, tuple[str, float]] = {}

    def is_due(self, pod: Waiting, kind: str) -> bool:
        """Return whether a pod is to be told of a reason of this kind now."""
        uid = str(pod.item["metadata"].get("uid"))
        before, at = self._written.get(uid, ("", 0.0))
        if before == kind and time.monotonic() < at + _AGAIN_SECONDS:
            return False
        if len(self._written) >= _MOST_REMEMBERED:
            self._written.clear()
        self._written[uid] = (kind, time.monotonic())
        return True

    def waits(self, pod: Waiting, event: str, message: str) -> None:
        """Write into the condition and an event why a pod waits. That it cannot be written is no harm: it is tried again."""
        metadata = pod.item["metadata"]
        path = path_of("Pod", metadata["namespace"], metadata["name"], "status")
        now = _now()
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        known = [one for one in (pod.item.get("status") or {}).get("conditions") or [] if one.get("type") == "PodScheduled"]
        try:
            if not known or known[0].get("message") != message:
                changed: Object = {**condition, "lastProbeTime": None}
                if not known or known[0].get("status") != "False":
                    changed["lastTransitionTime"] = now
                self._api.patch(
                    path, {"metadata": {"uid": metadata["uid"]}, "status": {"conditions": [changed]}}, merge_lists=True
                )
            self.event(pod, "Warning", event, message)
        except ClusterError:
            self._written.pop(str(metadata.get("uid")), None)

    def event(self, pod: Waiting, kind: str, reason: str, message: str) -> None:
        """Write an event about a pod.

        Raises:
            ClusterError: The server refuses, or is away.
        """
        metadata, now = pod.item["metadata"], _now()
        about = {name: metadata.get(name) for name in ("namespace", "name", "uid", "resourceVersion")}
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name'][:200]}.{secrets.token_hex(8)}", "namespace": metadata["namespace"]},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
            "type": kind,
            "reason": reason,
            "message": message[:1000],
            "source": {"component": self._scheduler},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self._api.create(path_of("Event", metadata["namespace"]), body)


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
