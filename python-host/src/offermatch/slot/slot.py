"""The matcher in use, and how it is replaced while the scheduler runs.

    manifest ──> judged ──> shadow (if asked) ──> promoted ──> probation ──> in use
                   │ refused    │ differs                          │ fails: the one before is back

A call takes the matcher that is current when it begins and ends on it. Promoting moves one pointer, and nothing waits for
it: everything slow happens before, on the thread that asked.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from offermatch.answer import Answer
from offermatch.errors import InputError, MatcherError, OffermatchError
from offermatch.limits import Limits
from offermatch.matcher import BaseMatcher, Matcher
from offermatch.model import Description, Settings, Timings
from offermatch.pool import Backend, Pool
from offermatch.recording.recording import Recording
from offermatch.recording.rotation import Rotation
from offermatch.slot.manifest import Manifest, judged
from offermatch.slot.pool import Place, SlotPool
from offermatch.slot.shadow import Shadow, ShadowReport
from offermatch.slot.watch import Watch
from offermatch.tables.columns import OfferColumns
from offermatch.tables.cycle import Cycle
from offermatch.tables.tables import OfferTable

__all__ = ["Event", "Slot"]

_T = TypeVar("_T")
_LOG = logging.getLogger("offermatch")
_HISTORY = 1000
"""Events a slot remembers."""


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


class Slot(BaseMatcher):
    """Holds the matcher in use and swaps it. Match with it as with any matcher; any thread may.

    A pool opened with ``open`` moves to the matcher that was promoted at its next call. Its cycles count for the probation
    of that matcher: a failure takes the slot back, and the pool goes on in the matcher before.
    """

    _pool_kind = SlotPool

    def __init__(
        self,
        matcher: BaseMatcher | None = None,
        *,
        conformance: Iterable[Recording | str | os.PathLike[str]] = (),
        limits: Limits | None = None,
    ) -> None:
        """Begin with a matcher.

        Args:
            matcher: The first matcher in use; the bundled one unless given.
            conformance: Recordings, or files of them, that every candidate has to answer as recorded.
            limits: What candidates may use; those in force when they are loaded unless given.

        Raises:
            InputError: A recording that cannot be read.
            MatcherError: The bundled matcher cannot be loaded.
        """
        self._in_use = _InUse(matcher or Matcher.load(limits=limits))
        self._conformance = [one if isinstance(one, Recording) else Recording.read(one) for one in conformance]
        self._limits = limits
        # Judging takes its time; whoever moves the pointer or counts a cycle must not wait for it.
        self._judging = threading.Lock()
        self._moving = threading.RLock()
        self._shadow: Shadow | None = None
        self._history: deque[Event] = deque(maxlen=_HISTORY)

    @property
    def current(self) -> BaseMatcher:
        """The matcher in use."""
        return self._in_use.matcher

    @property
    def on_probation(self) -> bool:
        """Whether a failure of the matcher in use takes the slot back."""
        return self._in_use.probation is not None

    @property
    def previous(self) -> BaseMatcher | None:
        """The matcher that was in use before, for ``rollback``."""
        return self._in_use.before

    @property
    def description(self) -> Description:  # type: ignore[override]
        """What the matcher in use says of itself."""
        return self.current.description

    @property
    def digest(self) -> str:  # type: ignore[override]
        """The digest of the matcher in use."""
        return self.current.digest

    @property
    def history(self) -> list[Event]:
        """What happened to the slot, oldest first."""
        return list(self._history)

    @property
    def shadow(self) -> ShadowReport | None:
        """How the candidate in shadow compares; None where there is none."""
        shadow = self._shadow
        return None if shadow is None else shadow.report

    def judge(self, manifest: Manifest) -> Matcher:
        """Return the matcher that a manifest asks for, if it would be used.

        Raises:
            MatcherError: The candidate is refused.
        """
        return judged(manifest, self._conformance, self._limits)

    def swap(self, wanted: Manifest | str | os.PathLike[str]) -> None:
        """Judge the matcher that a manifest asks for, and promote it, or begin to compare it in shadow.

        Calls go on meanwhile, on the matcher in use. Without shadow, the new one is in use when this returns.

        Args:
            wanted: A manifest, or the file or directory that has it.

        Raises:
            MatcherError: The candidate is refused; the matcher in use stays.
        """
        place = str(wanted.path if isinstance(wanted, Manifest) else wanted)
        with self._judging:
            try:
                manifest = wanted if isinstance(wanted, Manifest) else Manifest.read(wanted)
                candidate = self.judge(manifest)
            except OffermatchError as error:
                self._note("refused", place, error=error)
                raise
            with self._moving:
                self._note("loaded", candidate)
                self._end_shadow()
                if manifest.shadow_cycles:
                    self._shadow = Shadow(candidate, manifest.shadow_cycles, lambda shadow: self._judge(shadow, manifest))
                else:
                    self.promote(candidate, manifest.probation_cycles)

    def promote(self, matcher: BaseMatcher, probation_cycles: int = 10) -> None:
        """Put a matcher in use; the one before stays at hand."""
        with self._moving:
            probation = _Probation(probation_cycles) if probation_cycles else None
            self._in_use = _InUse(matcher, self.current, probation)
            self._note("promoted", matcher)

    def rollback(self, reason: str = "asked for") -> None:
        """Put the matcher before back in use.

        Raises:
            MatcherError: ``nothing-to-roll-back`` where there is none, also after a rollback.
        """
        with self._moving:
            in_use = self._in_use
            if in_use.before is None:
                raise MatcherError("nothing-to-roll-back", "there is no matcher before this one", "swap to the one you want")
            self._end_shadow()
            self._in_use = _InUse(in_use.before)
            self._note("rolled-back", in_use.matcher, reason=reason)

    def watch(self, path: str | os.PathLike[str], poll_milliseconds: int = 500) -> Watch:
        """Follow a manifest, or the one in a directory, on a thread until ``stop`` is called.

        What it asks for now is acted on too. A refusal is noted in ``history`` and the log, and tried again when the content
        of the manifest or of the component it names has changed.
        """
        return Watch(Path(path), poll_milliseconds / 1000, self.swap, lambda digest: digest == self.digest, self._refuse)

    def _run(self, cycle: Cycle, timings: Timings) -> Answer:
        in_use, begin = self._in_use, perf_counter()
        # The time of one that failed is not the answer's.
        answer, matcher = self._asked(
            in_use, lambda matcher: matcher._run(cycle, timings if matcher is in_use.matcher else Timings())
        )
        if matcher is not in_use.matcher:
            return answer
        self._passed(in_use)
        shadow = self._shadow
        if shadow is not None:
            shadow.offer(cycle, answer, perf_counter() - begin)
        return answer

    def _opened(
        self,
        offers: OfferColumns,
        settings: Settings,
        dimensions: Sequence[str],
        attributes: Sequence[str],
        record: str | os.PathLike[str] | Rotation | None,
    ) -> Pool:
        settings.checked()

        def opened(matcher: BaseMatcher) -> Pool:
            if matcher._pool_kind is not Pool:
                # A pool that moves by itself, such as that of a fallback.
                pool = matcher._opened(offers, settings, dimensions, attributes, record)
                pool.on_end = lambda error: self._heard(matcher, error)
                return pool
            place = Place(matcher)
            pool = self._pool(place, offers, settings, dimensions, attributes, None, record)
            assert isinstance(pool, SlotPool)  # noqa: S101 - for the type checker
            pool.slot, pool.place, pool._followed = self, place, matcher
            pool.matcher, pool.matcher_digest = matcher.description, matcher.digest
            pool.on_end = lambda error: self._heard(place.matcher, error)
            return pool

        return self._asked(self._in_use, opened)[0]

    def _asked(self, in_use: _InUse, ask: Callable[[BaseMatcher], _T]) -> tuple[_T, BaseMatcher]:
        """Return what is answered, and who answers: the one before where the one in use fails on probation."""
        try:
            return ask(in_use.matcher), in_use.matcher
        except InputError as error:
            if in_use.probation is None or in_use.before is None:
                raise
            try:
                answer = ask(in_use.before)
            except InputError:
                raise error from None
            # Only the new one finds the input wrong.
            self._taken_back(in_use, error)
            return answer, in_use.before
        except Exception as error:
            before = self._taken_back(in_use, error)
            if before is None:
                raise
            return ask(before), before

    def _now(self) -> BaseMatcher:
        return self.current

    def _heard(self, matcher: BaseMatcher, error: Exception | None) -> None:
        in_use = self._in_use
        # Of a matcher that is not in use any more, nothing is of interest.
        if in_use.matcher is not matcher:
            return
        if error is None:
            self._passed(in_use)
        elif not isinstance(error, InputError):
            self._taken_back(in_use, error)

    def _taken_back(self, in_use: _InUse, error: Exception) -> BaseMatcher | None:
        """Return the matcher that answers instead, rolling back if nobody has; None where the failure stands."""
        if in_use.probation is None or in_use.probation.left <= 0:
            return None
        with self._moving:
            if self._in_use is in_use:
                self._end_shadow()
                before = in_use.before or in_use.matcher
                self._in_use = _InUse(before)
                self._note("rolled-back", in_use.matcher, error=error)
        return in_use.before

    def _passed(self, in_use: _InUse) -> None:
        probation = in_use.probation
        if probation is None:
            return
        with self._moving:
            if probation.left > 0 and self._in_use is in_use:
                probation.left -= 1
                if not probation.left:
                    self._in_use = _InUse(in_use.matcher, in_use.before)
                    self._note("confirmed", in_use.matcher)

    def _judge(self, shadow: Shadow, manifest: Manifest) -> None:
        """Promote or refuse a candidate whose time in shadow is over."""
        with self._moving:
            if self._shadow is not shadow:
                return
            self._shadow = None
            report = shadow.report
            if report.difference:
                hint = "leave shadow_cycles out where another answer is what is wanted"
                error = MatcherError("shadow-differs", report.difference, hint, str(manifest.path))
                self._note("refused", shadow.candidate, error=error)
            else:
                self._note("shadowed", shadow.candidate, reason=f"{report.same} cycles answered the same")
                self.promote(shadow.candidate, manifest.probation_cycles)

    def _refuse(self, error: OffermatchError) -> None:
        self._note("refused", error.place, error=error)

    def _end_shadow(self) -> None:
        if self._shadow is not None:
            self._shadow.stop()
            self._shadow = None

    def _note(self, what: str, matcher: BaseMatcher | str, *, reason: str = "", error: Exception | None = None) -> None:
        code = error.code if isinstance(error, OffermatchError) else type(error).__name__ if error else ""
        if isinstance(matcher, str):
            name, digest = matcher, ""
        else:
            name, digest = f"{matcher.description.name} {matcher.description.version}", matcher.digest
        if error is not None:
            reason = error.line if isinstance(error, OffermatchError) else str(error)
        event = Event(datetime.now(timezone.utc), what, name, digest, code, reason)
        self._history.append(event)
        level = logging.WARNING if error is not None or what == "rolled-back" else logging.INFO
        _LOG.log(level, "slot: %s %s%s", what, name, f" ({code}): {event.reason}" if code else f" {event.reason}".rstrip())

    def _open_backend(
        self, table: OfferTable, dimensions: Sequence[str], attributes: int, settings: Settings, timings: Timings
    ) -> Backend:
        return self.current._open_backend(table, dimensions, attributes, settings, timings)
