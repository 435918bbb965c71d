"""Payloads: what a task brings, what its inputs are on the cluster, and inputs that have to be copied there first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from offermatch.scheduler.cluster.abc import Cluster, Fetched, Launch
from offermatch.scheduler.staging import StagingError, stage
from offermatch.scheduler.store import Store, Verdict
from offermatch.scheduler.store.records import Claim, Wanted
from offermatch.tables.tasks import TaskColumns

__all__ = ["Preparation", "Prepared"]

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


class Preparation:
    """Prepares the claimed tasks of a cycle, part by part: inputs of one are fetched while the next one is claimed.

    An input is fetched or staged once, however many tasks name it. A context manager; what is under way when it is left is
    waited for, what has not begun is not begun any more.
    """

    def __init__(
        self,
        store: Store,
        cluster: Cluster,
        columns: TaskColumns,
        *,
        concurrency: int = 64,
        stages_at_once: int = 4,
        program: str | None = None,
        stopped: threading.Event | None = None,
    ) -> None:
        """Begin with nothing.

        Args:
            store: Has payloads and inputs.
            cluster: Is asked for named inputs.
            columns: The processable tasks, whose rows are claimed.
            concurrency: How many inputs are fetched at once.
            stages_at_once: How many inputs are staged at once.
            program: The Rust program that stages; found as ``offermatch.staging`` says unless given.
            stopped: Ends staging once it is set; tasks that wait for it are ready again.
        """
        self._store = store
        self._cluster = cluster
        self._columns = columns
        self._concurrency = concurrency
        self._stages_at_once = stages_at_once
        self._program = program
        self._stopped = stopped
        self._fetched: dict[str, Fetched] = {}
        self._failures: dict[_Copy, StagingError] = {}
        self._sources: dict[str, _Copy] = {}
        # One part after the other: the bound of fetches at once is of all parts together.
        self._threads = ThreadPoolExecutor(1, "offermatch-inputs")

    def __enter__(self) -> Preparation:
        """Return it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it."""
        self._threads.shutdown(cancel_futures=True)

    def begin(self, claimed: Sequence[tuple[Claim, int, str]]) -> Callable[[], Prepared]:
        """Begin with a part, and return what waits for its launches.

        A task whose input is not to be had fails its attempt; the others go on.

        Args:
            claimed: The claim, row and offer of each task.

        Raises:
            StoreError: The store.
            ClusterError: The cluster as a whole; raised by what is returned.
        """
        wanted = self._store.wanted([claim.id for claim, _, _ in claimed])
        inputs = [one for want in wanted.values() for one in want.inputs]
        if not inputs:
            return lambda: self._prepared(claimed, wanted, Prepared())
        running = self._threads.submit(self._get, inputs)
        return lambda: self._prepared(claimed, wanted, running.result())

    def _get(self, inputs: Sequence[Any]) -> Prepared:
        """Fetch and stage what no part before has."""
        prepared = Prepared()
        names = [one for one in dict.fromkeys(one for one in inputs if isinstance(one, str)) if one not in self._fetched]
        if names:
            self._fetched.update({one.name: one for one in self._cluster.fetch(names, concurrency=self._concurrency)})
        prepared.fetched = len(names)
        copies = dict.fromkeys(_copy(one) for one in inputs if not isinstance(one, str))
        if copies:
            self._stage(list(copies), prepared)
        return prepared

    def _prepared(
        self, claimed: Sequence[tuple[Claim, int, str]], wanted: Mapping[int, Wanted], prepared: Prepared
    ) -> Prepared:
        """Put the launches together."""
        columns, fetched, failures = self._columns, self._fetched, self._failures
        names, demand, devices, now = columns.names, list(columns.demand.items()), columns.devices, self._cluster.now()
        launches = prepared.launches
        for claim, row, offer in claimed:
            number, _, key = claim
            want = wanted.get(number, _NOTHING)
            payload, inputs = want.payload, want.inputs
            if inputs:
                found, why, outcome = _inputs(inputs, fetched, failures)
                if why:
                    prepared.failed.append(Verdict(number, "failed" if outcome != "cancelled" else "again", why))
                    prepared.refusals[outcome] = prepared.refusals.get(outcome, 0) + 1
                    continue
                # It was read for this launch alone.
                payload["inputs"] = found
            whole, share = divmod(devices[row], 1000) if devices is not None else (0, 0)
            needs = {name: asked for name, column in demand if (asked := column[row])}
            launches.append((number, Launch(key, names[row], offer, needs, whole, share, payload, now)))
        return prepared

    def _stage(self, copies: Sequence[_Copy], prepared: Prepared) -> None:
        """Stage inputs that no part before has, and note what went wrong with which."""
        known: list[_Copy] = []
        for copy in copies:
            other = self._sources.setdefault(copy.target, copy)
            if other is copy:
                known.append(copy)
            elif other != copy:
                text = f"{other.source} and {copy.source} would both become {copy.target}"
                self._failures[copy] = StagingError("duplicate-name", text, "stage them into different targets")

        def run(copy: _Copy) -> bool:
            stopped = self._stopped
            if stopped is not None and stopped.is_set():
                raise StagingError("cancelled", "the scheduler stopped")
            program = self._program
            return stage(
                [copy.source], copy.target, exact=True, expect=copy.digest, cancelled=stopped, program=program
            ).skipped

        with ThreadPoolExecutor(self._stages_at_once) as threads:
            running = {copy: threads.submit(run, copy) for copy in known}
            for copy, future in running.items():
                try:
                    prepared.skipped += future.result()
                    prepared.staged += 1
                except StagingError as error:
                    self._failures[copy] = error


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
