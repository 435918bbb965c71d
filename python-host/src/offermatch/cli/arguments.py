"""Arguments that several commands take: how offers are ranked, and what numbers are in."""

from __future__ import annotations

import argparse
import re

from offermatch.model import MODES, Settings

__all__ = ["add_ranking", "names", "ranking"]


def add_ranking(command: argparse.ArgumentParser, mode: str) -> None:
    """Add what a command lets say of the ranking; ``mode`` is the usual one."""
    command.add_argument(
        "--mode", choices=MODES, default=mode, help=f"what happens to an offer that takes a task (default: {mode})"
    )
    command.add_argument("--max-score", type=_number, metavar="SCORE", help="choose only below it (default: no limit)")
    command.add_argument(
        "--weight",
        type=_weight,
        action="append",
        default=[],
        metavar="DIMENSION=NUMBER",
        help="such as cpu=2.0; devices too; may be given again",
    )
    command.add_argument(
        "--scale",
        type=_pair,
        action="append",
        default=[],
        metavar="DIMENSION=QUANTITY",
        help="such as memory=256GiB, or devices=8; otherwise the largest capacity",
    )
    command.add_argument(
        "--unit",
        type=_pair,
        action="append",
        default=[],
        metavar="DIMENSION=UNIT",
        help="what the numbers of a dimension are in, such as cpu=millicores or scratch=bytes; docs/formats.md",
    )


def ranking(options: argparse.Namespace) -> Settings:
    """Return what ``add_ranking`` took."""
    return Settings(
        options.mode,
        options.max_score,
        dict(options.weight) or None,
        dict(options.scale) or None,
        dict(options.unit) or None,
    )


def names(text: str) -> tuple[str, ...]:
    """Return names separated by commas, each once.

    Raises:
        argparse.ArgumentTypeError: One is empty, or stands twice.
    """
    found = tuple(name.strip(" ") for name in text.split(","))
    if not all(found) or len(set(found)) != len(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of different names")
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not DIMENSION=VALUE")
    return name, value


def _weight(text: str) -> tuple[str, float]:
    name, value = _pair(text)
    return name, _number(value)


# What Rust reads as a double. Python's float() would take underscores, blanks and the digits of other scripts, too.
_DOUBLE = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)


def _number(text: str) -> float:
    if not _DOUBLE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return float(text)
