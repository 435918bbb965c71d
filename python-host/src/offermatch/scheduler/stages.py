"""The stages of a cycle, each a plain function.

    collect_reports ──> get_resource_offers_from_cluster ──> get_processable_tasks ──> order_tasks
                        ──> match_tasks_to_offers ──> claim_tasks ──> prepare_payloads ──> launch_tasks

docs/scheduler.md says why no task is lost and none is launched twice.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from offermatch.answer import Answer
from offermatch.errors import StoreError
from offermatch.matcher import BaseMatcher
from offermatch.model import Mode, Requirement, Settings
from offermatch.scheduler.cluster.abc import Cluster, Launch
from offermatch.scheduler.gangs import Gangs, beside, with_groups
from offermatch.scheduler.room import Room, held_offers, short_tasks
from offermatch.scheduler.store import Lease, Store, Verdict
from offermatch.scheduler.store.records import Claim, Processable
from offermatch.tables.bound import upper_bound
from offermatch.tables.input import offer_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = [
    "TOGETHER",
    "Launching",
    "Matched",
    "asking_nothing",
    "claim_tasks",
    "get_processable_tasks",
    "get_resource_offers_from_cluster",
    "launch_tasks",
    "match_tasks_to_offers",
    "overtaken",
    "possible",
]

_LOG = logging.getLogger("offermatch.scheduler")
_PLACE = "offermatch.place"
"""The attribute by which tasks avoid places."""
_IDLE = "offermatch.idle"
"""The dimension of which tasks that ask nothing ask one, so that they are spread; it has no weight."""
TOGETHER = 2500
"""Tasks that are claimed, and launched, together."""
_SHOWN = 10
"""Offers that cannot be used which the log names, of one cycle."""


def get_resource_offers_from_cluster(cluster: Cluster) -> OfferColumns:
    """Return what is free now; an offer that cannot be used is left out, and the log says why.

    Raises:
        ClusterError: The cluster as a whole.
        InputError: All offers together cannot be used.
    """
    offers = offer_columns(cluster.offers(), bad_rows="leave-out")
    for one in offers.left_out[:_SHOWN]:
        _LOG.warning("an offer is left out [%s]: %s", one.error.code, one.error.line)
    if len(offers.left_out) > _SHOWN:
        _LOG.warning("%d more offers are left out", len(offers.left_out) - _SHOWN)
    return offers


def get_processable_tasks(
    store: Store, most: int, behind: Mapping[str, tuple[int, int]] | None = None, at: float | None = None
) -> Processable:
    """Return tasks whose dependencies are all done, queue by queue, first the highest priority, then the earliest.

    Args:
        store: The store.
        most: How many.
        behind: Where the cycle before ended in each queue, if it left tasks without an offer: half of the tasks come from
            there on.
        at: When; the pause of a task after a failure is over by then.

    Raises:
        StoreError: The store.
    """
    return store.processable(most, behind, at)


@dataclass(slots=True)
class Matched:
    """Which task goes where.

    Attributes:
        ids: The numbers of the placed tasks.
        rows: Their rows among the processable tasks.
        offers: The name of the offer of each.
        utilisation: The part of the capacity in use once they run, by dimension.
        backfilled: How many of them run in room that is held for others, and end before it is needed.
        unknown_dimension: Tasks that ask for a dimension which no offer has.
        answer: The matcher's; None where there was nothing to match.
        gangs: What there is to know of their groups.
        devices: The numbers of the devices that each is given, of those that do not run in held room.
    """

    ids: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)
    utilisation: dict[str, float] = field(default_factory=dict)
    backfilled: int = 0
    unknown_dimension: int = 0
    answer: Answer | None = None
    gangs: Gangs = field(default_factory=Gangs)
    devices: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, more: Matched, rows: Sequence[int]) -> None:
        """Add the placed tasks of a match of these rows alone."""
        self.ids += more.ids
        self.rows += [rows[row] for row in more.rows]
        self.offers += more.offers

    def parts(self, size: int) -> Iterator[Matched]:
        """Return the placed tasks by so many, and by more where a group would be cut."""
        ids, rows, offers, of = self.ids, self.rows, self.offers, self.gangs.of
        if of:
            # Members side by side, where the first one stands.
            firsts: dict[int, int] = {}
            for at, number in enumerate(ids):
                firsts.setdefault(of.get(number, -number), at)
            order = sorted(range(len(ids)), key=lambda at: (firsts[of.get(ids[at], -ids[at])], at))
            ids, rows, offers = [ids[at] for at in order], [rows[at] for at in order], [offers[at] for at in order]
        begin = 0
        while begin < len(ids):
            end = min(begin + size, len(ids))
            while end < len(ids) and ids[end] in of and of[ids[end]] == of.get(ids[end - 1]):
                end += 1
            yield Matched(ids[begin:end], rows[begin:end], offers[begin:end], gangs=self.gangs)
            begin = end


def match_tasks_to_offers(
    matcher: BaseMatcher,
    found: Processable,
    offers: OfferColumns,
    settings: Settings,
    room: Room | None = None,
    now: float = 0.0,
    offered: OfferColumns | None = None,
    idle: Mapping[str, int] | None = None,
) -> Matched:
    """Return which task goes to which offer.

    Args:
        matcher: Who decides.
        found: The tasks, in their order.
        offers: What is free.
        settings: How to rank offers.
        room: What of that is held, and for whom.
        now: The time, by which tasks with a time limit may run in held room.
        offered: All that the cluster offers, of what gets nothing new, too: members of groups may run there. The same as
            ``offers`` unless given.
        idle: How many tasks that ask nothing run on each offer. Where it is given, those that are ready are spread, so that
            each offer has as many; unless given, the matcher puts all of them on the one that it ranks first.

    Raises:
        InputError: A setting that does not fit the offers.
        MatcherError: The matcher failed, and there is no fallback.
    """
    room = room or Room(offers)
    # Those for whom room was held and is there have it first.
    at = {number: row for row, number in enumerate(found.ids)} if room.fitting else {}
    fitting = {at[number]: name for number, name in room.fitting.items() if number in at}
    first = [*fitting, *(row for row in range(len(found.ids)) if row not in fitting)] if fitting else []
    order: Sequence[int] = first or range(len(found.ids))
    own = {row: (name,) for row, name in enumerate(fitting.values())}
    asked = found.picked(order)
    there, barred = beside(room.offers, room.offers if offered is None else offered, asked)
    alone = _alone(asked, own) if idle is not None and settings.mode == "shared" else []
    matched = _matched(matcher, asked, there, settings, own, barred, (alone, idle or {}))
    left = sorted(set(alone).difference(matched.rows))
    if left:
        # Where their requirements leave few offers, these have more than the others.
        more = _matched(matcher, asked.picked(left), there, settings, {}, barred)
        matched.add(more, left)
        matched.devices += more.devices
    matched.gangs = Gangs.among(found)
    matched.rows = list(map(order.__getitem__, matched.rows))
    short = short_tasks(found, matched.rows, room, now)
    if short:
        rows = [row for row, _ in short]
        named = {at: names for at, (_, names) in enumerate(short)}
        more = _matched(matcher, found.picked(rows), held_offers(offers, room), settings, named)
        matched.add(more, rows)
        matched.backfilled = len(more.ids)
    matched.utilisation = _utilisation(found.columns, matched.rows, offers)
    return matched


def possible(found: Processable, offers: OfferColumns, mode: Mode) -> int:
    """Return how many tasks any matcher could place at most; see docs/semantics.md."""
    columns, _ = _known_dimensions(found.columns, offers)
    return upper_bound(columns, offers, mode, tuple(offers.available)).tasks


def overtaken(found: Processable, matched: Matched) -> set[int]:
    """Return the numbers of the tasks without an offer that tasks behind them in the order have overtaken, and the first."""
    placed = set(matched.ids)
    last = max(matched.rows, default=0)
    first = [number for number in found.ids if number not in placed][:1] if len(placed) < len(found.ids) else []
    return {*first, *(number for number in found.ids[:last] if number not in placed)}


def _matched(
    matcher: BaseMatcher,
    found: Processable,
    offers: OfferColumns,
    settings: Settings,
    own: Mapping[int, tuple[str, ...]],
    barred: tuple[str, ...] = (),
    spread: tuple[Sequence[int], Mapping[str, int]] = ((), {}),
) -> Matched:
    columns, offers = with_groups(found.columns, found, offers)
    columns, offers = _by_place(replace(found, columns=columns), offers, own, barred)
    if spread[0] and len(offers) > len(barred):
        columns, offers = _spread(columns, offers, barred, *spread)
        settings = replace(settings, weights={**(settings.weights or {}), _IDLE: 0.0})
    columns, rows = _known_dimensions(columns, offers)
    matched = Matched(unknown_dimension=len(found.ids) - len(rows))
    if rows and len(offers):
        answer = matched.answer = matcher.match(
            columns,
            offers,
            settings,
            # Only members that others are to begin with may be missing: they ask for a dimension that no offer has.
            bad_rows="leave-out",
            # Of what neither side has in this cycle, no number is read.
            units={name: unit for name, unit in (settings.units or {}).items() if name in offers.available},
        )
        matched.rows = list(map(rows.__getitem__, answer.task_rows))
        matched.ids = list(map(found.ids.__getitem__, matched.rows))
        matched.offers = answer.offer_names
        matched.devices = answer.devices
    return matched


def _by_place(
    found: Processable, offers: OfferColumns, own: Mapping[int, tuple[str, ...]], barred: tuple[str, ...]
) -> tuple[TaskColumns, OfferColumns]:
    """Return the tables with requirements on places.

    A task that failed somewhere lately does not go there, if there are others; one that has places of its own goes there.
    """
    there = set(offers.names)
    avoided = {row: tuple(name for name in names if name in there) for row, names in found.avoided.items()}
    avoided = {row: names for row, names in avoided.items() if 0 < len(names) < len(there) and row not in own}
    if not avoided and not own and not barred:
        return found.columns, offers
    requirements = list(found.columns.requirements or [()] * len(found.columns))
    for row, names in avoided.items():
        requirements[row] = (*requirements[row], Requirement(_PLACE, names, excludes=True))
    for row in asking_nothing(found.columns) if barred else ():
        # All others find nothing free there.
        requirements[row] = (*requirements[row], Requirement(_PLACE, barred, excludes=True))
    for row, names in own.items():
        requirements[row] = (*requirements[row], Requirement(_PLACE, names))
    named: list[str | None] = list(offers.names)
    return (
        replace(found.columns, requirements=requirements),
        replace(offers, attributes={**offers.attributes, _PLACE: named}),
    )


def asking_nothing(columns: TaskColumns) -> list[int]:
    """Return the rows of tasks that ask for no quantity and no device."""
    asked = [*columns.demand.values(), *([columns.devices] if columns.devices is not None else [])]
    if any(min(column, default=1) for column in asked):
        return []
    return [row for row in range(len(columns)) if not any(column[row] for column in asked)]


def _alone(found: Processable, own: Mapping[int, tuple[str, ...]]) -> list[int]:
    """Return the rows of tasks that ask nothing, and that no group and no held room binds."""
    of = found.group_of
    return [row for row in asking_nothing(found.columns) if row not in own and not (of is not None and of[row])]


def _spread(
    columns: TaskColumns, offers: OfferColumns, barred: Collection[str], rows: Sequence[int], running: Mapping[str, int]
) -> tuple[TaskColumns, OfferColumns]:
    """Return the tables with a dimension that leaves each offer as many of these tasks, those that run there included."""
    counts = [running.get(name, 0) for name in offers.names]
    level = _level(sorted(count for name, count in zip(offers.names, counts, strict=True) if name not in barred), len(rows))
    free = [0 if name in barred else max(0, level - count) for name, count in zip(offers.names, counts, strict=True)]
    asks = array("Q", bytes(8 * len(columns)))
    for row in rows:
        asks[row] = 1
    return (
        replace(columns, demand={**columns.demand, _IDLE: asks}),
        replace(
            offers,
            available={**offers.available, _IDLE: array("Q", free)},
            capacity={**(offers.capacity or offers.available), _IDLE: array("Q", [level] * len(offers))},
        ),
    )


def _level(counts: Sequence[int], more: int) -> int:
    """Return to which number these rising counts have to be filled up for so many more, the lowest first."""
    total = level = more
    for at, count in enumerate(counts, 1):
        total += count
        level = -(-total // at)
        if at < len(counts) and level <= counts[at]:
            break
    return level


def _known_dimensions(columns: TaskColumns, offers: OfferColumns) -> tuple[TaskColumns, Sequence[int]]:
    """Return the tasks that ask only for dimensions that offers have, and their rows.

    To the matcher a strange dimension is a mistake in the whole table; here it is one task that nobody can serve today.
    """
    strange = [name for name in columns.demand if name not in offers.available]
    if not strange:
        return columns, range(len(columns))
    asked = [columns.demand[name] for name in strange]
    rows = [row for row in range(len(columns)) if not any(column[row] for column in asked)]
    kept = replace(columns, demand={name: column for name, column in columns.demand.items() if name not in strange})
    return kept.picked(rows), rows


def _utilisation(columns: TaskColumns, rows: Sequence[int], offers: OfferColumns) -> dict[str, float]:
    used = {}
    for name, available in offers.available.items():
        capacity = sum((offers.capacity or offers.available)[name])
        demand = columns.demand.get(name, array("Q"))
        placed = sum(map(demand.__getitem__, rows)) if demand else 0
        used[name] = (capacity - sum(available) + placed) / capacity if capacity else 0.0
    return used


def claim_tasks(store: Store, lease: Lease, matched: Matched, at: float) -> list[tuple[Claim, int, str]]:
    """Claim the placed tasks, and return of each that could be had the claim, its row, and its offer.

    Raises:
        StoreError: The store, or ``lease-lost``.
    """
    if not matched.ids:
        return []
    joining = matched.gangs.joining(matched.ids)
    claims = {claim.id: claim for claim in store.claim(lease, matched.ids, matched.offers, at, joining=joining)}
    placed = zip(map(claims.get, matched.ids), matched.rows, matched.offers, strict=True)
    return [(claim, row, offer) for claim, row, offer in placed if claim is not None]


@dataclass(slots=True)
class Launching:
    """What became of launches.

    Attributes:
        refusals: How many the cluster did not take, by reason.
        taken: The places that took some.
        full: The places that refused some, as full or gone.
    """

    refusals: dict[str, int] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)


def launch_tasks(
    store: Store,
    lease: Lease,
    cluster: Cluster,
    launches: Sequence[tuple[int, Launch]],
    settle: Callable[[Sequence[Verdict]], None],
) -> Launching:
    """Launch claimed tasks while the lease holds, and have recorded what the cluster says.

    Args:
        store: The store.
        lease: What gives the right to launch.
        cluster: The cluster.
        launches: The number of each task, and its launch.
        settle: Records verdicts, now or a little later: until then the tasks stand as claimed, and are asked about.

    Raises:
        StoreError: The store, or ``lease-lost``; what was sent stays claimed until the cluster is asked about it.
        ClusterError: The cluster as a whole; likewise.
    """
    result = Launching()
    if not launches:
        return result
    if not lease.held():
        store.renew(lease)
        if not lease.held():
            raise StoreError("lease-lost", "the store took longer to renew the lease than it lasts", "give a longer lease")
    verdicts = []
    for (number, launch), answer in zip(launches, cluster.launch([one for _, one in launches]), strict=True):
        refusal = answer.refusal
        if refusal is None:
            result.taken.add(launch.offer)
            verdicts.append(Verdict(number, "running"))
            continue
        result.refusals[refusal] = result.refusals.get(refusal, 0) + 1
        if refusal in ("offer-full", "offer-gone"):
            result.full.add(launch.offer)
        reason = f"{refusal}: {answer.reason}" if answer.reason else refusal
        # Of an unreachable one nobody knows what became; it stays claimed, and the next cycle asks.
        if refusal == "payload-refused":
            verdicts.append(Verdict(number, "failed", reason))
        elif refusal != "unreachable":
            verdicts.append(Verdict(number, "again", reason))
    settle(verdicts)
    return result
