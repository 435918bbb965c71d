"""The command line: arguments in, exit code out.

Data goes to standard output and only when everything worked; logs and errors go to standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import offermatch
from offermatch.cli import output
from offermatch.cli.agent import add_agent
from offermatch.cli.bench import add_bench
from offermatch.cli.conformance import add_conformance
from offermatch.cli.day import add_day
from offermatch.cli.demo import add_demo
from offermatch.cli.doctor import add_doctor
from offermatch.cli.inspect import add_inspect
from offermatch.cli.kubernetes import add_kubernetes
from offermatch.cli.manifest import add_manifest
from offermatch.cli.match import add_match
from offermatch.cli.new import add_new
from offermatch.cli.pack import add_pack
from offermatch.cli.policies import add_policies
from offermatch.cli.registry import add_registry
from offermatch.cli.replay import add_replay
from offermatch.cli.scheduler import add_scheduler
from offermatch.cli.sign import add_sign
from offermatch.cli.swap import add_swap
from offermatch.cli.trace import add_trace
from offermatch.errors import OffermatchError
from offermatch.visible import LONGEST_MESSAGE, visible

__all__ = ["parser", "run"]

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""

_COMMANDS = (
    add_match,
    add_inspect,
    add_pack,
    add_policies,
    add_demo,
    add_replay,
    add_manifest,
    add_swap,
    add_sign,
    add_registry,
    add_scheduler,
    add_kubernetes,
    add_trace,
    add_conformance,
    add_new,
    add_day,
    add_bench,
    add_agent,
    add_doctor,
)

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
        return _run(parser().parse_args(arguments))
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


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    plain = argparse.RawDescriptionHelpFormatter
    program = _Parser("offermatch", description=_ABOUT, formatter_class=plain)
    program.add_argument("--version", nargs=0, action=_Version, help="print the version, and exit")
    program.add_argument("--verbose", action="store_true", help="log what is done, to standard error")
    program.add_argument("--log", choices=("text", "json"), default="text", help="lines of the log (default: text)")
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    return program
