"""The wasmtime engine all matchers of a process share.

Limits on time and memory belong here: what an engine allows holds for every component it compiles.
"""

from __future__ import annotations

from functools import cache

from wasmtime import Config, Engine, Store

__all__ = ["new_store", "shared_engine"]


@cache
def shared_engine() -> Engine:
    """Return the engine of this process."""
    return Engine(Config())


def new_store(engine: Engine) -> Store:
    """Return a store for one pool; stores are never shared, so pools can be used by different threads."""
    return Store(engine)
