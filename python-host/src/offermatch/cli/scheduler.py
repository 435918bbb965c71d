"""The commands of the scheduler: ``submit``, ``run`` and ``store``; those on tasks and places stand beside them.

What they need beyond the matcher is imported when one of them runs.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offermatch.cli.arguments import add_limits, add_matcher, add_ranking, matcher_named, positive, ranking
from offermatch.cli.cluster import add_places, open_store
from offermatch.cli.queues import add_queues
from offermatch.cli.stopping import stopped_by_signals
from offermatch.cli.tasks import add_tasks
from offermatch.errors import InputError, OffermatchError
from offermatch.extras import require
from offermatch.fallback.fallback import FallbackMatcher
from offermatch.matcher import BaseMatcher
from offermatch.scheduler.cluster.adapters import Access, connect
from offermatch.slot.slot import Slot
from offermatch.visible import visible

if TYPE_CHECKING:
    from offermatch.scheduler.cycle import Observer

__all__ = ["add_scheduler"]

_STORE = "sqlite:///tasks.db"
_PROTOCOL = "http/protobuf"


_SUBMIT = """\
Stores tasks from files of JSON, JSON lines or CSV: the rows of docs/formats.md, with priority, needs, payload, inputs,
retries, queue and time_limit besides (docs/scheduler.md). Each file is stored whole or not at all.

  offermatch submit tasks.json --queue research
  offermatch submit --store postgresql://user@host/database monday.csv tuesday.csv
"""


_UPGRADE = """\
Brings the schema of a store to the one of this version, in one transaction; tasks stay as they are. An empty store needs no
upgrade, and one of a newer version is refused.

  offermatch store upgrade --store postgresql://user@host/database
"""

_RUN = """\
Runs the scheduler until SIGINT or SIGTERM: what is ready in the store is matched to what the cluster offers, and launched.
On a terminal it shows the cycle, elsewhere it writes a line of log for each.

  offermatch run --cluster simulated --drain
  offermatch run --store postgresql://user@host/database --cluster http://node-1:8321,http://node-2:8321
  offermatch run --cluster 'docker:unix:///run/docker.sock?image=debian:12,docker:tcp://node-1:2376?tls=/etc/offermatch/tls'
  offermatch run --cluster 'kubernetes:my-context?namespace=batch&image=debian:12'
  offermatch run --cluster dask:tcp://scheduler:8786 --manifest /etc/offermatch/manifest.json
  OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 offermatch run --metrics-port 9464
"""


def add_scheduler(commands: Any) -> None:
    """Add the commands."""
    plain = argparse.RawDescriptionHelpFormatter
    stored = argparse.ArgumentParser(add_help=False)
    stored.add_argument("--store", default=_STORE, metavar="URL", help=f"SQLite or PostgreSQL (default: {_STORE})")

    submit = commands.add_parser("submit", help="store tasks", description=_SUBMIT, formatter_class=plain, parents=[stored])
    submit.set_defaults(command=_submit, usage=submit)
    submit.add_argument("files", type=Path, nargs="+", metavar="FILE", help="tasks, as JSON, JSON lines or CSV")
    submit.add_argument("--queue", metavar="NAME", help="the queue of tasks that name none (default: default)")
    forms = ("auto", "json", "jsonl", "csv")
    submit.add_argument("--format", choices=forms, default="auto", help="(default: by the ending)")

    run = commands.add_parser("run", help="run the scheduler", description=_RUN, formatter_class=plain, parents=[stored])
    run.set_defaults(command=_run, usage=run)
    run.add_argument(
        "--cluster",
        default="simulated",
        metavar="CLUSTER",
        help="simulated, simulated:OFFERS-FILE, http://AGENT,http://AGENT,..., docker:ENGINE,docker:ENGINE,..., "
        "kubernetes:CONTEXT or dask:ADDRESS (default: simulated)",
    )
    run.add_argument(
        "--cluster-token-file", type=Path, metavar="FILE", help="the token that agents want; only its owner can read it"
    )
    run.add_argument(
        "--cluster-ca",
        type=Path,
        metavar="FILE",
        help="believe agents whose certificate is of this authority, and no others",
    )
    run.add_argument(
        "--lost-after",
        type=_seconds,
        metavar="SECONDS",
        help="without an answer after which an agent is dead, and what it ran begins elsewhere; give it only where one that "
        "is merely cut off is ended, too (default: never)",
    )
    run.add_argument("--interval", type=_seconds, default=1.0, metavar="SECONDS", help="from cycle to cycle (default: 1)")
    until = run.add_mutually_exclusive_group()
    until.add_argument("--once", action="store_true", help="end after one cycle; exit code 1 if an error ended it")
    until.add_argument("--drain", action="store_true", help="end when every task has ended")
    add_matcher(run)
    run.add_argument("--manifest", type=Path, metavar="FILE", help="follow a manifest: the matcher is swapped as it changes")
    add_limits(run)
    add_ranking(run, "shared")
    run.add_argument(
        "--lease",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="after which a silent scheduler is dead (default: 30)",
    )
    run.add_argument(
        "--most-tasks", type=positive, default=100_000, metavar="N", help="ready tasks a cycle looks at (default: 100000)"
    )
    run.add_argument(
        "--queues", type=Path, metavar="FILE", help="make the queues of a file first; 'queues load' does it, too"
    )
    run.add_argument(
        "--ageing",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="of waiting that are worth one step of priority within a queue (default: none)",
    )
    run.add_argument(
        "--reserve-after",
        type=_seconds,
        default=300.0,
        metavar="SECONDS",
        help="of waiting after which room is held for a task that finds no offer (default: 300)",
    )
    run.add_argument("--concurrency", type=positive, default=64, metavar="N", help="inputs fetched at once (default: 64)")
    run.add_argument("--stages", type=positive, default=4, metavar="N", help="inputs staged at once (default: 4)")
    run.add_argument("--stage-program", metavar="PATH", help="the Rust program that stages; docs/staging.md")

    about = "count in the metrics how many tasks any matcher could have placed at most, too"
    run.add_argument("--bound", action="store_true", help=about)
    run.add_argument("--trace", type=Path, metavar="FILE", help="append spans to a file; `offermatch trace` shows them")
    run.add_argument("--metrics-port", type=positive, metavar="PORT", help="serve metrics for Prometheus")
    run.add_argument(
        "--metrics-address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where metrics are served, to all who can reach it (default: 127.0.0.1)",
    )

    add_tasks(commands, stored)
    add_places(commands, stored)
    add_queues(commands, stored)

    store = commands.add_parser("store", help="look after the store")
    kept = store.add_subparsers(required=True, metavar="WHAT")
    upgrade = kept.add_parser(
        "upgrade",
        help="bring the schema of a store to this version",
        description=_UPGRADE,
        formatter_class=plain,
        parents=[stored],
    )
    upgrade.set_defaults(command=_upgrade, usage=upgrade)


def _submit(options: argparse.Namespace) -> str:
    with open_store(options) as store:
        from rich.console import Console  # noqa: PLC0415
        from rich.markup import escape  # noqa: PLC0415
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        from offermatch.scheduler.queues import DEFAULT  # noqa: PLC0415
        from offermatch.scheduler.submission import read_submissions  # noqa: PLC0415

        lines = []
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
            for path in options.files:
                bar = bars.add_task(escape(visible(f"reading {path}")), total=None)
                rows = read_submissions(path, options.format, queue=DEFAULT if options.queue is None else options.queue)
                bars.update(bar, description=escape(visible(f"storing {path}")), total=len(rows))
                store.submit(rows, source=str(path), progress=lambda more, bar=bar: bars.advance(bar, more))  # type: ignore[misc]
                lines.append(f"{visible(path)}: {len(rows):,} tasks stored\n")
        return "".join(lines)


def _run(options: argparse.Namespace) -> str:
    with ExitStack() as entered:
        store = entered.enter_context(open_store(options))
        from offermatch.scheduler.cycle import Cycle  # noqa: PLC0415
        from offermatch.scheduler.loop import Scheduler  # noqa: PLC0415
        from offermatch.scheduler.queues import read_queues  # noqa: PLC0415
        from offermatch.scheduler.watching.view import LiveView, LogLines  # noqa: PLC0415

        if options.queues is not None:
            store.set_queues(read_queues(options.queues), source=str(options.queues))
        matcher: BaseMatcher = matcher_named(options.matcher, options.limits)
        if options.manifest is not None:
            slot = matcher = Slot(matcher)
            entered.enter_context(slot.watch(options.manifest))
        access = Access(options.cluster_token_file, options.cluster_ca, options.lost_after)
        cluster = connect(options.cluster, access)
        entered.callback(cluster.close)
        observers: list[Observer] = []
        if sys.stderr.isatty():
            observers.append(entered.enter_context(LiveView()))
        else:
            logging.getLogger("offermatch.scheduler").setLevel(logging.INFO)
            observers.append(LogLines())
        observers += entered.enter_context(_telemetry(options))
        last: list[Cycle] = []
        scheduler = Scheduler(
            store,
            cluster,
            _with_fallback(matcher, options.limits),
            settings=ranking(options),
            interval=options.interval,
            lease_seconds=options.lease,
            most_tasks=options.most_tasks,
            ageing=options.ageing,
            bound=options.bound,
            reserve_after=options.reserve_after,
            concurrency=options.concurrency,
            stages_at_once=options.stages,
            program=options.stage_program,
            observers=observers,
        )
        entered.enter_context(scheduler)
        entered.enter_context(stopped_by_signals(scheduler.stop))
        if options.once:
            last.append(scheduler.cycle())
        else:
            scheduler.run(until_idle=options.drain)
        if last and last[0].error:
            raise OffermatchError(last[0].error, last[0].message)
        return ""


def _with_fallback(matcher: BaseMatcher, limits: Path | None) -> FallbackMatcher:
    """Return the matcher with what answers when it fails: the bundled component, and after that the reference matcher.

    The reference takes seconds for what the component does in milliseconds, so it is the last resort.
    """
    bundled = matcher_named("bundled", limits)
    if not isinstance(matcher, Slot) and matcher.digest == bundled.digest:
        return FallbackMatcher(matcher)
    return FallbackMatcher(matcher, FallbackMatcher(bundled))


def _telemetry(options: argparse.Namespace) -> AbstractContextManager[Sequence[Observer]]:
    """Return what sets up traces and metrics, where the arguments or OpenTelemetry's variables ask for them."""
    endpoints = [name for name in os.environ if name.startswith("OTEL_EXPORTER_OTLP_") and name.endswith("ENDPOINT")]
    if not (endpoints or options.trace or options.metrics_port):
        return nullcontext([])
    require("telemetry", "opentelemetry.sdk", "opentelemetry.exporter", "prometheus_client")
    for name in ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"):
        if (spoken := os.environ.get(name) or _PROTOCOL) != _PROTOCOL:
            hint = f"set it to {_PROTOCOL}, and the endpoint to the collector's port for that, usually 4318"
            raise InputError("setting-malformed", f"{spoken!r} is not spoken here", hint, name)
    from offermatch.scheduler.watching.exporters import exporting  # noqa: PLC0415

    return exporting(options.trace, options.metrics_port, options.metrics_address)


def _upgrade(options: argparse.Namespace) -> str:
    require("scheduler", "sqlalchemy", "alembic")
    from offermatch.scheduler.store import Store  # noqa: PLC0415

    return f"the store has the schema {Store.upgrade(options.store)}\n"


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value
