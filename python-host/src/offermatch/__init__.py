"""Match tasks to resource offers with one WebAssembly component that answers the same in Python and Rust.

Start with ``Matcher.load().match(tasks, offers)``; README.md shows the rest. Each name is imported when it is asked for, so
that a program pays for what it uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offermatch.answer import Answer
    from offermatch.errors import (
        ClusterError,
        InputError,
        LimitError,
        LyingMatcherError,
        MatcherError,
        OffermatchError,
        StoreError,
    )
    from offermatch.fallback.breaker import Breaker
    from offermatch.fallback.fallback import FallbackMatcher
    from offermatch.limits import Limits
    from offermatch.matcher import BaseMatcher, Matcher, ReferenceMatcher
    from offermatch.model import (
        Assignment,
        Comparison,
        Description,
        Explanation,
        Group,
        Members,
        Mode,
        Move,
        Offer,
        Preference,
        Requirement,
        Running,
        Settings,
        Task,
        Timings,
        at_least,
        at_most,
        is_in,
        not_in,
        prefer,
    )
    from offermatch.pool import Pool
    from offermatch.recording.recording import Difference, Recording, replay
    from offermatch.recording.rotation import Rotation
    from offermatch.slot.manifest import Manifest
    from offermatch.slot.slot import Event, Slot
    from offermatch.tables.bad import BadRow
    from offermatch.tables.offers import OfferColumns
    from offermatch.tables.tasks import TaskColumns
    from offermatch.talk import match_tasks_to_offers

__all__ = [
    "Answer",
    "Assignment",
    "BadRow",
    "BaseMatcher",
    "Breaker",
    "ClusterError",
    "Comparison",
    "Description",
    "Difference",
    "Event",
    "Explanation",
    "FallbackMatcher",
    "Group",
    "InputError",
    "LimitError",
    "Limits",
    "LyingMatcherError",
    "Manifest",
    "Matcher",
    "MatcherError",
    "Members",
    "Mode",
    "Move",
    "Offer",
    "OfferColumns",
    "OffermatchError",
    "Pool",
    "Preference",
    "Recording",
    "ReferenceMatcher",
    "Requirement",
    "Rotation",
    "Running",
    "Settings",
    "Slot",
    "StoreError",
    "Task",
    "TaskColumns",
    "Timings",
    "at_least",
    "at_most",
    "is_in",
    "match_tasks_to_offers",
    "not_in",
    "prefer",
    "replay",
]

_HOMES = {
    "answer": ("Answer",),
    "errors": (
        "ClusterError",
        "InputError",
        "LimitError",
        "LyingMatcherError",
        "MatcherError",
        "OffermatchError",
        "StoreError",
    ),
    "fallback.breaker": ("Breaker",),
    "fallback.fallback": ("FallbackMatcher",),
    "limits": ("Limits",),
    "matcher": ("BaseMatcher", "Matcher", "ReferenceMatcher"),
    "model": (
        "Assignment",
        "Comparison",
        "Description",
        "Explanation",
        "Group",
        "Members",
        "Mode",
        "Move",
        "Offer",
        "Preference",
        "Requirement",
        "Running",
        "Settings",
        "Task",
        "Timings",
        "at_least",
        "at_most",
        "is_in",
        "not_in",
        "prefer",
    ),
    "pool": ("Pool",),
    "recording.recording": ("Difference", "Recording", "replay"),
    "recording.rotation": ("Rotation",),
    "slot.manifest": ("Manifest",),
    "slot.slot": ("Event", "Slot"),
    "tables.bad": ("BadRow",),
    "tables.offers": ("OfferColumns",),
    "tables.tasks": ("TaskColumns",),
    "talk": ("match_tasks_to_offers",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name from its home."""
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    """Return what is exported, imported yet or not."""
    return sorted({*globals(), *__all__})
