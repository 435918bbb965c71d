"""Files of cases: recordings of one group, with columns that may be written short."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from offermatch.errors import InputError
from offermatch.recording import FORMAT as RECORDING
from offermatch.recording import Recording

__all__ = ["FORMAT", "GROUPS", "SHIPPED", "read_group"]

FORMAT = "offermatch-cases/1"
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
)
"""The shipped groups, in their order."""

_HINT = "docs/conformance.md shows the format"
_KEYS = {"format", "group", "about", "cases"}
_CASE_KEYS = {"name", "about", "shape", "settings", "offers", "open_error", "steps"}
_MOST_NUMBERS = 2**24


def read_group(path: Path) -> tuple[str, str, list[Recording]]:
    """Return the group of a file, what it is about, and its cases.

    Raises:
        InputError: ``file-unreadable`` or ``file-malformed``.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("file-unreadable", error.strerror or str(error), "check the path", str(path)) from error
    except (ValueError, RecursionError) as error:
        raise InputError("file-malformed", f"not JSON: {error}", _HINT, str(path)) from error

    def malformed(what: str) -> InputError:
        return InputError("file-malformed", what, _HINT, str(path))

    if not isinstance(found, Mapping) or found.get("format") != FORMAT:
        raise malformed(f"its format is not {FORMAT}")
    if set(found) != _KEYS or not isinstance(found["cases"], list):
        raise malformed(f"its keys are not {', '.join(sorted(_KEYS))}")
    cases: list[Recording] = []
    for case in found["cases"]:
        name = case.get("name") if isinstance(case, Mapping) else None
        if not name or not case.get("about") or any(other.name == name for other in cases):
            raise malformed(f"case {name!r}: a case has a name of its own and says why it is there")
        try:
            cases.append(Recording._of(_complete(case, found["group"]), f"{path}, case {name!r}"))
        except (ValueError, TypeError, LookupError) as error:
            raise malformed(f"case {name!r}: {error}") from error
    return found["group"], found["about"], cases


def _complete(case: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Return a case as a recording: settings and shape where they are left out, every column written out."""
    unknown = set(case) - _CASE_KEYS
    if unknown:
        raise ValueError(f"there is no key {min(unknown)!r}")
    settings = {"mode": "exclusive", "max_score": 31.0, **case.get("settings", {})}
    whole = {"format": RECORDING, "group": group, "shape": {"dimensions": 1}, "offers": {"rows": 0}, **case}
    whole["shape"] = {"attributes": 0, **whole["shape"]}
    whole["settings"] = settings
    written: dict[str, Any] = _written_out(whole)
    return written


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
        more = item["times"] * len(item["repeat"]) if "repeat" in item else abs(item["from"] - item["to"])
        if len(column) + more > _MOST_NUMBERS:
            raise ValueError(f"a column of more than {_MOST_NUMBERS} numbers")
        if "repeat" in item:
            column += item["repeat"] * item["times"]
        else:
            rising = item["from"] <= item["to"]
            column += range(item["from"], item["to"] + 1) if rising else range(item["from"], item["to"] - 1, -1)
    return column
