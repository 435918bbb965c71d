"""What tasks ask together, checked of an answer: least, together, at most; and the order in which tasks were placed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from offermatch.tables.tables import Assigned, GroupTable, TaskTable

__all__ = ["broken_rule", "placing_order"]


def placing_order(tasks: TaskTable, answered: Sequence[int]) -> Sequence[int]:
    """Return the positions of an answer's rows in the order in which they were placed.

    The members of a group are placed when the turn of the first one comes. An answer stands in the order of the rows.
    """
    if not any(tasks.group_of):
        return range(len(answered))
    turns: dict[int, int] = {}
    for row, group in enumerate(tasks.group_of):
        if group:
            turns.setdefault(group, row)
    group_of = tasks.group_of
    return sorted(range(len(answered)), key=lambda at: turns.get(group_of[answered[at]], answered[at]))


def broken_rule(tasks: TaskTable, answer: Assigned, attributes: Sequence[Sequence[int]]) -> str | None:
    """Return how an answer breaks the rules of a group; None where it keeps all of them.

    A rule that the members which run already have broken forbids to break it further, no more.

    Args:
        tasks: What was asked.
        answer: Who takes what.
        attributes: The values of the pool's attributes, one column each; 0 is unset.
    """
    if not any(tasks.group_of):
        return None
    placed: dict[int, list[int]] = {}
    for task, offer in zip(answer.tasks, answer.offers, strict=True):
        if tasks.group_of[task]:
            placed.setdefault(tasks.group_of[task] - 1, []).append(offer)
    running: dict[int, Counter[int]] = {}
    groups = tasks.groups
    for group, offer, count in zip(groups.occupant_groups, groups.occupant_offers, groups.occupant_counts, strict=True):
        if count:
            running.setdefault(group, Counter())[offer] += count
    for group, offers in placed.items():
        broken = _broken(groups, group, offers, running.get(group, Counter()), attributes)
        if broken is not None:
            return broken
    return None


def _broken(
    groups: GroupTable, group: int, offers: Sequence[int], running: Counter[int], attributes: Sequence[Sequence[int]]
) -> str | None:
    least = groups.least[group] if groups.least else 0
    if len(offers) + running.total() < least:
        return f"{len(offers)} members of group row {group}, which asks for {least}"
    together = groups.together[group] if groups.together else 0
    if together:
        column = attributes[together - 1]
        values = {column[offer] for offer in offers}
        bound = {column[offer] for offer in running} - {0}
        if 0 in values or len(values) > 1 or (bound and not values <= bound):
            return f"members of group row {group} that are not together on attribute {together - 1}"
    begin, end = groups.limit_offsets[group : group + 2] if groups.limit_offsets else (0, 0)
    for at in range(begin, end):
        attribute, most = groups.limit_attributes[at], groups.limit_counts[at]
        # The offer itself counts under its row, which is never unset.
        counted = Counter(offers) if not attribute else Counter(attributes[attribute - 1][offer] for offer in offers)
        if attribute and counted[0]:
            return f"a member of group row {group} on an offer without attribute {attribute - 1}, by which a limit counts"
        for offer, count in running.items():
            value = attributes[attribute - 1][offer] if attribute else offer
            if value in counted:
                counted[value] += count
        if max(counted.values()) > most:
            return f"more members of group row {group} than its limit {at - begin} of {most} allows"
    return None
