"""Container engines, Docker and Podman, as a cluster: one offer an engine, one container a launch.

The engine itself starts a key at most once, since the key is the container's name: whoever creates it first may start it.
What must outlast this process is kept by the engine, too, as empty volumes with labels:

    container  offermatch-KEY             a launch; started only where it was never started and is not cancelled
    volume     offermatch-cancelled-KEY   the key is cancelled, also where its launch has not come yet
    volume     offermatch-settled-KEY     the store has the key's end: container and volumes go once they are old enough
    volume     offermatch-horizon-TIME    launches that were sent no later are refused, see ``settled``
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

from offermatch.errors import ClusterError, InputError
from offermatch.extras import require
from offermatch.model import Offer
from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch, Launched, Report
from offermatch.scheduler.cluster.adapters import Access
from offermatch.scheduler.cluster.container.engine import WAITING, Connection, Engine, name_of
from offermatch.scheduler.cluster.servers import Server, malformed
from offermatch.visible import visible

__all__ = ["ContainerCluster", "connect"]

_T = TypeVar("_T")


class ContainerCluster(Cluster):
    """Docker and Podman engines, reached over their API."""

    name = "containers"

    def __init__(
        self,
        engines: Sequence[Engine],
        *,
        concurrency: int = 16,
        timeout_seconds: float = 30.0,
    ) -> None:
        """Name the engines; nothing is asked yet.

        Args:
            engines: Of two with one name, the first in this list is believed.
            concurrency: How many requests are under way at most.
            timeout_seconds: How long one request may take, but for pulling an image.

        Raises:
            ClusterError: ``extra-missing``.
            InputError: ``setting-malformed``.
        """
        require("containers", "docker", kind=ClusterError)
        if not engines or len({engine.address for engine in engines}) < len(engines):
            message = f"{len(engines)} engines"
            raise InputError("setting-malformed", message, "name one engine at least, each once", "cluster")
        self._docker = import_module("docker")
        self._engines = [Connection(engine, self._docker, timeout_seconds) for engine in engines]
        self._pool = ThreadPoolExecutor(concurrency, "containers")
        self._lock = threading.Lock()
        self._owners: dict[str, Connection] = {}
        self._closed = False

    @property
    def problems(self) -> Mapping[str, str]:
        """What is wrong with which engine, by its address, as of the last call that asked it."""
        return {engine.address: engine.problem for engine in self._engines if engine.problem}

    def offers(self) -> Sequence[Offer]:
        """Return what each engine has, less what its containers were given.

        Raises:
            ClusterError: ``cluster-unreachable`` where no engine answers.
        """
        self._check_open()
        found = self._each(self._engines, lambda engine: engine.asked(engine.server))
        if all(isinstance(one, ClusterError) for one in found):
            reasons = "; ".join(map(str, found[:3]))
            message = f"none of {len(found)} engines answers: {reasons}"
            raise ClusterError(
                "cluster-unreachable", message, "start Docker or 'podman system service', or check the address"
            )
        owners: dict[str, Connection] = {}
        offers = []
        for engine, server in zip(self._engines, found, strict=True):
            if isinstance(server, ClusterError):
                continue
            if owners.setdefault(server.name, engine) is not engine:
                engine.problem = f"it is called {server.name!r}, as {owners[server.name].address} is; give it another name"
                continue
            offers.append(server.offer())
        self._owners = owners
        return offers

    def fetch(self, inputs: Sequence[str], *, concurrency: int) -> Sequence[Fetched]:
        """Return each name as it is: an engine has no store of inputs, so a name is a path or an address."""
        del concurrency
        self._check_open()
        return [Fetched(name, name) for name in inputs]

    def launch(self, launches: Sequence[Launch]) -> Sequence[Launched]:
        """Create and start one container a launch."""
        self._check_open()
        if any(launch.offer not in self._owners for launch in launches):
            with suppress(ClusterError):
                self.offers()
        # Calls take turns, so that two never count the same room.
        with self._lock:
            once = {launch.key: launch for launch in reversed(launches)}
            by_engine: dict[Connection, list[Launch]] = {}
            answers: dict[str, Launched] = {}
            known = self._known(list(once))
            for key, launch in once.items():
                engine = known.get(key) or self._owners.get(launch.offer)
                if engine is None:
                    answers[key] = Launched(key, "offer-gone", f"no engine is called {launch.offer!r}")
                else:
                    by_engine.setdefault(engine, []).append(launch)
            for found in self._each(list(by_engine.items()), lambda pair: self._launch(*pair)):
                answers.update((one.key, one) for one in found)
        return [answers[launch.key] for launch in launches]

    def reports(self, keys: Sequence[str]) -> Sequence[Report]:
        """Return what the engines say; a key that may be on an engine that does not answer is taken to run."""
        self._check_open()
        found: dict[str, Report] = {}
        silent = False
        for reports in self._each(self._engines, lambda engine: engine.asked(lambda: engine.reports(set(keys)))):
            if isinstance(reports, ClusterError):
                silent = True
                continue
            for report in reports:
                # A key that was cancelled everywhere before it came may have come to one engine.
                if report.key not in found or found[report.key].outcome == "failed":
                    found[report.key] = report
        untold = {key for engine in self._engines for key in engine.untold}
        for key in keys:
            if key in untold or (silent and key not in found):
                found[key] = Report(key, "running")
        return [found.get(key) or Report(key, "unknown") for key in keys]

    def cancel(self, keys: Sequence[str]) -> None:
        """Kill what runs, and let every engine remember that these keys start no more."""
        self._check_open()

        def told(engine: Connection) -> None:
            if isinstance(engine.asked(lambda: engine.cancel(keys, "it was cancelled")), ClusterError):
                engine.untold.update(keys)
            else:
                engine.untold.difference_update(keys)

        self._each(self._engines, told)

    def forget(self, keys: Sequence[str]) -> None:
        """Remove containers and marks of these keys once they are old enough."""
        self._check_open()
        self._each(self._engines, lambda engine: engine.asked(lambda: engine.settle(set(keys))))

    def logs(self, key: str) -> bytes:
        """Return the last 64 KiB that a launch has written to standard output and error.

        Raises:
            ClusterError: ``cluster-unreachable``, or ``task-unknown`` where no engine has the launch.
        """
        self._check_open()
        engine = self._known([key]).get(key)
        found = engine.asked(lambda: engine.output(key)) if engine else b""
        if engine is None or isinstance(found, ClusterError):
            raise ClusterError("server-unknown", f"no engine has a container of {key!r}", "it may be removed already", key)
        return found

    def close(self) -> None:
        """Let go of connections; what runs goes on."""
        if not self._closed:
            self._closed = True
            self._pool.shutdown()
            for engine in self._engines:
                engine.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ClusterError("cluster-closed", "this cluster was closed", "make another")

    def _each(self, values: Sequence[Any], call: Callable[[Any], _T]) -> list[_T]:
        return list(self._pool.map(call, values))

    def _known(self, keys: Sequence[str]) -> dict[str, Connection]:
        """Return the engine that has a container of each key, where one has."""
        found = self._each(self._engines, lambda engine: engine.asked(engine.containers))
        names = {name_of(key): key for key in keys}
        return {
            names[name]: engine
            for engine, there in zip(self._engines, found, strict=True)
            if not isinstance(there, ClusterError)
            for name in names.keys() & there.keys()
        }

    def _launch(self, engine: Connection, launches: Sequence[Launch]) -> list[Launched]:
        server = engine.asked(engine.server)
        if isinstance(server, ClusterError):
            return [Launched(launch.key, "unreachable", str(server)) for launch in launches]
        answers = []
        for launch in launches:
            answer = engine.asked(lambda launch=launch: self._start(engine, server, launch))  # type: ignore[misc]
            answers.append(Launched(launch.key, "unreachable", str(answer)) if isinstance(answer, ClusterError) else answer)
        return answers

    def _start(self, engine: Connection, server: Server, launch: Launch) -> Launched:
        there = engine.containers().get(name_of(launch.key))
        if there is None:
            if engine.is_cancelled(launch.key) or engine.is_settled(launch.key):
                return Launched(launch.key)
            if reason := engine.settled.late(launch):
                return Launched(launch.key, "launch-late", reason)
            if reason := malformed(launch):
                return Launched(launch.key, "payload-refused", reason)
            try:
                image = engine.image_of(launch)
            except InputError as error:
                return Launched(launch.key, "payload-refused", str(error))
            if reason := server.shortage(launch):
                return Launched(launch.key, "offer-full", reason)
            taken = server.take(launch)
            if refusal := engine.create(launch, image, taken):
                server.give_back(taken)
                return refusal
        elif there["State"] not in WAITING:
            return Launched(launch.key)
        # Whoever cancels marks first and looks for the container then, so that one of the two sees the other.
        if engine.is_cancelled(launch.key):
            engine.remove(launch.key)
            return Launched(launch.key)
        if reason := engine.start(launch.key):
            engine.remove(launch.key)
            return Launched(launch.key, "payload-refused", reason)
        return Launched(launch.key)


def connect(text: str, access: Access) -> ContainerCluster:
    """Return the cluster of ``docker:ENGINE,docker:ENGINE,...``, or the same with ``podman:``."""
    access.unused(text)
    kind, _, address = text.partition(":")
    if not address:
        raise InputError(
            "setting-malformed",
            f"{visible(repr(text))} has no address",
            "use docker:ENGINE,... or podman:ENGINE,...",
            "cluster",
        )
    return ContainerCluster([Engine.of(one.removeprefix(f"{kind}:")) for one in text.split(",") if one])
