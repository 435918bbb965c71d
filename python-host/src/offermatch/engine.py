"""The wasmtime engine all matchers of a process share.

Limits on time and memory belong here: what an engine allows holds for every component it compiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from wasmtime import Config, Engine, Store

__all__ = ["configuration", "new_store", "shared_engine"]

# Everything that is not wasmtime's default stands here: options are part of what a compiled component depends on.
_OPTIONS: Mapping[str, object] = {}


@cache
def shared_engine() -> Engine:
    """Return the engine of this process."""
    config = Config()
    for name, value in _OPTIONS.items():
        setattr(config, name, value)
    return Engine(config)


def configuration() -> str:
    """Return the engine's options as text, for the key of compiled components."""
    return ",".join(f"{name}={value}" for name, value in sorted(_OPTIONS.items()))


def new_store(engine: Engine) -> Store:
    """Return a store for one pool; stores are never shared, so pools can be used by different threads."""
    return Store(engine)
