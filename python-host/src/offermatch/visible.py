"""Text of strangers, made visible and short: names, reasons, descriptions and paths that somebody else has written.

Whatever is printed, logged or drawn passes through here first. So no text moves a cursor, forges a line, turns the direction
of what follows, or fills a screen. Markup (rich, HTML) is for who draws to escape.
"""

from __future__ import annotations

__all__ = ["LONGEST_MESSAGE", "LONGEST_NAME", "LONGEST_REASON", "visible"]

LONGEST_NAME = 120
"""Characters of a name that are shown."""

LONGEST_REASON = 500
"""Characters of a reason or message that are shown."""

LONGEST_MESSAGE = 4000
"""Characters of a line of the log, or of an error, which may name several."""


def shown_value(value: object) -> str:
    """Return a value as an error shows it: as Python writes it, on one line and short, whatever it is."""
    try:
        return visible(repr(value), LONGEST_NAME)
    except Exception:  # noqa: BLE001 - of numbers with thousands of digits, and of values of other libraries
        return f"a value of the type {type(value).__name__}"


def called(place: str, name: object) -> str:
    """Return the place of a row with the row's name."""
    return f"{place} ({visible(name, LONGEST_NAME) if isinstance(name, str) else shown_value(name)})"


def visible(text: object, most: int = LONGEST_REASON) -> str:
    r"""Return text on one line, with what cannot be seen as escapes (``\n``, ``\x1b``, ``\u202e``), and cut at its end.

    Args:
        text: Anything; what is no text is shown as ``str`` has it.
        most: How many of its characters are shown.
    """
    text = text if isinstance(text, str) else str(text)
    # Cut first: a text of many megabytes is not walked through.
    shown = text[:most]
    if not shown.isprintable():
        shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)
    return shown if len(text) <= most else f"{shown}... ({len(text)} characters)"
