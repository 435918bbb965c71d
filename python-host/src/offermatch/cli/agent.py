"""The command ``offermatch agent``: this machine as a server of a cluster."""

from __future__ import annotations

import argparse
import ctypes
import ipaddress
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from offermatch import machine
from offermatch.cli.arguments import positive
from offermatch.errors import InputError, OffermatchError
from offermatch.model import Offer
from offermatch.quantity import parse, unit_of
from offermatch.requirements import measure_number
from offermatch.scheduler.cluster.http.access import token_of
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["add_agent"]

_VARIABLE = "OFFERMATCH_AGENT_TOKEN"
_PR_SET_DUMPABLE = 4

_ABOUT = """\
Serves this machine to a scheduler: offers what is free, and runs what it is sent as processes under limits.

  offermatch agent --directory /var/lib/offermatch
  offermatch agent --listen 0.0.0.0:8321 --token-file /etc/offermatch/token --directory /var/lib/offermatch
  offermatch agent --listen 0.0.0.0:8321 --token-file TOKEN --tls-cert cert.pem --tls-key key.pem --directory DIR

All who can reach it can run commands as its user. It listens on this machine only, unless --listen says otherwise, which
needs a token. The directory holds a journal, so that an agent that is started again knows what it ran; nothing starts twice.
docs/clusters.md describes payloads, docs/cluster-http.openapi.yaml what goes over the wire. Linux only.
"""


def add_agent(commands: Any) -> None:
    """Add the command to the subparsers."""
    agent = commands.add_parser(
        "agent",
        help="serve this machine to a scheduler over HTTP",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    agent.set_defaults(command=_serve, usage=agent)
    agent.add_argument("--directory", type=Path, required=True, metavar="DIR", help="where the journal and the runs are")
    agent.add_argument(
        "--listen", type=_address, default=("127.0.0.1", 8321), metavar="ADDRESS:PORT", help="port 0: any free"
    )
    agent.add_argument(
        "--token-file", type=Path, metavar="FILE", help="what requests have to carry; a file that only its owner can read"
    )
    agent.add_argument("--tls-cert", type=Path, metavar="FILE", help="speak TLS, with this certificate and its chain (PEM)")
    agent.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's key (PEM)")
    agent.add_argument("--name", default=socket.gethostname(), help="the name of its offer (default: the host's)")
    agent.add_argument("--cpu", metavar="QUANTITY", help="(default: all that this process may use)")
    agent.add_argument("--memory", metavar="QUANTITY", help="(default: likewise)")
    agent.add_argument("--devices", type=int, default=0, metavar="NUMBER", help="whole devices (default: 0)")
    agent.add_argument(
        "--attribute",
        type=_attribute,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="that tasks may require; may be given again",
    )
    agent.add_argument(
        "--measure",
        type=_measure,
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="a number that tasks may ask to be at least or at most something, such as driver=535; may be given again",
    )
    agent.add_argument("--inputs", type=Path, metavar="DIR", help="where inputs are found by their names")
    agent.add_argument(
        "--most-running",
        type=positive,
        metavar="NUMBER",
        help="commands at once (default: 4 for each processor, at least 16)",
    )
    agent.add_argument(
        "--most-output",
        default="64MiB",
        metavar="QUANTITY",
        help="what is kept of each standard stream of a command (default: %(default)s)",
    )
    agent.add_argument(
        "--keep",
        type=_hours,
        default=24.0,
        metavar="HOURS",
        help="how long a run that has ended, and of which the store knows, is kept with its directory (default: 24)",
    )
    agent.add_argument(
        "--no-memory-limit", action="store_true", help="do not limit the address space of a command to its demand of memory"
    )


def _serve(options: argparse.Namespace) -> str:
    # Here, as both need what only Linux has, and the other commands do not need them.
    from offermatch.scheduler.cluster.http.server import ClusterServer  # noqa: PLC0415
    from offermatch.scheduler.cluster.process.processes import ProcessCluster  # noqa: PLC0415

    host, port = options.listen
    if os.environ.get(_VARIABLE):
        # What stands in the environment every task can read, in /proc.
        hint = "write the token to a file that only the agent's user can read, and give --token-file"
        raise InputError("setting-malformed", f"{_VARIABLE} is set, and an agent takes no token from there", hint)
    token = None if options.token_file is None else token_of(options.token_file)
    if token is None and not ipaddress.ip_address(host).is_loopback:
        hint = "give --token-file, or listen on 127.0.0.1"
        raise InputError("setting-malformed", f"{host} can be reached from other machines, and there is no token", hint)
    if (options.tls_cert is None) != (options.tls_key is None):
        raise InputError("setting-malformed", "one of --tls-cert and --tls-key is missing", "give both")
    # Commands run as this user; without this each could read this process's memory, and the token in it.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    offer = Offer(
        options.name,
        {"cpu": options.cpu or f"{machine.millicores()}m", "memory": options.memory or machine.memory()},
        attributes=dict(options.attribute),
        devices=options.devices,
        measures=dict(options.measure) or None,
    )
    cluster = ProcessCluster(
        offer,
        options.directory,
        inputs=options.inputs,
        limit_memory=not options.no_memory_limit,
        kept_seconds=options.keep * 3600.0,
        most_running=options.most_running,
        most_output=parse(options.most_output, "--most-output", unit_of("memory")),
    )
    try:
        server = ClusterServer(cluster, host, port, token=token, certificate=options.tls_cert, key=options.tls_key)
    except OffermatchError:
        cluster.close()
        raise
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server.start()
    sys.stderr.write(f"offermatch agent {visible(options.name, LONGEST_NAME)} listens on {server.url}\n")
    sys.stderr.flush()
    ended.wait()
    server.close()
    cluster.close()
    return ""


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT, such as 127.0.0.1:8321") from error
    if not colon or not 0 <= number < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not ADDRESS:PORT, such as 127.0.0.1:8321")
    return host, number


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0.0 < hours < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of hours above 0")
    return hours


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _measure(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    try:
        if name and equals:
            return name, measure_number(value, name)
    except InputError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, such as driver=535")
