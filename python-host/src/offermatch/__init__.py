"""Match tasks to resource offers with one WebAssembly component that answers the same in Python and Rust.

Start with ``Matcher.load().match(tasks, offers)``; README.md shows the rest.
"""

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
from offermatch.tables.columns import OfferColumns, TaskColumns
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
