"""The commands about trust: ``replay`` and ``swap``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offermatch.limits import Limits
from offermatch.matcher import BaseMatcher
from offermatch.recording.recording import Recording, replay
from offermatch.slot.manifest import Manifest, judged
from offermatch.visible import visible

__all__ = ["LIMITS_HELP", "Differs", "add_trust"]

LIMITS_HELP = "a JSON object of limits on what a component may use; docs/trust.md lists them"


class Differs(Exception):  # noqa: N818 - not an error: the output is what was asked for
    """The command has its output, and the exit code says that something differs."""

    def __init__(self, output: str) -> None:
        """Keep what is to be printed."""
        super().__init__(output)
        self.output = output


_REPLAY = """\
Answers a recording anew and prints what differs; exit code 1 where anything does.

  offermatch match --sample ties:200x100 --record cycle.recording.json
  offermatch replay cycle.recording.json
  offermatch replay --matcher candidate.wasm recordings/*.recording.json.gz
"""

_SWAP = """\
Judges what a manifest asks for as a slot would; exit code 0 where it would be promoted. The manifest names a component by
its path and digest, and says what it has to pass: conformance, shadow cycles, probation. docs/trust.md has its keys.

  offermatch swap --manifest manifest.json
  offermatch swap --manifest /etc/offermatch --conformance recordings/
"""


def add_trust(commands: Any, load: Callable[[str, Path | None], BaseMatcher]) -> None:
    """Add the commands.

    Args:
        commands: The subparsers to add to.
        load: Loads a matcher by its name or path.
    """
    again = commands.add_parser(
        "replay",
        help="answer a recording anew and say what differs",
        description=_REPLAY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    again.set_defaults(command=lambda options: _replay(options, load), usage=again)
    again.add_argument(
        "recordings", type=Path, nargs="+", metavar="FILE", help="recordings; docs/recordings.md has the format"
    )
    again.add_argument(
        "--matcher", default="bundled", metavar="PATH|bundled|reference", help="who answers (default: bundled)"
    )
    again.add_argument("--limits", type=Path, metavar="FILE", help=LIMITS_HELP)
    again.add_argument("--json", action="store_true", help="print one JSON object")

    swap = commands.add_parser(
        "swap",
        help="judge what a manifest asks for",
        description=_SWAP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    swap.set_defaults(command=_swap, usage=swap)
    swap.add_argument("--manifest", type=Path, required=True, metavar="FILE", help="or the directory that has it")
    swap.add_argument(
        "--conformance",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a recording it has to answer as recorded",
    )
    swap.add_argument("--limits", type=Path, metavar="FILE", help=LIMITS_HELP)
    swap.add_argument("--json", action="store_true", help="print one JSON object")


def _replay(options: argparse.Namespace, load: Callable[[str, Path | None], BaseMatcher]) -> str:
    matcher = load(options.matcher, options.limits)
    found = [(path, replay(Recording.read(path), matcher)) for path in options.recordings]
    differing = sum(bool(differences) for _, differences in found)
    if options.json:
        shown = [
            {
                "recording": str(path),
                "differences": [
                    {"step": one.step, "what": one.what, "before": one.before, "after": one.after} for one in differences
                ],
            }
            for path, differences in found
        ]
        text = json.dumps({"recordings": len(found), "differing": differing, "found": shown}, indent=2) + "\n"
    else:
        lines = [visible(f"{path}: {difference}") for path, differences in found for difference in differences]
        described = matcher.description
        lines.append(visible(f"{differing} of {len(found)} recordings differ with {described.name} {described.version}"))
        text = "\n".join(lines) + "\n"
    if differing:
        raise Differs(text)
    return text


def _swap(options: argparse.Namespace) -> str:
    manifest = Manifest.read(options.manifest)
    conformance = [Recording.read(path) for path in options.conformance]
    described = judged(manifest, conformance, Limits.in_force(options.limits)).description
    if options.json:
        found = {"matcher": described.name, "version": described.version, "policy": described.policy}
        found |= {"digest": manifest.digest, "would": "shadow" if manifest.shadow_cycles else "promote"}
        return json.dumps(found, indent=2) + "\n"
    then = f"after {manifest.shadow_cycles} cycles in shadow" if manifest.shadow_cycles else "at once"
    lines = [visible(f"{described.name} {described.version}, policy {described.policy}"), f"digest    {manifest.digest}"]
    lines.append(f"judged    loaded, of contract {described.contract}, {len(conformance)} recordings answered as recorded")
    lines.append(f"would be promoted {then}, on probation for {manifest.probation_cycles} cycles")
    return "\n".join(lines) + "\n"
