"""Files of cases: recordings of one group, with columns that may be written short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from offermatch.errors import InputError
from offermatch.formats.fault import FaultError
from offermatch.reading import MOST_OF_A_RECORDING, read_bounded, unreadable
from offermatch.recording.format import FORMAT, FORMAT_2, checked, strict_json
from offermatch.recording.recording import Recording

__all__ = ["GROUPS", "SHIPPED", "read_group"]

_RECORDINGS = {"offermatch-cases/1": FORMAT, "offermatch-cases/2": FORMAT_2}
"""The formats of cases, each with that of the recordings that they are."""

SHIPPED = Path(__file__).with_name("cases")
"""The cases the wheel carries: those of tests/conformance."""

GROUPS = (
    "capacity",
    "dimensions",
    "ties",
    "shared",
    "requirements",
    "devices",
    "max-score",
    "weights",
    "explain",
    "updates",
    "integers",
    "sizes",
    "errors",
    "measures",
    "preferences",
    "least",
    "together",
    "limits",
    "occupants",
    "preemption",
    "scales",
    "explanations",
    "refusals",
)
"""The shipped groups, in their order."""

_HINT = "docs/conformance.md shows the format"
_KEYS = {"format", "group", "about", "cases"}
_MOST_NUMBERS = 2**24


def read_group(path: Path) -> tuple[str, str, list[Recording]]:
    """Return the group of a file, what it is about, and its cases.

    Raises:
        InputError: ``file-unreadable`` or ``file-malformed``.
    """
    try:
        found = strict_json(read_bounded(path, MOST_OF_A_RECORDING).decode())
    except OSError as error:
        raise unreadable(error, str(path)) from error
    except FaultError as fault:
        raise fault.in_file(str(path)) from fault
    except ValueError as error:
        raise InputError("file-malformed", f"not JSON: {error}", _HINT, str(path)) from error

    def malformed(what: str) -> InputError:
        return InputError("file-malformed", what, _HINT, str(path))

    recording = _RECORDINGS.get(str(found.get("format"))) if isinstance(found, Mapping) else None
    if recording is None:
        raise malformed(f"its format is not {' or '.join(_RECORDINGS)}")
    if set(found) != _KEYS or not isinstance(found["cases"], list):
        raise malformed(f"its keys are not {', '.join(sorted(_KEYS))}")
    if not isinstance(found["group"], str) or not isinstance(found["about"], str):
        raise malformed("group and about are text")
    cases: dict[str, Recording] = {}
    for case in found["cases"]:
        if not isinstance(case, dict):
            raise malformed("a case is not an object")
        name = case.get("name")
        if not isinstance(name, str) or not name or not case.get("about") or name in cases:
            raise malformed(f"case {name!r}: a case has a name of its own and says why it is there")
        try:
            cases[name] = Recording.of(checked(_complete(case, recording, found["group"])), f"{path}, case {name!r}")
        except ValueError as error:
            raise malformed(f"case {name!r}: {error}") from error
    return found["group"], found["about"], list(cases.values())


def _complete(case: dict[str, Any], recording: str, group: str) -> Any:
    """Return a case as a recording: settings and shape where they are left out, every column written out."""
    for key in ("format", "group"):
        if key in case:
            raise ValueError(f"the key {key!r} belongs to the file, not to a case")
    whole = {"format": recording, "group": group, "shape": {"dimensions": 1}, "settings": {}, **case}
    if isinstance(whole["settings"], dict):
        whole["settings"] = {"mode": "exclusive", "max_score": 31.0, **whole["settings"]}
    return _written_out(whole)


def _written_out(value: Any) -> Any:
    """Return a value with its columns written out."""
    if isinstance(value, dict):
        return {key: _written_out(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if not any(isinstance(item, dict) and ("repeat" in item or "from" in item) for item in value):
        return [_written_out(item) for item in value] if value and isinstance(value[0], (dict, list)) else value
    column: list[Any] = []
    for item in value:
        if not isinstance(item, dict):
            column.append(item)
            continue
        column += _numbers(item, len(column))
    return column


def _numbers(short: dict[str, Any], there: int) -> Sequence[Any]:
    """Return the numbers that are written short, after so many others."""
    repeated, times, first, last = (short.get(key) for key in ("repeat", "times", "from", "to"))
    if len(short) == 2 and isinstance(repeated, list) and repeated and _is_whole(times) and times > 0:
        _check_length(there, times * len(repeated))
        return repeated * times
    if len(short) == 2 and _is_whole(first) and _is_whole(last):
        _check_length(there, abs(first - last) + 1)
        return range(first, last + 1) if first <= last else range(first, last - 1, -1)
    raise ValueError(f"{str(short)[:80]} is neither a repeat of numbers nor a range")


def _check_length(there: int, more: int) -> None:
    if there + more > _MOST_NUMBERS:
        raise ValueError(f"a column of more than {_MOST_NUMBERS} numbers")


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64
