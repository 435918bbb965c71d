"""Gives the pods of a batch their nodes: in one call of the matcher, or in several where rules about other pods want it.

pods in order ──> parts ──> matcher ──> does each fit beside those before? ──yes──> it has its node, and is counted
                    ^                                  └──no──> the matcher has its room again ─┐
                    └──────────────── another round, with what is counted by now <──────────────┘

A part ends where the priority falls below that of a pod with rules, so that no other takes what such a pod gets in a later
round. A gang with rules is a part of its own: if too few of it find nodes, it is as if it had not been tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from offermatch.formats.ports import without_weight
from offermatch.kubernetes.events import explained
from offermatch.kubernetes.topology import Constraint, Kind, Said, Topology
from offermatch.kubernetes.view import Batch, Waiting
from offermatch.matcher import BaseMatcher
from offermatch.model import AnyRequirement, Requirement, Settings
from offermatch.pool import Pool
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["Once", "Rounds", "rounds_of"]

_MOST_ROUNDS = 8
_MOST_LOOKS = 4
_MOST_VALUES = 10_000
"""So many values of attributes are named for pods of one kind; beyond that, nodes get an attribute that says it."""


@dataclass(slots=True)
class Asked:
    """What a matcher is asked about pods.

    Attributes:
        rows: The pods.
        tasks: The same, as a table.
        occupants: Who of their groups runs where.
        said: What rules about other pods have added to each; None where there is none.
        attributes: Columns that nodes have for this only.
    """

    rows: Sequence[int]
    tasks: TaskColumns
    occupants: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    said: Sequence[Said | None] = ()
    attributes: dict[str, list[str | None]] = field(default_factory=dict)


class Once:
    """One call of the matcher, for pods without rules about each other. A context manager.

    Attributes:
        pairs: The pods that have a node, each with its name, in an order in which every rule holds of each that comes.
        unplaced: The rows of pods for which there is no node now.
        delayed: The rows of pods that may have one as soon as the others are bound.
    """

    def __init__(self, matcher: BaseMatcher, settings: Settings, batch: Batch) -> None:
        """Take what there is; nothing is placed yet.

        Args:
            matcher: Who places pods.
            settings: How nodes are ranked.
            batch: The pods and the nodes.
        """
        self.pairs: list[tuple[Waiting, str]] = []
        self.unplaced: Sequence[int] = ()
        self.delayed: Sequence[int] = ()
        self._matcher, self._settings, self._batch = matcher, settings, batch
        self._pool: Pool | None = None

    def __enter__(self) -> Once:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of the nodes."""
        if self._pool is not None:
            self._pool.close()

    def run(self) -> None:
        """Place all."""
        pods, names = self._batch.pods, self._batch.offers.names
        answer = self._opened(self._batch.offers).assign(self._batch.tasks)
        self.pairs = [(pods[row], names[offer]) for row, offer in zip(answer.task_rows, answer.offer_rows, strict=True)]
        self.unplaced = answer.unplaced_rows

    def explain(self, rows: Sequence[int]) -> list[str]:
        """Return why no node takes each of these pods, beside those that are placed."""
        return self._explained(Asked(rows, self._batch.tasks.picked(rows), said=[None] * len(rows)))

    def _opened(self, offers: OfferColumns) -> Pool:
        """Return a pool of these nodes, instead of that before."""
        if self._pool is not None:
            self._pool.close()
        self._pool = self._matcher.open(offers, self._settings, attributes=offers.attributes)
        return self._pool

    def _explained(self, asked: Asked) -> list[str]:
        tasks, reasons = asked.tasks, []
        found = self._pool.explain(tasks, occupants=asked.occupants) if self._pool is not None else []
        for one, requirements, said in zip(found, tasks.requirements or [()] * len(tasks), asked.said, strict=True):
            meanings = {} if said is None else said.meanings(len(requirements) - len(said.requirements))
            reasons.append(explained(one, requirements, meanings))
        return reasons


class Rounds(Once):
    """The rounds of one batch with rules about other pods."""

    def __init__(
        self, matcher: BaseMatcher, settings: Settings, batch: Batch, topology: Topology, needed: Mapping[str, int]
    ) -> None:
        """Take what there is, with how many members of each gang have to get nodes at once; nothing is placed yet."""
        super().__init__(matcher, settings, batch)
        self.unplaced: list[int] = []
        self.delayed: list[int] = []
        self._needed, self._topology, self._kinds = needed, topology, topology.kinds
        self._nodes = [topology.nodes[name] for name in batch.offers.names]
        self._grouped = "groups" in matcher.description.rules
        gangs = [pod.gang.name if pod.gang is not None else None for pod in batch.pods]
        ruled = {gang for gang, kind in zip(gangs, topology.kinds, strict=True) if kind.is_ruled}
        # The gang of each pod, if one of its members has rules.
        self._gangs = [gang if gang in ruled else None for gang in gangs]
        self._placed: list[tuple[int, int]] = []
        self._rows_on: dict[int, list[int]] = {}

    def run(self) -> None:
        """Place all."""
        for part in self._parts():
            before, gang = len(self._placed), self._gangs[part[0]]
            self._place(part)
            if gang is not None and len(self._placed) - before < self._needed[gang]:
                self._undo(before)
        pods, names = self._batch.pods, self._batch.offers.names
        self.pairs = [(pods[row], names[offer]) for row, offer in self._placed]

    def explain(self, rows: Sequence[int]) -> list[str]:
        """As of ``Once``."""
        asked = self._asked(rows)
        self._offer(asked)
        return self._explained(asked)

    def _offer(self, asked: Asked) -> Pool:
        """Return a pool that has all that is asked."""
        if self._pool is not None and not asked.attributes:
            return self._pool
        offers = self._left(range(len(self._nodes)))
        offers.attributes.update(asked.attributes)
        return self._opened(offers)

    def _asked(self, rows: Sequence[int], strict: Collection[Kind] | None = None) -> Asked:
        """Return what the matcher is asked about pods now.

        Args:
            rows: The pods.
            strict: The kinds whose pods may not go where they do not fit now. All, unless given; where it is, the pods are
                left out for which the limits of their kind have no room.
        """
        kinds = Counter(self._kinds[row] for row in rows)
        told = {
            kind: self._topology.say(kind, number, strictly=strict is None or kind in strict, grouped=self._grouped)
            for kind, number in kinds.items()
            if kind.is_ruled
        }
        if strict is not None:
            rows = self._with_room(rows, told)
        attributes: dict[str, list[str | None]] = {}
        for kind, one in told.items():
            one.requirements = [self._short(each, kinds[kind], attributes) for each in one.requirements]
        tasks, said = self._batch.tasks.picked(rows), [told.get(self._kinds[row]) for row in rows]
        tasks.requirements = self._requirements(rows, tasks, said)
        return Asked(rows, tasks, self._group(rows, tasks, said), said, attributes)

    def _with_room(self, rows: Sequence[int], told: Mapping[Kind, Said]) -> Sequence[int]:
        """Return the pods without those for which the limits of their kind have no room: as many as have, of each shape."""
        taken: Counter[tuple[Kind, int]] = Counter()
        found = []
        for row in rows:
            kind, shape = self._kinds[row], id(self._batch.pods[row].shape)
            said = told.get(kind)
            if said is not None:
                if taken[kind, shape] >= said.room:
                    continue
                taken[kind, shape] += 1
            found.append(row)
        return found

    def _short(self, one: Requirement, pods: int, attributes: dict[str, list[str | None]]) -> Requirement:
        """Return a requirement, or one that says the same with fewer values by an attribute of nodes."""
        if len(one.values) * pods <= _MOST_VALUES:
            return one
        values, name = set(one.values), f"rule {len(attributes)}"
        attributes[name] = ["yes" if value in values else None for value in self._batch.offers.attributes[one.attribute]]
        return Requirement(name, ("yes",), one.excludes)

    def _requirements(
        self, rows: Sequence[int], tasks: TaskColumns, said: Sequence[Said | None]
    ) -> Sequence[Sequence[AnyRequirement]] | None:
        before = tasks.requirements or [()] * len(rows)
        known: dict[tuple[int, int], Sequence[AnyRequirement]] = {}
        found = []
        for row, one, more in zip(rows, before, said, strict=True):
            if more is None:
                found.append(one)
                continue
            key = (id(more), id(self._batch.pods[row].shape))
            both = known.get(key)
            if both is None:
                both = known[key] = (*one, *more.requirements)
            found.append(both)
        return found if any(found) else None

    def _group(self, rows: Sequence[int], tasks: TaskColumns, said: Sequence[Said | None]) -> dict[str, Mapping[str, int]]:
        """Give tasks their groups, and return who of these runs."""
        plain = tasks.groups or [None] * len(rows)
        # How many of a gang with rules are placed is looked at when all have been tried.
        groups = [
            more.group if more is not None else None if self._gangs[row] is not None else one
            for row, one, more in zip(rows, plain, said, strict=True)
        ]
        tasks.groups = groups if any(groups) else None
        return {one.group.name: one.occupants for one in said if one is not None and one.group is not None}

    def _parts(self) -> Iterator[Sequence[int]]:
        """Yield the rows of each part, in their order."""
        pods, kinds = self._batch.pods, self._kinds
        gangs: dict[str, list[int]] = {}
        for row, pod in enumerate(pods):
            if pod.gang is not None:
                gangs.setdefault(pod.gang.name, []).append(row)
        part: list[int] = []
        lowest = 0
        for row, pod in enumerate(pods):
            # The turn of a gang is that of its first member.
            members = [row] if pod.gang is None else gangs.pop(pod.gang.name, [])
            if not members:
                continue
            alone = self._gangs[row] is not None
            if part and (alone or (pod.priority < lowest and any(kinds[one].is_ruled for one in part))):
                yield part
                part = []
            if alone:
                yield members
            else:
                part += members
                lowest = pod.priority
        if part:
            yield part

    def _place(self, part: Sequence[int]) -> None:
        """Place the pods of a part, and those with rules again as long as others of it have come to their nodes."""
        before, left = len(self._placed), part
        # Where rules or room held pods up before, it is the cheaper way to see whether they still do.
        strict = {self._kinds[row] for row in part if self._batch.pods[row].tried}
        for _ in range(_MOST_ROUNDS):
            asked = self._asked(left, strict)
            answer = self._offer(asked).assign(asked.tasks, occupants=asked.occupants)
            placed = [(asked.rows[row], offer) for row, offer in zip(answer.task_rows, answer.offer_rows, strict=True)]
            refused = self._fitting(placed)
            self._give_back([offer for _, offer in refused])
            unplaced = [asked.rows[row] for row in answer.unplaced_rows]
            self.unplaced += [row for row in unplaced if not self._kinds[row].is_ruled]
            done = {row for row, _ in placed} - {row for row, _ in refused}
            left = [row for row in left if self._kinds[row].is_ruled and row not in done]
            # What did not come out, or does not come on, is told strictly in the next round.
            strict -= {self._kinds[row] for row in done}
            strict |= {self._kinds[row] for row, _ in refused}
            if not left or not placed:
                break
        waits = left and placed and len(self._placed) > before
        (self.delayed if waits else self.unplaced).extend(left)

    def _fitting(self, placed: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
        """Keep the pods that fit beside those before them; return the others."""
        left: Sequence[tuple[int, int]] = self._evenly(placed)
        for _ in range(_MOST_LOOKS):
            refused = [pair for pair in left if not self._keeps(*pair)]
            if not refused or len(refused) == len(left):
                return refused
            left = refused
        return left

    def _keeps(self, row: int, offer: int) -> bool:
        """Return whether a pod fits its node; it is counted there from now on."""
        kind, node = self._kinds[row], self._nodes[offer]
        if not kind.fits(node):
            return False
        kind.add(node)
        self._placed.append((row, offer))
        self._rows_on.setdefault(offer, []).append(row)
        return True

    def _evenly(self, placed: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return placed pods in an order in which the domains of their spread fill up evenly, other pods first."""
        spread: dict[Kind, list[tuple[int, int]]] = {}
        found = []
        for pair in placed:
            kind = self._kinds[pair[0]]
            if any(one.itself for one in kind.spread):
                spread.setdefault(kind, []).append(pair)
            else:
                found.append(pair)
        for kind, pairs in spread.items():
            # The last order counts most: that of the fewest domains.
            order = pairs
            for one in sorted(kind.spread, key=lambda one: -len(one.balance.counts)):
                order = self._by_height(one, order)
            found += order
        return found

    def _by_height(self, one: Constraint, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return placed pods by the number that their domain has with each."""
        heights: Counter[str | None] = Counter(one.balance.counts)
        found = []
        for pair in pairs:
            domain = one.balance.domain(self._nodes[pair[1]])
            heights[domain] += 1
            found.append((heights[domain], pair))
        found.sort(key=lambda each: each[0])
        return [pair for _, pair in found]

    def _undo(self, before: int) -> None:
        """Take the pods that were placed after the first ones off their nodes again."""
        undone = self._placed[before:]
        del self._placed[before:]
        for row, offer in undone:
            self._kinds[row].add(self._nodes[offer], -1)
            self._rows_on[offer].remove(row)
        self._give_back([offer for _, offer in undone])

    def _give_back(self, offers: Sequence[int]) -> None:
        """Let the pool have again of these nodes what is not held by pods that are placed on them."""
        if offers and self._pool is not None:
            self._pool.update(changed=self._left(sorted(set(offers))))

    def _left(self, offers: Sequence[int]) -> OfferColumns:
        """Return what is left of these nodes."""
        table, demand = self._batch.offers.picked(offers), self._batch.tasks.demand
        for name, column in table.available.items():
            asked = demand[name]
            for at, offer in enumerate(offers):
                if rows := self._rows_on.get(offer):
                    column[at] -= sum([asked[row] for row in rows])
        return table


def rounds_of(matcher: BaseMatcher, settings: Settings, batch: Batch, needed: Mapping[str, int]) -> Once:
    """Return what places the pods of a batch; the arguments are those of ``Rounds``."""
    settings = without_weight(settings, batch.tasks.demand)
    if batch.topology is None:
        return Once(matcher, settings, batch)
    return Rounds(matcher, settings, batch, batch.topology, needed)
