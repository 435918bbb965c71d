"""The command ``replay``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from offermatch.cli.arguments import add_limits, add_matcher, matcher_named
from offermatch.cli.output import Differs
from offermatch.recording.recording import Recording, replay
from offermatch.visible import visible

__all__ = ["add_replay"]

_ABOUT = """\
Answers a recording anew and prints what differs; exit code 1 where anything does.

  offermatch match --sample ties:200x100 --record cycle.recording.json
  offermatch replay cycle.recording.json
  offermatch replay --matcher candidate.wasm recordings/*.recording.json.gz
"""


def add_replay(commands: Any) -> None:
    """Add the command."""
    again = commands.add_parser(
        "replay",
        help="answer a recording anew and say what differs",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    again.set_defaults(command=_replay, usage=again)
    again.add_argument(
        "recordings", type=Path, nargs="+", metavar="FILE", help="recordings; docs/recordings.md has the format"
    )
    add_matcher(again, "who answers")
    add_limits(again)
    again.add_argument("--json", action="store_true", help="print one JSON object")


def _replay(options: argparse.Namespace) -> str:
    matcher = matcher_named(options.matcher, options.limits)
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
