"""The command ``policies``."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from offermatch import policies
from offermatch.cli.output import write_file
from offermatch.matcher import Matcher
from offermatch.writing import unwritable

__all__ = ["add_policies"]

_ABOUT = """\
Lists the policies that the package carries, with the digest of each component, for a manifest. docs/policies.md says what
each of them is for.

  offermatch policies
  offermatch match --matcher strand --tasks tasks.json --offers offers.csv --mode shared
  offermatch policies --write matchers    (writes the components, as matchers/NAME.wasm)
"""


def add_policies(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    listed = commands.add_parser("policies", help="list the policies it carries", description=_ABOUT, formatter_class=plain)
    listed.set_defaults(command=_policies, usage=listed)
    listed.add_argument("--write", type=Path, metavar="FOLDER", help="write each component there, as NAME.wasm")
    listed.add_argument("--json", action="store_true", help="print one JSON array")


def _policies(options: argparse.Namespace) -> str:
    default = Matcher.load().description.policy
    if options.write is not None:
        try:
            options.write.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(error, options.write) from error
    found = []
    for name in policies.names():
        content = policies.component(name)
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        if options.write is not None:
            write_file(options.write / f"{name}.wasm", content)
        found.append({"policy": name, "default": name == default, "size": len(content), "digest": digest})
    if options.json:
        return json.dumps(found, indent=2) + "\n"
    width = max(len(name) for name in policies.names())
    lines = [
        f"{one['policy']:{width}}  {'default' if one['default'] else '':7}  {one['size']:9,} bytes  {one['digest']}"
        for one in found
    ]
    return "\n".join(lines) + "\n"
