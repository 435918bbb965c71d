"""Where rules about other pods let a pod go: topology spread that must hold, required affinity and anti-affinity.

rules of a pod ──> which pods they are about ──> how many of these are in each domain ──> what a matcher is told of the pod
pod on a node  ──────────────────────────────────> is counted, once it fits

Domains are the values of a label of nodes. A matcher is told what it can take into account at once for many pods: labels
that a node must or must not have, and groups. Whether a pod fits a node beside all that were placed before it is asked here,
of each pod that a matcher has placed, as kube-scheduler asks it of one pod after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field

from offermatch.formats.kubernetes import EMPTY, Node
from offermatch.kubernetes.api import Object
from offermatch.kubernetes.rules import Labels, Namespaces, Rules, Spread, Target
from offermatch.kubernetes.shapes import Shape
from offermatch.kubernetes.tallies import Balance, Index, Tally
from offermatch.model import Group, Requirement, is_in, not_in

__all__ = ["Kind", "Said", "Topology"]

_SPREAD = "didn't match pod topology spread constraints"
_LABEL = "missing required label"
_AFFINITY = "didn't match pod affinity rules"
_APART = "didn't match pod anti-affinity rules"
_EXISTING = "didn't satisfy existing pods anti-affinity rules"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of topology spread, for the pods of a kind.

    Attributes:
        spread: The constraint.
        balance: The pods that it counts.
        itself: Whether it counts the pods of the kind, too.
    """

    spread: Spread
    balance: Balance
    itself: bool

    @property
    def most(self) -> int:
        """The most pods that a domain may have, one that comes included, if that is counted."""
        return self.balance.least(self.spread.least_domains) + self.spread.most_skew

    def fits(self, node: Node) -> bool:
        """Return whether another pod may come to a node."""
        domain = self.balance.domain(node)
        return domain is not None and self.balance.counts[domain] + self.itself <= self.most

    def level(self, more: int) -> int:
        """Return to how many pods so many more can bring every domain."""
        balance = self.balance
        return balance.level(more) if len(balance.counts) >= self.spread.least_domains else 0

    def full(self) -> list[str]:
        """Return the domains to which no other pod may come."""
        most = self.most - self.itself
        return [domain for domain, count in self.balance.counts.items() if count > most]


@dataclass(frozen=True, slots=True)
class Avoided:
    """Pods that those of a kind keep away from.

    Attributes:
        key: The label of nodes whose values are the domains.
        tally: The pods.
        itself: Whether those of the kind are among them.
        word: Whose rule it is.
    """

    key: str
    tally: Tally
    itself: bool
    word: str


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Pods that are the same to all rules, whatever else they ask.

    Attributes:
        number: Its number.
        spread: The constraints of topology spread.
        sought: The pods that its affinity asks for; None where it has none.
        seeks_itself: Whether its own pods are among them.
        avoided: The pods that it keeps away from, or that keep away from it.
        counted: Where its pods are counted.
    """

    number: int
    spread: Sequence[Constraint]
    sought: Tally | None
    seeks_itself: bool
    avoided: Sequence[Avoided]
    counted: Sequence[Tally | Balance]

    @property
    def is_ruled(self) -> bool:
        """Whether any rule is about where its pods may go."""
        return bool(self.spread or self.avoided) or self.sought is not None

    def fits(self, node: Node) -> bool:
        """Return whether another pod of it may come to a node, beside those that are counted."""
        return (
            all(one.fits(node) for one in self.spread)
            and self._finds(node)
            and not any(one.tally.has(node, one.key) for one in self.avoided)
        )

    def add(self, node: Node, pods: int = 1) -> None:
        """Take note of its pods that come to a node; of such that leave it where the number is negative."""
        for one in self.counted:
            one.add(node, pods)

    def _finds(self, node: Node) -> bool:
        sought = self.sought
        if sought is None or all(sought.has(node, key) for key in sought.counts):
            return True
        # The first of pods that seek each other goes anywhere.
        return self.seeks_itself and sought.is_empty and all(key in node.labels for key in sought.counts)


@dataclass(slots=True)
class Said:
    """What a matcher is told of the pods of a kind.

    Attributes:
        requirements: What a node must have.
        words: How a node fails each of them.
        group: What they ask together; None where that is nothing.
        limits: How a node fails each limit of the group.
        occupants: How many pods of the group run, by the name of the node.
        room: So many more of them can be placed at most, as far as limits say it.
    """

    requirements: Sequence[Requirement]
    words: Sequence[str]
    group: Group | None
    limits: Sequence[str]
    occupants: Mapping[str, int]
    room: int

    def meanings(self, before: int) -> dict[str, str]:
        """Return how a node fails each check, by its name, with so many requirements before these."""
        found = {f"requirement {at}": word for at, word in enumerate(self.words, before)}
        found.update({f"limit {at}": word for at, word in enumerate(self.limits)})
        return {**found, "together": _AFFINITY}


@dataclass(slots=True)
class _Draft:
    """What is being said of a kind, of which so many pods can be placed at most."""

    room: int
    asked: list[tuple[Requirement, str]] = field(default_factory=list)
    limits: dict[str, tuple[int, str]] = field(default_factory=dict)
    occupants: Mapping[str, int] = field(default_factory=dict)
    together: str | None = None

    def require(self, one: Requirement, word: str) -> None:
        self.asked.append((one, word))

    def limit(self, key: str, most: int, room: int, word: str) -> None:
        self.limits[key], self.room = (most, word), min(self.room, room)

    def said(self, name: str, *, grouped: bool) -> Said:
        group = None
        if grouped and (self.limits or self.together is not None):
            group = Group(name, together=self.together, at_most={key: most for key, (most, _) in self.limits.items()})
        requirements, words = [one for one, _ in self.asked], [word for _, word in self.asked]
        return Said(requirements, words, group, [word for _, word in self.limits.values()], self.occupants, self.room)


@dataclass(frozen=True, slots=True)
class Term:
    """A term of anti-affinity, of all pods that have it.

    Attributes:
        key: The label of nodes whose values are the domains.
        target: The pods that it is about.
        found: These.
        owners: The pods that have it.
    """

    key: str
    target: Target
    found: Tally
    owners: Tally


@dataclass(frozen=True, slots=True)
class Own:
    """The rules of pods themselves.

    Attributes:
        spread: The constraints of topology spread, each with the pods that it is about, and with these.
        affinity: The pods that the terms of affinity are about.
        sought: These: the pods that all terms are about; None where there is no term.
        apart: The terms of anti-affinity.
    """

    spread: tuple[tuple[Spread, Target, Balance], ...] = ()
    affinity: tuple[Target, ...] = ()
    sought: Tally | None = None
    apart: tuple[Term, ...] = ()


class Topology:
    """The pods that rules are about, by the domains that they are in; for one thread.

    Attributes:
        nodes: The nodes by their names.
        kinds: The kind of each pod that waits.
        attributes: The attributes of nodes that matchers are told about, a column each.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        attributes: Sequence[Mapping[str, str | None]],
        waiting: Sequence[tuple[Object, Shape, Sequence[Requirement]]],
        bound: Sequence[tuple[str, Object, Shape]],
        namespaces: Namespaces,
    ) -> None:
        """Count the pods that are bound.

        Args:
            nodes: The nodes.
            attributes: The attributes of each.
            waiting: The pods that wait, each with its shape and with what that asks of a node.
            bound: The node, the pod and its shape of all others.
            namespaces: The namespaces.
        """
        self.nodes = {node.name: node for node in nodes}
        self._attributes = attributes
        self._namespaces = namespaces
        self._balances: dict[tuple[Target, str, object], Balance] = {}
        self._sorts: dict[tuple[tuple[Target, ...], tuple[str, ...]], Tally] = {}
        self._terms: dict[tuple[Target, str], Term] = {}
        self._domains: dict[object, tuple[dict[str, str], dict[str, int]]] = {}
        self._rules: dict[object, Own] = {}
        self._same: dict[Own, Own] = {}
        self._kinds: dict[object, Kind] = {}
        nothing = Own()
        own = [self._own(*one) if one[1].rules is not None else nothing for one in waiting]
        owners = [(node, self._apart(item, shape)) for node, item, shape in bound if shape.keeps_apart]
        # Selectors are evaluated once for all pods whose labels of these names are the same.
        self._labels = tuple(dict.fromkeys(key for target in self._targets() for key, _, _ in target.selector or ()))
        self._counting = Index(
            [
                *(((target,), balance) for (target, _, _), balance in self._balances.items()),
                *((targets, tally) for (targets, _), tally in self._sorts.items()),
            ]
        )
        self._avoiding = Index(((term.target,), term) for term in self._terms.values())
        self.kinds = [self._kind(item, rules) for (item, _, _), rules in zip(waiting, own, strict=True)]
        self._count(bound)
        for name, terms in owners:
            there = self.nodes.get(name)
            for term in terms:
                if there is not None:
                    term.owners.add(there, 1)
        self._keys = {key for _, key, _ in self._balances} | {key for _, keys in self._sorts for key in keys}
        # Labels that all nodes have, with the number of their values.
        self._whole = {
            key: len({node.labels[key] for node in nodes}) for key in self._keys if all(key in node.labels for node in nodes)
        }
        self.attributes = self._columns(nodes)

    def picked(self, rows: Sequence[int]) -> Topology:
        """Return the topology of some of the pods that wait; what is counted is counted in both."""
        made = copy(self)
        made.kinds = [self.kinds[row] for row in rows]
        return made

    def say(self, kind: Kind, waiting: int, *, strictly: bool, grouped: bool) -> Said:
        """Return what a matcher is told of the pods of a kind, beside all that are counted by now.

        Args:
            kind: The kind.
            waiting: How many of it are to be placed.
            strictly: Whether no pod may go where it does not fit now. Otherwise domains may be filled to where all of them
                will be, as far as these pods suffice, which holds in the end where there is room in all of them.
            grouped: Whether the matcher serves groups.
        """
        draft = _Draft(waiting)
        self._say_affinity(draft, kind)
        self._say_spread(draft, kind, strictly=strictly, grouped=grouped)
        self._say_apart(draft, kind, grouped=grouped)
        return draft.said(f"topology {kind.number}", grouped=grouped)

    @staticmethod
    def _say_affinity(draft: _Draft, kind: Kind) -> None:
        if kind.sought is None:
            return
        counts = kind.sought.counts
        if kind.seeks_itself and kind.sought.is_empty:
            draft.together = _together(counts)
            for key in counts:
                draft.require(is_in(f"exists:{key}", "yes"), f"{_AFFINITY} ({_LABEL} {key})")
        else:
            for key, found in counts.items():
                draft.require(Requirement(key, _values(found)), f"{_AFFINITY} ({key})")

    @staticmethod
    def _say_spread(draft: _Draft, kind: Kind, *, strictly: bool, grouped: bool) -> None:
        # Occupants are the same for all limits of a group. Where members have to be together, occupants would say where.
        first = next((one.balance for one in kind.spread if one.itself), None)
        if first is not None and draft.together is not None and any(first.nodes.values()):
            first = None
        for one in kind.spread:
            key, word, balance = one.spread.key, f"{_SPREAD} ({one.spread.key})", one.balance
            draft.require(is_in(f"exists:{key}", "yes"), f"{_SPREAD} ({_LABEL} {key})")
            if grouped and one.itself and first is not None and balance.about == first.about:
                most = one.most if strictly else max(one.most, one.level(draft.room))
                draft.limit(key, most, balance.room(most, draft.room), word)
                draft.occupants = {name: count for name, count in balance.nodes.items() if count}
            elif full := one.full():
                draft.require(not_in(key, _values(full)), word)

    def _say_apart(self, draft: _Draft, kind: Kind, *, grouped: bool) -> None:
        for one in kind.avoided:
            key, word, found = one.key, f"{one.word} ({one.key})", one.tally.counts[one.key]
            if found:
                draft.require(not_in(key, _values(found)), word)
            # Limits are for nodes with the label only, and the occupants of spread must not fill a domain that is free here.
            limits = grouped and one.itself and key in self._whole
            if limits and all(self.nodes[name].labels[key] in found for name in draft.occupants):
                draft.limit(key, 1, self._whole[key] - len(found), word)

    def _own(self, item: Object, shape: Shape, requirements: Sequence[Requirement]) -> Own:
        """Return the rules of a pod that waits."""
        rules, namespace, labels = shape.rules or Rules(), *_sort_of(item)
        known = (id(shape), namespace, *map(labels.get, rules.labels))
        found = self._rules.get(known)
        if found is None:
            keys = tuple(sorted({one.key for one in rules.spread}))
            affinity = tuple(one.target(namespace, labels, self._namespaces) for one in rules.affinity)
            spread = []
            for one in rules.spread:
                target = one.target(namespace, labels)
                spread.append((one, target, self._balance(one, target, keys, requirements)))
            sought = self._sort(affinity, [one.key for one in rules.affinity]) if affinity else None
            made = Own(tuple(spread), affinity, sought, self._apart(item, shape))
            found = self._rules[known] = self._same.setdefault(made, made)
        return found

    def _apart(self, item: Object, shape: Shape) -> tuple[Term, ...]:
        """Return the terms of anti-affinity of a pod."""
        namespace, labels = _sort_of(item)
        found = []
        for one in shape.rules.apart if shape.rules is not None else ():
            target = one.target(namespace, labels, self._namespaces)
            term = self._terms.get((target, one.key))
            if term is None:
                made = Term(one.key, target, self._sort((target,), [one.key]), Tally([one.key]))
                term = self._terms[target, one.key] = made
            found.append(term)
        return tuple(found)

    def _sort(self, targets: tuple[Target, ...], keys: Iterable[str]) -> Tally:
        """Return the pods that all of these are about, by these labels of nodes."""
        known = (targets, tuple(dict.fromkeys(keys)))
        return self._sorts.setdefault(known, Tally(known[1]))

    def _balance(
        self, spread: Spread, target: Target, keys: tuple[str, ...], requirements: Sequence[Requirement]
    ) -> Balance:
        """Return the pods that a constraint counts, on nodes that have all labels of spread and meet its policies."""
        asked = tuple(
            one
            for one in requirements
            if (spread.honors_taints if one.attribute.startswith("taint:") else spread.honors_affinity)
        )
        known = (target, spread.key, (keys, asked))
        found = self._balances.get(known)
        if found is None:
            domains, empty = self._eligible(spread.key, keys, asked)
            found = self._balances[known] = Balance(domains, dict(empty), (target, keys, asked))
        return found

    def _eligible(
        self, key: str, keys: Sequence[str], asked: Sequence[Requirement]
    ) -> tuple[dict[str, str], dict[str, int]]:
        """Return the domain of each node that has these labels and meets what is asked, and each domain without a pod."""
        found = self._domains.get((key, keys, asked))
        if found is None:
            domains = {
                node.name: node.labels[key]
                for node, has in zip(self.nodes.values(), self._attributes, strict=True)
                if all(one in node.labels for one in keys) and all(one.holds(has.get(one.attribute)) for one in asked)
            }
            found = self._domains[key, keys, asked] = domains, dict.fromkeys(domains.values(), 0)
        return found

    def _targets(self) -> Iterator[Target]:
        yield from (target for target, _, _ in self._balances)
        yield from (target for targets, _ in self._sorts for target in targets)

    def _kind(self, item: Object, own: Own) -> Kind:
        """Return the kind of a pod that waits."""
        namespace, labels = _sort_of(item)
        known = (id(own), namespace, *map(labels.get, self._labels))
        found = self._kinds.get(known)
        if found is None:
            spread = [Constraint(one, balance, target.matches(namespace, labels)) for one, target, balance in own.spread]
            avoided = [Avoided(one.key, one.found, one.target.matches(namespace, labels), _APART) for one in own.apart]
            avoided += [
                Avoided(term.key, term.owners, itself=False, word=_EXISTING)
                for term in self._avoiding.matching(namespace, labels)
            ]
            itself = all(target.matches(namespace, labels) for target in own.affinity)
            counted = [*self._counting.matching(namespace, labels), *(term.owners for term in own.apart)]
            found = Kind(len(self._kinds), spread, own.sought, itself, avoided, counted)
            self._kinds[known] = found
        return found

    def _count(self, bound: Iterable[tuple[str, Object, Shape]]) -> None:
        """Count pods where they are. Those that are being deleted do not count for topology spread."""
        counted: dict[object, list[Tally | Balance]] = {}
        for name, item, _ in bound:
            node = self.nodes.get(name)
            if node is None:
                continue
            namespace, labels = _sort_of(item)
            ends = item["metadata"].get("deletionTimestamp") is not None
            known = (namespace, ends, *map(labels.get, self._labels))
            where = counted.get(known)
            if where is None:
                where = counted[known] = [
                    one for one in self._counting.matching(namespace, labels) if not (ends and isinstance(one, Balance))
                ]
            for one in where:
                one.add(node, 1)

    def _columns(self, nodes: Sequence[Node]) -> dict[str, list[str | None]]:
        found = {
            name: [has.get(name) for has in self._attributes]
            for key in sorted(self._keys)
            for name in (key, f"exists:{key}")
        }
        for kind in self._kinds.values():
            if kind.sought is not None and kind.seeks_itself and len(kind.sought.counts) > 1:
                keys = list(kind.sought.counts)
                found[_together(keys)] = [
                    "|".join(node.labels[key] for key in keys) if all(key in node.labels for key in keys) else None
                    for node in nodes
                ]
        return found


def _sort_of(item: Object) -> tuple[str, Labels]:
    """Return the namespace and the labels of a pod."""
    metadata = item["metadata"]
    return metadata.get("namespace", "default"), metadata.get("labels") or {}


def _values(domains: Iterable[str]) -> tuple[str, ...]:
    """Return domains as attributes have them."""
    return tuple(domain or EMPTY for domain in domains)


def _together(keys: Iterable[str]) -> str:
    """Return the attribute whose value is that of all these labels."""
    return " and ".join(keys)
