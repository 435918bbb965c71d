"""The contract versions this host serves, and what tells them apart: all that there is to an adapter."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONTRACT", "CONTRACTS", "INTERFACE", "PACKED", "WORLD", "Contract"]

INTERFACE = "offermatch:matcher/matching"
"""The interface a matcher exports, without its version."""

PACKED = "offermatch:matcher/packed"
"""The interface a matcher may export for hosts that pay per value, without its version."""

WORLD = "offermatch:matcher/matcher"
"""The world of a matcher, without its version."""

CONTRACT = "0.2.0"
"""The contract this host is built against: that of `wit/since-0.2.0/`."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What tells one version of the contract from the others; the functions that two of them share have the same types.

    Attributes:
        version: Its number.
        tracing: The interface with which a matcher may tell of its work, if any. It then exports `set-traced`.
    """

    version: str
    tracing: str | None


CONTRACTS = {
    CONTRACT: Contract(CONTRACT, "wasi:otel/tracing@0.2.0-rc.2"),
    "0.1.0": Contract("0.1.0", None),
}
"""The contracts served, the newest first. An interface that resolves as compatible but is of another version is refused."""
