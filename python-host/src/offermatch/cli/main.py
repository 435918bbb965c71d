"""The command line: arguments in, exit code out.

Data goes to standard output and only when everything worked; logs and errors go to standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import offermatch
from offermatch.cli import output
from offermatch.errors import OffermatchError
from offermatch.visible import LONGEST_MESSAGE, visible

__all__ = ["parser", "run"]

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""

_COMMANDS: Mapping[str, str] = {
    **{name: name for name in ("match", "inspect", "pack", "policies", "demo", "replay", "manifest", "swap", "sign")},
    **dict.fromkeys(("pull", "push"), "registry"),
    **dict.fromkeys(("submit", "run", "store", "tasks", "queues", "cluster"), "scheduler"),
    "kubernetes-scheduler": "kubernetes",
    **{name: name for name in ("trace", "conformance", "new", "day", "bench", "agent", "doctor")},
}
"""The module of each command, which has a function that adds it; only that of the command that is given is imported."""

_ABOUT = """\
Match tasks to resource offers with a WebAssembly matcher.

  offermatch match --tasks tasks.json --offers offers.csv --output summary
  offermatch match --sample uniform:2000x1000 --mode shared --output summary
  offermatch match --format openb --tasks pods.csv --offers nodes.csv --mode shared --explain
  offermatch inspect matcher.wasm
  offermatch conformance matcher.wasm
  offermatch replay cycle.recording.json
  offermatch swap --manifest manifest.json
  offermatch submit tasks.json
  offermatch run --drain
  offermatch bench talk --rust-host target/release/offermatch-host
"""


def run(arguments: Sequence[str]) -> int:
    """Return the exit code of one command: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."""
    try:
        return _run(parser(_named(arguments)).parse_args(arguments))
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    level = logging.DEBUG if options.verbose else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if options.log == "json" else _Visible(_LOG_LINE))
    logging.basicConfig(level=level, handlers=[handler])
    command: Callable[[argparse.Namespace], str] = options.command
    code = DONE
    try:
        try:
            text = command(options)
        except output.Differs as found:
            text, code = found.output, FAILED
        output.write_out(text)
    except OffermatchError as error:
        sys.stderr.write(output.error(error))
        return FAILED
    return code


_LOG_LINE = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"


class _Visible(logging.Formatter):
    """One record, one line, whatever its message holds; only a traceback has more."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = ""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name in the standard library
        """Return the line."""
        return visible(super().formatMessage(record), LONGEST_MESSAGE)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name in the standard library
        """Return the traceback, each line of it visible."""
        return "\n".join(visible(line) for line in super().formatException(ei).split("\n"))


class _JsonLines(_Visible):
    """One record, one JSON object on a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        told = {"time": f"{self.formatTime(record)}.{record.msecs:03.0f}Z", "level": record.levelname, "logger": record.name}
        told["message"] = visible(record.getMessage(), LONGEST_MESSAGE)
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told)


class _Parser(argparse.ArgumentParser):
    """Repeats what it was given so that it can be shown."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and leave."""
        super().error(visible(message, LONGEST_MESSAGE))


class _Version(argparse.Action):
    """Prints the version, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print and leave."""
        output.write_out(f"{parser.prog} {offermatch.__version__}\n")
        parser.exit()


def _named(arguments: Sequence[str]) -> str | None:
    """Return the command that is given, with nothing before it that asks for all of them; or None."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--log":
            next(rest, None)
        elif argument != "--verbose" and not argument.startswith("--log="):
            return argument if argument in _COMMANDS else None
    return None


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of a command, or of all commands."""
    plain = argparse.RawDescriptionHelpFormatter
    program = _Parser("offermatch", description=_ABOUT, formatter_class=plain)
    program.add_argument("--version", nargs=0, action=_Version, help="print the version, and exit")
    program.add_argument("--verbose", action="store_true", help="log what is done, to standard error")
    program.add_argument("--log", choices=("text", "json"), default="text", help="lines of the log (default: text)")
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for name in dict.fromkeys(_COMMANDS.values() if command is None else [_COMMANDS[command]]):
        getattr(import_module(f"offermatch.cli.{name}"), f"add_{name}")(commands)
    return program
