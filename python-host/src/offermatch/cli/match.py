"""The command ``match``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from offermatch.cli import output
from offermatch.cli.arguments import add_limits, add_matcher, add_ranking, matcher_named, names, ranking, sample
from offermatch.formats.files import FORMATS, read_tables
from offermatch.formats.ports import without_weight
from offermatch.sample import KINDS
from offermatch.tables.bad import BAD_ROWS
from offermatch.tables.input import offer_columns, task_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.order import ORDERS, in_order
from offermatch.tables.tasks import TaskColumns

__all__ = ["add_match"]

_ABOUT = """\
Reads tasks and offers, or generates them, and prints who takes what.

An offer is feasible for a task when every demand fits, every requirement holds and its devices serve the task. Among the
feasible ones the lowest score wins, if it is below the maximal score. In exclusive mode an offer takes one task, in shared
mode it stays with what is left. docs/formats.md describes the files, docs/semantics.md the rules.
"""


def add_match(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    match = commands.add_parser("match", help="match tasks to offers", description=_ABOUT, formatter_class=plain)
    match.set_defaults(command=_match, usage=match)
    match.add_argument("--tasks", type=Path, metavar="FILE", help="tasks to place, in order; - is standard input")
    match.add_argument("--offers", type=Path, metavar="FILE", help="offers to place them on")
    match.add_argument("--format", choices=FORMATS, default="auto", help="format of both files (default: by their endings)")
    kinds = ", ".join(KINDS)
    match.add_argument(
        "--sample", type=sample, metavar="KIND:TASKSxOFFERS[:SEED]", help=f"generate input instead; kinds are {kinds}"
    )
    add_ranking(match, "exclusive")
    match.add_argument("--dimensions", type=names, metavar="NAME,...", help="the resource dimensions and their order")
    match.add_argument(
        "--bad-rows",
        choices=BAD_ROWS,
        default="refuse",
        help="refuse the files where rows cannot be used, or leave these out, say which, and place the others "
        "(default: refuse)",
    )
    match.add_argument(
        "--order", choices=ORDERS, default="given", help="the largest first, or as they stand (default: given)"
    )
    about = "say how many tasks could have been placed at most, and how much of the offers they could have used"
    match.add_argument("--bound", action="store_true", help=about)
    match.add_argument("--explain", action="store_true", help="say of each unplaced task why it found no offer")
    match.add_argument("--timings", action="store_true", help="say in the JSON where the time went")
    match.add_argument("--output", choices=("json", "csv", "summary"), default="json", help="(default: json)")
    add_matcher(match)
    match.add_argument("--record", type=Path, metavar="FILE", help="record the cycle; docs/recordings.md has the format")
    add_limits(match)


def _match(options: argparse.Namespace) -> str:
    if (options.sample is None) == (options.tasks is None and options.offers is None):
        options.usage.error("give --tasks and --offers, or --sample")
    if options.sample is None and (options.tasks is None or options.offers is None):
        options.usage.error("--tasks and --offers belong together")
    settings = ranking(options)
    tasks: TaskColumns | list[Any]
    offers: OfferColumns | list[Any]
    if options.sample is not None:
        tasks, offers = options.sample.rows()
    else:
        tasks, offers = read_tables(
            options.tasks, options.offers, options.format, settings.units, options.bad_rows, options.dimensions
        )
    if options.order != "given":
        tasks, offers = task_columns(tasks), offer_columns(offers)
        tasks = in_order(tasks, offers, options.order)
    if options.format == "kubernetes" and isinstance(tasks, TaskColumns):
        settings = without_weight(settings, tasks.demand)
    matcher = matcher_named(options.matcher, options.limits)
    answer = matcher.match(
        tasks,
        offers,
        settings,
        dimensions=options.dimensions,
        # A maximal score explains itself: what it leaves without an offer is said on every output.
        explain=options.explain or settings.max_score is not None,
        record=options.record,
        bound=options.bound,
    )
    sys.stderr.write(output.left_out_and_remarks(answer))
    by_score = output.too_high(answer)
    if by_score:
        sys.stderr.write(f"warning: {output.kept_by_score(by_score)}\n")
    if options.output == "csv":
        return output.answer_csv(answer)
    if options.output == "summary":
        return output.answer_summary(
            answer, matcher, options.mode, tasks, offers, explained=options.explain, units=settings.units
        )
    return output.answer_json(
        answer, matcher, options.mode, explained=options.explain, timed=options.timings, units=settings.units
    )
