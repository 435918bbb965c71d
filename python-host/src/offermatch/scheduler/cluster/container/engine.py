"""One container engine: its containers, and the marks that outlast this process."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from offermatch.errors import ClusterError, InputError
from offermatch.model import Offer
from offermatch.scheduler.cluster.abc import Launch, Launched, Report
from offermatch.scheduler.cluster.container.image import Image
from offermatch.scheduler.cluster.servers import Server, Taken, servers_of
from offermatch.scheduler.cluster.settled import Settled
from offermatch.visible import visible

__all__ = ["WAITING", "Connection", "Engine", "name_of"]

_T = TypeVar("_T")

_PREFIX = "offermatch-"
_KEY, _LAUNCH, _MARK = "offermatch.key", "offermatch.launch", "offermatch.mark"
_OUTPUT_BYTES = 64 * 1024
_LOG_SIZE = "16m"
WAITING = ("created", "configured", "initialized")
"""What engines call a container that has not been started."""


@dataclass(frozen=True)
class Engine:
    """One container engine.

    Attributes:
        address: ``unix:///run/docker.sock``, ``tcp://node-1:2376``.
        name: The name of its offer; what the engine calls its machine, unless given.
        available: What there is to hand out by resource dimension, as in an offer; the engine's own processors and memory,
            unless given.
        devices: How many devices it has, which no engine says.
        attributes: Named properties of the offer.
        measures: Numbers of the offer that are compared and not used up.
        image: The image of payloads that name none.
        folders: The folders of the machine below which payloads may mount something; none unless given.
        device_driver: The driver that makes a device visible in a container by its number; None to set nothing but the
            variables ``OFFERMATCH_DEVICES`` and ``CUDA_VISIBLE_DEVICES``.
        tls: A folder with ``ca.pem``, ``cert.pem`` and ``key.pem``; None for a socket, or a network that is trusted.
    """

    address: str
    name: str | None = None
    available: Mapping[str, int | str] | None = None
    devices: int = 0
    attributes: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, float] = field(default_factory=dict)
    image: str | None = None
    folders: Sequence[str] = ()
    device_driver: str | None = "nvidia"
    tls: str | None = None

    @classmethod
    def of(cls, text: str) -> Engine:
        """Return the engine that a text names: its address, and after a ``?`` what is not the engine's own.

        Args:
            text: Such as ``tcp://node-1:2376?name=node-1&tls=/etc/offermatch/tls&devices=4&memory=60GiB``. ``name``,
                ``image``, ``devices``, ``device_driver`` (``none`` for none), ``tls`` and ``folder`` (several times, if
                need be) are the attributes; every other name is a resource dimension.

        Raises:
            InputError: ``setting-malformed`` or that of a quantity.
        """
        address, _, query = text.partition("?")
        scheme = address.partition("://")[0]
        if scheme not in ("unix", "tcp", "http+unix", "https", "http", "ssh"):
            hint = "an engine is unix:///run/docker.sock or tcp://HOST:PORT"
            raise InputError("setting-malformed", f"{address!r} is no engine", hint, "cluster")
        settings: dict[str, Any] = {}
        available: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name == "folder":
                settings["folders"] = (*settings.get("folders", ()), value)
            elif name == "devices":
                if not value.isdecimal():
                    raise InputError("setting-malformed", f"{value!r} devices cannot be", "give a whole number", "cluster")
                settings[name] = int(value)
            elif name == "device_driver":
                settings[name] = None if value == "none" else value
            elif name in ("name", "image", "tls"):
                settings[name] = value
            else:
                available[name] = value
        servers_of([Offer("cluster", available)])
        return cls(address, available=available or None, **settings)


class Connection:
    """One engine, and what is known of it.

    Attributes:
        address: Where it listens.
        problem: What is wrong with it, as of the last call; empty where nothing is.
        settled: What is waiting to be removed.
        untold: Keys that are to be cancelled and that it has not heard of.
    """

    def __init__(self, engine: Engine, docker: Any, timeout_seconds: float) -> None:
        self.address = engine.address
        self.problem = ""
        self.settled = Settled()
        self.untold: set[str] = set()
        self._engine, self._docker, self._timeout = engine, docker, timeout_seconds
        self._made: Any = None
        self._others: dict[str, dict[str, int]] = {}
        self._ends: dict[str, Report] = {}
        self._lock = threading.Lock()

    def asked(self, call: Callable[[], _T]) -> _T | ClusterError:
        """Return what a call gives, or why the engine does not answer, which is its problem then."""
        errors = import_module("requests.exceptions")
        try:
            answer = call()
        except (self._docker.errors.DockerException, errors.RequestException, OSError) as error:
            reason, hint = visible(str(error)), "see that the engine runs"
        except (InputError, ValueError, LookupError, TypeError, AttributeError) as error:
            # What answers as no engine does must not hide the others.
            reason, hint = visible(f"its answer cannot be used: {error}"), "see that a Docker or Podman engine listens there"
        else:
            self.problem = ""
            return answer
        self.problem = visible(f"{self.address}: {reason}")
        return ClusterError("cluster-unreachable", reason, hint, self.address)

    def close(self) -> None:
        """Let go of the connection."""
        if self._made is not None:
            self._made.close()

    def server(self) -> Server:
        """Return what the engine has, less what its containers were given."""
        client = self._client()
        known = client.info()
        available = self._engine.available
        if available is None:
            available = {"cpu": f"{known['NCPU']} cores", "memory": int(known["MemTotal"])}
        name = self._engine.name or str(known["Name"])
        engine = self._engine
        offer = Offer(
            name, available, attributes=engine.attributes, devices=engine.devices, measures=engine.measures or None
        )
        server = servers_of([offer])[0]
        running = [one for one in client.containers(all=True) if one["State"] not in ("exited", "dead", "stopped")]
        for container in running:
            labels = container.get("Labels") or {}
            if _LAUNCH in labels:
                _take(server, json.loads(labels[_LAUNCH]))
            elif container["State"] == "running":
                for dimension, used in self._used_by_other(container["Id"]).items():
                    server.free[dimension] = server.free.get(dimension, 0) - used
        self._others = {one["Id"]: self._others[one["Id"]] for one in running if one["Id"] in self._others}
        return server

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return the containers of launches by their names."""
        found = self._client().containers(all=True, filters={"label": [_KEY]})
        return {name.lstrip("/"): one for one in found for name in one["Names"]}

    def image_of(self, launch: Launch) -> Image:
        """Return what a launch asks to run.

        Raises:
            InputError: ``payload-malformed``.
        """
        return Image.of(launch.payload, self._engine.image, self._engine.folders)

    def create(self, launch: Launch, image: Image, taken: Taken) -> Launched | None:
        """Create the container of a launch, unless it is there; return the refusal where that cannot be."""
        not_found = self._docker.errors.NotFound
        try:
            if image.pull == "always":
                self._pull(image.name)
            try:
                self._create(launch, image, taken)
            except not_found:
                if image.pull == "never":
                    raise
                self._pull(image.name)
                self._create(launch, image, taken)
        except self._docker.errors.APIError as error:
            # A name that is taken is 409 with Docker and 500 with Podman 4, so the engine is asked instead.
            with suppress(not_found):
                labels = self._client().inspect_container(name_of(launch.key))["Config"].get("Labels") or {}
                if labels.get(_KEY) == launch.key:
                    return None
                reason = f"a container of somebody else is called {name_of(launch.key)}"
                return Launched(launch.key, "offer-full", reason)
            if error.is_server_error() and "no such image" not in str(error).lower():
                raise
            return Launched(launch.key, "payload-refused", visible(f"image {image.name}: {error.explanation or error}"))
        return None

    def start(self, key: str) -> str:
        """Start a container that was created; return why it cannot be."""
        try:
            self._client().start(name_of(key))
        except self._docker.errors.NotFound:
            return ""  # It was cancelled in between.
        except self._docker.errors.APIError as error:
            state = self._state(key)
            if state is None or state["Status"] not in WAITING:
                return ""
            return visible(f"it cannot be started: {error.explanation or error}")
        return ""

    def reports(self, keys: set[str]) -> list[Report]:
        """Return where these keys stand, those that this engine knows."""
        cancelled = {volume[_KEY]: volume for volume in self._marks("cancelled")}
        there = self.containers()
        found = []
        for key in keys:
            container = there.get(name_of(key))
            if container is not None and container["State"] not in WAITING:
                found.append(self._report(key, container, cancelled.get(key)))
            elif key in cancelled:
                found.append(
                    Report(key, "failed", cancelled[key]["offermatch.reason"], float(cancelled[key]["offermatch.at"]))
                )
        return found

    def cancel(self, keys: Iterable[str], reason: str) -> None:
        """Let keys start no more, and kill those that run."""
        for key in keys:
            state = self._state(key)
            if state is not None and state["Status"] not in WAITING and not state["Running"]:
                continue
            self._mark("cancelled", key, {"offermatch.reason": reason})
            state = self._state(key)
            if state is not None and state["Running"]:
                with suppress(self._docker.errors.APIError):
                    self._client().kill(name_of(key))
            elif state is not None and state["Status"] in WAITING:
                self.remove(key)

    def settle(self, keys: set[str]) -> None:
        """Mark keys whose end the store has, and remove what is old enough."""
        there, cancelled = self.containers(), {volume[_KEY] for volume in self._marks("cancelled")}
        for key in keys:
            container = there.get(name_of(key))
            has_ended = container is not None and container["State"] not in (*WAITING, "running", "paused")
            if has_ended or (container is None and key in cancelled):
                sent_at = json.loads(container["Labels"][_LAUNCH])["sent_at"] if container else 0.0
                if sent_at > 0.0 and not self.is_settled(key):
                    self._mark("settled", key, {"offermatch.sent-at": repr(sent_at)})
                    self.settled.add(key, sent_at)
        horizon = self.settled.horizon
        due = self.settled.due(time.time())
        if self.settled.horizon > horizon:
            self._mark("horizon", repr(self.settled.horizon), {})
        for key in due:
            self.remove(key)
            for kind in ("cancelled", "settled"):
                self._unmark(kind, key)

    def is_cancelled(self, key: str) -> bool:
        """Return whether a key starts no more."""
        return self._has_mark("cancelled", key)

    def is_settled(self, key: str) -> bool:
        """Return whether the store has the end of a key."""
        return self._has_mark("settled", key)

    def remove(self, key: str) -> None:
        """Remove a container, if it is there."""
        with suppress(self._docker.errors.NotFound):
            self._client().remove_container(name_of(key), force=True, v=True)

    def output(self, key: str) -> bytes:
        """Return the last of what a container has written."""
        # Not by a number of lines: Podman 4.3 then loses the line break before a last line that has none.
        kept = b""
        for piece in self._client().logs(name_of(key), stream=True, follow=False):
            kept = (kept + piece)[-_OUTPUT_BYTES:]
        return kept

    def _client(self) -> Any:
        # The client leaves a socket open when it cannot connect.
        if self.address.startswith("unix://") and not Path(self.address.removeprefix("unix://")).is_socket():
            raise FileNotFoundError("no engine listens there")
        with self._lock:
            if self._made is None:
                tls = False
                if self._engine.tls is not None:
                    folder = self._engine.tls
                    pair = (f"{folder}/cert.pem", f"{folder}/key.pem")
                    tls = self._docker.tls.TLSConfig(client_cert=pair, ca_cert=f"{folder}/ca.pem", verify=True)
                made = self._docker.APIClient(self.address, version="auto", timeout=self._timeout, tls=tls)
                # What an earlier process has marked is still to be removed one day.
                for volume in _labels(made.volumes(filters={"label": [_MARK]})):
                    if volume[_MARK] == "settled":
                        self.settled.add(volume[_KEY], float(volume["offermatch.sent-at"]))
                    elif volume[_MARK] == "horizon":
                        self.settled.horizon = max(self.settled.horizon, float(volume[_KEY]))
                self._made = made
            return self._made

    def _create(self, launch: Launch, image: Image, taken: Taken) -> None:
        client, driver = self._client(), self._engine.device_driver
        numbers = [number for number, _ in taken.devices]
        devices = ",".join(map(str, numbers))
        visible = {"OFFERMATCH_DEVICES": devices, "CUDA_VISIBLE_DEVICES": devices} if numbers else {}
        limits: dict[str, Any] = {}
        if launch.demand.get("cpu"):
            # The kernel gives no less than 1 ms of each 100 ms.
            limits["nano_cpus"] = max(10, launch.demand["cpu"]) * 1_000_000
        if launch.demand.get("memory"):
            limits |= {"mem_limit": launch.demand["memory"], "memswap_limit": launch.demand["memory"]}
        if numbers and driver is not None:
            request = self._docker.types.DeviceRequest(
                driver=driver, device_ids=list(map(str, numbers)), capabilities=[["gpu"]]
            )
            limits["device_requests"] = [request]
        mounts = [
            self._docker.types.Mount(target, source, type="bind", read_only=read_only)
            for source, target, read_only in image.mounts
        ]
        settings = client.create_host_config(
            pids_limit=image.processes,
            network_mode=image.network,
            security_opt=["no-new-privileges"],
            mounts=mounts,
            log_config=self._docker.types.LogConfig(type="json-file", config={"max-size": _LOG_SIZE}),
            **limits,
        )
        held = {
            "task": launch.task,
            "sent_at": launch.sent_at,
            "demand": dict(launch.demand),
            "devices": [list(pair) for pair in taken.devices],
            "timeout_seconds": image.timeout_seconds,
        }
        client.create_container(
            image.name,
            None if image.command is None else list(image.command),
            name=name_of(launch.key),
            environment={**visible, **image.environment},
            labels={_KEY: launch.key, _LAUNCH: json.dumps(held)},
            host_config=settings,
        )

    def _pull(self, image: str) -> None:
        repository, separator, tag = image.rpartition(":")
        is_tagged = bool(separator) and "/" not in tag and "@" not in image
        for line in self._client().pull(*((repository, tag) if is_tagged else (image,)), stream=True, decode=True):
            if "error" in line:
                raise self._docker.errors.NotFound(visible(str(line["error"])))

    def _report(self, key: str, container: Mapping[str, Any], cancelled: Mapping[str, str] | None) -> Report:
        if container["Id"] in self._ends:
            return self._ends[container["Id"]]
        state = self._state(key)
        if state is None:
            return Report(key, "lost", "its container was removed")
        if state["Running"] or state["Status"] in ("running", "paused", "stopping", "removing"):
            timeout = json.loads(container["Labels"][_LAUNCH])["timeout_seconds"]
            if timeout is not None and cancelled is None and time.time() > _seconds(state["StartedAt"]) + timeout:
                self.cancel([key], f"it ran longer than its timeout of {timeout:g} s")
            return Report(key, "running")
        finished_at, status = _seconds(state["FinishedAt"]), int(state["ExitCode"])
        if status == 0:
            report = Report(key, "done", finished_at=finished_at)
        elif cancelled is not None:
            report = Report(key, "failed", cancelled["offermatch.reason"], finished_at)
        else:
            report = Report(key, "failed", self._why(key, state, status), finished_at)
        self._ends[container["Id"]] = report
        return report

    def _why(self, key: str, state: Mapping[str, Any], status: int) -> str:
        if state.get("OOMKilled"):
            return f"exit status {status}: it was killed because it used more memory than it asked for"
        lines = self.output(key).decode(errors="replace").splitlines()
        said = state.get("Error") or next((line for line in reversed(lines) if line.strip()), "")
        return visible(f"exit status {status}" + (f": {said}" if said else ""))

    def _state(self, key: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client().inspect_container(name_of(key))["State"]
        except self._docker.errors.NotFound:
            return None
        return found

    def _used_by_other(self, identity: str) -> dict[str, int]:
        """Return the limits of a container of somebody else, which is all that an engine says of its use in advance."""
        if identity not in self._others:
            try:
                settings = self._client().inspect_container(identity)["HostConfig"]
            except self._docker.errors.NotFound:
                return {}
            cpu = settings.get("NanoCpus", 0) // 1_000_000
            if not cpu and settings.get("CpuQuota", 0) > 0:
                cpu = 1000 * settings["CpuQuota"] // (settings.get("CpuPeriod") or 100_000)
            self._others[identity] = {"cpu": cpu, "memory": settings.get("Memory", 0)}
        return self._others[identity]

    def _marks(self, kind: str) -> list[dict[str, str]]:
        return _labels(self._client().volumes(filters={"label": [f"{_MARK}={kind}"]}))

    def _mark(self, kind: str, key: str, labels: Mapping[str, str]) -> None:
        # A volume that is there already keeps its labels: the first mark holds.
        labels = {_MARK: kind, _KEY: key, "offermatch.at": repr(time.time()), **labels}
        self._client().create_volume(name_of(key, f"{kind}-"), labels=labels)

    def _has_mark(self, kind: str, key: str) -> bool:
        with suppress(self._docker.errors.NotFound):
            self._client().inspect_volume(name_of(key, f"{kind}-"))
            return True
        return False

    def _unmark(self, kind: str, key: str) -> None:
        with suppress(self._docker.errors.APIError):
            self._client().remove_volume(name_of(key, f"{kind}-"))


def _take(server: Server, held: Mapping[str, Any]) -> None:
    for dimension, asked in held["demand"].items():
        server.free[dimension] = server.free.get(dimension, 0) - asked
    for number, thousandths in held["devices"]:
        if number < len(server.devices):
            server.devices[number] = max(0, server.devices[number] - thousandths)


def name_of(key: str, kind: str = "") -> str:
    """Return the name of a key's container or volume; characters that no engine takes are written as their numbers."""
    return _PREFIX + kind + re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}_", key)


def _labels(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    return [volume["Labels"] for volume in answer.get("Volumes") or []]


def _seconds(text: str) -> float:
    """Return the seconds since the epoch of an engine's time, whose nanoseconds Python does not read."""
    whole = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    fraction = re.match(r"\.\d{1,9}", text[19:])
    return whole + (float(fraction[0]) if fraction else 0.0)
