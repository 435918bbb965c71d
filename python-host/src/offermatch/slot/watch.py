"""Follows a manifest on a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from offermatch.errors import MatcherError, OffermatchError
from offermatch.reading import TooLongError, read_bounded
from offermatch.slot.manifest import Manifest

__all__ = ["Watch"]

_LOG = logging.getLogger("offermatch")


class Watch:
    """Calls ``act`` when a manifest, or the component it names, has changed. A context manager that stops."""

    def __init__(
        self,
        path: Path,
        seconds: float,
        act: Callable[[Manifest, threading.Event], None],
        refuse: Callable[[OffermatchError], None],
    ) -> None:
        """Look now, and then every so many seconds.

        Args:
            path: The manifest, or a directory that has one.
            seconds: Between two looks.
            act: What to do about what it asks for, until the event is set.
            refuse: What to do about a manifest that cannot be read.
        """
        self._path = path
        self._seconds = seconds
        self._act = act
        self._refuse = refuse
        self._seen: object = None
        self._missed = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="offermatch-watch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Watch:
        """Return the watch."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop watching."""
        self.stop()

    def stop(self) -> None:
        """Watch no more; what is being judged is given up."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> None:
        """Act if something has changed since the last look."""
        try:
            state, manifest, failure = self._state()
        except OSError as error:
            if not self._missed:
                self._missed = True
                _LOG.warning("slot: the manifest cannot be read (yet): %s", error)
            return
        self._missed = False
        if state == self._seen:
            return
        self._seen = state
        if failure is not None:
            self._refuse(failure)
        elif manifest is not None:
            try:
                self._act(manifest, self._stopped)
            except OffermatchError as error:
                _LOG.debug("slot: the candidate was refused: %s", error)

    def _state(self) -> tuple[object, Manifest | None, OffermatchError | None]:
        """Return what tells this state of the files from others, and the manifest or why there is none."""
        place = Manifest.file(self._path)
        # Read once: what is judged is what is remembered, even where it is being written right now.
        try:
            content = read_bounded(place)
        except TooLongError as error:
            refused = MatcherError("manifest-malformed", str(error), "a manifest is one small object", str(place))
            return error.size, None, refused
        try:
            manifest = Manifest.of_bytes(content, place)
        except OffermatchError as error:
            return content, None, error
        if isinstance(manifest.path, str):
            # In a registry: the digest says which one, and another one needs another manifest.
            return content, manifest, None
        try:
            found = manifest.path.stat()
        except OSError:
            return (content, None), manifest, None
        return (content, found.st_mtime_ns, found.st_size, found.st_ino), manifest, None

    def _follow(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the next look may fare better
                _LOG.exception("slot: the watched manifest could not be acted on")
            if self._stopped.wait(self._seconds):
                return
