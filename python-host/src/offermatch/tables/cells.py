"""What tasks ask and offers have besides room, in cells: a column a word, as in CSV, Parquet and frames.

requires.zone         values joined by |, with a leading ! those not allowed
at_least.price        a bound, as is at_most.price
prefers.zone          as requires.zone, as are prefers_at_least.price and prefers_at_most.price
prefers_weight.zone   the weight of the preferences about this name
group                 the name of the group, with group.least, group.together, group.at_most.zone
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from offermatch.errors import InputError
from offermatch.requirements import (
    AnyRequirement,
    Comparison,
    Group,
    Preference,
    Requirement,
    check_group_name,
    measure_number,
    members,
    weight_number,
)
from offermatch.visible import shown_value

__all__ = [
    "BLANKS",
    "OFFER_PREFIXES",
    "TASK_PREFIXES",
    "asked_in_cells",
    "group_in_cells",
    "is_asked",
    "is_empty",
    "is_group",
    "is_rule_of_group",
    "named_cells",
    "text_cell",
    "weighs_nothing",
]

BLANKS = " \t\r\n"
"""What is left out around the text of a cell."""

_REQUIRES = {"requires.": None, "at_least.": True, "at_most.": False}
_PREFERS = {"prefers.": None, "prefers_at_least.": True, "prefers_at_most.": False}
_WEIGHT = "prefers_weight."
_LIMIT = "group.at_most."
_GROUP = ("group", "group.least", "group.together")

TASK_PREFIXES = (*_REQUIRES, *_PREFERS, _WEIGHT, _LIMIT)
"""The prefixes of the columns of tasks that are no quantities; ``group.least`` and ``group.together`` have no more names."""
OFFER_PREFIXES = ("attribute.", "measure.", "occupants.")
"""Those of offers."""


def is_asked(column: str) -> bool:
    """Return whether the cells of a column are requirements, preferences or their weights."""
    prefix = column[: column.find(".") + 1]
    return len(column) > len(prefix) and (prefix in _REQUIRES or prefix in _PREFERS or prefix == _WEIGHT)


def is_rule_of_group(column: str) -> bool:
    """Return whether the cells of a column are a rule of a group."""
    return column in _GROUP[1:] or (column.startswith(_LIMIT) and len(column) > len(_LIMIT))


def is_group(column: str) -> bool:
    """Return whether the cells of a column are the name or a rule of a group."""
    return column == _GROUP[0] or is_rule_of_group(column)


def weighs_nothing(column: str, columns: Collection[str]) -> bool:
    """Return whether a column has weights that belong to no preference."""
    return column.startswith(_WEIGHT) and not any(prefix + column[len(_WEIGHT) :] in columns for prefix in _PREFERS)


def asked_in_cells(row: Mapping[str, Any], place: str) -> tuple[tuple[AnyRequirement, ...], tuple[Preference, ...]]:
    """Return the requirements and preferences in the cells of a row, in the order of their columns; empty cells ask nothing.

    Raises:
        InputError: ``file-malformed``, ``missing-column``, ``measure-malformed`` or ``preference-malformed``.
    """
    required: list[AnyRequirement] = []
    preferred: list[Preference] = []
    for column, cell in row.items():
        prefix = column[: column.find(".") + 1]
        if prefix in _REQUIRES:
            one = _condition(_REQUIRES[prefix], column[len(prefix) :], cell, f"{place}, {column}")
            if one is not None:
                required.append(one)
        elif prefix in _PREFERS:
            name = column[len(prefix) :]
            one = _condition(_PREFERS[prefix], name, cell, f"{place}, {column}")
            if one is not None:
                preferred.append(Preference(one, _weight(row.get(_WEIGHT + name), f"{place}, {_WEIGHT}{name}")))
        elif prefix == _WEIGHT and not is_empty(cell):
            weight_number(_stripped(cell), f"{place}, {column}")
    return tuple(required), tuple(preferred)


def _condition(is_least: bool | None, name: str, cell: Any, place: str) -> AnyRequirement | None:
    if is_empty(cell):
        return None
    if is_least is not None:
        return Comparison(name, measure_number(_stripped(cell), place), is_least)
    if not isinstance(cell, str):
        hint = "give values joined by |, with a leading ! those that are not allowed"
        raise InputError("file-malformed", f"{shown_value(cell)} is not text", hint, place)
    text = text_cell(cell, place)
    values = tuple(value.strip(BLANKS) for value in text.removeprefix("!").split("|"))
    return Requirement(name, values, text.startswith("!"))


def _weight(cell: Any, place: str) -> float:
    if is_empty(cell):
        raise InputError("missing-column", "the weight is missing", "give each preference a weight", place)
    return weight_number(_stripped(cell), place)


def group_in_cells(row: Mapping[str, Any], place: str) -> Group | None:
    """Return the group in the cells of a row; None where they are empty.

    Raises:
        InputError: ``group-malformed`` or ``file-malformed``.
    """
    least: int = 0
    names: dict[str, str] = {}
    at_most: dict[str, int] = {}
    for column, cell in row.items():
        if is_empty(cell):
            continue
        if column == "group.least":
            least = members(_stripped(cell), 0, f"{place}, {column}")
        elif column in _GROUP:
            if not isinstance(cell, str):
                raise InputError("file-malformed", f"{shown_value(cell)} is not text", "give a name", f"{place}, {column}")
            names[column] = text_cell(cell, f"{place}, {column}")
        elif column.startswith(_LIMIT):
            at_most[column[len(_LIMIT) :]] = members(_stripped(cell), 1, f"{place}, {column}")
    if not (names or least or at_most):
        return None
    check_group_name(names.get("group", ""), f"{place}, group")
    return Group(names["group"], least, names.get("group.together"), at_most)


def text_cell(cell: str, place: str) -> str:
    """Return the text of a cell without blanks around it.

    Raises:
        InputError: ``file-malformed`` for what is how a missing number is written.
    """
    text = cell.strip(BLANKS)
    if text.lower() == "nan":
        hint = "leave the cell empty where nothing is meant"
        raise InputError("file-malformed", f"{shown_value(cell)} is how a missing number is written", hint, place)
    return text


def is_empty(cell: Any) -> bool:
    """Return whether a cell says nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip(BLANKS))


def _stripped(cell: Any) -> Any:
    return cell.strip(BLANKS) if isinstance(cell, str) else cell


def named_cells(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the cells under columns with a prefix, by what follows it; empty ones are left out."""
    return {
        name[len(prefix) :]: _stripped(cell) for name, cell in row.items() if name.startswith(prefix) and not is_empty(cell)
    }
