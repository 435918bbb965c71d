"""A Dask cluster: every worker is a server, and a launch is a Dask task that runs on the worker chosen and nowhere else.

What is free, which keys are known and how each ended is kept by a plugin in the Dask scheduler (``ledger``), so it
outlives the process that launches. Workers and the Dask scheduler need this package installed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module
from threading import Lock
from typing import Any

from offermatch.errors import ClusterError, InputError
from offermatch.extras import require
from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Report
from offermatch.scheduler.cluster.adapters import Access
from offermatch.scheduler.cluster.payload import Command, function_of
from offermatch.scheduler.cluster.servers import offers_of
from offermatch.tables.offers import OfferColumns
from offermatch.visible import visible

__all__ = ["DaskCluster", "connect"]

_LOG = logging.getLogger(__name__)


class DaskCluster(Cluster):
    """The workers of a Dask scheduler.

    Attributes:
        problems: Why which worker, by its address, makes no offer, as of the last call of ``offers``.

    A worker offers its threads as ``cpu`` (1000 each), its memory limit as ``memory``, ``GPU`` resources as whole devices
    and every other resource that it declares under its own name, those called ``measure.NAME`` as measures; its attribute
    is ``host``. A payload is a command, as for
    an agent, or ``{"function": "module:function", "arguments": {...}}``; docs/clusters.md describes both.
    """

    name = "dask"

    def __init__(self, scheduler: Any, *, timeout_seconds: float = 30.0) -> None:
        """Connect to a Dask scheduler.

        Args:
            scheduler: Its address, or a ``distributed.Client``, which is not closed with this cluster.
            timeout_seconds: How long connecting may take.

        Raises:
            ClusterError: ``extra-missing`` or ``cluster-unreachable``.
        """
        require("dask", "distributed", kind=ClusterError)
        distributed = import_module("distributed")
        self._ledger = import_module("offermatch.scheduler.cluster.dask.ledger")
        self._work = import_module("offermatch.scheduler.cluster.dask.work")
        self._owned = isinstance(scheduler, str)
        self._lock = Lock()
        self._closed = False
        self.problems: dict[str, str] = {}
        try:
            self._client = (
                distributed.Client(scheduler, timeout=timeout_seconds, set_as_default=False) if self._owned else scheduler
            )
            self._client.register_plugin(self._ledger.Ledger())
        except Exception as error:
            raise _unreachable(error, str(scheduler)) from error

    def offers(self) -> OfferColumns:
        """Return what our own launches leave free on every worker."""
        servers = self._ask("servers")
        odd: dict[str, str] = self._ask("odd")
        for worker, wrong in odd.items():
            if self.problems.get(worker) != wrong:
                _LOG.warning("worker %s is left out: %s", worker, visible(wrong))
        self.problems = odd
        return offers_of(servers)

    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return each name as it is: Dask has no store of inputs, so a name is a path or an address that workers know."""
        del concurrency
        self._check_open()
        return [Fetched(name, name) for name in inputs]

    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Send tasks to the workers chosen, after the scheduler has written down that it has room for them."""
        self._check_open()
        wrong = {launch.key: reason for launch in launches if (reason := _unusable(launch))}
        good = [launch for launch in launches if launch.key not in wrong]
        with self._lock:
            taken = self._ask("take", good, self._client.id)
            for launch, (_, address) in zip(good, taken, strict=True):
                if address and (reason := self._send(launch, address)):
                    self._ask("give_up", launch.key)
                    wrong[launch.key] = reason
        answers = {launched.key: launched for launched, _ in taken}
        return [
            Launched(launch.key, "payload-refused", wrong[launch.key]) if launch.key in wrong else answers[launch.key]
            for launch in launches
        ]

    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return what the scheduler has written down."""
        found: list[Report] = self._ask("reports", list(keys))
        return found

    def cancel(self, keys: Sequence[str]) -> None:
        """End these launches: what has not begun does not begin, commands are killed, functions go on to their end."""
        begun: dict[str, list[str]] = self._ask("cancel", list(keys))
        for worker, there in begun.items():
            try:
                self._client.run(self._work.end_runs, there, workers=[worker], on_error="ignore")
            except Exception as error:
                raise _unreachable(error, worker) from error

    def forget(self, keys: Sequence[str]) -> None:
        """Let the Dask scheduler forget these keys once they are old enough."""
        self._ask("forget", list(keys))

    def close(self) -> None:
        """Let go of the connection, where it is our own."""
        if not self._closed:
            self._closed = True
            if self._owned:
                self._client.close()

    def _send(self, launch: Launch, address: str) -> str:
        """Send a launch to its worker; returns why it cannot be sent."""
        try:
            # The future is not kept: it is the ledger that wants the task.
            self._client.submit(
                self._work.run_launch,
                launch,
                key=launch.key,
                workers=[address],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
        except Exception as error:  # noqa: BLE001 - whatever Dask makes of one launch, the others are sent
            return f"it cannot be sent: {type(error).__name__}: {error}"
        return ""

    def _ask(self, method: str, *args: Any) -> Any:
        self._check_open()
        try:
            return self._client.run_on_scheduler(self._ledger.ledger_call, method, *args)
        except self._ledger.ForgottenError as error:
            hint = "see that the workers of the old one have ended, and start again; what ran is then launched anew"
            raise ClusterError("cluster-forgot", str(error), hint, "the Dask scheduler") from error
        except Exception as error:
            raise _unreachable(error, "the Dask scheduler") from error

    def _check_open(self) -> None:
        if self._closed:
            raise ClusterError("cluster-closed", "this cluster was closed", "open another one; what was launched goes on")


def _unusable(launch: Launch) -> str:
    """Return why a launch cannot be sent or its payload cannot be run; empty where both can."""
    try:
        # Dask sends later, on another thread, and would break the connection over it.
        launch.key.encode()
    except UnicodeEncodeError as error:
        return f"the key {launch.key!r} is no text that can be sent: {error.reason}"
    try:
        if "function" in launch.payload:
            function_of(launch.payload)
        else:
            Command.of(launch.payload)
    except InputError as error:
        return error.message
    return ""


def _unreachable(error: Exception, place: str) -> ClusterError:
    hint = "check the address, and that offermatch is installed where Dask's scheduler and workers run"
    return ClusterError("cluster-unreachable", f"{type(error).__name__}: {error}", hint, place)


def connect(text: str, access: Access) -> DaskCluster:
    """Return the cluster of ``dask:ADDRESS``."""
    access.unused(text)
    address = text.partition(":")[2]
    if not address:
        raise InputError(
            "setting-malformed",
            f"{visible(repr(text))} has no address",
            "use dask:ADDRESS, such as dask:tcp://scheduler:8786",
            "cluster",
        )
    return DaskCluster(address)
