"""What a payload may ask to run, checked before anything is started."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offermatch.errors import InputError

__all__ = ["Command", "function_of"]

_LIMITS = ("memory", "cpu_seconds", "open_files", "output")
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_HINT = "docs/clusters.md describes payloads"


@dataclass(frozen=True, slots=True)
class Command:
    """A program and its limits.

    Attributes:
        arguments: The program and its arguments; no shell is involved.
        environment: Variables of its environment, besides the path and the language.
        timeout_seconds: After so long it is killed; None for never.
        limits: ``memory`` (bytes of address space), ``cpu_seconds`` and ``open_files`` of each of its processes;
            ``output``, bytes that are kept of each of its standard streams.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: float | None = None
    limits: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Command:
        """Return the command of a payload; keys that no command has are the program's own matter.

        Raises:
            InputError: ``payload-malformed``.
        """
        arguments = payload.get("command")
        if not isinstance(arguments, (list, tuple)) or not arguments or not all(map(_is_text, arguments)):
            raise _malformed(f"command is {arguments!r}, which is not a list of texts with the program first")
        environment = payload.get("environment", {})
        if not isinstance(environment, Mapping) or not all(
            _is_text(name) and _is_text(value) and name and "=" not in name for name, value in environment.items()
        ):
            raise _malformed("environment is not an object of texts")
        timeout = payload.get("timeout_seconds")
        if timeout is not None and not (type(timeout) in (int, float) and 0 < timeout < math.inf):
            raise _malformed(f"timeout_seconds is {timeout!r}, which is not a number above 0")
        limits = payload.get("limits", {})
        if not isinstance(limits, Mapping):
            raise _malformed("limits is not an object")
        for name, value in limits.items():
            if name not in _LIMITS or type(value) is not int or not 0 < value < 2**63:
                raise _malformed(f"limits.{name} is {value!r}; limits are whole numbers above 0: {', '.join(_LIMITS)}")
        return cls(tuple(arguments), dict(environment), timeout, dict(limits))


def function_of(payload: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the function of a payload, as ``module:function``, and its keyword arguments.

    Raises:
        InputError: ``payload-malformed``.
    """
    function, arguments = payload.get("function"), payload.get("arguments", {})
    if not isinstance(function, str) or not _FUNCTION.fullmatch(function):
        raise _malformed(f"function is {function!r}, which is not 'module:function'")
    if not isinstance(arguments, Mapping) or not all(isinstance(name, str) for name in arguments):
        raise _malformed("arguments is not an object")
    if "command" in payload:
        raise _malformed("both function and command are given; a payload has one of them")
    return function, arguments


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _malformed(message: str) -> InputError:
    return InputError("payload-malformed", message, _HINT, "payload")
