"""Clusters by their names: ``KIND:ADDRESS`` as the command line takes it.

The kind is an entry point of the group ``offermatch.clusters``, a function that takes the text and an ``Access``::

    [project.entry-points."offermatch.clusters"]
    slurm = "my_package.slurm:connect"
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from offermatch.errors import InputError
from offermatch.scheduler.cluster.abc import Cluster
from offermatch.visible import visible

__all__ = ["GROUP", "Access", "connect"]

GROUP = "offermatch.clusters"
"""The group of entry points."""

_HERE = "offermatch.scheduler.cluster"
_SHIPPED = {
    name: EntryPoint(name, f"{_HERE}.{where}:connect", GROUP)
    for name, where in (
        ("simulated", "simulated"),
        ("http", "http.http"),
        ("https", "http.http"),
        ("dask", "dask.dask"),
        ("docker", "container.cluster"),
        ("podman", "container.cluster"),
        ("kubernetes", "kubernetes.cluster"),
    )
}


@dataclass(frozen=True)
class Access:
    """What agents want to see, what they have to show, and how long they may be silent.

    Attributes:
        token: A file with the token to send.
        authority: A file with the certificate of the only authority to believe.
        lost_after: The seconds without an answer after which an agent is lost, with what it ran; None for never.
    """

    token: Path | None = None
    authority: Path | None = None
    lost_after: float | None = None

    def unused(self, text: str) -> None:
        """Refuse to be given to a cluster that takes none of it.

        Raises:
            InputError: ``setting-malformed``.
        """
        if self != Access():
            message = (
                f"{visible(repr(text))} takes no token, no certificate authority and no time after which a server is lost"
            )
            raise InputError("setting-malformed", message, "they are for http: and https:", "cluster")


def connect(text: str, access: Access = Access()) -> Cluster:
    """Return the cluster that a text names.

    Raises:
        InputError: ``setting-malformed``: no installed adapter has this kind, or the address is none.
        OffermatchError: As the adapter says.
    """
    kind = text.partition(":")[0]
    found = _SHIPPED.get(kind) or next(iter(entry_points(group=GROUP, name=kind)), None)
    if found is None:
        others = sorted({one.name for one in entry_points(group=GROUP)} - set(_SHIPPED))
        hint = f"its kind is one of {', '.join([*_SHIPPED, *others])}; docs/clusters.md says what follows"
        raise InputError("setting-malformed", f"{visible(repr(text))} is not a cluster", hint, "cluster")
    try:
        adapter = found.load()
    except (ImportError, AttributeError) as error:
        message = f"the adapter {found.value} cannot be loaded: {error}"
        raise InputError("setting-malformed", message, "install its package again", "cluster") from error
    cluster: Cluster = adapter(text, access)
    return cluster
