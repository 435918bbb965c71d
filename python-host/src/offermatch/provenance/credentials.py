"""What ``docker login`` keeps, read by the library oras."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

__all__ = ["kept_by_docker"]


def kept_by_docker(repository: str) -> list[str] | None:
    """Return name and password for the registry of a repository, as Docker keeps them.

    Args:
        repository: Registry and name.

    Raises:
        AttributeError, KeyError, OSError, TypeError, ValueError: The configuration or a helper's answer cannot be read.
    """
    from oras.auth.base import AuthBackend  # noqa: PLC0415 - an extra
    from oras.container import Container  # noqa: PLC0415 - an extra

    class Kept(AuthBackend):  # type: ignore[misc] # the library has no types
        def __init__(self) -> None:
            super().__init__()
            self._basic_auth = ""
            # By itself the library looks in the home folder only.
            self._auth_config = _configuration_of_docker()

        def found(self) -> str:
            self.load_configs(Container(repository))
            return base64.b64decode(self._basic_auth, validate=True).decode()

    found = Kept().found()
    if found and ":" not in found:
        raise ValueError("credentials without a colon")
    return found.split(":", 1) if found else None


def _configuration_of_docker() -> dict[str, Any]:
    """Return the configuration of Docker's programs, or one without credentials."""
    folder = os.environ.get("DOCKER_CONFIG") or Path("~", ".docker").expanduser()
    try:
        found: dict[str, Any] = json.loads(Path(folder, "config.json").read_bytes())
    except FileNotFoundError:
        found = {}
    return {"auths": {}, "credHelpers": {}} | found
