"""The first stage of a cycle: what the cluster reports of all that this scheduler holds, and what follows from it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from offermatch.errors import ClusterError
from offermatch.scheduler.cluster.abc import Cluster
from offermatch.scheduler.places import Places
from offermatch.scheduler.store import Lease, Store, Verdict
from offermatch.scheduler.store.records import Outcome, Underway
from offermatch.scheduler.store.schema import State

__all__ = ["collect_reports"]

_LOG = logging.getLogger("offermatch.scheduler")


def collect_reports(
    store: Store, lease: Lease, cluster: Cluster, places: Places | None = None, draining: Collection[str] = ()
) -> dict[State, int]:
    """Ask the cluster about everything this scheduler holds, and return how many tasks came to which state.

    What runs on a place that is drained is ended there, and ready for elsewhere once it has.

    What expired leases held is taken over first. An attempt that the cluster does not know may still be on its way to it:
    the cluster is told never to start it, and only when it says so is the task ready for another.

    Raises:
        StoreError: The store, or ``lease-lost``.
        ClusterError: The cluster as a whole.
    """
    held = store.underway(lease)
    if not held:
        return {}
    now = cluster.now()
    over = {one.id for one in held if one.running and one.ends_by is not None and one.ends_by <= now}
    evicted = {one.id for one in held if one.evict_reason is not None}
    ending = [one.key for one in held if one.cancel_reason is not None or one.id in over or one.id in evicted]
    if ending:
        cluster.cancel(ending)
    verdicts: list[Verdict] = []
    unsure: list[Underway] = []
    done: set[str] = set()
    failed: list[tuple[str, int]] = []
    for one, report in zip(held, cluster.reports([one.key for one in held]), strict=True):
        if report.outcome == "done":
            verdicts.append(Verdict(one.id, "done"))
            done.add(one.offer)
        elif report.outcome in ("failed", "lost"):
            own = report.outcome == "failed" and one.cancel_reason is None and one.id not in over
            # Of a place on trial it is known that it fails tasks: that is held against it, and not against them.
            tried = own and places is not None and places.suspects(one.offer)
            lost = report.outcome == "lost" or tried
            counts_as: Outcome = "again" if one.fenced or one.id in evicted else "lost" if lost else "failed"
            reason = report.reason or report.outcome
            reason = f"{reason} (on {one.offer}, which is on trial)" if tried else reason
            if one.id in over and one.ends_by is not None and one.time_limit is not None:
                ran = now - one.ends_by + one.time_limit
                reason = f"its time limit is {one.time_limit:g} s, and it ran {ran:.0f} s: {reason}"
            verdicts.append(Verdict(one.id, counts_as, reason))
            if own and counts_as != "again":
                failed.append((one.offer, one.id))
        elif report.outcome == "unknown" or one.fenced or one.offer in draining:
            unsure.append(one)
        elif not one.running:
            verdicts.append(Verdict(one.id, "running"))
    if unsure:
        store.fence(lease, [one.id for one in unsure])
        keys = [one.key for one in unsure]
        cluster.cancel(keys)
        for one, report in zip(unsure, cluster.reports(keys), strict=True):
            if report.outcome == "done":
                verdicts.append(Verdict(one.id, "done"))
            elif report.outcome in ("failed", "lost"):
                drained = one.offer in draining
                reason = f"{one.offer} is drained" if drained else "the cluster did not know its launch"
                verdicts.append(Verdict(one.id, "again", reason))
    counts = store.settle(lease, verdicts, cluster.now())
    if places is not None:
        places.ended(store, done, failed, cluster.now())
    store.evict_partial_starts([*{one.group for one in held if one.group is not None}])
    ended = {verdict.id for verdict in verdicts if verdict.outcome != "running"}
    if ended:
        _forget(store, lease, cluster, [one.key for one in held if one.id in ended])
    return counts


def _forget(store: Store, lease: Lease, cluster: Cluster, keys: Sequence[str]) -> None:
    """Tell the cluster that the store has these ends."""
    # Whoever has lost its lease has recorded nothing, and its keys are another scheduler's to ask about. A lease that can be
    # renewed now was held when they were recorded.
    store.renew(lease)
    try:
        cluster.forget(keys)
    except ClusterError as error:
        _LOG.debug("the cluster keeps %d keys that have ended: %s", len(keys), error)
