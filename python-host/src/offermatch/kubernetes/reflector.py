"""What there is of one kind, as of now: listed once, then watched.

list ──> version ──> watch from it ──> added, modified, deleted, bookmark ──> broken off: watch on from the last version
   ^                                                                     └──> 410, the version is forgotten: list again
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from offermatch.errors import ClusterError
from offermatch.kubernetes.api import Api, Object, RefusedError, Stream, decoded
from offermatch.visible import visible

__all__ = ["Reflector", "Span", "name_of"]

Span = Callable[[str], AbstractContextManager[object]]

_LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 240
_LONGEST_PAUSE = 10.0
_SHORT_SECONDS = 0.5


class Reflector:
    """The objects of one kind, kept up to date by a thread.

    Attributes:
        items: The objects by namespace and name; to be read with ``lock`` held.
        lock: Held while they change, and while ``changed`` is called.
        lists: How often they were listed.
        problem: Why they may be out of date; empty where they are not.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        changed: Callable[[Object | None, Object | None], None] | None = None,
        *,
        watch_seconds: int = _WATCH_SECONDS,
        label_selector: str | None = None,
        field_selector: str | None = None,
        span: Span = nullcontext,
    ) -> None:
        """Take what is to be watched; nothing is asked before ``start``.

        Args:
            api: The server.
            path: The path of the list.
            changed: Hears of each change: the object as it was and as it is, None where there is none.
            watch_seconds: After so long the server ends a watch, and it is begun anew.
            label_selector: Only objects with these labels.
            field_selector: Only objects with these values of fields.
            span: Gives what is entered while a thread lists, reads or watches, for who measures it.
        """
        self.items: dict[str, Object] = {}
        self.lock = threading.RLock()
        self.lists = 0
        self.problem = ""
        self._api, self._path, self._changed, self._span = api, path, changed, span
        self._watch_seconds = watch_seconds
        self._selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
        self._version = ""
        self._failures = 0
        self._known = threading.Event()
        self._stopped = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name=f"reflector {path}", daemon=True)

    def start(self) -> None:
        """Begin, once."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch and its thread."""
        self._stopped.set()
        stream = self._stream
        if stream is not None:
            stream.end()
        if self._thread.is_alive():
            self._thread.join()

    def check(self, patience: float) -> None:
        """Wait until the objects are known.

        Raises:
            ClusterError: ``cluster-unreachable`` where they are not after so many seconds, or where the watch cannot go on.
        """
        deadline = time.monotonic() + patience
        while not self._known.wait(0.02):
            if self.problem or time.monotonic() > deadline:
                break
        if self.problem or not self._known.is_set():
            message = self.problem or f"the list did not come within {patience:g} s"
            raise ClusterError("cluster-unreachable", message, "see that the API server runs", self._path)

    def put(self, item: Object) -> None:
        """Take an object as a request has answered or changed it, unless a later one is known."""
        with self.lock:
            known = self.items.get(name_of(item))
            # What is older than the watch and not there any more was deleted meanwhile.
            if (not _reached(self._version, item)) if known is None else not _is_newer(known, item):
                self._accept(known, item)

    def drop(self, item: Object) -> None:
        """Take it that an object is gone."""
        with self.lock:
            self._remove(name_of(item))

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                if not self._version:
                    self._list()
                self._watch()
            except ClusterError as error:
                if self._stopped.is_set():
                    return
                self._failures += 1
                was_listed = bool(self._version)
                is_forgotten = isinstance(error, RefusedError) and error.status == 410
                if is_forgotten:
                    self._version = ""
                # A watch that breaks off goes on from where it was, and what is forgotten is listed again: unless that
                # goes on, it is nothing to speak of.
                if was_listed and is_forgotten and self._failures <= 2:
                    continue
                if self._failures > 1 or not was_listed:
                    self.problem = visible(str(error))
                _LOG.info("%s: %s", self._path, visible(str(error)))
                self._stopped.wait(min(_LONGEST_PAUSE, 0.05 * 2 ** min(self._failures, 10)))
            except Exception as error:  # noqa: BLE001 - who reads would wait for ever
                # A server that says what none says, or a bug.
                _LOG.exception("%s: what was told cannot be read, and is listed anew", self._path)
                self.problem = visible(f"what the server told cannot be read: {type(error).__name__}: {error}")
                self._version = ""
                self._stopped.wait(1.0)

    def _list(self) -> None:
        reads: list[Future[None]] = []
        # A page is read while the server writes the next one.
        with ThreadPoolExecutor(1, "read") as reader, self._span("list"):
            items, version = self._api.pages(
                self._path, lambda page: reads.append(reader.submit(self._read, page)), **self._selectors
            )
        for one in reads:
            one.result()
        if not version:
            hint = "see that an API server listens there"
            raise ClusterError("cluster-unreachable", "the list does not say of which version it is", hint, self._path)
        with self.lock:
            self.lists += 1
            for name in self.items.keys() - {name_of(item) for item in items}:
                self._remove(name)
        self._version, self.problem = version, ""
        self._known.set()

    def _read(self, page: Sequence[Object]) -> None:
        with self._span("read"), self.lock:
            for item in page:
                self._set(item)

    def _watch(self) -> None:
        query: dict[str, Any] = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": self._watch_seconds}
        query |= {"resourceVersion": self._version, **self._selectors}
        # A server that is silent for longer than it said that the watch lasts is gone.
        stream = self._stream = self._api.stream(self._path, self._watch_seconds + 30, **query)
        began, told = time.monotonic(), False
        try:
            self.problem = ""
            # Whoever stops this looks for the stream after that, so that one of the two sees the other.
            if self._stopped.is_set():
                return
            for line in stream.lines():
                if self._stopped.is_set():
                    return
                with self._span("watch"):
                    self._take(line)
                self._failures, told = 0, True
        finally:
            stream.close()
        if not told and time.monotonic() < began + _SHORT_SECONDS:
            hint = "see what is between here and the server"
            raise ClusterError("cluster-unreachable", "the watch ended as it began", hint, self._path)
        self._failures = 0

    def _take(self, line: bytes) -> None:
        try:
            event = decoded(line)
            kind, item = event["type"], event["object"]
            if kind == "ERROR":
                raise RefusedError(
                    int(item.get("code", 500)), str(item.get("reason", "")), str(item.get("message", "")), self._path
                )
            version = item["metadata"]["resourceVersion"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ClusterError(
                "cluster-unreachable", visible(f"an event cannot be read: {line[:200]!r}"), "", self._path
            ) from error
        if kind != "BOOKMARK":
            with self.lock:
                if kind == "DELETED":
                    known = self.items.get(name_of(item))
                    if known is not None and known["metadata"].get("uid") == item["metadata"].get("uid"):
                        self._remove(name_of(item))
                else:
                    self._set(item)
        self._version = version

    def _set(self, item: Object) -> None:
        known = self.items.get(name_of(item))
        if known is None or _is_newer(item, known):
            self._accept(known, item)

    def _accept(self, known: Object | None, item: Object) -> None:
        # Who wrote which field is half of an object, and nothing here asks for it.
        item["metadata"].pop("managedFields", None)
        self.items[name_of(item)] = item
        if self._changed is not None:
            self._changed(known, item)

    def _remove(self, name: str) -> None:
        known = self.items.pop(name, None)
        if known is not None and self._changed is not None:
            self._changed(known, None)


def name_of(item: Object) -> str:
    """Return the namespace and name of an object; the name alone where it has no namespace."""
    metadata = item["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def _reached(version: str, item: Object) -> bool:
    try:
        return int(item["metadata"]["resourceVersion"]) <= int(version)
    except (KeyError, ValueError):
        return False


def _is_newer(item: Object, other: Object) -> bool:
    """Return whether an object is not the other as it was or is; versions are numbers that grow, as Kubernetes has it."""
    ours, theirs = item["metadata"], other["metadata"]
    if ours.get("uid") != theirs.get("uid"):
        return True
    try:
        return int(ours["resourceVersion"]) > int(theirs["resourceVersion"])
    except (KeyError, ValueError):
        return True
