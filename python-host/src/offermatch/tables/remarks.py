"""What can hardly be meant: conditions on what no offer has, and units of dimensions that no table has."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from offermatch.errors import InputError
from offermatch.model import Comparison
from offermatch.quantity import check_units
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["refuse_unknown", "refuse_unknown_units", "unknown_attributes"]


def unknown_attributes(tasks: TaskColumns, attributes: Collection[str], measures: Collection[str] = ()) -> list[str]:
    """Return a remark for each attribute and each measure that tasks ask for and no offer has."""
    if tasks.requirements is None and tasks.preferences is None and tasks.groups is None:
        return []
    return [f"{tasks.place(row, field)}: {_message(*what)}" for what, row, field in _unknown(tasks, attributes, measures)]


def refuse_unknown(tasks: TaskColumns, attributes: Collection[str], measures: Collection[str] = ()) -> None:
    """Refuse conditions on attributes and measures that no offer has.

    Raises:
        InputError: ``unknown-attribute``.
    """
    for what, row, field in _unknown(tasks, attributes, measures):
        known = attributes if what[0] == "attribute" else measures
        hint = f"the {what[0]}s are " + (", ".join(sorted(filter(None, known))) or "none")
        raise InputError("unknown-attribute", _message(*what), hint, tasks.place(row, field))


def refuse_unknown_units(dimensions: Collection[str], *tables: TaskColumns | OfferColumns) -> None:
    """Refuse units that the files of tables declare of dimensions that there are not.

    Raises:
        InputError: ``setting-malformed``.
    """
    for table in tables:
        check_units(table.units, dimensions, table.source)


def _unknown(
    tasks: TaskColumns, attributes: Collection[str], measures: Collection[str]
) -> Iterator[tuple[tuple[str, str], int, str]]:
    """Yield each attribute or measure that is unknown once, the first row that asks for it, and the field it stands in."""
    if tasks.attributes_asked.union(tasks.group_attributes) <= {*attributes} and tasks.measures_asked <= {*measures}:
        return
    seen: set[tuple[str, str]] = set()
    for row, one, field in tasks.conditions:
        what = ("measure", one.measure) if isinstance(one, Comparison) else ("attribute", one.attribute)
        if what not in seen and what[1] not in (measures if what[0] == "measure" else attributes):
            seen.add(what)
            yield what, row, field
    for row, group in enumerate(tasks.groups or ()):
        for name in group.attributes if group is not None else ():
            if name not in attributes and ("attribute", name) not in seen:
                seen.add(("attribute", name))
                yield ("attribute", name), row, "group"


def _message(kind: str, name: str) -> str:
    return f"no offer has the {kind} {name!r}"
