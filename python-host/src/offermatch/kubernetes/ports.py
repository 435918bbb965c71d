"""Ports of the host that a pod asks for, as amounts of a node: a port is taken once.

Who asks for a port on all addresses takes all of its room; who asks for it on one address takes one part of that, and the
address. So what two pods may have beside each other is what adds up, and a matcher needs no rule for it.
"""

from __future__ import annotations

from offermatch.kubernetes.api import Object

__all__ = ["port_of", "ports_of", "room_of"]

_ROOM = 2**16
_ALL = "0.0.0.0"  # noqa: S104 - the address that Kubernetes takes where none is given
_PREFIX = "hostPort:"
"""No resource of a node has a colon in its name."""


def ports_of(spec: Object) -> dict[str, int]:
    """Return what a pod asks of its node's ports; sidecars count, other init containers do not."""
    beside = [one for one in spec.get("initContainers") or [] if one.get("restartPolicy") == "Always"]
    addresses: dict[str, list[str]] = {}
    for container in (*(spec.get("containers") or []), *beside):
        for port in container.get("ports") or []:
            if number := port.get("hostPort"):
                name = f"{_PREFIX}{number}/{port.get('protocol') or 'TCP'}"
                addresses.setdefault(name, []).append(port.get("hostIP") or _ALL)
    asked: dict[str, int] = {}
    for name, given in addresses.items():
        if _ALL in given:
            asked[name] = _ROOM
        else:
            each = dict.fromkeys(given, 1)
            asked[name] = len(each)
            asked.update({f"{name}/{address}": 1 for address in each})
    return asked


def port_of(name: str) -> str | None:
    """Return the port, and the address if it is one, that an amount is about; None where it is about no port."""
    return name.removeprefix(_PREFIX) if name.startswith(_PREFIX) else None


def room_of(name: str) -> int | None:
    """Return how much of a port or an address every node has; None where it is neither."""
    port = port_of(name)
    return None if port is None else _ROOM if port.count("/") == 1 else 1
