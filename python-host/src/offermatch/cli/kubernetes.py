"""The command ``kubernetes-scheduler``."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from offermatch.cli.arguments import add_limits, add_matcher, add_ranking, matcher_named, positive, ranking
from offermatch.cli.stopping import stopped_by_signals
from offermatch.errors import ClusterError
from offermatch.extras import require

__all__ = ["add_kubernetes"]

_ABOUT = """\
Schedules the pods whose schedulerName is its own, until SIGINT or SIGTERM: all that wait are matched to all nodes at once,
and bound. Why a pod waits stands in its condition PodScheduled and in an event. Of several of one name, one leads.

  offermatch kubernetes-scheduler --name offermatch
  offermatch kubernetes-scheduler --name packer --matcher strand --context staging --no-leader-election
  kubectl apply -f kubernetes/scheduler.yaml     # in the cluster; docs/kubernetes.md
"""


def add_kubernetes(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    command = commands.add_parser(
        "kubernetes-scheduler", help="schedule the pods of a Kubernetes cluster", description=_ABOUT, formatter_class=plain
    )
    command.set_defaults(command=_run, usage=command)
    command.add_argument(
        "--name", default="offermatch", help="the schedulerName of its pods, and the name of its lease (default: offermatch)"
    )
    command.add_argument(
        "--context", help="a context of the kubeconfig (default: its current one, in a pod its own account)"
    )
    command.add_argument("--kubeconfig", type=Path, metavar="FILE", help="(default: as kubectl)")
    command.add_argument("--lease-namespace", metavar="NAMESPACE", help="where the lease is (default: that of the context)")
    command.add_argument("--no-leader-election", action="store_true", help="lead without a lease: no other must run")
    command.add_argument(
        "--most-pods", type=positive, default=100_000, metavar="N", help="pods a cycle looks at (default: 100000)"
    )
    command.add_argument("--concurrency", type=positive, default=32, metavar="N", help="bindings at once (default: 32)")
    add_matcher(command)
    add_limits(command)
    add_ranking(command, "shared")


def _run(options: argparse.Namespace) -> str:
    require("kubernetes", "kubernetes", kind=ClusterError)
    from offermatch.kubernetes.api import Api  # noqa: PLC0415
    from offermatch.kubernetes.scheduler import KubernetesScheduler  # noqa: PLC0415

    logging.getLogger("offermatch.kubernetes").setLevel(logging.INFO)
    kubeconfig = str(options.kubeconfig) if options.kubeconfig else None
    api = Api(options.context, kubeconfig, connections=options.concurrency + 8)
    scheduler = KubernetesScheduler(
        api,
        matcher_named(options.matcher, options.limits),
        name=options.name,
        settings=ranking(options),
        namespace=options.lease_namespace,
        elect=not options.no_leader_election,
        most_pods=options.most_pods,
        concurrency=options.concurrency,
    )

    try:
        with scheduler, stopped_by_signals(scheduler.stop):
            scheduler.run()
    finally:
        api.close()
    return ""
