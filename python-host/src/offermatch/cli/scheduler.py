"""The commands of the scheduler: ``submit``, ``run``, ``tasks`` and ``store``.

What they need beyond the matcher is imported when one of them runs.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offermatch.cli.agent import token_of
from offermatch.cli.arguments import add_ranking, ranking
from offermatch.errors import ClusterError, InputError, OffermatchError
from offermatch.extras import require
from offermatch.fallback.fallback import FallbackMatcher
from offermatch.formats.files import read_offers
from offermatch.matcher import BaseMatcher
from offermatch.slot.slot import Slot
from offermatch.visible import LONGEST_MESSAGE, LONGEST_NAME, visible

if TYPE_CHECKING:
    from offermatch.scheduler.cluster.abc import Cluster
    from offermatch.scheduler.cycle import Observer
    from offermatch.scheduler.loop import Scheduler
    from offermatch.scheduler.store import Store

__all__ = ["add_scheduler"]

_STORE = "sqlite:///tasks.db"
_PROTOCOL = "http/protobuf"
_STATES = ("pending", "ready", "claimed", "running", "done", "failed", "cancelled")

_SUBMIT = """\
Stores tasks from JSON or CSV files: the rows of docs/formats.md, with priority, needs, payload, inputs and retries besides
(docs/scheduler.md). Each file is stored whole or not at all.

  offermatch submit tasks.json
  offermatch submit --store postgresql://user@host/database monday.csv tuesday.csv
"""

_TASKS = """\
Looks at stored tasks, cancels them and tries them again. docs/scheduler.md says what the states mean.

  offermatch tasks list --state failed
  offermatch tasks show render-1
  offermatch tasks retry render-1
"""

_WHY = "Says why a task is where it is: what it needs, its pause, the places it avoids, and what the offers last seen lack."

_LOGS = (
    "Prints the end of what a task has written: as it is to a file, and with what cannot be seen as escapes to a terminal."
)

_CLUSTER = """\
Says which offers of the cluster get tasks, to all schedulers of a store, from their next cycle on. A place where different
tasks fail one after the other is left out for a while by itself.

  offermatch cluster list
  offermatch cluster drain node-7 --reason 'new memory'
  offermatch cluster uncordon node-7
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
  offermatch run --cluster dask:tcp://scheduler:8786 --manifest /etc/offermatch/manifest.json
  OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 offermatch run --metrics-port 9464
"""


def add_scheduler(commands: Any, load: Callable[[str, Path | None], BaseMatcher], positive: Callable[[str], int]) -> None:
    """Add the commands.

    Args:
        commands: The subparsers to add to.
        load: Loads a matcher by its name or path.
        positive: Reads a number above 0.
    """
    plain = argparse.RawDescriptionHelpFormatter
    stored = argparse.ArgumentParser(add_help=False)
    stored.add_argument("--store", default=_STORE, metavar="URL", help=f"SQLite or PostgreSQL (default: {_STORE})")

    submit = commands.add_parser("submit", help="store tasks", description=_SUBMIT, formatter_class=plain, parents=[stored])
    submit.set_defaults(command=_submit, usage=submit)
    submit.add_argument("files", type=Path, nargs="+", metavar="FILE", help="tasks, as JSON or CSV")
    submit.add_argument("--format", choices=("auto", "json", "csv"), default="auto", help="(default: by the ending)")

    run = commands.add_parser("run", help="run the scheduler", description=_RUN, formatter_class=plain, parents=[stored])
    run.set_defaults(command=lambda options: _run(options, load), usage=run)
    run.add_argument(
        "--cluster",
        default="simulated",
        metavar="CLUSTER",
        help="simulated, simulated:OFFERS-FILE, http://AGENT,http://AGENT,..., docker:ENGINE,docker:ENGINE,... or "
        "dask:ADDRESS (default: simulated)",
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
    run.add_argument("--interval", type=_seconds, default=1.0, metavar="SECONDS", help="from cycle to cycle (default: 1)")
    until = run.add_mutually_exclusive_group()
    until.add_argument("--once", action="store_true", help="end after one cycle; exit code 1 if an error ended it")
    until.add_argument("--drain", action="store_true", help="end when every task has ended")
    run.add_argument("--matcher", default="bundled", metavar="PATH|bundled|reference", help="(default: bundled)")
    run.add_argument("--manifest", type=Path, metavar="FILE", help="follow a manifest: the matcher is swapped as it changes")
    run.add_argument("--limits", type=Path, metavar="FILE", help="limits on what a component may use; docs/trust.md")
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
    run.add_argument("--concurrency", type=positive, default=64, metavar="N", help="inputs fetched at once (default: 64)")
    run.add_argument("--stages", type=positive, default=4, metavar="N", help="inputs staged at once (default: 4)")
    run.add_argument("--stage-program", metavar="PATH", help="the Rust program that stages; docs/staging.md")

    run.add_argument("--trace", type=Path, metavar="FILE", help="append spans to a file; `offermatch trace` shows them")
    run.add_argument("--metrics-port", type=positive, metavar="PORT", help="serve metrics for Prometheus")
    run.add_argument(
        "--metrics-address",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where metrics are served; whoever reaches it can read them (default: 127.0.0.1)",
    )

    _add_tasks(commands, stored, positive)
    _add_cluster(commands, stored)

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


def _add_tasks(commands: Any, stored: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    plain = argparse.RawDescriptionHelpFormatter
    tasks = commands.add_parser(
        "tasks", help="look at stored tasks, cancel them, try them again", description=_TASKS, formatter_class=plain
    )
    what = tasks.add_subparsers(required=True, metavar="WHAT")
    listing = what.add_parser("list", help="how many are in each state, and the latest", parents=[stored])
    listing.set_defaults(command=_list, usage=listing)
    listing.add_argument("--state", choices=_STATES, help="only these")
    listing.add_argument("--most", type=positive, default=20, metavar="N", help="(default: 20)")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    show = what.add_parser("show", help="all about one task, with its history", parents=[stored])
    show.set_defaults(command=_show, usage=show)
    show.add_argument("name", metavar="TASK")
    show.add_argument("--json", action="store_true", help="print one JSON object")
    reasons = what.add_parser("why", help="why a task is where it is", parents=[stored], description=_WHY)
    reasons.set_defaults(command=_why, usage=reasons)
    reasons.add_argument("name", metavar="TASK")
    logs = what.add_parser("logs", help="what a task has written, on an agent", parents=[stored], description=_LOGS)
    logs.set_defaults(command=_logs, usage=logs)
    logs.add_argument("name", metavar="TASK")
    logs.add_argument("--cluster", required=True, metavar="CLUSTER", help="http://AGENT,...: as for run")
    logs.add_argument("--cluster-token-file", type=Path, metavar="FILE", help="the token that agents want")
    logs.add_argument("--cluster-ca", type=Path, metavar="FILE", help="the authority of the agents' certificates")
    logs.add_argument("--stderr", action="store_true", help="standard error (default: standard output)")
    logs.add_argument("--attempt", type=positive, metavar="N", help="(default: the latest)")
    logs.add_argument("--most", type=positive, default=65536, metavar="BYTES", help="the last of them (default: 65536)")
    for name, command, about in (
        ("cancel", _cancel, "end tasks, and cancel what needs them"),
        ("retry", _retry, "give failed and cancelled tasks another chance, and what was cancelled because of them"),
    ):
        parser = what.add_parser(name, help=about, description=about, parents=[stored])
        parser.set_defaults(command=command, usage=parser)
        parser.add_argument("names", nargs="+", metavar="TASK")


def _add_cluster(commands: Any, stored: argparse.ArgumentParser) -> None:
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


def _open(options: argparse.Namespace, *, make: bool = True) -> Store:
    require("scheduler", "sqlalchemy", "alembic", "rich")
    from offermatch.scheduler.store import Store  # noqa: PLC0415

    return Store(options.store, make=make)


def _submit(options: argparse.Namespace) -> str:
    with _open(options) as store:
        from rich.console import Console  # noqa: PLC0415
        from rich.markup import escape  # noqa: PLC0415
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

        from offermatch.scheduler.submission import read_submissions  # noqa: PLC0415

        lines = []
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
            for path in options.files:
                bar = bars.add_task(escape(visible(f"reading {path}")), total=None)
                rows = read_submissions(path, options.format)
                bars.update(bar, description=escape(visible(f"storing {path}")), total=len(rows))
                store.submit(rows, source=str(path), progress=lambda more, bar=bar: bars.advance(bar, more))  # type: ignore[misc]
                lines.append(f"{visible(path)}: {len(rows):,} tasks stored\n")
        return "".join(lines)


def _run(options: argparse.Namespace, load: Callable[[str, Path | None], BaseMatcher]) -> str:
    with ExitStack() as entered:
        store = entered.enter_context(_open(options))
        from offermatch.scheduler.cycle import Cycle  # noqa: PLC0415
        from offermatch.scheduler.loop import Scheduler  # noqa: PLC0415
        from offermatch.scheduler.watching.view import LiveView, LogLines  # noqa: PLC0415

        matcher = load(options.matcher, options.limits)
        if options.manifest is not None:
            slot = matcher = Slot(matcher)
            entered.enter_context(slot.watch(options.manifest))
        cluster = _cluster(options.cluster, options.cluster_token_file, options.cluster_ca)
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
            FallbackMatcher(matcher),
            settings=ranking(options),
            interval=options.interval,
            lease_seconds=options.lease,
            most_tasks=options.most_tasks,
            concurrency=options.concurrency,
            stages_at_once=options.stages,
            program=options.stage_program,
            observers=observers,
        )
        entered.enter_context(scheduler)
        entered.callback(_stopped_by_signals(scheduler))
        if options.once:
            last.append(scheduler.cycle())
        else:
            scheduler.run(until_idle=options.drain)
        if last and last[0].error:
            raise OffermatchError(last[0].error, last[0].message)
        return ""


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


def _stopped_by_signals(scheduler: Scheduler) -> Callable[[], None]:
    """Stop at the first SIGINT or SIGTERM; a second one ends the process at once. Returns what puts things back."""

    def stop(number: int, _: object) -> None:
        scheduler.stop()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


def _cluster(text: str, token: Path | None = None, authority: Path | None = None) -> Cluster:
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


def _list(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
        counts, rows = store.counts(), store.listed(options.state, options.most)
    if options.json:
        found = [dict(zip(("name", "state", "priority", "reason"), row, strict=True)) for row in rows]
        return json.dumps({"counts": counts, "tasks": found}, indent=2) + "\n"
    lines = ["  ".join(f"{counts.get(state, 0):,} {state}" for state in _STATES), ""]
    shown = [(visible(name, LONGEST_NAME), state, priority, visible(why)) for name, state, priority, why in rows]
    width = max([len(row[0]) for row in shown] or [0])
    lines += [f"{name:<{width}}  {state:<9}  {priority:>4}  {why}".rstrip() for name, state, priority, why in shown]
    return "\n".join(lines).rstrip() + "\n"


def _show(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
        found = store.shown(options.name)
    row = found.columns
    if options.json:
        document = {
            "name": found.name,
            "state": found.state,
            "needs": found.needs,
            "payload": found.payload,
            "inputs": found.inputs,
            "row": {name: value for name, value in row.items() if name not in ("name", "state")},
            "history": [change._asdict() for change in found.history],
        }
        return json.dumps(document, indent=2) + "\n"
    lines = [
        f"task      {visible(found.name)}",
        f"state     {found.state}" + (f": {visible(row['reason'])}" if row["reason"] else ""),
        f"demand    {visible(row['demand'], LONGEST_MESSAGE)}, devices {row['devices']}, share {row['device_share']}",
        f"tries     {row['attempt']} so far, {row['failures']} of them failed, {row['retries']} retries allowed",
        f"priority  {row['priority']}",
    ]
    if row["requirements"]:
        lines.append(f"requires  {visible(row['requirements'], LONGEST_MESSAGE)}")
    if found.payload:
        lines.append(f"payload   {visible(json.dumps(found.payload), LONGEST_MESSAGE)}")
    if found.inputs:
        lines.append(f"inputs    {visible(json.dumps(found.inputs), LONGEST_MESSAGE)}")
    lines += [f"needs     {visible(name, LONGEST_NAME)} ({state})" for name, state in found.needs.items()]
    lines += ["", f"{_time(row['submitted_at'])}  submitted"]
    for change in found.history:
        where = f" on {visible(change.offer, LONGEST_NAME)}" if change.offer else ""
        why = f": {visible(change.reason)}" if change.reason else ""
        lines.append(f"{_time(change.at)}  {change.state}, attempt {change.attempt}{where}{why}")
    return "\n".join(lines) + "\n"


def _cancel(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
        states = store.cancel(options.names, "cancelled from the command line")
    ending = " (the scheduler ends it in its next cycle)"
    shown = {visible(name, LONGEST_NAME): state for name, state in states.items()}
    return "".join(f"{name}: {state}{ending if state in ('claimed', 'running') else ''}\n" for name, state in shown.items())


def _retry(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
        states = store.retry(options.names)
    return "".join(f"{visible(name, LONGEST_NAME)}: {state}\n" for name, state in states.items())


def _why(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
        from offermatch.scheduler.why import why  # noqa: PLC0415

        return "".join(f"{visible(reason, LONGEST_MESSAGE)}\n" for reason in why(store, options.name, time.time()))


def _logs(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
        from offermatch.scheduler.store.ready import key_of  # noqa: PLC0415

        shown = store.shown(options.name)
        key = key_of(store.name, shown.columns["id"], options.attempt or shown.columns["attempt"])
    cluster = _cluster(options.cluster, options.cluster_token_file, options.cluster_ca)
    try:
        found = cluster.output(key, "stderr" if options.stderr else "stdout", options.most)
    finally:
        cluster.close()
    if found is None:
        hint = "outputs are kept by agents, for --keep hours; 'offermatch tasks show' says which attempts there were"
        raise ClusterError("output-unknown", "no agent has any output of this attempt", hint, key)
    if not sys.stdout.isatty():
        return found.text
    lines = found.text.split("\n")
    return "\n".join(visible(line, len(line)) for line in lines)


def _places(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
        from offermatch.scheduler.places import Places  # noqa: PLC0415

        closed = Places().closed(store.places(), time.time())
    if options.json:
        return json.dumps({"closed": closed}, indent=2) + "\n"
    lines = [f"{visible(name, LONGEST_NAME)}  {visible(reason)}\n" for name, reason in closed.items()]
    return "".join(lines) or "every place gets tasks\n"


def _cordon(options: argparse.Namespace) -> str:
    with _open(options, make=False) as store:
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


def _upgrade(options: argparse.Namespace) -> str:
    require("scheduler", "sqlalchemy", "alembic")
    from offermatch.scheduler.store import Store  # noqa: PLC0415

    return f"the store has the schema {Store.upgrade(options.store)}\n"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value
