"""``python -m offermatch`` and the ``offermatch`` command."""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Data is UTF-8 whatever the locale is; a path may hold bytes that are none.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        # Imported here, so that Ctrl-C meanwhile is an interrupt as any other.
        run = import_module("offermatch.cli.main").run
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
