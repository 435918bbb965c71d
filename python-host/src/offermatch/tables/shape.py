"""The shape of a row in JSON, as docs/formats.md has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from offermatch.errors import InputError
from offermatch.model import Offer, Task
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
from offermatch.tables.bad import nameless
from offermatch.visible import LONGEST_NAME, called, shown_value, visible

__all__ = [
    "OFFER_KEYS",
    "SUBMISSION_COLUMNS",
    "TASK_KEYS",
    "group_from",
    "malformed",
    "measures_from",
    "occupants_from",
    "offer_from_mapping",
    "preference_from_mapping",
    "requirement_from_mapping",
    "task_from_mapping",
    "unknown_column",
]

TASK_KEYS = ("name", "demand", "requirements", "devices", "device_share", "preferences", "group")
OFFER_KEYS = ("name", "available", "capacity", "attributes", "devices", "measures", "occupants")


def task_from_mapping(row: Mapping[str, Any], place: str, also: Sequence[str] = ()) -> Task:
    """Return a task written in the JSON shape of docs/formats.md, in which ``also`` are keys of somebody else's.

    Raises:
        InputError: ``missing-column``, ``unknown-column`` or ``file-malformed``.
    """
    named = _keys(row, (*TASK_KEYS, *also), place)
    requirements = () if row.get("requirements") is None else row["requirements"]
    if not isinstance(requirements, (list, tuple)):
        raise malformed(requirements, "a list of requirements", f"{named}, requirements")
    preferences = () if row.get("preferences") is None else row["preferences"]
    if not isinstance(preferences, (list, tuple)):
        raise malformed(preferences, "a list of preferences", f"{named}, preferences")
    return Task(
        row["name"],
        _mapping(row, "demand", named),
        tuple(requirement_from_mapping(given, f"{named}, requirements.{at}") for at, given in enumerate(requirements)),
        row.get("devices", 0),
        row.get("device_share", 0),
        tuple(preference_from_mapping(given, f"{named}, preferences.{at}") for at, given in enumerate(preferences)),
        group_from(row.get("group"), named),
    )


def offer_from_mapping(row: Mapping[str, Any], place: str) -> Offer:
    """Return an offer written in the JSON shape of docs/formats.md; the errors are those of ``task_from_mapping``."""
    named = _keys(row, OFFER_KEYS, place)
    capacity = _mapping(row, "capacity", named)
    attributes = _mapping(row, "attributes", named)
    devices = row.get("devices", 0)
    if devices is None or isinstance(devices, Mapping) or (isinstance(devices, str) and "|" in devices):
        # Nothing that a row of our own could have meant: it would pass for no devices below, or for a cell of CSV.
        hint = "devices is a number of free devices, or a list of the free thousandths of each"
        raise InputError("quantity-malformed", f"{shown_value(devices)} is not a number", hint, f"{named}, devices")
    measures = measures_from(_mapping(row, "measures", named), named)
    occupants = occupants_from(_mapping(row, "occupants", named), named)
    available = _mapping(row, "available", named)
    return Offer(row["name"], available, capacity or None, attributes, devices, measures or None, occupants or None)


def _keys(row: Mapping[str, Any], known: Sequence[str], place: str) -> str:
    """Check a row's keys and return its place with its name."""
    if row.get("name") in (None, ""):
        raise nameless(f"{place}, name")
    named = called(place, row["name"])
    if not isinstance(row["name"], str):
        raise InputError("file-malformed", f"{shown_value(row['name'])} is not text", "a name is text", f"{place}, name")
    for key in row:
        if key not in known:
            raise unknown_column(key, known, named)
    return named


def _mapping(row: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise malformed(value, "an object", f"{place}, {key}")
    return value


def requirement_from_mapping(given: Any, place: str) -> AnyRequirement:
    """Return a requirement written in the JSON shape; one that is made already is returned as it is.

    Raises:
        InputError: ``missing-column``, ``unknown-column``, ``file-malformed`` or ``measure-malformed``.
    """
    if isinstance(given, (Requirement, Comparison)):
        return given
    if not isinstance(given, Mapping):
        raise malformed(given, 'an object such as {"attribute": "zone", "in": ["a"]}', place)
    return _condition(given, place)


def preference_from_mapping(given: Any, place: str) -> Preference:
    """Return a preference written in the JSON shape: a requirement with a weight; errors as of ``requirement_from_mapping``.

    Raises:
        InputError: Also ``preference-malformed``.
    """
    if isinstance(given, Preference):
        return given
    if not isinstance(given, Mapping):
        raise malformed(given, 'an object such as {"attribute": "zone", "in": ["a"], "weight": 0.5}', place)
    requirement = _condition(given, place, "weight")
    if "weight" not in given:
        raise InputError("missing-column", "the weight is missing", _CONDITION, f"{place}.weight")
    return Preference(requirement, weight_number(given["weight"], f"{place}.weight"))


SUBMISSION_COLUMNS = ("priority", "needs", "payload", "inputs", "retries", "queue", "time_limit", "fails_together")
"""What a row of a submission has beyond a task's columns."""

_SUBMITTED = "take it out: only 'offermatch submit' reads it"
_SPELLING = "correct the spelling or take it out; docs/formats.md lists what is read"
_CONDITION = "a requirement has attribute with in or not_in, or measure with at_least or at_most; a preference also weight"


def _condition(given: Mapping[str, Any], place: str, *also: str) -> AnyRequirement:
    subject, kinds = ("measure", ("at_least", "at_most")) if "measure" in given else ("attribute", ("in", "not_in"))
    for key in given:
        if key not in (subject, *kinds, *also):
            raise InputError("unknown-column", f"there is no {shown_value(key)}", _SPELLING, f"{place}.{key}")
    if subject not in given:
        raise InputError("missing-column", f"the {subject} is missing", _CONDITION, f"{place}.{subject}")
    if not isinstance(given[subject], str):
        raise malformed(given[subject], "text", f"{place}.{subject}")
    named = [kind for kind in kinds if kind in given]
    if len(named) == 2:
        raise InputError("unknown-column", f"both {kinds[0]} and {kinds[1]} stand here", _SPELLING, f"{place}.{kinds[1]}")
    if not named:
        raise InputError("missing-column", f"{kinds[0]} is missing", _CONDITION, f"{place}.{kinds[0]}")
    key = named[0]
    if subject == "measure":
        return Comparison(given[subject], measure_number(given[key], f"{place}.{key}"), key == "at_least")
    values = given[key]
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) for value in values):
        raise malformed(values, "a list of text", f"{place}.{key}")
    return Requirement(given[subject], tuple(values), key == "not_in")


def group_from(given: Any, place: str) -> Group | None:
    """Return a group written in the JSON shape, an object or a name; None for null.

    Raises:
        InputError: ``group-malformed``, ``missing-column``, ``unknown-column`` or ``file-malformed``.
    """
    if given is None or isinstance(given, Group):
        return given
    if not isinstance(given, Mapping):
        check_group_name(given, f"{place}, group")
        return Group(given)
    for key in given:
        if key not in _GROUP_KEYS:
            message = "unknown; known are " + ", ".join(_GROUP_KEYS)
            raise InputError("unknown-column", message, _SPELLING, f"{place}, group.{key}")
    check_group_name(given.get("name", ""), f"{place}, group")
    together = given.get("together")
    if together is not None and not isinstance(together, str):
        raise malformed(together, "text", f"{place}, group.together")
    limits = {} if given.get("at_most") is None else given["at_most"]
    if not isinstance(limits, Mapping):
        raise malformed(limits, "an object", f"{place}, group.at_most")
    at_most = {name: members(most, 1, f"{place}, group.at_most.{name}") for name, most in limits.items()}
    return Group(given["name"], members(given.get("least", 0), 0, f"{place}, group.least"), together, at_most)


_GROUP_KEYS = ("name", "least", "together", "at_most")


def unknown_column(column: object, known: Sequence[str], place: str) -> InputError:
    """Return the error of a column or key of a row that the format does not have."""
    where = f"{place}, {visible(column, LONGEST_NAME)}" if column != "" else place
    hint = _SUBMITTED if column in SUBMISSION_COLUMNS else _SPELLING
    return InputError("unknown-column", "unknown; known are " + ", ".join(known), hint, where)


def measures_from(given: Mapping[str, Any], place: str) -> dict[str, float]:
    """Return the measures of an offer that are set; None is unset.

    Raises:
        InputError: ``measure-malformed``.
    """
    return {name: measure_number(value, f"{place}, measures.{name}") for name, value in given.items() if value is not None}


def occupants_from(given: Mapping[str, Any], place: str) -> dict[str, int]:
    """Return how many members of each group run on an offer.

    Raises:
        InputError: ``group-malformed``.
    """
    return {name: members(count, 0, f"{place}, occupants.{name}") for name, count in given.items()}


def malformed(found: Any, wanted: str, place: str) -> InputError:
    """Return the error of a field that is of the wrong type."""
    return InputError(
        "file-malformed", f"{shown_value(found)} is not {wanted}", "docs/formats.md shows the shape of a row", place
    )
