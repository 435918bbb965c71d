"""What a recording has to look like, read as strictly as the Rust host reads it.

Each kind is a function that returns what is wrong with a value, or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from math import isfinite
from typing import Any, NoReturn

from offermatch.formats import fault
from offermatch.tables.tables import Explained, Explanations, GroupTable, Plan

__all__ = ["FORMAT", "FORMAT_2", "checked", "parsed", "strict_json"]

FORMAT = "offermatch-recording/1"
"""What the first key of a recording says that uses nothing of what contract 0.3.0 brought."""

FORMAT_2 = "offermatch-recording/2"
"""What it says in any other recording."""

Kind = Callable[[Any], str]


def parsed(text: str) -> dict[str, Any]:
    """Return the object in a JSON text that is a recording.

    Raises:
        ValueError: It is none, with the reason.
    """
    return checked(strict_json(text))


def checked(found: Any) -> dict[str, Any]:
    """Return a JSON value that is a recording.

    Raises:
        ValueError: It is none, with the reason.
    """
    recording = _FORMATS.get(str(found.get("format"))) if isinstance(found, dict) else None
    if recording is None:
        raise ValueError(f"its format is not {FORMAT} or {FORMAT_2}")
    if wrong := recording(found):
        raise ValueError(wrong)
    # What is null is not there.
    steps = [{key: part for key, part in step.items() if part is not None} for step in found.get("steps", [])]
    return {**found, "steps": steps, "shape": {"attributes": 0, **found["shape"]}}


def strict_json(text: str) -> Any:
    """Return what a JSON text holds; keys stand once, numbers are finite and no half character stands alone.

    Raises:
        FaultError: It is not JSON, with the place, the reason and the remedy.
        ValueError: It cannot be used otherwise.
    """
    try:
        found = json.loads(text, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_once)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
        fault.check_depth(text, found)
    except (RecursionError, ValueError) as error:
        fault.check(text)
        raise ValueError(str(error)) from error
    return found


def _integer(digits: str) -> int | float:
    # Only a double has a zero below zero.
    return -0.0 if digits == "-0" else int(digits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _is(kind: type, what: str) -> Kind:
    return lambda value: "" if isinstance(value, kind) else f"{_shown(value)} is not {what}"


def _whole(most: int, least: int = 0) -> Kind:
    def kind(value: Any) -> str:
        fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return "" if fits else f"{_shown(value)} is not a whole number from {least} to {most}"

    return kind


def _double(value: Any) -> str:
    try:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    except OverflowError:  # an integer beyond the doubles
        fits = False
    return "" if fits else f"{_shown(value)} is not a number"


def _real(value: Any) -> str:
    return "" if value in ("NaN", "Infinity", "-Infinity") else _double(value)


def _named(value: Any) -> str:
    return "" if isinstance(value, str) and value else f"{_shown(value)} is not the name of an error"


def _or_null(kind: Kind) -> Kind:
    return lambda value: "" if value is None else kind(value)


def _array(kind: Kind) -> Kind:
    def check(value: Any) -> str:
        if not isinstance(value, list):
            return f"{_shown(value)} is not an array"
        return next((wrong for item in value if (wrong := kind(item))), "")

    return check


def _object(required: dict[str, Kind], optional: dict[str, Kind]) -> Kind:
    kinds = required | optional

    def check(value: Any) -> str:
        if not isinstance(value, dict):
            return f"{_shown(value)} is not an object"
        for name in value:
            if name not in kinds:
                return f"there is no key {name!r}"
        for name in required:
            if name not in value:
                return f"{name!r} is not there"
        for name, part in value.items():
            if wrong := kinds[name](part):
                return f"{name}: {wrong}"
        return ""

    return check


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _mode(value: Any) -> str:
    return "" if value in ("exclusive", "shared") else f"{_shown(value)} is not exclusive or shared"


def _lengths(call: str, answer: dict[str, Any]) -> str:
    if call not in ("assign", "preempt"):
        return ""
    tasks, offers, scores = (len(answer.get(name, ())) for name in ("tasks", "offers", "scores"))
    return "" if tasks == offers == scores else f"an answer has {tasks} tasks, {offers} offers and {scores} scores"


_TEXT, _FLAG = _is(str, "text"), _is(bool, "true or false")
_U32, _U64 = _whole(2**32 - 1), _whole(2**64 - 1)
_SHORT, _LONG = _array(_U32), _array(_U64)

_PRIORITIES = _array(_whole(2**31 - 1, -(2**31)))
_REALS = _array(_real)


def _recording(offers: dict[str, Kind], tasks: dict[str, Kind], explained: dict[str, Kind], **more: dict[str, Kind]) -> Kind:
    """Return the kind of a recording whose tables have these columns.

    Args:
        offers: The columns of offers.
        tasks: Those of tasks.
        explained: Those of explanations.
        more: What the ``shape``, the ``settings`` and the ``changes`` may have besides.
    """
    offer_table, task_table = _object({}, {"rows": _U32, **offers}), _object({}, {"rows": _U32, **tasks})
    workload = _object({"tasks": task_table, "shares": _REALS}, {})
    loads = {"workload": _or_null(workload)} if more else {}
    changes = {"removed": _SHORT, "changed_rows": _SHORT, "changed": offer_table, "added": offer_table, **loads}
    preempt = {"tasks": task_table, "priorities": _PRIORITIES, "running": _object({}, _RUNNING)}
    plans = {"preempt": _object({}, preempt)} if more else {}
    calls = {"assign": task_table, "update": _object({}, changes), "explain": task_table, **plans}
    answers = {
        "assign": _object({}, {"tasks": _SHORT, "offers": _SHORT, "scores": _array(_double)}),
        "update": _object({}, {}),
        "explain": _object({}, explained),
        "preempt": _object({}, dict.fromkeys((each.name for each in fields(Plan)), _SHORT) | {"scores": _array(_double)}),
    }
    call = _object(
        {}, {name: _or_null(kind) for name, kind in calls.items()} | {"answer": lambda _: "", "error": _or_null(_named)}
    )

    def step(value: Any) -> str:
        if wrong := call(value):
            return wrong
        asked = [name for name in calls if value.get(name) is not None]
        if len(asked) != 1:
            return f"a step is one of {', '.join(calls)}"
        answer = value.get("answer")
        if answer is not None and value.get("error") is not None:
            return "a step has an answer or an error, not both"
        return "" if answer is None else answers[asked[0]](answer) or _lengths(asked[0], answer)

    settings = {"mode": _mode, "max_score": _or_null(_real) if more else _real}
    return _object(
        {
            "format": _TEXT,
            "shape": _object({"dimensions": _U32}, {"attributes": _U32, **more.get("shape", {})}),
            "settings": _object(settings, {"weights": _REALS, "scales": _LONG, **more.get("settings", {}), **loads}),
            "offers": offer_table,
        },
        {
            "name": _TEXT,
            "about": _TEXT,
            "group": _TEXT,
            "matcher": _or_null(
                _object(dict.fromkeys(("name", "version", "policy", "contract"), _TEXT), {"digest": _or_null(_TEXT)})
            ),
            "open_error": _or_null(_named),
            "steps": _array(step),
        },
    )


_OFFERS = {"available": _LONG, "capacity": _LONG, **dict.fromkeys(("attributes", "device_offsets", "device_free"), _SHORT)}
_TASKS = {"demand": _LONG, **dict.fromkeys(("devices", "requirement_offsets", "value_offsets", "values"), _SHORT)}
_FIRST_TASKS = {"requirement_attributes": _SHORT, "requirement_excludes": _array(_FLAG)}
_SECOND_TASKS = {
    **dict.fromkeys(("requirement_kinds", "requirement_subjects", "group_of"), _SHORT),
    **dict.fromkeys(("requirement_bounds", "requirement_weights"), _REALS),
    "groups": _object({}, {"rows": _U32, **dict.fromkeys((each.name for each in fields(GroupTable)[1:]), _SHORT)}),
}
_RUNNING = {
    **dict.fromkeys(("offers", "device_offsets", "device_numbers", "device_thousandths"), _SHORT),
    **dict.fromkeys(("starts", "demand"), _LONG),
    "rows": _U32,
    "priorities": _PRIORITIES,
}
_MISSING = {"dimension_missing": _LONG, "requirement_missing": _REALS, "score_missing": _REALS}
_FORMATS = {
    FORMAT: _recording(_OFFERS, _TASKS | _FIRST_TASKS, dict.fromkeys((each.name for each in fields(Explained)), _SHORT)),
    FORMAT_2: _recording(
        _OFFERS | {"measures": _REALS},
        _TASKS | _SECOND_TASKS,
        dict.fromkeys((each.name for each in fields(Explanations)), _SHORT) | _MISSING,
        shape={"measures": _U32},
        settings={"parameters": _REALS},
    ),
}
