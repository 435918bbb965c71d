"""The command ``manifest``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from offermatch.cli.arguments import add_limits, whole
from offermatch.limits import Limits
from offermatch.provenance import SCHEME
from offermatch.slot.manifest import LEVELS, Manifest
from offermatch.visible import visible
from offermatch.writing import write_whole

__all__ = ["add_manifest"]

_ABOUT = """\
Writes the manifest of a component: what it says of itself, its path and its digest. A slot, 'offermatch run --manifest' and
'offermatch swap' follow it. docs/trust.md has its keys.

  offermatch policies --write /etc/offermatch
  offermatch manifest /etc/offermatch/strand.wasm --write /etc/offermatch/manifest.json
  offermatch run --manifest /etc/offermatch/manifest.json
"""


def add_manifest(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    manifest = commands.add_parser(
        "manifest", help="write the manifest of a component", description=_ABOUT, formatter_class=plain
    )
    manifest.set_defaults(command=_manifest, usage=manifest)
    manifest.add_argument("component", metavar="COMPONENT", help="a file, or oci://REGISTRY/NAME:TAG")
    manifest.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="or the directory for a manifest.json; at once whole, so that nobody reads a half (default: print it)",
    )
    manifest.add_argument(
        "--shadow-cycles", type=whole, default=0, metavar="N", help="compare for so many cycles before (default: 0)"
    )
    manifest.add_argument(
        "--probation-cycles",
        type=whole,
        default=10,
        metavar="N",
        help="take it back if it fails in so many (default: 10)",
    )
    manifest.add_argument("--conformance", choices=LEVELS, default="claimed", help="what it has to reach (default: claimed)")
    add_limits(manifest)


def _manifest(options: argparse.Namespace) -> str:
    path: Path | str = options.component if options.component.startswith(SCHEME) else Path(options.component)
    place = Path("manifest.json") if options.write is None else Manifest.file(options.write)
    asked = {"shadow_cycles": options.shadow_cycles, "probation_cycles": options.probation_cycles}
    found = Manifest.of(path, **asked, conformance=options.conformance, limits=Limits.in_force(options.limits))
    text = found.text(place)
    if options.write is None:
        return text
    write_whole(place, text.encode())
    return visible(f"{place}: {found.matcher} {found.version}, policy {found.policy}, {found.digest}") + "\n"
