"""The commands ``pull`` and ``push``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from offermatch.cli.arguments import add_limits
from offermatch.cli.output import write_file
from offermatch.limits import Limits
from offermatch.provenance.registry import Reference, pull, push
from offermatch.provenance.trust import SIGNATURE_ENDING
from offermatch.wasm.component import Code

__all__ = ["add_registry"]

_PULL = """\
Fetches a component from an OCI registry into the cache, and says its digests, for a manifest. What was fetched by digest is
not asked for again. Credentials are those that 'docker login' keeps. docs/provenance.md has the layout.

  offermatch pull oci://registry.example/matchers/strand:1.2
  offermatch pull oci://registry.example/matchers/strand@sha256:... --output strand.wasm
"""

_PUSH = """\
Stores a component in an OCI registry, as wkg does, with the signature beside it if there is one, and says the digest that it
can be fetched by.

  offermatch push strand.wasm oci://registry.example/matchers/strand:1.2
"""


def add_registry(commands: Any) -> None:
    """Add the commands."""
    plain = argparse.RawDescriptionHelpFormatter
    fetched = commands.add_parser("pull", help="fetch a component from a registry", description=_PULL, formatter_class=plain)
    fetched.set_defaults(command=_pull, usage=fetched)
    fetched.add_argument("reference", metavar="oci://REFERENCE", help="registry, name, and tag or digest")
    fetched.add_argument("--output", type=Path, metavar="FILE", help="copy it there, and its signature beside it")
    add_limits(fetched)
    fetched.add_argument("--json", action="store_true", help="print one JSON object")

    stored = commands.add_parser("push", help="store a component in a registry", description=_PUSH, formatter_class=plain)
    stored.set_defaults(command=_push, usage=stored)
    stored.add_argument("component", type=Path, metavar="COMPONENT")
    stored.add_argument("reference", metavar="oci://REFERENCE", help="registry, name and tag")
    add_limits(stored)
    stored.add_argument("--json", action="store_true", help="print one JSON object")


def _pull(options: argparse.Namespace) -> str:
    reference = Reference.parse(options.reference)
    path, digest = pull(reference, Limits.in_force(options.limits))
    component = "sha256:" + path.stem.removeprefix("sha256-")
    signature = Path(f"{path}{SIGNATURE_ENDING}")
    if options.output is not None:
        write_file(options.output, path.read_bytes())
        if signature.exists():
            write_file(Path(f"{options.output}{SIGNATURE_ENDING}"), signature.read_bytes())
        path = options.output
    pinned = str(Reference(reference.registry, reference.name, digest=digest))
    found = {"reference": pinned, "path": str(path), "digest": component, "signed": signature.exists()}
    return _shown(found, options)


def _push(options: argparse.Namespace) -> str:
    reference, limits = Reference.parse(options.reference), Limits.in_force(options.limits)
    shown = Code(options.component, limits).inspection
    digest = push(reference, options.component, limits, shown.exports, shown.imports)
    pinned = str(Reference(reference.registry, reference.name, digest=digest))
    signed = Path(f"{options.component}{SIGNATURE_ENDING}").exists()
    return _shown({"reference": pinned, "path": str(options.component), "digest": shown.digest, "signed": signed}, options)


def _shown(found: dict[str, Any], options: argparse.Namespace) -> str:
    if options.json:
        return json.dumps(found, indent=2) + "\n"
    signed = "signed" if found["signed"] else "not signed"
    return f"{found['reference']}\n  component {found['digest']}, {signed}, {found['path']}\n"
