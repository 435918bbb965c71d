"""Writes files that others may read meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

from offermatch.errors import InputError

__all__ = ["unwritable", "write_whole"]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, all of it or nothing: whoever reads it sees what was there before or what is there now.

    Raises:
        InputError: ``file-unwritable``.
    """
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/null: no file takes its place.
            path.write_bytes(content)
            return
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise unwritable(error, path) from error


def unwritable(error: OSError, place: Path | str) -> InputError:
    """Return the error of a file that cannot be written."""
    return InputError("file-unwritable", error.strerror or str(error), "name a place that can be written to", str(place))
