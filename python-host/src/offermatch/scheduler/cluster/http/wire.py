"""What goes over HTTP, as JSON: docs/cluster-http.openapi.yaml in code. Both sides read with the same care."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, get_args

from offermatch.errors import ClusterError, InputError
from offermatch.model import Offer
from offermatch.quantity import SMALLEST, as_written
from offermatch.scheduler.cluster.abc import Fetched, Launch, Launched, Outcome, Output, Refusal, Report
from offermatch.scheduler.cluster.servers import measures_of, refuse_occupants
from offermatch.tables.input import offer_columns
from offermatch.tables.offers import OfferColumns
from offermatch.tables.shape import offer_from_mapping
from offermatch.visible import LONGEST_NAME, LONGEST_REASON, visible

__all__ = [
    "CANCELLATIONS",
    "INPUTS",
    "LAUNCHES",
    "LONGEST_KEY",
    "MOST_BYTES",
    "MOST_CELLS",
    "MOST_KEYS",
    "MOST_LAUNCHES",
    "MOST_OUTPUT",
    "OFFERS",
    "OUTPUTS",
    "REPORTS",
    "SETTLEMENTS",
    "VERSION",
    "decoded",
    "fetched_from",
    "fetched_of",
    "keys_from",
    "launch_of",
    "launched_from",
    "launched_of",
    "launches_from",
    "malformed",
    "offers_from",
    "offers_of",
    "output_from",
    "output_of",
    "reports_from",
    "reports_of",
]

VERSION = 2
"""The version of the wire format: the first part of every path."""

OFFERS, INPUTS, LAUNCHES, REPORTS, CANCELLATIONS, SETTLEMENTS, OUTPUTS = (
    f"/v{VERSION}/{name}" for name in ("offers", "inputs", "launches", "reports", "cancellations", "settlements", "outputs")
)
"""The paths."""

MOST_BYTES = 16 * 2**20
"""The longest body of a request, in bytes."""

MOST_VALUES = 500_000
"""The most JSON values in the body of a request; a value of one byte may take two hundred of memory."""

MOST_ANSWERED_VALUES = 4_000_000
"""The most JSON values in an answer."""

MOST_OUTPUT = 2**20
"""The most bytes of output in one answer."""

MOST_LAUNCHES = 250
"""The most launches in one request."""

MOST_OFFERS = 100_000
"""The most offers of one agent."""

MOST_COLUMNS = 256
"""The most different resource dimensions, and the most different attributes, among the offers of one agent."""

MOST_CELLS = 4_000_000
"""The most offers times different dimensions and attributes: a table has a cell for each, whoever left it empty."""

MOST_DEVICES = 1024
"""The most devices of one offer."""

LONGEST_ATTRIBUTE = 1024
"""The longest value of an attribute, in characters."""

MOST_KEYS = 10_000
"""The most keys in one request."""

LONGEST_KEY = 512
"""The longest key, task or name, in characters."""

_END_OF_TIME = 1e12
_REFUSALS, _OUTCOMES = get_args(Refusal), get_args(Outcome)
_LAUNCH = {"key": "", "task": "", "offer": "", "demand": {}, "devices": 0, "device_share": 0, "payload": {}, "sent_at": 0}


def decoded(body: bytes, *keys: str, most: int = MOST_VALUES) -> dict[str, Any]:
    """Return the JSON object of a body, which has exactly these keys where any are given.

    Args:
        body: The text.
        keys: The keys of the object.
        most: How many values it may have; what separates them is counted before anything is made of them.

    Raises:
        ClusterError: ``message-malformed``, as from every function here that reads.
    """
    values = sum(map(body.count, (b",", b"[", b"{")))
    if values > most:
        raise malformed(f"about {values} values where there may be {most}")
    try:
        found = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise malformed(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise malformed(f"a JSON {type(found).__name__} where an object should be")
    if keys and found.keys() != set(keys):
        shown = visible(", ".join(map(repr, found)) or "none")
        raise malformed(f"the keys are {shown}; they should be {', '.join(keys)}")
    return found


def offers_of(offers: Sequence[Offer] | OfferColumns) -> dict[str, Any]:
    """Return offers as they are sent."""
    table = offer_columns(offers)
    refuse_occupants(table)
    available, capacity = table.available, table.capacity or table.available
    shown = []
    for row, name in enumerate(table.names):
        attributes = {attribute: column[row] for attribute, column in table.attributes.items() if column[row]}
        sent: dict[str, Any] = {"name": name, "available": _row(available, row), "devices": table.devices.of(row)}
        sent |= {"capacity": _row(capacity, row), "attributes": attributes}
        # JSON has no infinity; as text it is read back as the same number.
        numbers = measures_of(table, row).items()
        measures = {name: number if math.isfinite(number) else str(number) for name, number in numbers}
        shown.append({**sent, "measures": measures} if measures else sent)
    return {"offers": shown}


def _row(columns: Mapping[str, Sequence[int]], row: int) -> dict[str, int]:
    return {dimension: column[row] for dimension, column in columns.items()}


def offers_from(body: bytes) -> list[Offer]:
    """Return the offers of an answer, each one checked, after a look at how much would be made of them."""
    rows = _list(decoded(body, "offers", most=MOST_ANSWERED_VALUES), "offers")
    _check_size(rows)
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
            raise malformed(visible(f"{error.place}: {error.message}")) from error
    return found


def _check_size(rows: Sequence[Any]) -> None:
    """Refuse offers that would make a table beyond all bounds, however few bytes say so."""
    if len(rows) > MOST_OFFERS:
        raise malformed(f"{len(rows)} offers; an agent may make {MOST_OFFERS}")
    columns: dict[str, set[str]] = {"available": set(), "capacity": set(), "attributes": set(), "measures": set()}
    for at, row in enumerate(rows):
        if not isinstance(row, Mapping):
            continue
        place = f"offers, row {at}"
        devices = row.get("devices")
        number = len(devices) if isinstance(devices, list) else devices if type(devices) is int else 0
        if number > MOST_DEVICES:
            raise malformed(f"{place}: {number} devices; an offer may have {MOST_DEVICES}")
        if isinstance(name := row.get("name"), str) and len(name) > LONGEST_KEY:
            raise malformed(f"{place}: a name of {len(name)} characters; it may have {LONGEST_KEY}")
        for key, names in columns.items():
            if isinstance(found := row.get(key), Mapping):
                names.update(found)
                if len(names) > MOST_COLUMNS:
                    raise malformed(f"{place}: more than {MOST_COLUMNS} different names in {key} up to here")
        attributes = row.get("attributes")
        if isinstance(attributes, Mapping):
            for name, value in attributes.items():
                if isinstance(value, str) and len(value) > LONGEST_ATTRIBUTE:
                    most = f"it may have {LONGEST_ATTRIBUTE}"
                    raise malformed(f"{place}: {visible(name, LONGEST_NAME)} has {len(value)} characters; {most}")
    for names in columns.values():
        for name in names:
            if len(name) > LONGEST_KEY:
                raise malformed(
                    f"a dimension, attribute or measure has a name of {len(name)} characters; it may have {LONGEST_KEY}"
                )
    cells = len(rows) * sum(map(len, columns.values()))
    if cells > MOST_CELLS:
        raise malformed(
            f"{len(rows)} offers times their dimensions, attributes and measures make {cells} cells; {MOST_CELLS} may be"
        )


def launch_of(launch: Launch) -> dict[str, Any]:
    """Return a launch as it is sent."""
    shown: dict[str, Any] = {"key": launch.key, "task": launch.task, "offer": launch.offer, "demand": dict(launch.demand)}
    shown |= {"devices": launch.devices, "device_share": launch.device_share}
    return {**shown, "payload": dict(launch.payload), "sent_at": launch.sent_at}


def launches_from(body: bytes) -> list[Launch]:
    """Return the launches of a request; whether their numbers can be used is the cluster's to say."""
    rows = _list(decoded(body, "launches"), "launches")
    if len(rows) > MOST_LAUNCHES:
        raise malformed(f"{len(rows)} launches are sent; send at most {MOST_LAUNCHES} at a time")
    return [_launch_from(row, f"launches, row {at}") for at, row in enumerate(rows)]


def _launch_from(found: Any, place: str) -> Launch:
    if not isinstance(found, dict):
        raise malformed(f"{place} is no object")
    for name in found:
        if name not in _LAUNCH:
            raise malformed(f"{place}: there is no key {_shown(name)}")
    for name in ("key", "task", "offer"):
        _name(found.get(name), f"{place}: {name}")
    given = {**_LAUNCH, **found}
    for name, kind in (("demand", dict), ("devices", int), ("device_share", int), ("payload", dict)):
        if type(given[name]) is not kind:
            what = "whole number" if kind is int else "object"
            raise malformed(f"{place}: {name} is {_shown(given[name])}, which is no {what}")
    sent_at = given["sent_at"]
    if type(sent_at) not in (int, float) or not 0 <= sent_at < _END_OF_TIME:
        raise malformed(f"{place}: sent_at is {_shown(sent_at)}, which is no time, in seconds since the epoch")
    return Launch(**given)


def launched_of(launched: Sequence[Launched]) -> dict[str, Any]:
    """Return what became of launches as it is sent."""
    return {"launched": [{"key": one.key, "refusal": one.refusal, "reason": one.reason} for one in launched]}


def launched_from(body: bytes, keys: Sequence[str]) -> list[Launched]:
    """Return what became of launches, one for each key sent, in their order."""
    rows = _list(decoded(body, "launched"), "launched")
    if len(rows) != len(keys):
        raise malformed(f"{len(rows)} answers to {len(keys)} launches")
    found = []
    for key, row in zip(keys, rows, strict=True):
        if not isinstance(row, dict) or row.keys() != {"key", "refusal", "reason"}:
            raise malformed(f"{_shown(row)} is no answer to a launch")
        _same_key(row["key"], key)
        if row["refusal"] is not None and row["refusal"] not in _REFUSALS:
            raise malformed(f"refusal is {_shown(row['refusal'])}, which is none of {', '.join(_REFUSALS)}")
        found.append(Launched(key, row["refusal"], _reason(row["reason"])))
    return found


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
            raise malformed(f"{_shown(row)} is no report")
        _same_key(row["key"], key)
        if row["outcome"] not in _OUTCOMES:
            raise malformed(f"outcome is {_shown(row['outcome'])}, which is none of {', '.join(_OUTCOMES)}")
        at = row["finished_at"]
        ended = row["outcome"] in ("done", "failed", "lost")
        if ended != (type(at) in (int, float)) or (at is not None and not 0 <= at < _END_OF_TIME):
            raise malformed(f"finished_at is {_shown(at)} of a launch that is {row['outcome']}")
        found.append(Report(key, row["outcome"], _reason(row["reason"]), at))
    return found


def fetched_of(fetched: Fetched) -> dict[str, Any]:
    """Return what there is of an input as it is sent."""
    return {"name": fetched.name, "value": fetched.value, "reason": fetched.reason}


def fetched_from(body: bytes, name: str) -> Fetched:
    """Return what there is of an input."""
    found = decoded(body, "name", "value", "reason")
    if found["name"] != name:
        raise malformed(f"the answer is about {_shown(found['name'])}, not about {_shown(name)}")
    return Fetched(name, found["value"], _reason(found["reason"]))


def output_of(output: Output) -> dict[str, Any]:
    """Return the end of what a launch has written as it is sent."""
    return {"text": output.text, "size": output.size}


def output_from(body: bytes) -> Output:
    """Return the end of what a launch has written."""
    found = decoded(body, "text", "size")
    text, size = _text(found["text"], "text"), found["size"]
    if len(text) > MOST_OUTPUT:
        raise malformed(f"text has {len(text)} characters; at most {MOST_OUTPUT} were asked for")
    if type(size) is not int or not 0 <= size < 2**63:
        raise malformed(f"size is {_shown(size)}, which is no number of bytes")
    return Output(text, size)


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
            table.devices.of(row),
            measures_of(table, row) or None,
        )
        for row, name in enumerate(table.names)
    ]


def _list(found: Mapping[str, Any], key: str) -> list[Any]:
    if not isinstance(found[key], list):
        raise malformed(f"{key} is no list")
    return list(found[key])


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise malformed(f"{what} is {_shown(value)}, which is no text")
    return value


def _reason(value: Any) -> str:
    """Return what a stranger says for people: one line, and short."""
    return visible(_text(value, "reason"), LONGEST_REASON)


def _shown(value: Any) -> str:
    """Return any value of JSON in a few characters; a long one is not written out first."""
    if isinstance(value, (list, dict)):
        return f"a JSON {type(value).__name__} of {len(value)}"
    if isinstance(value, int) and not -(2**80) < value < 2**80:
        return "a whole number beyond all bounds"
    return repr(value) if not isinstance(value, str) else repr(visible(value, LONGEST_NAME))


def _name(value: Any, what: str) -> str:
    text = _text(value, what)
    if not 0 < len(text) <= LONGEST_KEY:
        raise malformed(f"{what} has {len(text)} characters; it should have 1 to {LONGEST_KEY}")
    return text


def _same_key(found: Any, key: str) -> None:
    if found != key:
        raise malformed(f"the answer is about {_shown(found)}, not about {_shown(key)}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
