"""The command ``trace``: a cycle's waterfall in the terminal."""

from __future__ import annotations

import argparse
from io import StringIO
from pathlib import Path
from typing import Any

from offermatch.cli.arguments import positive
from offermatch.errors import InputError
from offermatch.extras import require

__all__ = ["add_trace"]

_ABOUT = """\
Prints where the time of a cycle went: its stages, and the matcher's own spans below match_tasks_to_offers.

  offermatch run --trace cycles.jsonl
  offermatch trace cycles.jsonl            the last cycle
  offermatch trace cycles.jsonl --slowest  the one that took longest
"""


def add_trace(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    trace = commands.add_parser(
        "trace", help="show where the time of a cycle went", description=_ABOUT, formatter_class=plain
    )
    trace.set_defaults(command=_trace, usage=trace)
    trace.add_argument("file", type=Path, metavar="FILE", help="what `offermatch run --trace` wrote: lines of OTLP JSON")
    which = trace.add_mutually_exclusive_group()
    which.add_argument("--cycle", type=positive, metavar="N", help="the cycle of this number (default: the last trace)")
    which.add_argument("--slowest", action="store_true", help="the trace that took longest")
    trace.add_argument("--width", type=positive, default=160, metavar="N", help="characters of a line (default: 160)")


def _trace(options: argparse.Namespace) -> str:
    require("scheduler", "rich")
    from rich.console import Console  # noqa: PLC0415

    from offermatch.scheduler.watching.waterfall import draw, read_traces  # noqa: PLC0415

    traces = read_traces(options.file)
    if options.cycle is not None:
        traces = [one for one in traces if one.number == options.cycle]
    if not traces:
        hint = "give another number, or a file that `offermatch run --trace` wrote"
        raise InputError("trace-missing", "there is no such trace in it", hint, str(options.file))
    longest = max(traces, key=lambda one: one.spans[0].end - one.spans[0].start)
    output = StringIO()
    Console(file=output, width=options.width).print(draw(longest if options.slowest else traces[-1]))
    return output.getvalue()
