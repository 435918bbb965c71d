"""A matcher made of two: whatever goes wrong in the first, the second answers.

cycle ──> breaker closed? ──yes──> primary ──valid answer──────────> answer
│ no                   │ failure
└──────────────────────┴──> fallback ──valid answer──> answer, with the reason
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from offermatch.answer import Answer
from offermatch.errors import InputError, MatcherError, OffermatchError
from offermatch.fallback.pool import FallbackPool, Seat
from offermatch.matcher import BaseMatcher, ReferenceMatcher
from offermatch.model import Description, Settings, Timings
from offermatch.pool import Backend, Opener, Pool
from offermatch.tables.cycle import Cycle
from offermatch.tables.tables import OfferTable
from offermatch.wasm.spans import tell

__all__ = ["Breaker", "FallbackMatcher"]

_T = TypeVar("_T")
_LOG = logging.getLogger("offermatch")


class Breaker:
    """Leaves a matcher alone that keeps failing, and tries it again now and then. Safe to use from several threads.

    Attributes:
        failures: How many failures in a row open it.
        cooldown_cycles: How many cycles it then lets pass before one probes.
    """

    def __init__(self, failures: int = 3, cooldown_cycles: int = 100) -> None:
        """Begin closed.

        Raises:
            InputError: ``setting-malformed`` for numbers below 1.
        """
        for name, value in (("failures", failures), ("cooldown_cycles", cooldown_cycles)):
            if value < 1:
                raise InputError("setting-malformed", f"{value} cannot be used", "give 1 or more", name)
        self.failures = failures
        self.cooldown_cycles = cooldown_cycles
        self._lock = threading.Lock()
        self._failed = 0
        self._rest = 0
        self._probing = False

    @property
    def state(self) -> str:
        """``closed``, ``open``, or ``probing`` while one cycle tries the primary."""
        with self._lock:
            return "probing" if self._probing else "open" if self._failed >= self.failures else "closed"

    def allows(self) -> bool:
        """Return whether the next cycle may use the primary; each call counts as a cycle."""
        with self._lock:
            if self._failed < self.failures:
                return True
            if self._probing or self._rest > 0:
                self._rest -= 1
                return False
            self._probing = True
            return True

    def succeeded(self) -> None:
        """Close: the primary has answered."""
        with self._lock:
            self._failed, self._rest, self._probing = 0, 0, False

    def failed(self) -> bool:
        """Count a failure, and return whether it opened the breaker, or kept it open after a probe."""
        with self._lock:
            # Those that were under way when it opened say nothing new.
            opens = self._probing or self._failed == self.failures - 1
            self._failed += 1
            if opens:
                self._rest, self._probing = self.cooldown_cycles, False
            return opens

    def abandoned(self) -> None:
        """Let another cycle probe: the one that did says nothing about the primary."""
        with self._lock:
            self._probing = False


class FallbackMatcher(BaseMatcher):
    """A primary and a fallback. Every cycle that has usable input ends with a valid answer.

    The answer says which matcher gave it (``answer.matcher``) and why (``answer.fallback_reason``). A mistake in the input
    is nobody's failure: it is raised as it is. A pool opened with ``open`` goes on in the fallback when the primary fails,
    and in the primary again when the breaker lets it.

    Attributes:
        primary: Asked first.
        fallback: Asked where the primary fails.
        breaker: Decides whether the primary is asked.
        fallbacks: How often the fallback answered, by the code of the reason.
    """

    _pool_kind = FallbackPool

    def __init__(self, primary: BaseMatcher, fallback: BaseMatcher | None = None, breaker: Breaker | None = None) -> None:
        """Put two matchers together.

        Args:
            primary: Asked first.
            fallback: The reference matcher unless given.
            breaker: With the numbers of docs/trust.md unless given.
        """
        self.primary = primary
        self.fallback = fallback or ReferenceMatcher()
        self.breaker = breaker or Breaker()
        self.fallbacks: Counter[str] = Counter()
        self._counting = threading.Lock()

    @property
    def description(self) -> Description:  # type: ignore[override]
        """What the primary says of itself."""
        return self.primary.description

    @property
    def digest(self) -> str:  # type: ignore[override]
        """The digest of the primary."""
        return self.primary.digest

    def _run(self, cycle: Cycle, timings: Timings) -> Answer:
        if not self.breaker.allows():
            reason = MatcherError("breaker-open", "the primary failed too often and is left alone for now")
            return self._fall_back(cycle, reason, opened=False)
        try:
            answer = self.primary._run(cycle, timings)
        except InputError as error:
            return self._refused(cycle, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the cycle gets its answer
            return self._fall_back(cycle, error, opened=self.breaker.failed())
        except BaseException:
            self.breaker.abandoned()
            raise
        self.breaker.succeeded()
        return answer

    def _refused(self, cycle: Cycle, error: InputError) -> Answer:
        """Raise what is wrong with the input, unless only the primary finds it wrong: that is a failure like any other."""
        try:
            answer = self._unless_both(error, lambda: self.fallback._run(cycle, Timings()))
        except InputError:
            self.breaker.abandoned()
            raise
        self._note(error, opened=self.breaker.failed())
        answer.fallback_reason = error
        return answer

    def _unless_both(self, error: Exception, ask: Callable[[], _T]) -> _T:
        """Return what the fallback answers; where both find the input wrong, raise what the primary found."""
        try:
            return ask()
        except InputError:
            if isinstance(error, InputError):
                raise error from None
            raise

    def _fall_back(self, cycle: Cycle, reason: Exception, *, opened: bool) -> Answer:
        self._note(reason, opened=opened)
        answer = self.fallback._run(cycle, Timings())
        answer.fallback_reason = reason
        return answer

    def _note(self, reason: Exception, *, opened: bool) -> None:
        code = reason.code if isinstance(reason, OffermatchError) else type(reason).__name__
        with self._counting:
            self.fallbacks[code] += 1
        tell("fallback_reason", code)
        if code == "breaker-open":
            _LOG.debug("%s answers instead of %s", self.fallback.description.name, self.description.name)
        else:
            _LOG.warning(
                "%s answers instead of %s, which failed (%s): %s",
                self.fallback.description.name,
                self.description.name,
                code,
                reason.line if isinstance(reason, OffermatchError) else reason,
                extra={"offermatch_code": code},
            )
        if opened:
            cycles = self.breaker.cooldown_cycles
            _LOG.warning("%s is left alone for %d cycles, then tried again", self.description.name, cycles)

    def _open_backend(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> Backend:
        return Seat(self)(table, dimensions, attributes, settings, timings)

    def _checked_opener(self, settings: Settings) -> Seat:
        settings.checked()
        return Seat(self)

    def _pool(self, opener: Opener, *arguments: Any) -> Pool:
        pool = super()._pool(opener, *arguments)
        assert isinstance(pool, FallbackPool)  # noqa: S101 - for the type checker
        assert isinstance(opener, Seat)  # noqa: S101
        pool.seat = opener
        return pool
