"""Where pods go, as a setting and as a text of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from offermatch.errors import InputError
from offermatch.visible import visible

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """Where pods go, and what they have in common.

    Attributes:
        context: The context of the kubeconfig; its current one, or the pod's own account, unless given.
        kubeconfig: The file; as for kubectl unless given.
        namespace: Where the pods are; the context's unless given.
        image: The image of payloads that name none.
        devices: The extended resource whose whole numbers are an offer's devices.
        selector: Only nodes with these labels make offers, such as ``pool=batch``.
        tolerate: Keys of taints that the pods tolerate; nodes with other taints make no offer.
        image_seconds: So long an image may fail to be pulled before its task has failed.
    """

    context: str | None = None
    kubeconfig: str | None = None
    namespace: str | None = None
    image: str | None = None
    devices: str = "nvidia.com/gpu"
    selector: str | None = None
    tolerate: Sequence[str] = ()
    image_seconds: float = 120.0

    @classmethod
    def of(cls, text: str) -> Place:
        """Return the place that a text names: a context, and after a ``?`` the other attributes; ``tolerate`` several times.

        Raises:
            InputError: ``setting-malformed``.
        """
        context, _, query = text.partition("?")
        settings: dict[str, Any] = {"context": context or None}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name == "tolerate":
                settings[name] = (*settings.get(name, ()), value)
            elif name in ("kubeconfig", "namespace", "image", "devices", "selector") and value:
                settings[name] = value
            elif name == "image_seconds" and value.isdecimal():
                settings[name] = float(value)
            else:
                hint = "the names are kubeconfig, namespace, image, devices, selector, tolerate and image_seconds"
                raise InputError("setting-malformed", f"{visible(name)}={visible(value)} is no setting", hint, "cluster")
        return cls(**settings)
