"""The matcher in use, and how it is replaced while the scheduler runs.

    manifest ──> judged ──> shadow (if asked) ──> promoted ──> probation ──> in use
                   │ refused    │ differs                          │ fails: the one before is back

A call takes the matcher that is current when it begins and ends on it. Promoting moves one pointer, and nothing waits for
it: everything slow happens before, on the thread that asked.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from offermatch.errors import OffermatchError
from offermatch.limits import Limits
from offermatch.matcher import BaseMatcher, Matcher
from offermatch.model import Description, Timings
from offermatch.recording.recording import Recording
from offermatch.session import Session
from offermatch.slot.current import Current, Event
from offermatch.slot.manifest import Manifest, judged
from offermatch.slot.seated import Seated
from offermatch.slot.shadow import Shadow, ShadowReport
from offermatch.slot.watch import Watch
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import OfferTable
from offermatch.wasm.elsewhere import Abandoned

__all__ = ["Event", "Slot"]


class Slot(BaseMatcher):
    """Holds the matcher in use and swaps it. Match with it as with any matcher; any thread may.

    A pool opened with ``open`` moves to the matcher that was promoted at its next call. Its cycles count for the probation
    of that matcher: a failure takes the slot back, and the pool goes on in the matcher before.
    """

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
            limits: What candidates may use; unless given what the first matcher may, or where it is no component what is
                in force when they are loaded.

        Raises:
            InputError: A recording that cannot be read.
            MatcherError: The bundled matcher cannot be loaded.
        """
        self._current = Current(matcher or Matcher.load(limits=limits))
        self._conformance = [one if isinstance(one, Recording) else Recording.read(one) for one in conformance]
        self._limits = matcher.limits if limits is None and isinstance(matcher, Matcher) else limits
        # Judging takes its time; calls must not wait for it.
        self._judging = threading.Lock()

    @property
    def current(self) -> BaseMatcher:
        """The matcher in use."""
        return self._current.matcher

    @property
    def on_probation(self) -> bool:
        """Whether a failure of the matcher in use takes the slot back."""
        return self._current.on_probation

    @property
    def previous(self) -> BaseMatcher | None:
        """The matcher that was in use before, for ``rollback``."""
        return self._current.before

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
        return list(self._current.history)

    @property
    def shadow(self) -> ShadowReport | None:
        """How the candidate in shadow compares; None where there is none."""
        shadow = self._current.shadow
        return None if shadow is None else shadow.report

    def judge(self, manifest: Manifest) -> Matcher:
        """Return the matcher that a manifest asks for, if it would be used.

        Raises:
            MatcherError: The candidate is refused.
        """
        return judged(manifest, self._conformance, self._limits)

    def swap(self, wanted: Manifest | str | os.PathLike[str], stopped: threading.Event | None = None) -> None:
        """Judge the matcher that a manifest asks for, and promote it, or begin to compare it in shadow.

        Calls go on meanwhile, on the matcher in use. Without shadow, the new one is in use when this returns.

        Args:
            wanted: A manifest, or the file or directory that has it.
            stopped: Set when nobody waits for it any more: the candidate is then given up, and nothing is raised.

        Raises:
            MatcherError: The candidate is refused; the matcher in use stays.
        """
        place = str(wanted.path if isinstance(wanted, Manifest) else wanted)
        with self._judging:
            try:
                manifest = wanted if isinstance(wanted, Manifest) else Manifest.read(wanted)
                candidate = judged(manifest, self._conformance, self._limits, stopped)
            except Abandoned:
                return
            except OffermatchError as error:
                self._current.note("refused", place, error=error)
                raise
            shadow = None
            if manifest.shadow_cycles:

                def done(shadow: Shadow) -> None:
                    self._current.shadowed(shadow, str(manifest.path), manifest.probation_cycles)

                shadow = Shadow(candidate, manifest.shadow_cycles, done)
            self._current.loaded(candidate, shadow, manifest.probation_cycles)

    def promote(self, matcher: BaseMatcher, probation_cycles: int = 10) -> None:
        """Put a matcher in use; the one before stays at hand, and a candidate in shadow is given up."""
        self._current.promote(matcher, probation_cycles)

    def rollback(self, reason: str = "asked for") -> None:
        """Put the matcher before back in use.

        Raises:
            MatcherError: ``nothing-to-roll-back`` where there is none, also after a rollback.
        """
        self._current.rollback(reason)

    def watch(self, path: str | os.PathLike[str], poll_milliseconds: int = 500) -> Watch:
        """Follow a manifest, or the one in a directory, on a thread until ``stop`` is called.

        What it asks for now is acted on too. A refusal is noted in ``history`` and the log, and tried again when the content
        of the manifest or of the component it names has changed. Where it asks for the matcher in use, that one stays, and
        a candidate in shadow is given up.
        """

        def follow(manifest: Manifest, stopped: threading.Event) -> None:
            if manifest.digest == self.digest:
                # A candidate that was asked for before is asked for no more.
                self._current.end_shadow()
            else:
                self.swap(manifest, stopped)

        def refuse(error: OffermatchError) -> None:
            self._current.note("refused", error.place, error=error)

        return Watch(Path(path), poll_milliseconds / 1000, follow, refuse)

    def session(self, table: OfferTable, shape: Shape, settings: SettingColumns, timings: Timings) -> Session:
        """Open a pool that follows the slot."""
        return Seated.open(self._current, table, shape, settings, timings)
