"""Groups of tasks in a cycle: who waits for members, what the matcher is asked, and what begins together.

    groups of the store ──> incomplete: held back, with a reason
                       └──> groups and occupants for the matcher ──> placed ──> claimed, prepared and launched whole, or not

A gang is a group of which a least number of members has to begin at once. docs/scheduler.md says what is promised.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from offermatch.model import OFFER, Comparison, Group
from offermatch.scheduler.store.records import GroupClaims, GroupState, Processable
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["Gangs", "beside", "group_for_matcher", "incomplete", "members_of", "unserved", "with_groups"]


@dataclass(frozen=True, slots=True)
class Gangs:
    """What claims and launches have to know of groups.

    Attributes:
        of: The number of the group of each task that has one, by the task's number.
        groups: How the groups stand.
    """

    of: Mapping[int, int] = field(default_factory=dict)
    groups: Mapping[int, GroupState] = field(default_factory=dict)

    @classmethod
    def among(cls, found: Processable) -> Gangs:
        """Return what there is to know of the groups of these tasks."""
        if found.group_of is None:
            return cls()
        return cls({number: group for number, group in zip(found.ids, found.group_of, strict=True) if group}, found.groups)

    def short(self, numbers: Iterable[int]) -> list[int]:
        """Return those of the tasks that cannot begin, as too few members of their group are among them."""
        if not self.of:
            return []
        members: dict[int, list[int]] = {}
        for number in numbers:
            if number in self.of:
                members.setdefault(self.of[number], []).append(number)
        return [one for group, ones in members.items() if len(ones) < self.groups[group].needed for one in ones]

    def joining(self, numbers: Iterable[int]) -> GroupClaims | None:
        """Return what the claim of these tasks has to know; None where they have no groups."""
        of = {number: self.of[number] for number in numbers if number in self.of} if self.of else {}
        if not of:
            return None
        wanted = {group: self.groups[group] for group in of.values()}
        starting = {group for group, one in wanted.items() if not sum(one.staying.values())}
        return GroupClaims(of, {group: one.claims for group, one in wanted.items()}, starting)


def members_of(found: Processable) -> dict[int, list[int]]:
    """Return the rows of each group, in their order."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(found.group_of or ()):
        if group:
            members.setdefault(group, []).append(row)
    return members


def incomplete(found: Processable, offered: Collection[str]) -> set[int]:
    """Return the rows of tasks that wait for others of their group, or to know where these are.

    Args:
        found: The tasks.
        offered: The names of all that the cluster offers, of what gets nothing new, too.
    """
    waits: set[int] = set()
    for number, rows in members_of(found).items():
        group = found.groups[number]
        if len(rows) < group.needed or is_apart(group, offered):
            waits.update(rows)
    return waits


def is_apart(group: GroupState, offered: Collection[str]) -> bool:
    """Return whether nobody can say where its next member may go: one runs on what the cluster does not offer now."""
    by_value = group.together is not None or any(name != OFFER for name in group.at_most)
    return by_value and any(name not in offered for name in group.occupants)


def unserved(found: Processable, rules: Collection[str]) -> dict[int, str]:
    """Return the rows that ask for a rule which a matcher does not serve, each with the rule."""
    columns, rows = found.columns, {}
    if "groups" not in rules:
        rows.update({row: "groups" for row, group in enumerate(found.group_of or ()) if group})
    if "preferences" not in rules:
        rows.update({row: "preferences" for row, given in enumerate(columns.preferences or ()) if given})
    if "measures" not in rules:
        rows.update({row: "measures" for row, one, _ in columns.conditions if isinstance(one, Comparison)})
    return rows


def group_for_matcher(group: GroupState, offered: Collection[str]) -> Group:
    """Return a group as the matcher is asked about it, beside the occupants that it is told of.

    Of the least number those count that are done, and those that run where the matcher cannot see them; those that are about
    to end count for nothing.
    """
    seen = sum(count for offer, count in group.occupants.items() if offer in offered)
    return Group(group.key, group.needed + seen if group.needed else 0, group.together, group.at_most)


def with_groups(columns: TaskColumns, found: Processable, offers: OfferColumns) -> tuple[TaskColumns, OfferColumns]:
    """Return tasks with their groups, and offers with the members that run there."""
    numbers = found.group_of
    if numbers is None or not any(numbers):
        return columns, offers
    rows = {name: row for row, name in enumerate(offers.names)}
    there = set(numbers) - {0}
    made = {number: group_for_matcher(found.groups[number], rows) for number in there}
    occupants = {}
    for number in there:
        group = found.groups[number]
        on = {rows[name]: count for name, count in group.occupants.items() if name in rows}
        if on:
            occupants[group.key] = on
    groups = [made.get(number) for number in numbers]
    return replace(columns, groups=groups), replace(offers, occupants=occupants)


def beside(offers: OfferColumns, offered: OfferColumns, found: Processable) -> tuple[OfferColumns, tuple[str, ...]]:
    """Return offers, and beside them, without anything free, those that get nothing new but have members of groups.

    Who runs there counts for *at most* and *together*.

    Args:
        offers: What may have tasks.
        offered: All that the cluster offers, with the same columns.
        found: The tasks.

    Returns:
        The offers, and the names of those that are to have none of the tasks.
    """
    if found.group_of is None or len(offers) == len(offered):
        return offers, ()
    there = set(offers.names)
    occupied = {name for number in set(found.group_of) - {0} for name in found.groups[number].occupants} - there
    rows = [row for row, name in enumerate(offered.names) if name in occupied]
    if not rows:
        return offers, ()
    others = offered.picked(rows)
    capacity = others.capacity or others.available
    joined = replace(
        offers,
        names=[*offers.names, *others.names],
        available={name: column + array("Q", bytes(8 * len(rows))) for name, column in offers.available.items()},
        capacity={name: column + capacity[name] for name, column in (offers.capacity or offers.available).items()},
        attributes={name: [*column, *others.attributes[name]] for name, column in offers.attributes.items()},
        measures={name: column + others.measures[name] for name, column in offers.measures.items()},
        devices=offers.devices.followed_by_none(len(rows)),
    )
    return joined, tuple(others.names)
