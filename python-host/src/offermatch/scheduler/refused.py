"""What keeps tasks without an offer, counted by the check that refuses most: from the matcher's explanation.

demand.DIMENSION   too little of a resource dimension is free
attribute          a requirement on an attribute
measure            a requirement on a measure
devices            no devices serve the task
together           the members of its group are elsewhere
at-most            as many members of its group are there as may be
score              no offer scores below the maximal score
least              too few members of its gang would find an offer
room               offers are left for it, and held for others or tried by it lately
other              not looked at: of tasks that are all different, so many are
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from offermatch.matcher import BaseMatcher
from offermatch.model import Comparison, Explanation, Settings
from offermatch.scheduler.gangs import with_groups
from offermatch.scheduler.store.records import Processable
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["refused_by"]

_MOST = 200
"""Different tasks that are looked at."""


def refused_by(
    matcher: BaseMatcher, found: Processable, rows: Sequence[int], offers: OfferColumns, settings: Settings
) -> dict[str, int]:
    """Return how many tasks are without an offer, by the check that refuses most of the offers.

    Args:
        matcher: Who explains.
        found: The tasks.
        rows: Those without an offer.
        offers: What the others have left.
        settings: How offers are ranked.

    Raises:
        MatcherError: The matcher failed.
    """
    strange = [name for name in found.columns.demand if name not in offers.available]
    counts: dict[str, int] = {}
    alike: dict[Any, list[int]] = {}
    for row in rows:
        missing = next((name for name in strange if found.columns.demand[name][row]), None)
        if missing is not None:
            counts["unknown-dimension"] = counts.get("unknown-dimension", 0) + 1
        else:
            alike.setdefault(_shape(found, row), []).append(row)
    looked = list(alike.values())[:_MOST]
    others = sum(map(len, alike.values())) - sum(map(len, looked))
    if others:
        counts["other"] = others
    if not looked or not len(offers):
        return counts
    firsts = [same[0] for same in looked]
    asked = found.picked(firsts)
    columns = replace(
        asked.columns, demand={name: column for name, column in asked.columns.demand.items() if name not in strange}
    )
    columns, there = with_groups(columns, asked, offers)
    attributes = [*columns.attributes_asked, *columns.group_attributes]
    with matcher.open(there, settings, attributes=attributes, measures=columns.measures_asked) as pool:
        explained = pool.explain(columns)
    for at, (same, one) in enumerate(zip(looked, explained, strict=True)):
        code = _code(one, columns, at)
        counts[code] = counts.get(code, 0) + len(same)
    return counts


def _shape(found: Processable, row: int) -> tuple[Any, ...]:
    columns = found.columns
    return (
        *(column[row] for column in columns.demand.values()),
        0 if columns.devices is None else columns.devices[row],
        tuple(columns.requirements_of(row)),
        0 if found.group_of is None else found.group_of[row],
    )


def _code(found: Explanation, columns: TaskColumns, row: int) -> str:
    if found.candidates:
        gang = columns.groups is not None and (group := columns.groups[row]) is not None and group.least > 1
        return "least" if gang else "room"
    kinds = ["measure" if isinstance(one, Comparison) else "attribute" for one in columns.requirements_of(row)]
    fails = {f"demand.{name}": (0, count) for name, count in found.by_dimension.items()}
    for kind, count in zip(kinds, found.by_requirement, strict=False):
        fails[kind] = max(fails.get(kind, (0, 0)), (0, count))
    fails |= {"devices": (0, found.by_devices), "score": (0, found.by_score)}
    for name, check in (found.checks or {}).items():
        kind, _, number = name.partition(" ")
        if kind == "requirement":
            if int(number) >= len(kinds):
                continue
            code = kinds[int(number)]
        else:
            code = {"limit": "at-most", "devices": "devices", "together": "together", "score": "score"}.get(
                kind, f"demand.{name}"
            )
        fails[code] = max(fails.get(code, (0, 0)), (check.alone, check.fails))
    return max(fails, key=lambda code: fails[code])
