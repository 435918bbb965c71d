"""The commands on stored tasks: ``tasks list``, ``show``, ``why``, ``logs``, ``cancel`` and ``retry``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offermatch.cli.arguments import positive
from offermatch.cli.cluster import open_store
from offermatch.errors import ClusterError
from offermatch.scheduler.cluster.adapters import Access, connect
from offermatch.visible import LONGEST_MESSAGE, LONGEST_NAME, visible

if TYPE_CHECKING:
    from offermatch.scheduler.store import Store
    from offermatch.scheduler.store.records import GroupState, Listed

__all__ = ["add_tasks"]

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

_MOST_REASONS = 50
"""Tasks of a list for which it is looked up why they wait; of others 'tasks why' says so."""

_STATES = ("pending", "ready", "claimed", "running", "done", "failed", "cancelled")


def add_tasks(commands: Any, stored: argparse.ArgumentParser) -> None:
    """Add the commands."""
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


def _list(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        counts = store.counts()
        rows = [_with_reason(store, row, at) for at, row in enumerate(store.listed(options.state, options.most))]
    if options.json:
        found = [{**row._asdict(), "group": _group(row.group)} for row in rows]
        return json.dumps({"counts": counts, "tasks": found}, indent=2) + "\n"
    lines = ["  ".join(f"{counts.get(state, 0):,} {state}" for state in _STATES), ""]
    # One line a group, however many of its members are listed.
    groups = {row.group.id: row.group for row in rows if row.group is not None}
    names = {number: visible(group.name, LONGEST_NAME) for number, group in groups.items()}
    shown = [
        (visible(row.name, LONGEST_NAME), visible(row.queue, LONGEST_NAME), names[row.group.id] if row.group else "")
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row, cells in zip(rows, shown, strict=True):
        name, *others = (f"{cell:<{width}}  " for cell, width in zip(cells, widths, strict=True) if width)
        lines.append(f"{name}{row.state:<9}  {row.priority:>4}  {''.join(others)}{visible(row.reason)}".rstrip())
    lines += ["", *(f"group {names[number]}: {group.rules}" for number, group in groups.items())]
    return "\n".join(lines).rstrip() + "\n"


def _with_reason(store: Store, row: Listed, at: int) -> Listed:
    """Return a row of the list with why its task waits, which takes a look at the offers; of the first ones only."""
    if row.state not in ("pending", "ready") or at >= _MOST_REASONS:
        return row
    from offermatch.scheduler.why import why  # noqa: PLC0415

    return row._replace(reason=why(store, row.name, time.time())[0])


def _group(group: GroupState | None) -> dict[str, Any] | None:
    if group is None:
        return None
    rules = {"least": group.least, "together": group.together, "at_most": dict(group.at_most)}
    return {"name": group.name, **rules, "fails_together": group.fails_together}


def _show(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        found = store.shown(options.name)
    row = found.columns
    if options.json:
        document = {
            "name": found.name,
            "state": found.state,
            "needs": found.needs,
            "payload": found.payload,
            "inputs": found.inputs,
            "group": _group(found.group),
            "row": {name: value for name, value in row.items() if name not in ("name", "state")},
            "history": [change._asdict() for change in found.history],
        }
        return json.dumps(document, indent=2) + "\n"
    lines = [
        f"task      {visible(found.name)}",
        f"state     {found.state}" + (f": {visible(row['reason'])}" if row["reason"] else ""),
        f"demand    {visible(row['demand'], LONGEST_MESSAGE)}, devices {row['devices']}, share {row['device_share']}",
        f"tries     {row['attempt']} so far, {row['failures']} of them failed, {row['retries']} retries allowed",
        f"priority  {row['priority']}, in the queue {visible(row['queue'], LONGEST_NAME)}",
    ]
    if found.group is not None:
        lines.append(f"group     {visible(found.group.name, LONGEST_NAME)}: {found.group.rules}")
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


def _why(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        from offermatch.scheduler.why import why  # noqa: PLC0415

        return "".join(f"{visible(reason, LONGEST_MESSAGE)}\n" for reason in why(store, options.name, time.time()))


def _logs(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        from offermatch.scheduler.store.ready import key_of  # noqa: PLC0415

        shown = store.shown(options.name)
        key = key_of(store.name, shown.columns["id"], options.attempt or shown.columns["attempt"])
    cluster = connect(options.cluster, Access(options.cluster_token_file, options.cluster_ca))
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


def _cancel(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        states = store.cancel(options.names, "cancelled from the command line")
    ending = " (the scheduler ends it in its next cycle)"
    shown = {visible(name, LONGEST_NAME): state for name, state in states.items()}
    return "".join(f"{name}: {state}{ending if state in ('claimed', 'running') else ''}\n" for name, state in shown.items())


def _retry(options: argparse.Namespace) -> str:
    with open_store(options, make=False) as store:
        states = store.retry(options.names)
    return "".join(f"{visible(name, LONGEST_NAME)}: {state}\n" for name, state in states.items())


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
