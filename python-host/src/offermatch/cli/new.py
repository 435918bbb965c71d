"""The command ``new``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from offermatch.project import LANGUAGES, Project

__all__ = ["add_new"]

_ABOUT = """\
Writes a new matcher: a policy of ten lines with its test, and everything that it is built with but the language's own
tools, which `make` installs. `make` in it builds the component twice, tests the policy and certifies the component with
`offermatch conformance`. docs/other-languages.md goes through it, and has what surprises in each language.

  offermatch new my-policy --language python && make -C my-policy
  offermatch new my-policy --language c --path src/matchers/my-policy

A matcher in Rust, which is as fast as the bundled one, is written by `offermatch-host new my-policy`.
"""


def add_new(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    new = commands.add_parser(
        "new", help="write a new matcher, in Python, JavaScript or C", description=_ABOUT, formatter_class=plain
    )
    new.set_defaults(command=_new, usage=new)
    new.add_argument("name", metavar="NAME", help="of the matcher and its policy: a to z, 0 to 9, - and _")
    new.add_argument("--language", choices=tuple(LANGUAGES), required=True, help="what it is written in")
    new.add_argument("--path", type=Path, metavar="DIR", help="the folder to write; otherwise one of the name, here")


def _new(options: argparse.Namespace) -> str:
    project = Project(options.name, options.language)
    folder = options.path or Path(project.name)
    project.write(folder)
    return f"{folder}\n"
