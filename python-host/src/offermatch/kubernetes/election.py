"""Which of several schedulers leads: the one whose name stands in a lease that it renews."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from datetime import datetime, timezone

from offermatch.errors import ClusterError
from offermatch.kubernetes.api import Api, Object, RefusedError, path_of
from offermatch.visible import visible

__all__ = ["Election"]

_LOG = logging.getLogger(__name__)


class Election:
    """One candidate. The server's rule of versions lets only one of several writers of a lease through.

    Whether somebody else's lease has run out is judged by how long it has not changed, on our own clock: clocks of different
    machines are not compared. Who leads stops to lead before its lease can run out for others.

    Attributes:
        identity: The name that stands in the lease.
    """

    def __init__(
        self, api: Api, namespace: str, name: str, *, lease_seconds: float = 15.0, renew_seconds: float = 10.0
    ) -> None:
        """Take part in the election of a name; nothing is asked before ``start``.

        Args:
            api: The server.
            namespace: Where the lease is.
            name: Its name.
            lease_seconds: After so long without a change, others take a lease over.
            renew_seconds: After so long without a renewal, this one leads no more; less than ``lease_seconds``.
        """
        self.identity = f"{socket.gethostname()}_{os.getpid()}_{secrets.token_hex(4)}"
        self._api, self._namespace, self._name = api, namespace, name
        self._path = path_of("Lease", namespace, name)
        self._lease_seconds, self._renew_seconds = lease_seconds, renew_seconds
        self._until = 0.0
        self._seen: tuple[str, float] = ("", 0.0)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="election", daemon=True)

    @property
    def leads(self) -> bool:
        """Whether this candidate leads now."""
        return time.monotonic() < self._until

    def start(self) -> None:
        """Begin to stand."""
        self._thread.start()

    def stop(self) -> None:
        """Lead no more, and let another take over at once."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        led, self._until = self._until > 0, 0.0
        if led:
            with suppress(ClusterError):
                lease = self._api.get(self._path)
                if lease["spec"].get("holderIdentity") == self.identity:
                    lease["spec"].update(holderIdentity="", leaseDurationSeconds=1, renewTime=_now())
                    self._api.replace(self._path, lease)

    def _run(self) -> None:
        while not self._stopped.is_set():
            led = self.leads
            begin = time.monotonic()
            try:
                if self._try():
                    self._until = begin + self._renew_seconds
                    if not led:
                        _LOG.info("%s leads", self.identity)
                else:
                    self._until = 0.0
            except ClusterError as error:
                _LOG.info("the lease cannot be had now: %s", visible(str(error)))
            if led and not self.leads:
                _LOG.warning("%s leads no more", self.identity)
            self._stopped.wait(self._renew_seconds / 5)

    def _try(self) -> bool:
        """Take or renew the lease; return whether it is ours."""
        lease = self._api.found(self._path)
        ours: Object = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, round(self._lease_seconds)),
            "renewTime": _now(),
        }
        try:
            if lease is None:
                spec = {**ours, "acquireTime": _now(), "leaseTransitions": 0}
                made = {
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": {"name": self._name},
                    "spec": spec,
                }
                self._api.create(path_of("Lease", self._namespace), made)
                return True
            spec, version = lease.get("spec") or {}, lease["metadata"]["resourceVersion"]
            if version != self._seen[0]:
                self._seen = (version, time.monotonic())
            holder = spec.get("holderIdentity")
            if holder not in ("", None, self.identity):
                lasts = float(spec.get("leaseDurationSeconds") or self._lease_seconds)
                if time.monotonic() < self._seen[1] + lasts:
                    return False
            if holder != self.identity:
                ours |= {"acquireTime": _now(), "leaseTransitions": int(spec.get("leaseTransitions") or 0) + 1}
            self._api.replace(self._path, {**lease, "spec": {**spec, **ours}})
        except RefusedError as error:
            if error.status != 409:
                raise
            # Another candidate was quicker.
            return False
        return True


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
