"""Match tasks to resource offers with one WebAssembly component that answers the same in Python and Rust.

Start with ``Matcher.load().match(tasks, offers)``; README.md shows the rest.
"""

from offermatch.answer import Answer
from offermatch.columns import OfferColumns, TaskColumns
from offermatch.errors import InputError, LimitError, LyingMatcherError, MatcherError, OffermatchError
from offermatch.limits import Limits
from offermatch.matcher import BaseMatcher, LegacyMatcher, Matcher
from offermatch.model import (
    Assignment,
    Description,
    Explanation,
    Mode,
    Offer,
    Requirement,
    Settings,
    Task,
    Timings,
    is_in,
    not_in,
)
from offermatch.pool import Pool
from offermatch.talk import match_tasks_to_offers

__all__ = [
    "Answer",
    "Assignment",
    "BaseMatcher",
    "Description",
    "Explanation",
    "InputError",
    "LegacyMatcher",
    "LimitError",
    "Limits",
    "LyingMatcherError",
    "Matcher",
    "MatcherError",
    "Mode",
    "Offer",
    "OfferColumns",
    "OffermatchError",
    "Pool",
    "Requirement",
    "Settings",
    "Task",
    "TaskColumns",
    "Timings",
    "is_in",
    "match_tasks_to_offers",
    "not_in",
]
