"""A matcher made of two: whatever goes wrong in the first, the second answers.

cycle ──> breaker closed? ──yes──> primary ──valid answer──────────> answer
│ no                   │ failure
└──────────────────────┴──> fallback ──valid answer──> answer, with the reason
"""

from __future__ import annotations

from collections import Counter

from offermatch.fallback.breaker import Breaker, Circuit
from offermatch.fallback.guarded import Guarded
from offermatch.matcher import BaseMatcher, ReferenceMatcher
from offermatch.model import Description, Timings
from offermatch.session import Session
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import OfferTable

__all__ = ["FallbackMatcher"]


class FallbackMatcher(BaseMatcher):
    """A primary and a fallback. Every cycle that has usable input ends with a valid answer.

    The answer says which matcher gave it (``answer.matcher``) and why (``answer.fallback_reason``). A mistake in the input
    is nobody's failure: it is raised as it is. A pool opened with ``open`` goes on in the fallback when the primary fails,
    and in the primary again when the breaker lets it.

    Attributes:
        primary: Asked first.
        fallback: Asked where the primary fails.
        breaker: Decides whether the primary is asked.
    """

    def __init__(self, primary: BaseMatcher, fallback: BaseMatcher | None = None, breaker: Breaker | None = None) -> None:
        """Put two matchers together.

        Args:
            primary: Asked first.
            fallback: The reference matcher unless given, by the contract of the primary.
            breaker: With the numbers of docs/trust.md unless given.
        """
        self.primary = primary
        self.fallback = fallback or ReferenceMatcher(primary.description.contract)
        self.breaker = breaker or Breaker()
        self._circuit = Circuit(self.primary, self.fallback, self.breaker)

    @property
    def fallbacks(self) -> Counter[str]:
        """How often the fallback answered, by the code of the reason."""
        return self._circuit.fallbacks

    @property
    def description(self) -> Description:  # type: ignore[override]
        """What the primary says of itself."""
        return self.primary.description

    @property
    def digest(self) -> str:  # type: ignore[override]
        """The digest of the primary."""
        return self.primary.digest

    def session(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Session:
        """Open a pool that goes on in the fallback when the primary fails."""
        return Guarded.open(self._circuit, table, shape, settings, timings)
