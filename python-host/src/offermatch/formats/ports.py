"""Ports of the host that a pod asks for, as amounts of a node: a port is taken once.

Who asks for a port on all addresses takes all of its room; who asks for it on one address takes one part of that, and the
address. So what two pods may have beside each other is what adds up, and a matcher needs no rule for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from offermatch.model import Settings

__all__ = ["amounts_of", "port_of", "room_of", "without_weight"]

_ROOM = 2**16
_ALL = "0.0.0.0"  # noqa: S104 - the address that Kubernetes takes where none is given
_PREFIX = "hostPort:"
"""No resource of a node has a colon in its name."""


def amounts_of(ports: Iterable[tuple[int, str, str]]) -> dict[str, int]:
    """Return what a pod asks of its node that asks for these ports, each with its protocol and address.

    Examples:
        >>> amounts_of([(80, "", ""), (53, "UDP", "10.0.0.1")])
        {'hostPort:80/TCP': 65536, 'hostPort:53/UDP': 1, 'hostPort:53/UDP/10.0.0.1': 1}
    """
    addresses: dict[str, list[str]] = {}
    for number, protocol, address in ports:
        addresses.setdefault(f"{_PREFIX}{number}/{protocol or 'TCP'}", []).append(address or _ALL)
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


def without_weight(settings: Settings, dimensions: Iterable[str]) -> Settings:
    """Return settings in which a free port makes no node better or worse, unless they have a weight of it."""
    ports = {name: 0.0 for name in dimensions if room_of(name) is not None}
    return replace(settings, weights={**ports, **(settings.weights or {})}) if ports else settings
