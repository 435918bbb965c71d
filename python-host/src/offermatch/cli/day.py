"""The command ``day``: a day of a cluster in virtual time."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from offermatch.cli.arguments import positive
from offermatch.cli.output import write_file
from offermatch.extras import require
from offermatch.policies import names
from offermatch.writing import unwritable

__all__ = ["add_day"]

_ABOUT = """\
Replays a day on a simulated cluster in virtual time, four ways: with the talk's cycle, with the matching loop in Python as
fast as it is here, with the component in its place, and with the other stages of a cycle improved as well. Says what was
in use, how long tasks waited and how long a cycle took. docs/day.md says what is measured, taken from the talk, simulated.

  offermatch day --html day.html --json day.json   978,000 tasks on 2,000 servers, in a minute or two
  offermatch day --quick                           the first two hours of it
  offermatch day --trace cluster-trace-gpu-v2023/csv --html trace.html
  offermatch day --trace cluster-trace-gpu-v2023/csv --policy first-fit --policy strand --html policies.html

With --policy the day is replayed once for each policy, all else the same: what was in use, and who waited.
"""


def add_day(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    day = commands.add_parser(
        "day", help="replay a day of a cluster in virtual time", description=_ABOUT, formatter_class=plain
    )
    day.set_defaults(command=_day, usage=day)
    what = day.add_mutually_exclusive_group()
    what.add_argument("--tasks", type=positive, default=978_000, metavar="N", help="tasks in 24 hours (default: 978000)")
    what.add_argument(
        "--trace", type=Path, metavar="FOLDER", help="the pods and nodes of the OpenB trace instead of a generated day"
    )
    day.add_argument(
        "--servers", type=positive, metavar="N", help="(default: 2000; of a trace, as many nodes as give the load)"
    )
    day.add_argument("--load", type=float, default=1.05, metavar="PART", help="of what there is, asked for (default: 1.05)")
    day.add_argument(
        "--seed", type=int, default=1, metavar="N", help="where the chance of a generated day starts (default: 1)"
    )
    hours = day.add_mutually_exclusive_group()
    hours.add_argument("--hours", type=float, default=24.0, metavar="H", help="only the first of them (default: 24)")
    hours.add_argument("--quick", action="store_true", help="only two hours")
    day.add_argument(
        "--seconds-per-pair",
        type=_pair,
        default=(None, None),
        metavar="LOOP,COMPONENT",
        help="what a look of a task at an offer takes on either side, instead of what is measured: repeats a day exactly",
    )
    about = "compare policies on the same day instead, with cycles of this scheduler; given twice or more"
    day.add_argument("--policy", action="append", default=[], choices=names(), help=about)
    day.add_argument("--cycle-seconds", type=float, metavar="N", help="of --policy: a cycle besides matching (default: 3)")
    day.add_argument("--html", type=Path, metavar="FILE", help="write the page with the plots")
    day.add_argument("--json", metavar="FILE", help="write all figures; - prints them instead of the table")
    day.add_argument("--svg", type=Path, metavar="FILE", help="write the first plot of the page, which shows utilisation")


def _day(options: argparse.Namespace) -> str:
    require("scheduler", "rich")
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from offermatch.scheduler.day.plot import standalone  # noqa: PLC0415
    from offermatch.scheduler.day.report import charts, page, summary  # noqa: PLC0415
    from offermatch.scheduler.day.run import CYCLE, MOST_POLICIES, SIDES, compare, compare_policies  # noqa: PLC0415
    from offermatch.scheduler.day.workload import generated, openb_day  # noqa: PLC0415

    # What cannot be written is told before a long run, not after it.
    for path in (options.html, options.svg, Path(options.json) if options.json not in (None, "-") else None):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise unwritable(OSError("it is a directory, or stands in none"), path)
    hours = 2.0 if options.quick else options.hours
    if options.trace is not None:
        workload = openb_day(options.trace, servers=options.servers, load=options.load, hours=hours)
    else:
        workload = generated(options.tasks, options.servers or 2000, seed=options.seed, load=options.load, hours=hours)
    if len(set(options.policy)) != len(options.policy) or len(options.policy) == 1 or len(options.policy) > MOST_POLICIES:
        options.usage.error(f"--policy is given for two to {MOST_POLICIES} different policies")
    seconds = CYCLE if options.cycle_seconds is None else options.cycle_seconds
    if not 0 < seconds <= 3600:
        options.usage.error("--cycle-seconds is above 0, and 3600 at most")
    loop, component = options.seconds_per_pair
    sides = len(options.policy) or SIDES
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("", total=sides * workload.seconds)

        def progress(number: int, title: str, at: float) -> None:
            bars.update(bar, description=title, completed=number * workload.seconds + at)

        if options.policy:
            figures, _ = compare_policies(
                workload, options.policy, cycle=seconds, seconds_per_pair=component, progress=progress
            )
        else:
            figures, _ = compare(
                workload, loop_seconds_per_pair=loop, component_seconds_per_pair=component, progress=progress
            )
        bars.update(bar, completed=sides * workload.seconds)
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    if options.html is not None:
        write_file(options.html, page(figures))
    if options.svg is not None:
        write_file(options.svg, standalone(charts(figures)[0]))
    if options.json == "-":
        return text
    if options.json:
        write_file(Path(options.json), text)
    return summary(figures)


def _pair(text: str) -> tuple[float, float]:
    try:
        loop, component = map(float, text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not two numbers of seconds with a comma between") from error
    if not (0 <= loop < sys.float_info.max and 0 <= component < sys.float_info.max):
        raise argparse.ArgumentTypeError(f"{text!r} has a number that is no time, 0 or more")
    return loop, component
