"""The command ``inspect``."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from offermatch.cli import output
from offermatch.cli.arguments import add_limits
from offermatch.errors import MatcherError
from offermatch.limits import Limits
from offermatch.policies import BUNDLED
from offermatch.wasm.component import Code
from offermatch.wasm.contract import CONTRACTS, INTERFACE, WORLD

__all__ = ["add_inspect"]


def add_inspect(commands: Any) -> None:
    """Add the command."""
    inspect = commands.add_parser(
        "inspect",
        help="say what a component is",
        description="Says what a .wasm file is, and whether this host serves it.",
    )
    inspect.set_defaults(command=_inspect, usage=inspect)
    inspect.add_argument("path", type=Path, nargs="?", default=BUNDLED, metavar="PATH", help="(default: the bundled one)")
    add_limits(inspect)
    inspect.add_argument("--json", action="store_true", help="print one JSON object")


def _inspect(options: argparse.Namespace) -> str:
    code = Code(options.path, Limits.in_force(options.limits))
    shown = code.inspection
    exported = [name.partition("@")[2] for name in shown.exports if name.partition("@")[0] == INTERFACE]
    found: dict[str, Any] = {
        "path": str(options.path),
        "size": shown.size,
        "digest": shown.digest,
        "world": f"{WORLD}@{exported[0]}" if exported else None,
        "contract": exported[0] if exported else None,
        "imports": list(shown.imports),
        "exports": list(shown.exports),
        "limits": code.limits.as_dict(),
        "description": None,
        "refused": None,
    }
    try:
        described = code.judge()
        found["description"] = {
            "name": described.name,
            "version": described.version,
            "policy": described.policy,
            "contract": described.contract,
            "modes": list(described.modes),
            "parameters": [asdict(one) for one in described.parameters],
        }
    except MatcherError as error:
        found["refused"] = {"code": error.code, "message": error.message, "hint": error.hint}
    if options.json:
        return json.dumps(found, indent=2) + "\n"
    return output.inspection(found, CONTRACTS)
