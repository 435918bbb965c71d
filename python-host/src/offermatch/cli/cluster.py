"""Which store a command means, and ``cluster list``, ``cordon``, ``drain`` and ``uncordon``."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any

from offermatch.extras import require
from offermatch.visible import LONGEST_NAME, visible

if TYPE_CHECKING:
    from offermatch.scheduler.store import Store

__all__ = ["add_places", "open_store"]

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
            parser.add_argument("--reason", default="", metavar="TEXT", help="why, for those who ask later")


def open_store(options: argparse.Namespace, *, make: bool = True) -> Store:
    """Return the store that the arguments name."""
    require("scheduler", "sqlalchemy", "alembic", "rich")
    from offermatch.scheduler.store import Store  # noqa: PLC0415

    return Store(options.store, make=make)


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
