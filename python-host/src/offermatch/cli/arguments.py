"""Arguments that several commands take: the matcher, its limits, how offers are ranked, and what numbers are in."""

from __future__ import annotations

import argparse
from pathlib import Path

from offermatch import policies
from offermatch.formats.files import read_workload
from offermatch.limits import Limits
from offermatch.matcher import DirectMatcher, Matcher, ReferenceMatcher
from offermatch.model import MODES, Settings
from offermatch.requirements import DOUBLE
from offermatch.sample import Sample, parse_sample

__all__ = ["add_limits", "add_matcher", "add_ranking", "matcher_named", "names", "positive", "ranking", "sample"]


def add_matcher(command: argparse.ArgumentParser, what: str = "a component, a policy, or the loop in Python") -> None:
    """Add the option that names a matcher; ``what`` is what it is for."""
    command.add_argument(
        "--matcher", default="bundled", metavar="PATH|POLICY|bundled|reference", help=f"{what} (default: bundled)"
    )


def add_limits(command: argparse.ArgumentParser) -> None:
    """Add the option that names a file of limits."""
    command.add_argument(
        "--limits", type=Path, metavar="FILE", help="limits on what a component may use, as JSON; docs/trust.md lists them"
    )


def matcher_named(name: str, limits: Path | None) -> DirectMatcher:
    """Return the matcher that ``--matcher`` names: ``bundled``, ``reference``, a shipped policy, or the path of a component.

    A file that is called as a policy is named with its folder, such as ``./strand``.

    Raises:
        OffermatchError: It cannot be loaded.
    """
    if name == "reference":
        return ReferenceMatcher()
    in_force = Limits.in_force(limits)
    if name == "bundled":
        return Matcher.load(limits=in_force)
    # A path needs no look into the archive of policies, which is unpacked for it.
    if Path(name).suffix != ".wasm" and Path(name).name == name and name in policies.names():
        return Matcher.load(policy=name, limits=in_force)
    return Matcher.load(name, limits=in_force)


def sample(text: str) -> Sample:
    """Return the sample that a text names.

    Raises:
        argparse.ArgumentTypeError: It names none.
    """
    try:
        return parse_sample(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    """Return a whole number above 0.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def whole(text: str) -> int:
    """Return a whole number from 0 on, of 64 bits.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdigit()) or int(text[:30]) >= 2**64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number below 2^64")
    return int(text)


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
        "--parameter",
        type=_weight,
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="what the matcher's policy takes, such as used-first=1, which opens an untouched offer only where no used one "
        "will do; docs/policies.md; may be given again",
    )
    command.add_argument(
        "--workload",
        type=Path,
        metavar="FILE",
        help="the tasks that are to be expected, for a policy that looks ahead: rows of tasks, each with its share",
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
    """Return what ``add_ranking`` took.

    Raises:
        InputError: The file of the workload cannot be used.
    """
    units = dict(options.unit) or None
    # Typical tasks are rows of ours, whatever the tasks are.
    given = getattr(options, "format", "auto")
    form = given if given in ("json", "jsonl", "csv") else "auto"
    return Settings(
        options.mode,
        options.max_score,
        dict(options.weight) or None,
        dict(options.scale) or None,
        units,
        dict(options.parameter) or None,
        None if options.workload is None else read_workload(options.workload, form, units),
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


def _number(text: str) -> float:
    if not DOUBLE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return float(text)
