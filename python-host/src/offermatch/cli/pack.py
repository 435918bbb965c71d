"""The command ``pack``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from offermatch.cli.arguments import positive, sample
from offermatch.cli.output import csv_lines
from offermatch.formats.files import FORMATS, read_tables
from offermatch.pack.problem import problem
from offermatch.pack.search import Found, pack
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["add_pack"]

_ABOUT = """\
Finds as few offers as can be for all tasks, offline: how many servers are needed.

This is no matcher: it sees all tasks at once, puts them in an order of its own and looks for as few offers as it can for the
time that it is given. Each offer is used once, or with --unlimited as often as needed: how many servers of these kinds do I
need? A time of 0 is first-fit of the largest tasks, at once. docs/pack.md has the rules. The Rust program does the same,
faster.

  offermatch pack --tasks tasks.json --offers offers.csv --output summary
  offermatch pack --tasks tasks.json --offers server.json --unlimited --seconds 60
  offermatch pack --sample uniform:2000x2000 --rounds 1000     (the same on every machine)
"""


def add_pack(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    about = "find as few offers as can be for all tasks, offline"
    command = commands.add_parser("pack", help=about, description=_ABOUT, formatter_class=plain)
    command.set_defaults(command=_pack, usage=command)
    command.add_argument("--tasks", type=Path, metavar="FILE", help="tasks to pack")
    command.add_argument("--offers", type=Path, metavar="FILE", help="offers to pack them on")
    command.add_argument(
        "--format", choices=FORMATS, default="auto", help="format of both files (default: by their endings)"
    )
    command.add_argument("--sample", type=sample, metavar="KIND:TASKSxOFFERS[:SEED]", help="generate input, as match does")
    command.add_argument("--unit", action="append", default=[], type=_unit, metavar="DIMENSION=UNIT", help="as of match")
    command.add_argument("--unlimited", action="store_true", help="use each offer as often as needed")
    until = command.add_mutually_exclusive_group()
    until.add_argument("--seconds", type=_count, default=10, metavar="N", help="how long to search (default: 10)")
    until.add_argument("--rounds", type=_count, metavar="N", help="search for so many rounds instead of a time")
    command.add_argument("--seed", type=_count, default=1, metavar="N", help="where the search begins (default: 1)")
    command.add_argument("--output", choices=("json", "csv", "summary"), default="json", help="(default: json)")


def _count(text: str) -> int:
    return 0 if text == "0" else positive(text)


def _unit(text: str) -> tuple[str, str]:
    name, equals, unit = text.partition("=")
    if not (name and equals and unit):
        raise argparse.ArgumentTypeError(f"{text!r} is not DIMENSION=UNIT")
    return name, unit


def _pack(options: argparse.Namespace) -> str:
    if (options.sample is None) == (options.tasks is None and options.offers is None):
        options.usage.error("give --tasks and --offers, or --sample")
    if options.sample is None and (options.tasks is None or options.offers is None):
        options.usage.error("--tasks and --offers belong together")
    tasks: TaskColumns
    offers: OfferColumns
    if options.sample is not None:
        rows = options.sample.rows()
        tasks, offers = task_columns(rows[0]), offer_columns(rows[1])
    else:
        tasks, offers = read_tables(options.tasks, options.offers, options.format, dict(options.unit) or None)
    begin = perf_counter()

    def goes_on(rounds: int) -> bool:
        if options.rounds is not None:
            return rounds < int(options.rounds)
        return perf_counter() - begin < float(options.seconds)

    asked, alike = problem(tasks, offers, unlimited=options.unlimited)
    found = pack(asked, seed=options.seed, goes_on=goes_on)
    names = _names(found, alike, offers, unlimited=options.unlimited)
    pairs = [(tasks.names[row], name) for (_, rows), name in zip(found.offers, names, strict=True) for row in rows]
    gap = (len(found.offers) - found.bound) / found.bound if found.bound else 0.0
    if options.output == "csv":
        return csv_lines(("task", "offer"), pairs)
    if options.output == "summary":
        return (
            f"{len(pairs)} of {len(tasks)} tasks packed on {len(found.offers)} offers; {found.at_once} at once, before the "
            f"search of {found.rounds} rounds\nat least {found.bound} are needed: the gap is {gap:.1%}\n".replace("%", " %")
        )
    document = {
        "offers": len(found.offers),
        "at_once": found.at_once,
        "at_least": found.bound,
        "gap": gap,
        "rounds": found.rounds,
        "tasks": len(tasks),
        "assignments": [{"task": task, "offer": offer} for task, offer in pairs],
        "unplaced": [tasks.names[row] for row in found.unplaced],
    }
    return json.dumps(document, ensure_ascii=False) + "\n"


def _names(found: Found, alike: Sequence[Sequence[int]], offers: OfferColumns, *, unlimited: bool) -> list[str]:
    """Return the name of each offer in use; copies of one offer bear a number."""
    taken = [0] * len(alike)
    names = []
    for kind, _ in found.offers:
        at, taken[kind] = taken[kind], taken[kind] + 1
        names.append(f"{offers.names[alike[kind][0]]}#{at + 1}" if unlimited else offers.names[alike[kind][at]])
    return names
