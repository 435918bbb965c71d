"""``python -m offermatch`` and the ``offermatch`` command."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from offermatch.cli.main import run

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Data is UTF-8 whatever the locale is; a path may hold bytes that are none.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
