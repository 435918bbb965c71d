"""Which cluster and store a command means, and ``cluster list``, ``cordon``, ``drain`` and ``uncordon``."""

from __future__ import annotations

import argparse
import json
import ssl
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offermatch.cli.agent import token_of
from offermatch.errors import InputError
from offermatch.extras import require
from offermatch.formats.files import read_offers
from offermatch.visible import LONGEST_NAME, visible

if TYPE_CHECKING:
    from offermatch.scheduler.cluster.abc import Cluster
    from offermatch.scheduler.store import Store

__all__ = ["add_places", "cluster_of", "open_store"]

_CLUSTER = """\
Says which offers of the cluster get tasks, to all schedulers of a store, from their next cycle on. A place where different
tasks fail one after the other is left out for a while by itself.

  offermatch cluster list
  offermatch cluster drain node-7 --reason 'new memory'
  offermatch cluster uncordon node-7
"""


def add_places(commands: Any, stored: argparse.ArgumentParser) -> None:
    """Add the commands."""
    plain = argparse.RawDescriptionHelpFormatter
    cluster = commands.add_parser("cluster", help="say which places get tasks", description=_CLUSTER, formatter_class=plain)
    places = cluster.add_subparsers(required=True, metavar="WHAT")
    listing = places.add_parser("list", help="places that get nothing new, and why", parents=[stored])
    listing.set_defaults(command=_places, usage=listing)
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    for name, about in (
        ("cordon", "let nothing new go to these offers; what runs there goes on"),
        ("drain", "cordon, and end what runs there: it is ready for elsewhere, and no retry is used up"),
        ("uncordon", "let these offers have tasks again, whatever went wrong there"),
    ):
        parser = places.add_parser(name, help=about, description=about, parents=[stored])
        parser.set_defaults(command=_cordon, usage=parser, what=name)
        parser.add_argument("names", nargs="+", metavar="OFFER")
        if name != "uncordon":
            parser.add_argument("--reason", default="", metavar="TEXT", help="for whoever asks")


def open_store(options: argparse.Namespace, *, make: bool = True) -> Store:
    """Return the store that the arguments name."""
    require("scheduler", "sqlalchemy", "alembic", "rich")
    from offermatch.scheduler.store import Store  # noqa: PLC0415

    return Store(options.store, make=make)


def cluster_of(text: str, token: Path | None = None, authority: Path | None = None) -> Cluster:
    """Return the cluster that a text names; its adapter says what is missing for it."""
    kind, _, rest = text.partition(":")
    if kind not in ("http", "https") and (token or authority):
        message = f"{text!r} takes neither a token nor a certificate authority"
        raise InputError("setting-malformed", message, "they are for http: and https:", "cluster")
    if kind == "simulated":
        from offermatch.scheduler.cluster.simulated import SimulatedCluster, talk_servers  # noqa: PLC0415

        return SimulatedCluster(read_offers(Path(rest)) if rest else talk_servers(), clock="real")
    if kind in ("http", "https"):
        agents = [agent for agent in text.split(",") if agent]
        settings: dict[str, Any] = {} if token is None else {"token": token_of(token)}
        if authority is not None:
            settings["verify"] = _pinned(authority)
        http: Cluster = import_module("offermatch.scheduler.cluster.http.http").HttpCluster(agents, **settings)
        return http
    if kind == "dask" and rest:
        dask: Cluster = import_module("offermatch.scheduler.cluster.dask.dask").DaskCluster(rest)
        return dask
    if kind in ("docker", "podman") and rest:
        container = import_module("offermatch.scheduler.cluster.container")
        engines = [container.Engine.of(one.removeprefix(f"{kind}:")) for one in text.split(",") if one]
        containers: Cluster = container.ContainerCluster(engines)
        return containers
    hint = "use simulated, simulated:OFFERS-FILE, http://AGENT,..., docker:ENGINE,... or dask:ADDRESS"
    raise InputError("setting-malformed", f"{text!r} is not a cluster", hint, "cluster")


def _pinned(authority: Path) -> ssl.SSLContext:
    """Return what believes certificates of one authority and of no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError) as error:
        message = f"the certificate authority cannot be read: {error.strerror or error}"
        raise InputError("setting-malformed", message, "give its certificate, as PEM", str(authority)) from error
    return context


def _places(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        from offermatch.scheduler.places import Places  # noqa: PLC0415

        closed = Places().closed(store.places(), time.time())
    if options.json:
        return json.dumps({"closed": closed}, indent=2) + "\n"
    lines = [f"{visible(name, LONGEST_NAME)}  {visible(reason)}\n" for name, reason in closed.items()]
    return "".join(lines) or "every place gets tasks\n"


def _cordon(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        if options.what == "uncordon":
            store.uncordon(options.names)
        else:
            store.cordon(options.names, options.reason, drain=options.what == "drain")
        sighting = store.sighting()
    there = None if sighting is None else set(sighting.offers.names)
    said = {"cordon": "cordoned", "drain": "drained", "uncordon": "gets tasks"}[options.what]
    unseen = " (the cluster was not seen to offer it)"
    return "".join(
        f"{visible(name, LONGEST_NAME)}: {said}{'' if there is None or name in there else unseen}\n"
        for name in options.names
    )
