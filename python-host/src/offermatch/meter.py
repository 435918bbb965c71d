"""What matchers, fallbacks and slots do, counted by the application's own meter where it has OpenTelemetry.

OpenTelemetry is never imported here: where the application has not done so, nobody counts. docs/telemetry.md has the names.
"""

from __future__ import annotations

import logging
import sys
from functools import lru_cache
from typing import Any

__all__ = ["count", "counting", "took"]

_LOG = logging.getLogger("offermatch")
_COUNTERS = {
    "offermatch.match.tasks": ("{task}", "Tasks that a matcher was asked about, by whether it placed them"),
    "offermatch.match.bound": ("{task}", "Tasks of calls that were asked for their bound: placed, and possible at most"),
    "offermatch.match.fallbacks": ("{call}", "Calls that a fallback answered, by reason"),
    "offermatch.slot.events": ("{event}", "What happened to slots"),
}
_DURATION = "offermatch.match.duration"


def counting() -> bool:
    """Return whether the application has a meter."""
    return "opentelemetry.metrics" in sys.modules


def count(name: str, amount: int = 1, **attributes: str) -> None:
    """Add to a counter."""
    _tell("add", name, amount, attributes)


def took(seconds: float, **attributes: str) -> None:
    """Record how long a matcher took to place tasks."""
    _tell("record", _DURATION, seconds, attributes)


def _tell(what: str, name: str, amount: float, attributes: dict[str, str]) -> None:
    metrics = sys.modules.get("opentelemetry.metrics")
    if metrics is None:
        return
    try:
        getattr(_instrument(metrics.get_meter_provider(), name), what)(amount, attributes)
    except Exception:  # noqa: BLE001 - whatever a meter does wrong, the call has its answer
        _LOG.warning("a measurement is lost: %s", name, exc_info=True)


@lru_cache(maxsize=16)
def _instrument(provider: Any, name: str) -> Any:
    meter = provider.get_meter("offermatch")
    if name == _DURATION:
        return meter.create_histogram(name, "s", "How long matchers take to place the tasks of a call")
    return meter.create_counter(name, *_COUNTERS[name])
