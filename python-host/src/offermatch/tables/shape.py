"""The shape of a row in JSON and in CSV, as docs/formats.md has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from offermatch.errors import InputError
from offermatch.model import Offer, Requirement, Task

__all__ = [
    "OFFER_KEYS",
    "TASK_KEYS",
    "malformed",
    "offer_from_mapping",
    "requirement_from_cell",
    "requirement_from_mapping",
    "task_from_mapping",
]

TASK_KEYS = ("name", "demand", "requirements", "devices", "device_share")
OFFER_KEYS = ("name", "available", "capacity", "attributes", "devices")

_BLANKS = " \t\r\n"


def task_from_mapping(row: Mapping[str, Any], place: str, also: Sequence[str] = ()) -> Task:
    """Return a task written in the JSON shape of docs/formats.md, in which ``also`` are keys of somebody else's.

    Raises:
        InputError: ``missing-column``, ``unknown-column`` or ``file-malformed``.
    """
    named = _keys(row, (*TASK_KEYS, *also), place)
    requirements = () if row.get("requirements") is None else row["requirements"]
    if not isinstance(requirements, (list, tuple)):
        raise malformed(requirements, "a list of requirements", f"{named}, requirements")
    return Task(
        row["name"],
        _mapping(row, "demand", named),
        tuple(requirement_from_mapping(given, f"{named}, requirements.{at}") for at, given in enumerate(requirements)),
        row.get("devices", 0),
        row.get("device_share", 0),
    )


def offer_from_mapping(row: Mapping[str, Any], place: str) -> Offer:
    """Return an offer written in the JSON shape of docs/formats.md; the errors are those of ``task_from_mapping``."""
    named = _keys(row, OFFER_KEYS, place)
    capacity = _mapping(row, "capacity", named)
    attributes = _mapping(row, "attributes", named)
    devices = row.get("devices", 0)
    if devices is None or isinstance(devices, Mapping):
        # Nothing that a row of our own could have meant: it would pass for no devices below.
        hint = "devices is a number of free devices, or a list of the free thousandths of each"
        raise InputError("quantity-malformed", f"{devices!r} is not a number", hint, f"{named}, devices")
    return Offer(row["name"], _mapping(row, "available", named), capacity or None, attributes, devices)


def _keys(row: Mapping[str, Any], known: Sequence[str], place: str) -> str:
    """Check a row's keys and return its place with its name."""
    if row.get("name") in (None, ""):
        raise InputError("missing-column", "the name is missing", "give every row a name", f"{place}, name")
    named = f"{place} ({row['name']})"
    if not isinstance(row["name"], str):
        raise InputError("file-malformed", f"{row['name']!r} is not text", "a name is text", f"{place}, name")
    for key in row:
        if key not in known:
            raise InputError("unknown-column", f"there is no {key!r}", "the keys are " + ", ".join(known), named)
    return named


def _mapping(row: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    value = row.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise malformed(value, "an object", f"{place}, {key}")
    return value


def requirement_from_mapping(given: Any, place: str) -> Requirement:
    """Return a requirement written in the JSON shape; one that is a ``Requirement`` already is returned as it is.

    Raises:
        InputError: ``missing-column``, ``unknown-column`` or ``file-malformed``.
    """
    if isinstance(given, Requirement):
        return given
    if not isinstance(given, Mapping):
        raise malformed(given, 'an object such as {"attribute": "zone", "in": ["a"]}', place)
    hint = "a requirement has attribute, and either in or not_in"
    for key in given:
        if key not in ("attribute", "in", "not_in"):
            raise InputError("unknown-column", f"there is no {key!r}", hint, place)
    if "attribute" not in given:
        raise InputError("missing-column", "the attribute is missing", hint, f"{place}, attribute")
    if not isinstance(given["attribute"], str):
        raise malformed(given["attribute"], "text", f"{place}, attribute")
    if ("in" in given) == ("not_in" in given):
        code, what = (
            ("unknown-column", "both in and not_in stand here") if "in" in given else ("missing-column", "in is missing")
        )
        raise InputError(code, what, hint, place)
    key = "in" if "in" in given else "not_in"
    values = given[key]
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, str) for value in values):
        raise malformed(values, "a list of text", f"{place}, {key}")
    return Requirement(given["attribute"], tuple(values), key == "not_in")


def malformed(found: Any, wanted: str, place: str) -> InputError:
    """Return the error of a field that is of the wrong type."""
    return InputError("file-malformed", f"{found!r} is not {wanted}", "docs/formats.md shows the shape of a row", place)


def requirement_from_cell(attribute: str, cell: str) -> Requirement:
    """Return the requirement of a CSV cell: values joined by ``|``, with a leading ``!`` those not allowed."""
    excludes = cell.startswith("!")
    values = tuple(value.strip(_BLANKS) for value in cell.removeprefix("!").split("|"))
    return Requirement(attribute, values, excludes)
