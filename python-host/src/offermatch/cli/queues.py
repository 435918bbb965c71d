"""The commands on queues: ``queues list``, ``set``, ``load`` and ``remove``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from offermatch.cli.cluster import open_store
from offermatch.errors import InputError
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["add_queues"]

_QUEUES = """\
Says who shares the cluster, to all schedulers of a store, from their next cycle on. A queue's share of what is scarce to it
is in proportion to its weight, as long as it has enough to do; docs/scheduler.md says what is promised.

  offermatch queues set research --weight 3 --quota cpu=100 --quota memory=1TiB
  offermatch queues set vision --parent research
  offermatch queues set urgent --preempts batch
  offermatch queues load queues.json
  offermatch queues list
"""


def add_queues(commands: Any, stored: argparse.ArgumentParser) -> None:
    """Add the commands."""
    plain = argparse.RawDescriptionHelpFormatter
    queues = commands.add_parser(
        "queues", help="say who shares the cluster, and how", description=_QUEUES, formatter_class=plain
    )
    what = queues.add_subparsers(required=True, metavar="WHAT")
    listing = what.add_parser("list", help="weights, quotas, what runs and what waits", parents=[stored])
    listing.set_defaults(command=_list, usage=listing)
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    one = what.add_parser("set", help="make a queue, or change it", parents=[stored])
    one.set_defaults(command=_set, usage=one)
    one.add_argument("name", metavar="QUEUE")
    one.add_argument("--weight", type=float, metavar="NUMBER", help="its share beside its neighbours' (default: 1)")
    one.add_argument(
        "--quota",
        action="append",
        metavar="DIMENSION=MOST",
        help="what its tasks may hold at a time, such as cpu=100 or devices=8; no value after = for no limit",
    )
    one.add_argument(
        "--preempts",
        action="append",
        metavar="QUEUE",
        help="a queue whose running tasks of lower priority end where one of its own finds no offer; '' for none",
    )
    one.add_argument("--parent", metavar="QUEUE", help="the queue it belongs to; '' for none")
    load = what.add_parser("load", help="make or change the queues of a JSON file, all or none", parents=[stored])
    load.set_defaults(command=_load, usage=load)
    load.add_argument("file", type=Path, metavar="FILE")
    remove = what.add_parser("remove", help="remove a queue in which nothing is left", parents=[stored])
    remove.set_defaults(command=_remove, usage=remove)
    remove.add_argument("name", metavar="QUEUE")


def _list(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        from offermatch.scheduler.queues import amount, held_below, unknown_quotas  # noqa: PLC0415

        found, (_, held), waiting = store.queues(), store.holding(), store.waiting()
        sighting = store.sighting()
    unknown = unknown_quotas(found, sighting.offers.available) if sighting is not None and len(sighting.offers) else []
    rows = [
        {
            "name": queue.name,
            "weight": queue.weight,
            "parent": queue.parent,
            "quota": dict(queue.quota),
            "unknown": [dimension for name, dimension in unknown if name == queue.name],
            "preempts": list(queue.preempts),
            "running": held.get(queue.name, {}),
            "ready": waiting.get(queue.name, 0),
        }
        for queue in found
    ]
    if options.json:
        return json.dumps({"queues": rows}, indent=2) + "\n"
    width = max(len(visible(queue.name, LONGEST_NAME)) for queue in found)
    lines = []
    for queue in found:
        parent = f"  below {visible(queue.parent, LONGEST_NAME)}" if queue.parent else ""
        name = visible(queue.name, LONGEST_NAME)
        lines.append(f"{name:<{width}}  weight {queue.weight:g}  {waiting.get(queue.name, 0):,} ready{parent}")
        if queue.preempts:
            lines.append(
                f"{'':<{width}}  preempts tasks of {', '.join(visible(one, LONGEST_NAME) for one in queue.preempts)}"
            )
        used = held_below(queue.name, found, held)
        for dimension, most in queue.quota.items():
            number = used.get(dimension, 0)
            part = f"{amount(dimension, number)} of {amount(dimension, most)} {visible(dimension)}"
            if (queue.name, dimension) in unknown:
                part += ": no offer has this dimension, so it limits nothing"
            elif number >= most:
                part += ": nothing more of it begins until it holds less"
            lines.append(f"{'':<{width}}  holds {part}")
    return "\n".join(lines) + "\n"


def _set(options: argparse.Namespace) -> str:
    from offermatch.scheduler.queues import Queue, quota_of  # noqa: PLC0415

    with open_store(options) as store:
        known = {queue.name: queue for queue in store.queues()}
        before = known.get(options.name, Queue(options.name))
        quota = dict(before.quota)
        for text in options.quota or ():
            name, sign, value = text.partition("=")
            if not sign or not name:
                raise InputError("setting-malformed", f"{text!r} is no quota", "such as cpu=100", "--quota")
            quota.pop(name, None)
            quota.update(quota_of({name: value}, "--quota") if value else {})
        weight = before.weight if options.weight is None else options.weight
        parent = before.parent if options.parent is None else options.parent
        preempts = before.preempts if options.preempts is None else tuple(filter(None, options.preempts))
        store.set_queues([Queue(options.name, weight, quota, parent, preempts)])
    return _list(argparse.Namespace(store=options.store, json=False))


def _load(options: argparse.Namespace) -> str:
    from offermatch.scheduler.queues import read_queues  # noqa: PLC0415

    with open_store(options) as store:
        store.set_queues(read_queues(options.file), source=str(options.file))
    return _list(argparse.Namespace(store=options.store, json=False))


def _remove(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        store.remove_queue(options.name)
    return f"{visible(options.name, LONGEST_NAME)}: removed\n"
