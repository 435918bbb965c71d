"""The matchers that the package carries, one a policy."""

from __future__ import annotations

import tarfile
from functools import cache
from pathlib import Path

from offermatch.errors import InputError

__all__ = ["BUNDLED", "component", "names"]

BUNDLED = Path(__file__).with_name("matcher.wasm")
"""The component of the default policy."""

_ARCHIVE = Path(__file__).with_name("policies.tar.xz")


@cache
def _members() -> dict[str, bytes]:
    # The components differ little, so that together they take the room of one and a half.
    with tarfile.open(_ARCHIVE, "r:xz") as archive:
        found = {Path(member.name).stem: archive.extractfile(member) for member in archive.getmembers()}
        return {name: content.read() for name, content in sorted(found.items()) if content is not None}


def names() -> tuple[str, ...]:
    """Return the names of the policies, in alphabetical order."""
    return tuple(_members())


def component(policy: str) -> bytes:
    """Return the component of a policy.

    Raises:
        InputError: ``policy-unknown``.
    """
    found = _members().get(policy)
    if found is None:
        message = f"there is no policy {policy!r} in this package"
        raise InputError("policy-unknown", message, "it has " + ", ".join(names()), "policy")
    return found
