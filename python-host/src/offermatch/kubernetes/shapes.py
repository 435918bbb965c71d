"""What a pod asks for, worked out once for all pods that ask the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from offermatch.errors import InputError
from offermatch.formats.kubernetes import Node, Pod
from offermatch.kubernetes.api import Object
from offermatch.kubernetes.rules import Rules
from offermatch.model import Requirement
from offermatch.quantity import MAXIMUM
from offermatch.visible import visible

__all__ = ["Gang", "Shape", "Shapes", "gang_of"]

_MOST_SHAPES = 20_000
_SPEC = ("nodeSelector", "affinity", "tolerations", "overhead", "resources", "topologySpreadConstraints", "resourceClaims")
_CONTAINER = ("resources", "restartPolicy")
_EVERYTHING = {"pods": MAXIMUM}
"""What a pod holds of which that cannot be read: its node takes no other."""
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@dataclass(slots=True)
class Shape:
    """What a pod asks for.

    Attributes:
        pod: A pod that asks for it.
        asked: How much, in the smallest unit, ports of the host included.
        refusal: Which rule it has that is not served; empty where all are.
        ignored: Which wishes it has that are not looked at.
        rules: What it asks about other pods; None where that is nothing.
        keeps_apart: Whether its pods keep others away, by required anti-affinity.
    """

    pod: Pod | None
    asked: Mapping[str, int]
    refusal: str
    ignored: Sequence[str] = ()
    rules: Rules | None = None
    keeps_apart: bool = field(init=False)
    _epoch: int = -1
    _requirements: Sequence[Requirement] = ()

    def __post_init__(self) -> None:
        """Look at the rules."""
        self.keeps_apart = self.rules is not None and bool(self.rules.apart)

    def requirements(
        self, nodes: Sequence[Node], taints: tuple[tuple[str, str, str], ...], epoch: int
    ) -> Sequence[Requirement]:
        """Return what a node must have; ``epoch`` is another one where the nodes, or their labels or taints, are others.

        Raises:
            InputError: A rule that is not served.
        """
        if self.pod is not None and self._epoch != epoch:
            self._requirements, self._epoch = tuple(self.pod.requirements(nodes, taints, alone=False)), epoch
        return self._requirements


@dataclass
class Shapes:
    """The shapes that have been seen."""

    _known: dict[str, Shape] = field(default_factory=dict)

    def of(self, item: Object) -> Shape:
        """Return the shape of a pod."""
        spec = item["spec"]
        containers, first = spec.get("containers") or [], spec.get("initContainers") or []
        parts: list[Any] = [spec.get(name) for name in _SPEC]
        parts += [[[one.get(name) for name in _CONTAINER] for one in each] for each in (containers, first)]
        ports = [port for one in (*containers, *first) for port in one.get("ports") or [] if port.get("hostPort")]
        parts += [ports, _claims(spec)]
        key = repr(parts)
        shape = self._known.get(key)
        if shape is None:
            if len(self._known) >= _MOST_SHAPES:
                self._known.clear()
            shape = self._known[key] = _shape(item)
        return shape


def _shape(item: Object) -> Shape:
    spec = item["spec"]
    asked: Mapping[str, int] = _EVERYTHING
    rules = None
    try:
        pod = Pod(item, "pod")
        # One that runs holds this, whatever it is that is not served.
        asked = pod.asked()
        rules = Rules.of(spec)
        pod.requirements([], [], alone=False)
    except InputError as error:
        return Shape(None, asked, visible(error.message), rules=rules)
    claims = _claims(spec)
    refusal = f"a persistent volume claim ({visible(claims[0])}) is not served" if claims else ""
    affinity = spec.get("affinity") or {}
    ignored = [
        f"preferred {rule}"
        for rule in ("nodeAffinity", "podAffinity", "podAntiAffinity")
        if (affinity.get(rule) or {}).get(_PREFERRED)
    ]
    if any(one.get("whenUnsatisfiable") == "ScheduleAnyway" for one in spec.get("topologySpreadConstraints") or []):
        ignored.append("topology spread that may be broken")
    return Shape(pod, asked, refusal, ignored, rules)


def _claims(spec: Object) -> list[str]:
    volumes = spec.get("volumes") or []
    claims = [str(one["persistentVolumeClaim"].get("claimName")) for one in volumes if one.get("persistentVolumeClaim")]
    return claims + [str(one.get("name")) for one in volumes if one.get("ephemeral")]


@dataclass(frozen=True, slots=True)
class Gang:
    """Pods that run together or not at all.

    Attributes:
        name: Its namespace and name.
        least: So many must run; None where the pod does not say, and its ``PodGroup`` does.
    """

    name: str
    least: int | None


def gang_of(item: Object) -> Gang | None:
    """Return the gang of a pod, by its labels; None where it belongs to none."""
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    namespace = metadata.get("namespace", "default")
    if name := labels.get("pod-group.scheduling.sigs.k8s.io/name"):
        least = str(labels.get("pod-group.scheduling.sigs.k8s.io/min-available", ""))
        return Gang(f"{namespace}/{name}", int(least) if least.isascii() and least.isdecimal() else None)
    if name := labels.get("scheduling.x-k8s.io/pod-group") or labels.get("pod-group.scheduling.sigs.k8s.io"):
        return Gang(f"{namespace}/{name}", None)
    return None
