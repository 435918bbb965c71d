"""When a matcher that fails is left alone, and when it is tried again."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from offermatch.errors import InputError, MatcherError, OffermatchError
from offermatch.meter import count
from offermatch.session import Matching
from offermatch.wasm.spans import tell

__all__ = ["Breaker", "Circuit"]

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


class Circuit:
    """A primary, a fallback and the breaker between them; what all sessions of a matcher made of two share.

    Attributes:
        primary: Asked first.
        fallback: Asked where the primary fails.
        breaker: Decides whether the primary is asked.
        fallbacks: How often the fallback answered, by the code of the reason.
    """

    def __init__(self, primary: Matching, fallback: Matching, breaker: Breaker) -> None:
        """Put two matchers together."""
        self.primary, self.fallback, self.breaker = primary, fallback, breaker
        self.fallbacks: Counter[str] = Counter()
        self._counting = threading.Lock()

    def failed(self, reason: Exception, answered: Callable[[], _T]) -> _T:
        """Return what the fallback answers where the primary has failed, and count the failure.

        Raises:
            InputError: What the primary has found, where both find the input wrong.
        """
        try:
            answer = answered()
        except InputError:
            if isinstance(reason, InputError):
                raise reason from None
            raise
        self.note(reason, opened=self.breaker.failed())
        return answer

    def admits(self) -> Exception | None:
        """Return why the primary is left alone in this cycle; None where it may be asked."""
        if self.breaker.allows():
            return None
        reason = MatcherError("breaker-open", "the primary failed too often and is left alone for now")
        self.note(reason, opened=False)
        return reason

    def note(self, reason: Exception, *, opened: bool) -> None:
        """Count and log why the fallback answers, and whether that opened the breaker."""
        code = reason.code if isinstance(reason, OffermatchError) else type(reason).__name__
        with self._counting:
            self.fallbacks[code] += 1
        tell({"fallback_reason": code})
        count("offermatch.match.fallbacks", reason=code)
        primary, fallback = self.primary.description.name, self.fallback.description.name
        if code == "breaker-open":
            _LOG.debug("%s answers instead of %s", fallback, primary)
        else:
            _LOG.warning(
                "%s answers instead of %s, which failed (%s): %s",
                fallback,
                primary,
                code,
                reason.line if isinstance(reason, OffermatchError) else reason,
                extra={"offermatch_code": code},
            )
        if opened:
            _LOG.warning("%s is left alone for %d cycles, then tried again", primary, self.breaker.cooldown_cycles)
