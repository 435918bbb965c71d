"""Payloads: what a task brings, what its inputs are on the cluster, and inputs that have to be copied there first."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch
from offermatch.scheduler.staging import StagingError, stage
from offermatch.scheduler.store import Store, Verdict
from offermatch.scheduler.store.told import Claim, Wanted
from offermatch.tables.columns import TaskColumns

__all__ = ["Prepared", "prepare_payloads"]

_NOTHING = Wanted({}, [])


@dataclass(slots=True)
class Prepared:
    """Launches that are ready to go.

    Attributes:
        launches: The number of each task, and its launch.
        failed: What could not be prepared.
        fetched: How many inputs the cluster was asked for.
        staged: How many inputs were staged, and how many of them were there already.
        refusals: How many tasks are not launched, by reason.
    """

    launches: list[tuple[int, Launch]] = field(default_factory=list)
    failed: list[Verdict] = field(default_factory=list)
    fetched: int = 0
    staged: int = 0
    skipped: int = 0
    refusals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Copy:
    """An input that is staged; one of a kind in a cycle."""

    source: str
    target: str
    digest: str | None


def prepare_payloads(
    store: Store,
    cluster: Cluster,
    claimed: Sequence[tuple[Claim, int, str]],
    columns: TaskColumns,
    *,
    concurrency: int = 64,
    stages_at_once: int = 4,
    program: str | None = None,
    stopped: threading.Event | None = None,
) -> Prepared:
    """Return the launches of claimed tasks, with everything their inputs need fetched and staged.

    An input is fetched or staged once, however many tasks name it. A task whose input is not to be had fails its attempt;
    the others go on.

    Args:
        store: Has payloads and inputs.
        cluster: Is asked for named inputs.
        claimed: The claim, row and offer of each task.
        columns: The processable tasks, whose rows these are.
        concurrency: How many inputs are fetched at once.
        stages_at_once: How many inputs are staged at once.
        program: The Rust program that stages; found as ``offermatch.staging`` says unless given.
        stopped: Ends staging once it is set; tasks that wait for it are ready again.

    Raises:
        StoreError: The store.
        ClusterError: The cluster as a whole.
    """
    wanted = store.wanted([claim.id for claim, _, _ in claimed])
    prepared = Prepared()
    names = list(dict.fromkeys(one for want in wanted.values() for one in want.inputs if isinstance(one, str)))
    fetched = {one.name: one for one in cluster.fetch(names, concurrency=concurrency)} if names else {}
    prepared.fetched = len(names)
    copies = list(dict.fromkeys(_copy(one) for want in wanted.values() for one in want.inputs if not isinstance(one, str)))
    failures = _stage(copies, prepared, stages_at_once, program, stopped) if copies else {}
    demand = list(columns.demand.items())
    now = cluster.now()
    for claim, row, offer in claimed:
        want = wanted.get(claim.id, _NOTHING)
        payload: Mapping[str, Any] = want.payload
        if want.inputs:
            found, why, outcome = _inputs(want.inputs, fetched, failures)
            if why:
                prepared.failed.append(Verdict(claim.id, "failed" if outcome != "cancelled" else "again", why))
                prepared.refusals[outcome] = prepared.refusals.get(outcome, 0) + 1
                continue
            payload = {**payload, "inputs": found}
        asked = columns.devices[row] if columns.devices is not None else 0
        prepared.launches.append(
            (
                claim.id,
                Launch(
                    claim.key,
                    columns.names[row],
                    offer,
                    {name: column[row] for name, column in demand if column[row]},
                    asked // 1000,
                    asked % 1000,
                    payload,
                    now,
                ),
            )
        )
    return prepared


def _copy(given: Mapping[str, str]) -> _Copy:
    return _Copy(given["source"], given["target"], given.get("digest"))


def _inputs(
    inputs: Sequence[Any], fetched: Mapping[str, Fetched], failures: Mapping[_Copy, StagingError]
) -> tuple[dict[str, Any], str, str]:
    """Return what a payload gets for its inputs, or why there is none and a word for that."""
    found: dict[str, Any] = {}
    for one in inputs:
        if isinstance(one, str):
            answer = fetched.get(one)
            if answer is None or answer.reason:
                return {}, f"input {one}: {answer.reason if answer else 'the cluster said nothing'}", "input-missing"
            found[one] = answer.value
        else:
            error = failures.get(_copy(one))
            if error is not None:
                code = "cancelled" if error.code == "cancelled" else "input-not-staged"
                return {}, f"input {one['source']}: {error.code}: {error.line}", code
            found[one["source"]] = one["target"]
    return found, "", ""


def _stage(
    copies: Sequence[_Copy], prepared: Prepared, at_once: int, program: str | None, stopped: threading.Event | None
) -> dict[_Copy, StagingError]:
    """Stage inputs, and return what went wrong with which."""
    failures: dict[_Copy, StagingError] = {}
    first: dict[str, _Copy] = {}
    for copy in copies:
        other = first.setdefault(copy.target, copy)
        if other is not copy:
            text = f"{other.source} and {copy.source} would both become {copy.target}"
            failures[copy] = StagingError("duplicate-name", text, "stage them into different targets")

    def run(copy: _Copy) -> bool:
        if stopped is not None and stopped.is_set():
            raise StagingError("cancelled", "the scheduler stopped")
        return stage([copy.source], copy.target, exact=True, expect=copy.digest, cancelled=stopped, program=program).skipped

    with ThreadPoolExecutor(at_once) as threads:
        running = {copy: threads.submit(run, copy) for copy in first.values()}
        for copy, future in running.items():
            try:
                prepared.skipped += future.result()
                prepared.staged += 1
            except StagingError as error:
                failures[copy] = error
    return failures
