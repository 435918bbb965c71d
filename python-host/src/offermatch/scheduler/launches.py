"""From placed to launched, part by part, so that no side waits for another.

    store    claim 1 ─ claim 2 ─ claim 3 ┬──────── record 1 ─ record 2 ─ record 3
    inputs            fetch 1 ─ fetch 2 ─│─ fetch 3 ──┐
    cluster                              └─ launch 1 ─ launch 2 ─ launch 3

Each claim is committed before its tasks are prepared, and so before they are launched. At most two parts are launched and
not yet recorded; a scheduler that ends there leaves them claimed, and the next cycle asks the cluster about them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from offermatch.scheduler import stages
from offermatch.scheduler.cluster.abc import Cluster
from offermatch.scheduler.cycle import Stopwatch
from offermatch.scheduler.gangs import Gangs
from offermatch.scheduler.prepare import Preparation, Prepared
from offermatch.scheduler.store import Lease, Store, Verdict
from offermatch.scheduler.store.schema import State

__all__ = ["Launches"]

_Part = tuple[list[int], Callable[[], Prepared]]
"""The numbers of claimed tasks, and what waits for their launches."""


class Launches:
    """The launches of one cycle.

    Attributes:
        taken: The places that took some.
        full: The places that refused some, as full or gone.
    """

    def __init__(self, store: Store, lease: Lease, cluster: Cluster, watch: Stopwatch, stopped: threading.Event) -> None:
        """Begin with none.

        Args:
            store: The tasks.
            lease: What gives the right to launch.
            cluster: Where they go.
            watch: Times the stages, and has the cycle that they are counted in.
            stopped: Whether to send no more; what is left is ready again.
        """
        self.taken: set[str] = set()
        self.full: set[str] = set()
        self._store = store
        self._lease = lease
        self._cluster = cluster
        self._watch = watch
        self._cycle = watch.cycle
        self._stopped = stopped
        self._recorded: list[Future[dict[State, int]]] = []

    def run(self, matched: stages.Matched, preparation: Preparation) -> None:
        """Claim, prepare and launch what was placed.

        Raises:
            StoreError: The store, or ``lease-lost``; what is claimed stays so until the cluster is asked about it.
            ClusterError: The cluster as a whole; likewise.
        """
        begun = self._claim(matched, preparation)
        # Leaving waits for what is being recorded; an error of that is raised, lest it stay unseen.
        with ThreadPoolExecutor(1, "offermatch-record") as threads:
            for numbers, finish in begun:
                if self._stopped.is_set():
                    self._give_back(numbers, "stopped", "the scheduler stopped")
                else:
                    self._launch(finish, threads, matched.gangs)
        self._count_recorded(0)

    def _claim(self, matched: stages.Matched, preparation: Preparation) -> list[_Part]:
        begun: list[_Part] = []
        with self._watch.span("claim_tasks") as span:
            looked = claimed = 0
            for part in matched.parts(stages.TOGETHER):
                if looked and self._stopped.is_set():
                    break
                mine = stages.claim_tasks(self._store, self._lease, part, self._cluster.now())
                looked, claimed = looked + len(part.ids), claimed + len(mine)
                numbers = [claim.id for claim, _, _ in mine]
                short = set(matched.gangs.short(numbers))
                if short:
                    self._give_back([*short], "gang-incomplete", "too few members of its group could be claimed")
                    mine = [one for one in mine if one[0].id not in short]
                    numbers = [claim.id for claim, _, _ in mine]
                if mine:
                    begun.append((numbers, preparation.begin(mine)))
            span.counts["claimed"] = claimed
            self._cycle.refuse("claimed-elsewhere", looked - claimed)
            self._cycle.refuse("stopped", len(matched.ids) - looked)
        return begun

    def _launch(self, finish: Callable[[], Prepared], threads: ThreadPoolExecutor, gangs: Gangs) -> None:
        with self._watch.span("prepare_payloads") as span:
            prepared = finish()
            span.counts.update(
                payloads=len(prepared.launches),
                fetched=prepared.fetched,
                staged=prepared.staged,
                skipped=prepared.skipped,
            )
            self._store.settle(self._lease, prepared.failed, self._cluster.now())
            for reason, number in prepared.refusals.items():
                self._cycle.refuse(reason, number)
            launches = prepared.launches
            short = set(gangs.short([number for number, _ in launches]))
            if short:
                self._give_back([*short], "gang-incomplete", "too few members of its group could be prepared")
                launches = [one for one in launches if one[0] not in short]

        def settle(verdicts: Sequence[Verdict]) -> None:
            now = self._cluster.now()
            self._recorded.append(threads.submit(self._store.settle, self._lease, verdicts, now))

        with self._watch.span("launch_tasks") as span:
            self._count_recorded(1)
            result = stages.launch_tasks(self._store, self._lease, self._cluster, launches, settle)
            span.counts["launched"] = len(launches) - sum(result.refusals.values())
            self.taken |= result.taken
            self.full |= result.full
            for reason, number in result.refusals.items():
                self._cycle.refuse(reason, number)

    def _give_back(self, numbers: Sequence[int], reason: str, told: str) -> None:
        """Have tasks that were claimed ready again."""
        self._store.settle(self._lease, [Verdict(number, "again", told) for number in numbers], self._cluster.now())
        self._cycle.refuse(reason, len(numbers))

    def _count_recorded(self, open_parts: int) -> None:
        """Wait until at most so many parts are not recorded."""
        while len(self._recorded) > open_parts:
            self._cycle.launched += self._recorded.pop(0).result().get("running", 0)
