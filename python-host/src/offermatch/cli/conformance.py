"""The command ``conformance``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from offermatch.cli.arguments import add_limits, matcher_named, whole
from offermatch.cli.output import Differs, write_file
from offermatch.conformance import Skips, Suite
from offermatch.conformance.report import LEVELS

__all__ = ["add_conformance"]

_ABOUT = """\
Runs the conformance cases on a matcher and says which level it reaches.

A matcher conforms to the contract when every answer is valid, by any policy; it is the reference when every answer is
the one of best-fit, bit for bit. Without --level the reference is asked of a matcher whose policy is best-fit, the contract
of any other. The exit code is 0 where the level asked is reached, 1 where it is not. docs/conformance.md has it all.

  offermatch conformance matcher.wasm
  offermatch conformance --level contract --junit report.xml matcher.wasm
  offermatch conformance --generated 100000 bundled
  offermatch conformance --against again.wasm matcher.wasm    (two builds of one source answer the same)
  offermatch conformance --quick matcher.wasm    (seconds, also for an interpreter in a component)
  offermatch conformance --generated 1 --seed 4711 matcher.wasm    (the generated case of one seed)
"""


def add_conformance(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    judged = commands.add_parser(
        "conformance",
        help="run the conformance cases on a matcher and say which level it reaches",
        description=_ABOUT,
        formatter_class=plain,
    )
    judged.set_defaults(command=_conformance, usage=judged)
    judged.add_argument(
        "matcher",
        nargs="?",
        default="bundled",
        metavar="PATH|POLICY|bundled|reference",
        help="who is judged (default: bundled)",
    )
    judged.add_argument("--level", choices=LEVELS, help="the level to reach (default: the one its policy claims)")
    judged.add_argument(
        "--generated",
        type=whole,
        default=300,
        metavar="NUMBER",
        help="how many cases to generate, and as many with every rule mixed (default: 300)",
    )
    judged.add_argument(
        "--seed", type=whole, default=1, metavar="NUMBER", help="of the first generated case; the next ones count up"
    )
    judged.add_argument(
        "--endurance",
        type=whole,
        default=1000,
        metavar="NUMBER",
        help="how many rounds of calls it has to answer in the memory of a few dozen; 0 for none (default: 1000)",
    )
    judged.add_argument("--quick", action="store_true", help="leave the cases of more than 1,000 rows out, as a slot does")
    judged.add_argument("--cases", type=Path, metavar="DIRECTORY", help="cases instead of those that come with the package")
    judged.add_argument(
        "--skip", type=Path, metavar="FILE", help="cases to leave out: GROUP/CASE and the reason, one a line"
    )
    judged.add_argument(
        "--against", metavar="PATH", help="another build of the matcher, which has to answer the same, bit for bit"
    )
    judged.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON; - for standard output")
    judged.add_argument("--junit", type=Path, metavar="FILE", help="write the report as JUnit has it")
    add_limits(judged)


def _conformance(options: argparse.Namespace) -> str:
    suite = Suite.shipped() if options.cases is None else Suite.read(options.cases)
    suite = suite.quick() if options.quick else suite
    skips = None if options.skip is None else Skips.read(options.skip)
    report = suite.judge(
        matcher_named(options.matcher, options.limits),
        level=options.level,
        generated=options.generated,
        seed=options.seed,
        skips=skips,
        endurance=options.endurance,
        against=None if options.against is None else matcher_named(options.against, options.limits),
        progress=_progress(),
    )
    if options.junit is not None:
        write_file(options.junit, report.to_junit())
    if options.json is not None and str(options.json) != "-":
        write_file(options.json, report.to_json())
    text = report.to_json() if str(options.json) == "-" else report.to_text()
    if not report.conforms:
        raise Differs(text)
    return text


def _progress() -> Callable[[int, int], None] | None:
    """Return what shows progress on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        return None
    begin = shown = monotonic()

    def show(done: int, total: int) -> None:
        nonlocal shown
        now = monotonic()
        if done == total:
            sys.stderr.write("\r\033[K")
        elif now - shown > 0.2:
            shown = now
            left = (now - begin) / done * (total - done)
            sys.stderr.write(f"\r\033[K{'█' * (40 * done // total):<40} {done}/{total} cases, {left:.0f} s left")
        sys.stderr.flush()

    return show
