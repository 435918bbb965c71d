"""The errors this package raises.

    OffermatchError
    ├── InputError              a table, file or setting cannot be used; nothing was placed
    ├── ClusterError            a cluster cannot be reached, or answers what makes no sense
    ├── StoreError              the task store cannot be reached, or holds what makes no sense
    └── MatcherError            the component cannot be loaded, or failed
        ├── LimitError          it needed more than a limit allows
        └── LyingMatcherError   its answer does not hold against the host's tables

Each has a stable ``code``; docs/errors.md lists them all with their meaning. Its text names the place, the value, the code
and the remedy, so that a traceback or a log has them all.
"""

from __future__ import annotations

__all__ = [
    "ClusterError",
    "InputError",
    "LimitError",
    "LyingMatcherError",
    "MatcherError",
    "OffermatchError",
    "StoreError",
]


class OffermatchError(Exception):
    """The root of everything this package raises on purpose.

    Attributes:
        code: Stable, lower-case name of the mistake, such as ``quantity-negative``.
        message: What was wrong, with the value found.
        hint: What to do about it; may be empty.
        place: Where it stands, such as ``tasks.json, row 3 (render-4), demand.cpu``; may be empty.
        refused: The case of the contract's error, where it was the matcher that refused the call.
    """

    refused: str | None = None

    def __init__(self, code: str, message: str, hint: str = "", place: str = "") -> None:
        """Keep the four parts apart, so that callers need not parse text."""
        super().__init__(code, message, hint, place)
        self.code = code
        self.message = message
        self.hint = hint
        self.place = place

    @property
    def line(self) -> str:
        """Place and message, as the command line prints them after ``error[code]:``."""
        return f"{self.place}: {self.message}" if self.place else self.message

    def __str__(self) -> str:
        """Return place, message, code and hint: all that a traceback or a log shows of an error."""
        return f"{self.line} [{self.code}]" + (f", hint: {self.hint}" if self.hint else "")


class InputError(OffermatchError):
    """A table, a file or a setting that cannot be used."""


class ClusterError(OffermatchError):
    """A cluster that cannot be reached, or that answers what makes no sense."""


class StoreError(OffermatchError):
    """A task store that cannot be reached, or that holds what makes no sense."""


class MatcherError(OffermatchError):
    """A component that cannot be loaded, or that failed while it worked."""


class LimitError(MatcherError):
    """A component that needed more memory, time, output or fuel than its limits allow.

    Attributes:
        limit: The limit's name, such as ``call_milliseconds``.
        value: The limit's value; None where the tasks asked are the limit.
        asked: What was asked, with its unit.
    """

    limit: str = ""
    value: int | None = None
    asked: str = ""


class LyingMatcherError(MatcherError):
    """An answer that does not hold against the host's own tables."""
