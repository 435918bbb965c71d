"""The command ``swap``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from offermatch.cli.arguments import add_limits
from offermatch.limits import Limits
from offermatch.recording.recording import Recording
from offermatch.slot.manifest import Manifest, judged
from offermatch.visible import visible

__all__ = ["add_swap"]

_ABOUT = """\
Judges what a manifest asks for as a slot would; exit code 0 where it would be promoted. The manifest names a component by
its path and digest, and says what it has to pass: conformance, shadow cycles, probation. docs/trust.md has its keys.

  offermatch swap --manifest manifest.json
  offermatch swap --manifest /etc/offermatch --conformance recordings/
"""


def add_swap(commands: Any) -> None:
    """Add the command."""
    swap = commands.add_parser(
        "swap",
        help="judge what a manifest asks for",
        description=_ABOUT,
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
    add_limits(swap)
    swap.add_argument("--json", action="store_true", help="print one JSON object")


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
