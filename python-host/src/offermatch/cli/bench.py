"""The command line of ``offermatch bench``."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from offermatch.bench import (
    border,
    cycle,
    day,
    draw,
    gil,
    judge,
    kubernetes,
    languages,
    launches,
    memory,
    pack,
    packing,
    partitions,
    policies,
    ray,
    rows,
    start,
    svg,
    swap,
    talk,
    traced,
)
from offermatch.cli.arguments import positive, sample
from offermatch.cli.output import Differs
from offermatch.extras import require
from offermatch.matcher import Matcher
from offermatch.policies import names
from offermatch.sample import KINDS, Sample
from offermatch.tables.order import ORDERS
from offermatch.writing import unwritable

__all__ = ["add_bench"]

_SAMPLE = Sample("uniform", 20000, 20000)


def add_bench(commands: Any) -> None:
    """Add ``bench`` and what it measures to the commands."""
    plain = argparse.RawDescriptionHelpFormatter
    bench = commands.add_parser("bench", help="measure", description="Measures on this machine.")
    what = bench.add_subparsers(required=True, metavar="WHAT")

    def measurement(name: str, module: Any, command: Callable[[argparse.Namespace], str], about: str) -> Any:
        parser = what.add_parser(name, help=about, description=module.__doc__, formatter_class=plain)
        parser.set_defaults(command=command, usage=parser)
        return parser

    table = measurement("talk", talk, _talk, "the talk's table: loops in Python and Rust, and the component from both")
    table.add_argument("--rust-host", type=Path, metavar="PATH", help="the Rust program, for the native rows")
    table.add_argument("--json", metavar="FILE", help="write one JSON object too; - prints it instead of the table")
    table.add_argument("--svg", type=Path, metavar="DIR", help="write pictures too")
    table.add_argument("--quick", action="store_true", help="small sizes, to see that it works")

    for name, module, command, size, rounds, about in (
        ("border", border, _border, _SAMPLE, 5, "the way into the component and back, apart from the matching"),
        ("rows", rows, _rows, _SAMPLE, 5, "what rows cost, by what they are made of"),
        ("gil", gil, _gil, _SAMPLE, 40, "what is left to another Python thread meanwhile"),
        ("traced", traced, _traced, Sample("uniform", 50, 50), 1000, "what a call costs while it is traced"),
    ):
        parser = measurement(name, module, command, about)
        parser.add_argument("--sample", type=sample, default=size, metavar="KIND:TASKSxOFFERS[:SEED]")
        parser.add_argument("--rounds", type=positive, default=rounds, metavar="N")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("start", start, _start, "compiling, the cache of compiled components, the smallest calls")
    parser.add_argument("--rounds", type=positive, default=9, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("swap", swap, _swap, "swapping the matcher under threads that call it")
    parser.add_argument("--sample", type=sample, default=Sample("uniform", 200, 200), metavar="KIND:TASKSxOFFERS[:SEED]")
    parser.add_argument("--seconds", type=positive, default=60, metavar="N", help="how long to swap (default: 60)")
    parser.add_argument("--callers", type=positive, default=4, metavar="N", help="threads that call (default: 4)")
    parser.add_argument("--every", type=positive, default=50, metavar="MS", help="between two swaps (default: 50)")
    parser.add_argument("--other", type=Path, metavar="PATH", help="the component to swap with the bundled one")
    about = "microseconds for which a thread may keep the interpreter's lock (default: as it is, mostly 5000)"
    parser.add_argument("--switch-interval", type=positive, metavar="US", help=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("judge", judge, _judge, "what callers wait for while a large candidate is judged")
    parser.add_argument("--sample", type=sample, default=Sample("uniform", 200, 200), metavar="KIND:TASKSxOFFERS[:SEED]")
    parser.add_argument("--megabytes", type=positive, default=20, metavar="N", help="of the candidate (default: 20)")
    parser.add_argument("--callers", type=positive, default=4, metavar="N", help="threads that call (default: 4)")
    parser.add_argument("--rounds", type=positive, default=3, metavar="N", help="turns of each phase (default: 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _add_clusters(measurement)
    parser = measurement("ray", ray, _ray, "the bin packing of Ray's autoscaler, beside Ray's own functions")
    parser.add_argument("--bundles", type=positive, default=10_000, metavar="N", help="to pack (default: 10000)")
    parser.add_argument("--nodes", type=positive, default=2_000, metavar="N", help="to pack them on (default: 2000)")
    parser.add_argument("--start-for", type=positive, default=4_000, metavar="N", help="bundles to start nodes for (4000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _add_policies(measurement)
    _add_cycles(measurement)


def _add_cycles(measurement: Callable[..., Any]) -> None:
    parser = measurement("cycle", cycle, _cycle, "one cycle of the scheduler, stage by stage, beside the talk's figures")
    parser.add_argument("--store", metavar="URL", help="an empty database (default: a temporary SQLite file)")
    parser.add_argument("--tasks", type=positive, default=170_000, metavar="N", help="tasks stored (default: 170000)")
    parser.add_argument("--processable", type=positive, default=20_000, metavar="N", help="ready tasks (default: 20000)")
    parser.add_argument("--offers", type=positive, default=20_000, metavar="N", help="servers (default: 20000)")
    parser.add_argument("--seconds", type=positive, default=4, metavar="N", help="for each of the simple ways (default: 4)")
    parser.add_argument("--json", metavar="FILE", help="write one JSON object too; - prints it instead of the table")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="write a picture too")
    parser = measurement("day", day, _day, "a day of the scheduler, a tenth of the servers broken")
    parser.add_argument("--tasks", type=positive, default=day.TASKS, metavar="N", help="in 24 hours (default: 8500)")
    about = "a tenth is broken (default: 100, a minute or two; the talk's 2000 servers and 170000 tasks take half an hour)"
    parser.add_argument("--servers", type=positive, default=day.SERVERS, metavar="N", help=about)
    parser.add_argument("--load", type=float, default=day.LOAD, metavar="PART", help="of all CPUs, asked for (default: 1)")
    parser.add_argument("--hours", type=float, default=24.0, metavar="H", help="only the first of them (default: 24)")
    parser.add_argument(
        "--interval", type=positive, default=day.INTERVAL, metavar="S", help="between two cycles (default: 480)"
    )
    parser.add_argument("--reserve-after", type=positive, default=300, metavar="S", help="as of 'run' (default: 300)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="where chance starts (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("memory", memory, _memory, "the memory that the largest input takes")
    parser.add_argument("--sample", type=sample, default=Sample("realistic", 1_000_000, 100_000), metavar="SAMPLE")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_clusters(measurement: Callable[..., Any]) -> None:
    parser = measurement(
        "kubernetes", kubernetes, _kubernetes, "the Kubernetes scheduler, on an API server that is nobody's"
    )
    parser.add_argument("--kubeconfig", required=True, metavar="FILE", help="the server; it must have no nodes")
    parser.add_argument("--nodes", type=positive, default=5000, metavar="N")
    parser.add_argument("--pods", type=positive, default=30000, metavar="N")
    parser.add_argument("--concurrency", type=positive, default=32, metavar="N", help="bindings at once (default: 32)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("draw", draw, _draw, "the pictures of figures that --json wrote")
    parser.add_argument("figures", type=Path, metavar="FILE", help="what offermatch-host bench NAME --json FILE wrote")
    parser.add_argument("--svg", type=Path, required=True, metavar="DIR", help="where to draw")
    parser = measurement("partitions", partitions, _partitions, "partitions of a cycle on threads and on workers of Dask")
    parser.add_argument("--kind", default="realistic", choices=KINDS, help="the sample that each is (default: realistic)")
    parser.add_argument("--rows", type=positive, default=10_000, metavar="N", help="tasks, and offers, of each (10000)")
    parser.add_argument("--workers", type=int, default=8, metavar="N", help="of the Dask cluster; 0 for none (default: 8)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("launches", launches, _launches, "what a launch over HTTP costs the scheduler")
    parser.add_argument("--launches", type=positive, default=20_000, metavar="N", help="(default: 20000)")
    parser.add_argument("--offers", type=positive, default=2_000, metavar="N", help="behind the gateway (default: 2000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_policies(measurement: Callable[..., Any]) -> None:
    parser = measurement("languages", languages, _languages, "matchers in other languages: size, imports, start and time")
    parser.add_argument("matchers", nargs="+", type=Path, metavar="PATH", help="the components")
    parser.add_argument("--rounds", type=positive, default=3, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("pack", pack, _pack, "offline packing on public kinds of instances")
    parser.add_argument("--seconds", type=positive, default=1, metavar="N", help="for each instance (default: 1)")
    parser.add_argument(
        "--class", type=int, action="append", dest="classes", choices=pack.CLASSES, help="may be given again (all)"
    )
    parser.add_argument("--tasks", type=positive, action="append", metavar="N", help="may be given again (50, 100, 200)")
    parser.add_argument("--seeds", type=positive, default=1, metavar="N", help="instances of each kind (default: 1)")
    parser.add_argument("--rust-host", type=Path, metavar="PATH", help="have the Rust program search")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser = measurement("packing", packing, _packing, "how full a GPU cluster gets by each policy, on a public trace")
    parser.add_argument("--trace", type=Path, required=True, metavar="FOLDER", help="the trace's files, openb_*.csv")
    parser.add_argument(
        "--list", action="append", metavar="NAME", help=f"pods; may be given again ({', '.join(packing.LISTS)})"
    )
    about = f"NAME or PATH, and weights behind a colon; may be given again ({', '.join(packing.POLICIES)})"
    parser.add_argument("--policy", action="append", metavar="POLICY", help=about)
    parser.add_argument("--seed", type=int, action="append", metavar="N", help="may be given again (42, 43)")
    parser.add_argument(
        "--arrivals", type=Path, metavar="FOLDER", help="read LIST.SEED.pods and LIST.SEED.nodes; else drawn"
    )
    parser.add_argument("--batch", type=positive, default=1000, metavar="N", help="pods in one call (default: 1000)")
    about = "tell policies that look ahead what the list holds, instead of letting them learn it"
    parser.add_argument("--workload", action="store_true", help=about)
    about = "what counts besides GPUs; may be given again (cpu and memory)"
    parser.add_argument("--dimension", action="append", choices=packing.DIMENSIONS, help=about)
    parser.add_argument("--rust-host", type=Path, metavar="PATH", help="the Rust program: its answers must be the same")
    parser.add_argument("--json", metavar="FILE", help="write one JSON object too; - prints it instead of the table")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="write a picture of each list too")
    parser = measurement("policies", policies, _policies, "what each policy places, and how many offers it uses")
    about = "may be given again (uniform and realistic, 20000x20000:1)"
    parser.add_argument("--sample", type=sample, action="append", metavar="KIND:TASKSxOFFERS[:SEED]", help=about)
    parser.add_argument("--policy", action="append", default=[], choices=names(), help="may be given again (all)")
    parser.add_argument("--order", choices=ORDERS, default="given", help="sort the tasks first (default: given)")
    about = "open an untouched offer only where no used one will do"
    parser.add_argument("--used-first", action="store_true", help=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _talk(options: argparse.Namespace) -> str:
    measured = talk.talk(options.rust_host, quick=options.quick, progress=_progress)
    return _kept(measured, options, talk.table, svg.write)


def _pack(options: argparse.Namespace) -> str:
    found = pack.pack(
        float(options.seconds),
        classes=options.classes or pack.CLASSES,
        tasks=options.tasks or pack.TASKS,
        seeds=options.seeds,
        rust_host=options.rust_host,
        progress=_progress,
    )
    return _shown(found, options, pack.table)


def _packing(options: argparse.Namespace) -> str:
    if options.workload and options.rust_host is not None:
        options.usage.error("--rust-host has no way to be told a workload")
    measured = packing.packing(
        options.trace,
        lists=options.list or packing.LISTS,
        seeds=options.seed or packing.SEEDS,
        candidates=[packing.candidate(text) for text in options.policy or packing.POLICIES],
        arrivals=options.arrivals,
        batch=options.batch,
        dimensions=options.dimension or packing.DIMENSIONS,
        workload=options.workload,
        rust_host=options.rust_host,
        progress=_progress,
    )
    return _kept(measured, options, packing.table, packing.write_svg)


def _policies(options: argparse.Namespace) -> str:
    samples, used_first = options.sample or policies.SAMPLES, options.used_first
    found = policies.policies(samples, options.policy, options.order, _progress, used_first=used_first)
    return _shown(found, options, policies.table)


def _cycle(options: argparse.Namespace) -> str:
    if options.tasks < 7 * options.processable:
        options.usage.error("--tasks is at least seven times --processable")
    measured = cycle.cycle(
        options.store,
        tasks=options.tasks,
        processable=options.processable,
        offers=options.offers,
        seconds=float(options.seconds),
        progress=_progress,
    )
    return _kept(measured, options, cycle.table, cycle.write_svg)


def _day(options: argparse.Namespace) -> str:
    require("scheduler", "rich")
    from rich.console import Console  # noqa: PLC0415 - needs the extra
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with _errors_only("offermatch.scheduler"), Progress(*columns, console=Console(stderr=True)) as bars:
        shown: dict[str, Any] = {}

        def progress(title: str, part: float) -> None:
            if title not in shown:
                shown[title] = bars.add_task(title, total=1.0)
            bars.update(shown[title], completed=part)

        measured = day.day(
            options.tasks,
            options.servers,
            hours=options.hours,
            interval=float(options.interval),
            load=options.load,
            seed=options.seed,
            reserve_after=float(options.reserve_after),
            progress=progress,
        )
    found = _shown(measured, options, day.table)
    if day.missed(measured):
        raise Differs(found)
    return found


@contextmanager
def _errors_only(name: str) -> Iterator[None]:
    """Have a logger say nothing less: what it would say is counted in the table."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _kept(
    measured: dict[str, Any],
    options: argparse.Namespace,
    table: Callable[[dict[str, Any]], str],
    draw: Callable[[dict[str, Any], Path], Any],
) -> str:
    """Write what is to be written to files, and return what is to be printed."""
    text = json.dumps(measured, indent=2) + "\n"
    try:
        if options.svg is not None:
            draw(measured, options.svg)
        if options.json not in (None, "-"):
            Path(options.json).write_text(text)
    except OSError as error:
        raise unwritable(error, str(error.filename)) from error
    return text if options.json == "-" else table(measured)


def _progress(text: str) -> None:
    sys.stderr.write(f"measuring {text}\n")


def _border(options: argparse.Namespace) -> str:
    return _shown(border.border(options.sample, options.rounds), options, border.table)


def _rows(options: argparse.Namespace) -> str:
    return _shown(rows.rows(options.sample, options.rounds), options, rows.table)


def _gil(options: argparse.Namespace) -> str:
    return _shown(gil.gil(options.sample, options.rounds), options, gil.table)


def _start(options: argparse.Namespace) -> str:
    return _shown(start.start(options.rounds), options, start.table)


def _memory(options: argparse.Namespace) -> str:
    return _shown(memory.memory(options.sample), options, memory.table)


def _traced(options: argparse.Namespace) -> str:
    return _shown(traced.traced(options.sample, options.rounds), options, traced.table)


def _languages(options: argparse.Namespace) -> str:
    return _shown(languages.languages(options.matchers, options.rounds), options, languages.table)


def _kubernetes(options: argparse.Namespace) -> str:
    found = kubernetes.kubernetes(
        options.kubeconfig,
        options.nodes,
        options.pods,
        options.seed,
        Matcher.load(),
        _progress,
        concurrency=options.concurrency,
    )
    return _shown(found, options, kubernetes.table)


def _launches(options: argparse.Namespace) -> str:
    require("http", "httpx")
    require("agent", "uvicorn")
    return _shown(launches.launches(options.launches, options.offers), options, launches.table)


def _ray(options: argparse.Namespace) -> str:
    found = ray.ray(options.bundles, options.nodes, options.start_for, options.seed, _progress)
    return _shown(found, options, ray.table)


def _draw(options: argparse.Namespace) -> str:
    return "".join(f"{path}\n" for path in draw.draw(options.figures, options.svg))


def _partitions(options: argparse.Namespace) -> str:
    found = partitions.partitions(options.kind, options.rows, options.workers, progress=_progress)
    return _shown(found, options, partitions.table)


def _swap(options: argparse.Namespace) -> str:
    interval = None if options.switch_interval is None else options.switch_interval / 1000
    found = swap.swap(
        options.sample,
        float(options.seconds),
        options.callers,
        options.every,
        options.other,
        switch_interval_milliseconds=interval,
    )
    return _shown(found, options, swap.table)


def _judge(options: argparse.Namespace) -> str:
    found = judge.judge(options.sample, options.megabytes, options.callers, options.rounds)
    return _shown(found, options, judge.table)


def _shown(measured: dict[str, Any], options: argparse.Namespace, table: Callable[[dict[str, Any]], str]) -> str:
    return json.dumps(measured, indent=2) + "\n" if options.json else table(measured)
