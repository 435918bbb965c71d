"""What a payload asks a container engine to run, checked before anything is created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offermatch.errors import InputError
from offermatch.scheduler.cluster.payload import Command

__all__ = ["Image"]

_HINT = "docs/containers.md describes payloads"


@dataclass(frozen=True, slots=True)
class Image:
    """What a payload asks to run in which image.

    Attributes:
        name: The image, with its tag or digest.
        command: The program and its arguments; None for the image's own.
        environment: Variables.
        timeout_seconds: After so long it is killed; None for never.
        pull: ``missing``, ``always`` or ``never``.
        processes: The most processes it may have at a time.
        network: An engine's network; None for the engine's default.
        mounts: Folders of the machine: source, target, and whether it is for reading only.
    """

    name: str
    command: tuple[str, ...] | None
    environment: Mapping[str, str]
    timeout_seconds: float | None
    pull: str
    processes: int
    network: str | None
    mounts: tuple[tuple[str, str, bool], ...]

    @classmethod
    def of(cls, payload: Mapping[str, Any], default: str | None, folders: Sequence[str] = ()) -> Image:
        """Return what a payload asks for.

        Args:
            payload: ``image``, ``command``, ``environment``, ``timeout_seconds``, ``pull``, ``processes``, ``network`` and
                ``mounts``; other keys are the program's own matter.
            default: The image of a payload that names none.
            folders: The folders below which a payload may mount something.

        Raises:
            InputError: ``payload-malformed``.
        """
        command = Command.of({**payload, "command": payload.get("command", ["image's own"]), "limits": {}})
        name, pull = payload.get("image", default), payload.get("pull", "missing")
        processes, network = payload.get("processes", 1024), payload.get("network")
        if not isinstance(name, str) or not name:
            raise _malformed(f"image is {name!r}, which is no image; name one")
        if pull not in ("missing", "always", "never"):
            raise _malformed(f"pull is {pull!r}; it is missing, always or never")
        if type(processes) is not int or not 0 < processes < 2**22:
            raise _malformed(f"processes is {processes!r}, which is not a whole number from 1 to {2**22 - 1}")
        if network is not None and (not isinstance(network, str) or not network):
            raise _malformed(f"network is {network!r}, which is no name of a network")
        return cls(
            name,
            command.arguments if "command" in payload else None,
            command.environment,
            command.timeout_seconds,
            pull,
            processes,
            network,
            tuple(_mount(mount, folders) for mount in _listed(payload.get("mounts", []))),
        )


def _listed(value: Any) -> Iterable[Any]:
    if not isinstance(value, (list, tuple)):
        raise _malformed(f"mounts is {value!r}, which is not a list")
    return value


def _mount(mount: Any, folders: Sequence[str]) -> tuple[str, str, bool]:
    if not isinstance(mount, Mapping) or not all(isinstance(mount.get(end), str) for end in ("source", "target")):
        raise _malformed(f"{mount!r} is no mount: source and target are paths")
    source, target, read_only = mount["source"], mount["target"], mount.get("read_only", True)
    if not target.startswith("/") or type(read_only) is not bool:
        raise _malformed(f"{mount!r} is no mount: target is an absolute path, read_only true or false")
    is_plain = source.startswith("/") and not {"..", "."} & set(source.split("/"))
    if not is_plain or not any(f"{source}/".startswith(f"{folder.rstrip('/')}/") for folder in folders):
        allowed = ", ".join(folders) or "none"
        raise _malformed(f"{source!r} cannot be mounted; folders that may be are {allowed}")
    return source, target, read_only


def _malformed(message: str) -> InputError:
    return InputError("payload-malformed", message, _HINT, "payload")
