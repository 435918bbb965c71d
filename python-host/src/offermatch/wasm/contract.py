"""The contract versions this host serves, and what tells them apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "BEFORE",
    "CONTRACT",
    "CONTRACTS",
    "INTERFACE",
    "PACKED",
    "PREEMPTION",
    "WORLD",
    "Contract",
    "newest_served",
    "raises_scales",
]

INTERFACE = "offermatch:matcher/matching"
"""The interface a matcher exports, without its version."""

PACKED = "offermatch:matcher/packed"
"""The interface a matcher may export for hosts that pay per value, without its version."""

PREEMPTION = "offermatch:matcher/preemption"
"""The interface of a matcher that plans preemption, without its version; `packed-preemption` is the packed one."""

WORLD = "offermatch:matcher/matcher"
"""The world of a matcher, without its version."""

CONTRACT = "0.3.0"
"""The contract this host is built against: that of `wit/`."""

BEFORE = "0.2.0"
"""The contract before, which is served too: that of `wit/since-0.2.0/`."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What tells one version of the contract from the others.

    Attributes:
        version: Its number.
        tracing: The interface with which a matcher may tell of its work, if any. It then exports `set-traced`.
        packed: The calls that the interface `packed` has.
        rules: Whether it has the rules that a matcher may leave out, and pools whose scales grow.
    """

    version: str
    tracing: str | None
    packed: tuple[str, ...]
    rules: bool


_TRACING = "wasi:otel/tracing@0.2.0-rc.2"
CONTRACTS = {
    one.version: one
    for one in (
        Contract(CONTRACT, _TRACING, ("open", "assign", "update", "explain"), rules=True),
        Contract(BEFORE, _TRACING, ("open", "assign"), rules=False),
    )
}
"""The contracts served, the newest first. An interface that resolves as compatible but is of another version is refused."""


def raises_scales(version: str) -> bool:
    """Return whether the scales of a pool follow larger capacities, as they do since contract 0.3.0."""
    return version in CONTRACTS and CONTRACTS[version].rules


def newest_served(versions: Iterable[str]) -> tuple[Contract, str] | None:
    """Return the newest contract among the versions of interfaces, and the version as it is written there.

    A canonical name has no patch version: 0.3 is 0.3.0.
    """
    written = list(versions)
    for contract in CONTRACTS.values():
        for version in (contract.version, contract.version.rpartition(".")[0]):
            if version in written:
                return contract, version
    return None
