"""The command line: arguments in, exit code out.

Data goes to standard output and only when everything worked; logs and errors go to standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from offermatch.cli import demo, output
from offermatch.cli.agent import add_agent
from offermatch.cli.arguments import add_ranking, names, ranking
from offermatch.cli.bench import add_bench
from offermatch.cli.conformance import add_conformance
from offermatch.cli.day import add_day
from offermatch.cli.scheduler import add_scheduler
from offermatch.cli.trace import add_trace
from offermatch.cli.trust import LIMITS_HELP, Differs, add_trust
from offermatch.errors import MatcherError, OffermatchError
from offermatch.formats.files import FORMATS, read_tables
from offermatch.limits import Limits
from offermatch.matcher import BUNDLED, BaseMatcher, Matcher, ReferenceMatcher
from offermatch.sample import KINDS, Sample, parse_sample
from offermatch.tables.bad import BAD_ROWS
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.visible import LONGEST_MESSAGE, visible
from offermatch.wasm.component import Code
from offermatch.wasm.contract import CONTRACTS, INTERFACE, WORLD

__all__ = ["run"]

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""

_ABOUT = """\
Match tasks to resource offers with a WebAssembly matcher.

  offermatch match --tasks tasks.json --offers offers.csv --output summary
  offermatch match --sample uniform:2000x1000 --mode shared --output summary
  offermatch match --format openb --tasks pods.csv --offers nodes.csv --mode shared --explain
  offermatch inspect matcher.wasm
  offermatch conformance matcher.wasm
  offermatch replay cycle.recording.json
  offermatch swap --manifest manifest.json
  offermatch submit tasks.json
  offermatch run --drain
  offermatch bench talk --rust-host target/release/offermatch-host
"""

_MATCH = """\
Reads tasks and offers, or generates them, and prints who takes what.

An offer is feasible for a task when every demand fits, every requirement holds and its devices serve the task. Among the
feasible ones the lowest score wins, if it is below the maximal score. In exclusive mode an offer takes one task, in shared
mode it stays with what is left. docs/formats.md describes the files, docs/semantics.md the rules.
"""


def run(arguments: Sequence[str]) -> int:
    """Return the exit code of one command: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    try:
        return _run(_parser().parse_args(arguments))
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    level = logging.DEBUG if options.verbose else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if options.log == "json" else _Visible(_LOG_LINE))
    logging.basicConfig(level=level, handlers=[handler])
    command: Callable[[argparse.Namespace], str] = options.command
    try:
        sys.stdout.write(command(options))
        sys.stdout.flush()
    except Differs as found:
        sys.stdout.write(found.output)
        return FAILED
    except OffermatchError as error:
        sys.stderr.write(output.error(error))
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has what it wanted; the interpreter must not try to flush into the closed pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return DONE


_LOG_LINE = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"


class _Visible(logging.Formatter):
    """One record, one line, whatever its message holds; only a traceback has more."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = ""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the standard library
        """Return the line."""
        return visible(super().formatMessage(record), LONGEST_MESSAGE)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name in the standard library
        """Return the traceback, each line of it visible."""
        return "\n".join(visible(line) for line in super().formatException(ei).split("\n"))


class _JsonLines(_Visible):
    """One record, one JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        told = {"time": f"{self.formatTime(record)}.{record.msecs:03.0f}Z", "level": record.levelname, "logger": record.name}
        told["message"] = visible(record.getMessage(), LONGEST_MESSAGE)
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


def _parser() -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("offermatch", description=_ABOUT, formatter_class=plain)
    parser.add_argument("--verbose", action="store_true", help="log what is done, to standard error")
    parser.add_argument("--log", choices=("text", "json"), default="text", help="lines of the log (default: text)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    match = commands.add_parser("match", help="match tasks to offers", description=_MATCH, formatter_class=plain)
    match.set_defaults(command=_match, usage=match)
    match.add_argument("--tasks", type=Path, metavar="FILE", help="tasks to place, in order; - is standard input")
    match.add_argument("--offers", type=Path, metavar="FILE", help="offers to place them on")
    match.add_argument("--format", choices=FORMATS, default="auto", help="format of both files (default: by their endings)")
    kinds = ", ".join(KINDS)
    match.add_argument(
        "--sample", type=_sample, metavar="KIND:TASKSxOFFERS[:SEED]", help=f"generate input instead; kinds are {kinds}"
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
    match.add_argument("--explain", action="store_true", help="say of each unplaced task why it found no offer")
    match.add_argument("--timings", action="store_true", help="say in the JSON where the time went")
    match.add_argument("--output", choices=("json", "csv", "summary"), default="json", help="(default: json)")
    match.add_argument(
        "--matcher", default="bundled", metavar="PATH|bundled|reference", help="a component, or the loop in Python"
    )

    match.add_argument("--record", type=Path, metavar="FILE", help="record the cycle; docs/recordings.md has the format")
    match.add_argument("--limits", type=Path, metavar="FILE", help=LIMITS_HELP)

    inspect = commands.add_parser(
        "inspect",
        help="say what a component is",
        description="Says what a .wasm file is, and whether this host serves it.",
    )
    inspect.set_defaults(command=_inspect, usage=inspect)
    inspect.add_argument("path", type=Path, nargs="?", default=BUNDLED, metavar="PATH", help="(default: the bundled one)")
    inspect.add_argument("--limits", type=Path, metavar="FILE", help=LIMITS_HELP)
    inspect.add_argument("--json", action="store_true", help="print one JSON object")

    demo = commands.add_parser(
        "demo", help="one cycle in Python and in Rust, side by side", description="Matches one cycle with both hosts."
    )
    demo.set_defaults(command=_show_demo, usage=demo)
    demo.add_argument("--rust-host", type=Path, metavar="PATH", help="the Rust program to compare with")
    demo.add_argument("--sample", type=_sample, default=Sample("uniform", 20000, 20000), metavar="KIND:TASKSxOFFERS[:SEED]")
    demo.add_argument("--matcher", type=Path, default=BUNDLED, metavar="PATH", help="the component both load")

    add_trust(commands, _load)
    add_scheduler(commands, _load, _positive)
    add_trace(commands, _positive)
    add_conformance(commands, _load)
    add_day(commands, _positive)
    add_bench(commands, _sample, _positive)
    add_agent(commands)
    return parser


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
        tasks, offers = read_tables(options.tasks, options.offers, options.format, settings.units, options.bad_rows)
    matcher = _load(options.matcher, options.limits)
    answer = matcher.match(
        tasks,
        offers,
        mode=settings.mode,
        max_score=settings.max_score,
        weights=settings.weights,
        scales=settings.scales,
        dimensions=options.dimensions,
        units=settings.units,
        # A maximal score explains itself: what it leaves without an offer is said on every output.
        explain=options.explain or settings.max_score is not None,
        record=options.record,
    )
    sys.stderr.write(output.left_out_and_remarks(answer))
    by_score = output.too_high(answer)
    if by_score:
        sys.stderr.write(f"warning: {output.kept_by_score(by_score)}\n")
    if options.output == "csv":
        return output.answer_csv(answer)
    if options.output == "summary":
        return output.answer_summary(answer, matcher, options.mode, tasks, offers, explained=options.explain)
    return output.answer_json(answer, matcher, options.mode, explained=options.explain, timed=options.timings)


def _load(name: str, limits: Path | None) -> BaseMatcher:
    if name == "reference":
        return ReferenceMatcher()
    return Matcher.load(None if name == "bundled" else name, limits=Limits.in_force(limits))


def _inspect(options: argparse.Namespace) -> str:
    code = Code(options.path, Limits.in_force(options.limits))
    shown = code.inspection
    exported = [name.partition("@")[2] for name in shown.exports if name.partition("@")[0] == INTERFACE]
    found: dict[str, Any] = {
        "path": str(options.path),
        "size": shown.size,
        "digest": shown.digest,
        "world": f"{WORLD}@{exported[0]}" if exported else None,
        "contract": exported[0] if exported else None,
        "imports": list(shown.imports),
        "exports": list(shown.exports),
        "limits": code.limits.as_dict(),
        "description": None,
        "refused": None,
    }
    try:
        described = code.judge()
        found["description"] = {
            "name": described.name,
            "version": described.version,
            "policy": described.policy,
            "contract": described.contract,
            "modes": list(described.modes),
        }
    except MatcherError as error:
        found["refused"] = {"code": error.code, "message": error.message, "hint": error.hint}
    if options.json:
        return json.dumps(found, indent=2) + "\n"
    return output.inspection(found, CONTRACTS)


def _show_demo(options: argparse.Namespace) -> str:
    return demo.demo(options.sample, options.matcher, options.rust_host)


def _sample(text: str) -> Sample:
    try:
        return parse_sample(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)
