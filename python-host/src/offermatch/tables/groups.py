"""Groups of tasks: the one that bears the rules stands for all that name it, and those who run already are counted.

Group or name of each task ──> resolved ──> GroupColumns of one call ──> GroupTable
occupants of offers        ──────────────────┘
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from offermatch.errors import InputError
from offermatch.requirements import OFFER, Group
from offermatch.tables.tables import NO_GROUPS, GroupTable
from offermatch.visible import shown_value

__all__ = ["Occupants", "clashes", "group_table", "resolved", "short_groups"]

Occupants = Mapping[str, Mapping[int, int]]
"""How many members of each group run, by the row of the offer."""


def clashes(groups: Iterable[Group | None]) -> dict[int, int]:
    """Return the rows whose group another row describes otherwise, with this row."""
    bearers: dict[str, tuple[Group, int]] = {}
    found = {}
    for row, group in enumerate(groups):
        if group is None:
            continue
        first = bearers.get(group.name)
        if first is None or first[0].is_name_only:
            bearers[group.name] = group, row
        elif not group.is_name_only and group != first[0]:
            found[row] = first[1]
    return found


def clash(group: str, row: int, place: str) -> InputError:
    """Return the error of a group that another row describes otherwise."""
    hint = "all members bear the same group, or its name alone"
    return InputError("group-malformed", f"{shown_value(group)} is another group in row {row}", hint, place)


def resolved(groups: Sequence[Group | None], place: Callable[[int], str]) -> list[Group | None]:
    """Return the group of each row with the rules that one member bears.

    Raises:
        InputError: ``group-malformed`` where two rows describe one group otherwise.
    """
    for row, first in clashes(groups).items():
        group = groups[row]
        if group is not None:
            raise clash(group.name, first, place(row))
    bearers = {group.name: group for group in groups if group is not None and group.is_name_only}
    bearers.update({group.name: group for group in groups if group is not None and not group.is_name_only})
    return [None if group is None else bearers[group.name] for group in groups]


@dataclass(slots=True)
class Numbered:
    """The groups of a call.

    Attributes:
        groups: The groups, in the order in which tasks name them.
        rows: How many rows of the table are in each.
        first: The first row of each.
        running: How many of each run already.
    """

    groups: list[Group]
    rows: list[int]
    first: list[int]
    running: list[int]


def numbered(groups: Sequence[Group | None], occupants: Occupants) -> tuple[array[int], Numbered]:
    """Return the number of each row's group, from 1 on, 0 for none, and the groups."""
    known: dict[str, int] = {}
    found = Numbered([], [], [], [])
    group_of = array("Q", bytes(8 * len(groups)))
    for row, group in enumerate(groups):
        if group is None:
            continue
        at = known.get(group.name)
        if at is None:
            at = known[group.name] = len(found.groups)
            found.groups.append(group)
            found.rows.append(0)
            found.first.append(row)
            found.running.append(sum(occupants.get(group.name, {}).values()))
        found.rows[at] += 1
        group_of[row] = at + 1
    return group_of, found


def short_groups(groups: Sequence[Group | None], occupants: Occupants) -> list[tuple[str, int, str]]:
    """Return the groups that ask for more members than there are: the name, the first row, and what is wrong."""
    _, found = numbered(groups, occupants)
    return [
        (
            group.name,
            first,
            f"at least {group.least} of {group.name!r}, which has {rows} members here and {running} that run",
        )
        for group, rows, first, running in zip(found.groups, found.rows, found.first, found.running, strict=True)
        if group.least > rows + running
    ]


def group_table(
    groups: Sequence[Group | None],
    attributes: Collection[str],
    occupants: Occupants,
    place: Callable[[int, str], str],
    *,
    asks_least: bool,
) -> tuple[array[int], GroupTable]:
    """Return the number of each row's group, and the groups as the contract has them.

    Raises:
        InputError: ``group-malformed`` for a rule about an attribute that the pool was not opened with.
    """
    group_of, found = numbered(groups, occupants)
    if not found.groups:
        return array("Q"), NO_GROUPS
    numbers = {name: number for number, name in enumerate(attributes, 1)}

    def number(row: int, column: str, name: str) -> int:
        if name not in numbers:
            known = ", ".join(sorted(filter(None, attributes))) or "none"
            hint = "name it in attributes=(...) when the pool is opened"
            message = f"the pool was not opened with the attribute {name!r}; its attributes are {known}"
            raise InputError("group-malformed", message, hint, place(row, column))
        return numbers[name]

    table = GroupTable(rows=len(found.groups))
    if asks_least and any(group.least > 1 for group in found.groups):
        table.least = array("Q", [group.least for group in found.groups])
    if any(group.together is not None for group in found.groups):
        table.together = array(
            "Q",
            [
                0 if group.together is None else number(first, "group.together", group.together)
                for group, first in zip(found.groups, found.first, strict=True)
            ],
        )
    if any(group.at_most for group in found.groups):
        table.limit_offsets.append(0)
        for group, first in zip(found.groups, found.first, strict=True):
            for name, most in group.at_most.items():
                table.limit_attributes.append(0 if name == OFFER else number(first, f"group.at_most.{name}", name))
                table.limit_counts.append(most)
            table.limit_offsets.append(len(table.limit_counts))
    for at, group in enumerate(found.groups):
        for row, count in sorted(occupants.get(group.name, {}).items()):
            table.occupant_groups.append(at)
            table.occupant_offers.append(row)
            table.occupant_counts.append(count)
    return group_of, table
