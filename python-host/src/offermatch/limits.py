"""What a component may use: memory, tables, time, output, instructions; and how large it may be.

    defaults < a JSON file (``--limits``, ``OFFERMATCH_LIMITS``) < ``OFFERMATCH_...`` variables < code

docs/trust.md has the table of them. What goes beyond one is a ``LimitError`` that names the limit, its value and what was
asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from offermatch.errors import InputError, LimitError
from offermatch.reading import read_bounded, unreadable
from offermatch.recording.format import strict_json
from offermatch.visible import shown_value

__all__ = ["VARIABLE", "Limits", "exceeded"]

VARIABLE = "OFFERMATCH_LIMITS"
"""The environment variable that names a file of limits."""

_MOST = 2**63 - 1
_HINT = f"limits are whole numbers from 1 to {_MOST}; docs/trust.md lists them"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one instance, and one call into it, may use.

    Attributes:
        memory_bytes: The linear memory of one instance, in bytes.
        table_elements: The elements of each of its tables.
        call_milliseconds: The time of one call into the component, wall clock, to within about 10 ms; None for no limit.
            Then a matcher takes about a fifth less time, and one that does not end is never ended: only for components you
            trust as your own code.
        output_rows: The rows of an answer, where that is fewer than the tasks asked; None for no further limit.
        output_text_bytes: The text of an error or a description, and of what is captured of standard output and standard
            error, in bytes each.
        fuel: Instructions of one call, about one unit each; None to count none.
        component_bytes: The bytes of a component that is loaded.
        compile_milliseconds: The time compiling it may take, and the time judging a candidate may take.
        compile_memory_bytes: The memory of the process that compiles it.

    Raises:
        InputError: ``limit-malformed`` for a value that is not a positive integer.
    """

    memory_bytes: int = 2**30
    table_elements: int = 100_000
    call_milliseconds: int | None = 30_000
    output_rows: int | None = None
    output_text_bytes: int = 64 * 1024
    fuel: int | None = None
    component_bytes: int = 64 * 2**20
    compile_milliseconds: int = 300_000
    compile_memory_bytes: int = 4 * 2**30

    def __post_init__(self) -> None:
        """Refuse what is no limit."""
        for name, value in asdict(self).items():
            _checked(name, value, "limits")

    @classmethod
    def in_force(cls, file: str | os.PathLike[str] | None = None, **given: int | None) -> Limits:
        """Return the limits that hold: those given, then those of the environment, then those of a file, then the defaults.

        Args:
            file: A JSON object of limits; without it the file that ``OFFERMATCH_LIMITS`` names, if any.
            given: Limits by name, as the attributes.

        Raises:
            InputError: ``limit-malformed`` or ``file-unreadable``.

        Examples:
            >>> Limits.in_force(call_milliseconds=50).call_milliseconds
            50
        """
        named = file or os.environ.get(VARIABLE)
        found = dict(_of_file(Path(named))) if named else {}
        found.update(_of_environment())
        for name in given:
            _known(name, "limits")
        named_values: dict[str, Any] = {**found, **given}
        return cls(**named_values)

    def as_dict(self) -> dict[str, int | None]:
        """Return the limits by name, in the order of docs/trust.md."""
        return asdict(self)


def exceeded(code: str, limit: str, value: int | None, asked: str, place: str = "", output: str = "") -> LimitError:
    """Return the error for a limit that was not enough.

    Args:
        code: Such as ``limit-time``.
        limit: The limit's name.
        value: The limit's value.
        asked: What was asked, with its unit.
        place: The component.
        output: What the component wrote to standard output and error.
    """
    shown = "none" if value is None else f"{value:,}"
    hint = "raise the limit if the matcher is to be trusted with more; docs/trust.md lists them"
    if limit not in _NAMES:
        hint = "nobody can set this limit: build the matcher from fewer parts"
    error = LimitError(code, f"{asked}, above {limit} = {shown}{output}", hint, place)
    error.limit, error.value, error.asked = limit, value, asked
    return error


_NAMES = tuple(found.name for found in fields(Limits))
_OPTIONAL = ("call_milliseconds", "output_rows", "fuel")


def _known(name: str, place: str) -> None:
    if name not in _NAMES:
        message = f"there is no limit {shown_value(name)}; the limits are {', '.join(_NAMES)}"
        raise InputError("limit-malformed", message, _HINT, place)


def _checked(name: str, value: Any, place: str) -> None:
    if value is None and name in _OPTIONAL:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MOST:
        message = f"{name} is {shown_value(value)}, which is not an integer from 1 to {_MOST}"
        raise InputError("limit-malformed", message, _HINT, place)


def _of_file(path: Path) -> Iterator[tuple[str, int | None]]:
    place = str(path)
    try:
        found = strict_json(read_bounded(path).decode())
    except OSError as error:
        raise unreadable(error, place) from error
    except ValueError as error:
        raise InputError("limit-malformed", f"not JSON: {error}", _HINT, place) from error
    if not isinstance(found, Mapping):
        raise InputError("limit-malformed", "not a JSON object", _HINT, place)
    for name, value in found.items():
        _known(name, place)
        _checked(name, value, place)
        yield name, value


def _of_environment() -> Iterator[tuple[str, int]]:
    for name in _NAMES:
        variable = f"OFFERMATCH_{name.upper()}"
        text = os.environ.get(variable, "")
        if text:
            value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
            _checked(name, value, variable)
            yield name, int(value)
