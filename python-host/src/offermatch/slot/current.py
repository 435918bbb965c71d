"""The matcher in use: one pointer, what moves it, and what has happened to it."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeVar

from offermatch.errors import InputError, MatcherError, OffermatchError
from offermatch.matcher import BaseMatcher
from offermatch.meter import count
from offermatch.slot.shadow import Shadow

__all__ = ["Current", "Event"]

_T = TypeVar("_T")
_LOG = logging.getLogger("offermatch")
_HISTORY = 1000
"""Events that are remembered."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a slot.

    Attributes:
        time: When, in UTC.
        what: ``loaded``, ``refused``, ``shadowed``, ``promoted``, ``rolled-back`` or ``confirmed``.
        matcher: The name and version of the matcher it happened to, or the file that was refused.
        digest: Its digest; empty where it is not known.
        code: The code of the error, where there was one.
        reason: Why.
    """

    time: datetime
    what: str
    matcher: str
    digest: str = ""
    code: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _InUse:
    """What the one pointer points to.

    Attributes:
        matcher: The matcher in use.
        before: The one before, for rollback.
        probation: Counts the cycles in which a failure rolls back; None once they are over.
    """

    matcher: BaseMatcher
    before: BaseMatcher | None = None
    probation: _Probation | None = None


class _Probation:
    """The first cycles of a new matcher."""

    def __init__(self, cycles: int) -> None:
        self.left = cycles


class Current:
    """The matcher in use, which calls take when they begin and end on. Safe to use from several threads.

    Attributes:
        history: What happened, oldest first.
    """

    def __init__(self, matcher: BaseMatcher) -> None:
        """Begin with a matcher."""
        self.history: deque[Event] = deque(maxlen=_HISTORY)
        self._in_use = _InUse(matcher)
        self._moving = threading.RLock()
        self._shadow: Shadow | None = None

    @property
    def matcher(self) -> BaseMatcher:
        """The matcher in use."""
        return self._in_use.matcher

    @property
    def before(self) -> BaseMatcher | None:
        """The matcher that was in use before, for ``rollback``."""
        return self._in_use.before

    @property
    def on_probation(self) -> bool:
        """Whether a failure of the matcher in use takes it back."""
        return self._in_use.probation is not None

    @property
    def shadow(self) -> Shadow | None:
        """The candidate in shadow; None where there is none."""
        return self._shadow

    def loaded(self, candidate: BaseMatcher, shadow: Shadow | None, probation_cycles: int) -> None:
        """Promote a candidate that was judged, or begin to compare it in shadow."""
        with self._moving:
            self.note("loaded", candidate)
            self.end_shadow()
            self._shadow = shadow
            if shadow is None:
                self.promote(candidate, probation_cycles)

    def shadowed(self, shadow: Shadow, place: str, probation_cycles: int) -> None:
        """Promote or refuse a candidate whose time in shadow is over."""
        with self._moving:
            if self._shadow is not shadow:
                return
            self._shadow = None
            report = shadow.report
            if report.difference:
                hint = "leave shadow_cycles out where another answer is what is wanted"
                error = MatcherError("shadow-differs", report.difference, hint, place)
                self.note("refused", shadow.candidate, error=error)
            else:
                self.note("shadowed", shadow.candidate, reason=f"{report.same} cycles answered the same")
                self.promote(shadow.candidate, probation_cycles)

    def promote(self, matcher: BaseMatcher, probation_cycles: int) -> None:
        """Put a matcher in use; the one before stays at hand, and a candidate in shadow is given up."""
        with self._moving:
            self.end_shadow()
            probation = _Probation(probation_cycles) if probation_cycles else None
            self._in_use = _InUse(matcher, self.matcher, probation)
            self.note("promoted", matcher)

    def rollback(self, reason: str) -> None:
        """Put the matcher before back in use.

        Raises:
            MatcherError: ``nothing-to-roll-back``.
        """
        with self._moving:
            in_use = self._in_use
            if in_use.before is None:
                raise MatcherError("nothing-to-roll-back", "there is no matcher before this one", "swap to the one you want")
            self.end_shadow()
            self._in_use = _InUse(in_use.before)
            self.note("rolled-back", in_use.matcher, reason=reason)

    def end_shadow(self) -> None:
        """Give up the candidate in shadow, if there is one."""
        with self._moving:
            if self._shadow is not None:
                self._shadow.stop()
                self._shadow = None

    def passed(self, matcher: BaseMatcher) -> None:
        """Count a cycle that a matcher answered, if it is the one in use."""
        in_use = self._in_use
        probation = in_use.probation
        if probation is None or in_use.matcher is not matcher:
            return
        with self._moving:
            if probation.left > 0 and self._in_use is in_use:
                probation.left -= 1
                if not probation.left:
                    self._in_use = _InUse(in_use.matcher, in_use.before)
                    self.note("confirmed", in_use.matcher)

    def instead(self, failed: BaseMatcher, error: Exception, ask: Callable[[BaseMatcher], _T]) -> _T:
        """Return what another matcher answers where one has failed: the one that is in use by now, or the one before it.

        A matcher that fails on probation is taken back. What it alone finds wrong with the input is a failure too.

        Raises:
            Exception: The error, where there is no other matcher or that one finds the input wrong as well.
        """
        in_use = self._in_use
        other = in_use.before if in_use.matcher is failed and in_use.probation is not None else in_use.matcher
        if other is None or other is failed:
            raise error
        if isinstance(error, InputError):
            try:
                answer = ask(other)
            except InputError:
                raise error from None
            self._take_back(in_use, failed, error)
            return answer
        self._take_back(in_use, failed, error)
        return ask(other)

    def note(self, what: str, matcher: BaseMatcher | str, *, reason: str = "", error: Exception | None = None) -> None:
        """Remember and log what happened to a matcher, or to what a place names."""
        code = error.code if isinstance(error, OffermatchError) else type(error).__name__ if error else ""
        if isinstance(matcher, str):
            name, digest = matcher, ""
        else:
            name, digest = f"{matcher.description.name} {matcher.description.version}", matcher.digest
        if error is not None:
            reason = error.line if isinstance(error, OffermatchError) else str(error)
        event = Event(datetime.now(timezone.utc), what, name, digest, code, reason)
        self.history.append(event)
        count("offermatch.slot.events", what=what)
        level = logging.WARNING if error is not None or what == "rolled-back" else logging.INFO
        _LOG.log(level, "slot: %s %s%s", what, name, f" ({code}): {event.reason}" if code else f" {event.reason}".rstrip())

    def _take_back(self, in_use: _InUse, failed: BaseMatcher, error: Exception) -> None:
        with self._moving:
            if self._in_use is in_use and in_use.matcher is failed and in_use.before is not None:
                self.end_shadow()
                self._in_use = _InUse(in_use.before)
                self.note("rolled-back", failed, error=error)
