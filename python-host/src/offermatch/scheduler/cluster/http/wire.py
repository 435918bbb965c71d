"""What goes over HTTP, as JSON: docs/cluster-http.openapi.yaml in code. Both sides read with the same care."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, get_args

from offermatch.errors import ClusterError, InputError
from offermatch.model import Offer
from offermatch.quantity import SMALLEST, as_written
from offermatch.scheduler.cluster.abc import Fetched, Launch, Launched, Outcome, Refusal, Report
from offermatch.tables.columns import OfferColumns
from offermatch.tables.rows import offer_columns
from offermatch.tables.shape import offer_from_mapping

__all__ = [
    "LONGEST_KEY",
    "MOST_BYTES",
    "MOST_KEYS",
    "decoded",
    "fetched_from",
    "fetched_of",
    "keys_from",
    "launch_from",
    "launch_of",
    "launched_from",
    "launched_of",
    "offers_from",
    "offers_of",
    "reports_from",
    "reports_of",
]

MOST_BYTES = 16 * 2**20
"""The longest body of a request, in bytes."""

MOST_KEYS = 10_000
"""The most keys in one request."""

LONGEST_KEY = 512
"""The longest key, task or name, in characters."""

_END_OF_TIME = 1e12
_REFUSALS, _OUTCOMES = get_args(Refusal), get_args(Outcome)
_LAUNCH = {"task": "", "offer": "", "demand": {}, "devices": 0, "device_share": 0, "payload": {}, "sent_at": 0}


def decoded(body: bytes, *keys: str) -> dict[str, Any]:
    """Return the JSON object of a body, which has exactly these keys where any are given.

    Raises:
        ClusterError: ``message-malformed``, as from every function here that reads.
    """
    try:
        found = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise malformed(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise malformed(f"a JSON {type(found).__name__} where an object should be")
    if keys and found.keys() != set(keys):
        raise malformed(f"the keys are {', '.join(map(repr, found)) or 'none'}; they should be {', '.join(keys)}")
    return found


def offers_of(offers: Sequence[Offer] | OfferColumns) -> dict[str, Any]:
    """Return offers as they are sent."""
    table = offer_columns(offers)
    available, capacity = table.available, table.capacity or table.available
    shown = []
    for row, name in enumerate(table.names):
        attributes = {attribute: column[row] for attribute, column in table.attributes.items() if column[row]}
        sent: dict[str, Any] = {"name": name, "available": _row(available, row), "devices": list(table.devices_of(row))}
        shown.append({**sent, "capacity": _row(capacity, row), "attributes": attributes})
    return {"offers": shown}


def _row(columns: Mapping[str, Sequence[int]], row: int) -> dict[str, int]:
    return {dimension: column[row] for dimension, column in columns.items()}


def offers_from(body: bytes) -> list[Offer]:
    """Return the offers of an answer, each one checked."""
    rows = _list(decoded(body, "offers"), "offers")
    with suppress(InputError, TypeError):
        found = [offer_from_mapping(row, "offers") for row in rows if isinstance(row, Mapping)]
        if len(found) == len(rows):
            return _rows(offer_columns(found, units=SMALLEST))
    # Something is wrong somewhere: each on its own, to say where.
    found = []
    for at, row in enumerate(rows):
        place = f"offers, row {at}"
        if not isinstance(row, Mapping):
            raise malformed(f"{place} is no object")
        try:
            offer = offer_from_mapping(row, place)
            found += _rows(offer_columns([offer], None, place, units=SMALLEST))
        except InputError as error:
            raise malformed(f"{error.place}: {error.message}") from error
    return found


def launch_of(launch: Launch) -> dict[str, Any]:
    """Return a launch as it is sent; its key goes in the header."""
    shown: dict[str, Any] = {"task": launch.task, "offer": launch.offer, "demand": dict(launch.demand)}
    shown |= {"devices": launch.devices, "device_share": launch.device_share}
    return {**shown, "payload": dict(launch.payload), "sent_at": launch.sent_at}


def launch_from(key: str, body: bytes) -> Launch:
    """Return the launch of a request; whether its numbers can be used is the cluster's to say."""
    found = decoded(body)
    for name in found:
        if name not in _LAUNCH:
            raise malformed(f"there is no key {name!r}")
    for name in ("task", "offer"):
        _name(found.get(name), name)
    given = {**_LAUNCH, **found}
    for name, kind in (("demand", dict), ("devices", int), ("device_share", int), ("payload", dict)):
        if type(given[name]) is not kind:
            raise malformed(f"{name} is {given[name]!r}, which is no {'whole number' if kind is int else 'object'}")
    sent_at = given["sent_at"]
    if type(sent_at) not in (int, float) or not 0 <= sent_at < _END_OF_TIME:
        raise malformed(f"sent_at is {sent_at!r}, which is no time, in seconds since the epoch")
    return Launch(_name(key, "key"), **given)


def launched_of(launched: Launched) -> dict[str, Any]:
    """Return what became of a launch as it is sent."""
    return {"key": launched.key, "refusal": launched.refusal, "reason": launched.reason}


def launched_from(body: bytes, key: str) -> Launched:
    """Return what became of a launch; an answer about another key is none."""
    found = decoded(body, "key", "refusal", "reason")
    _same_key(found["key"], key)
    if found["refusal"] is not None and found["refusal"] not in _REFUSALS:
        raise malformed(f"refusal is {found['refusal']!r}, which is none of {', '.join(_REFUSALS)}")
    return Launched(key, found["refusal"], _text(found["reason"], "reason"))


def keys_from(body: bytes) -> list[str]:
    """Return the keys that a request asks about."""
    keys = _list(decoded(body, "keys"), "keys")
    if len(keys) > MOST_KEYS:
        raise malformed(f"{len(keys)} keys are asked about; ask about at most {MOST_KEYS} at a time")
    return [_name(key, "key") for key in keys]


def reports_of(reports: Sequence[Report]) -> dict[str, Any]:
    """Return reports as they are sent."""
    return {
        "reports": [
            {"key": one.key, "outcome": one.outcome, "reason": one.reason, "finished_at": one.finished_at} for one in reports
        ]
    }


def reports_from(body: bytes, keys: Sequence[str]) -> list[Report]:
    """Return the reports of an answer, one for each key asked about, in their order."""
    rows = _list(decoded(body, "reports"), "reports")
    if len(rows) != len(keys):
        raise malformed(f"{len(rows)} reports about {len(keys)} keys")
    found = []
    for key, row in zip(keys, rows, strict=True):
        if not isinstance(row, dict) or row.keys() != {"key", "outcome", "reason", "finished_at"}:
            raise malformed(f"{row!r} is no report")
        _same_key(row["key"], key)
        if row["outcome"] not in _OUTCOMES:
            raise malformed(f"outcome is {row['outcome']!r}, which is none of {', '.join(_OUTCOMES)}")
        at = row["finished_at"]
        ended = row["outcome"] in ("done", "failed", "lost")
        if ended != (type(at) in (int, float)) or (at is not None and not 0 <= at < _END_OF_TIME):
            raise malformed(f"finished_at is {at!r} of a launch that is {row['outcome']}")
        found.append(Report(key, row["outcome"], _text(row["reason"], "reason"), at))
    return found


def fetched_of(fetched: Fetched) -> dict[str, Any]:
    """Return what there is of an input as it is sent."""
    return {"name": fetched.name, "value": fetched.value, "reason": fetched.reason}


def fetched_from(body: bytes, name: str) -> Fetched:
    """Return what there is of an input."""
    found = decoded(body, "name", "value", "reason")
    if found["name"] != name:
        raise malformed(f"the answer is about {found['name']!r}, not about {name!r}")
    return Fetched(name, found["value"], _text(found["reason"], "reason"))


def malformed(message: str) -> ClusterError:
    """Return the error of a message that makes no sense."""
    return ClusterError("message-malformed", message, "docs/cluster-http.openapi.yaml describes every message")


def _rows(table: OfferColumns) -> list[Offer]:
    available, capacity = table.available, table.capacity or table.available
    return [
        Offer(
            name,
            as_written(_row(available, row)),
            as_written(_row(capacity, row)),
            {attribute: column[row] for attribute, column in table.attributes.items()},
            list(table.devices_of(row)),
        )
        for row, name in enumerate(table.names)
    ]


def _list(found: Mapping[str, Any], key: str) -> list[Any]:
    if not isinstance(found[key], list):
        raise malformed(f"{key} is no list")
    return list(found[key])


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise malformed(f"{what} is {value!r}, which is no text")
    return value


def _name(value: Any, what: str) -> str:
    text = _text(value, what)
    if not 0 < len(text) <= LONGEST_KEY:
        raise malformed(f"{what} has {len(text)} characters; it should have 1 to {LONGEST_KEY}")
    return text


def _same_key(found: Any, key: str) -> None:
    if found != key:
        raise malformed(f"the answer is about {found!r}, not about {key!r}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
