"""Reads files that strangers may have written: never more than is asked for, in time that grows with what is read.

Everything passes here: components, manifests, limits, trust, signatures, recordings, and tables, of which the user may have
taken the wrong one, or one that does not end.
"""

from __future__ import annotations

import sys
import zlib
from os import PathLike
from pathlib import Path

from offermatch.errors import InputError

__all__ = [
    "CHECK_PATH",
    "MOST_OF_A_DOCUMENT",
    "MOST_OF_A_RECORDING",
    "MOST_OF_A_TABLE",
    "SPLIT",
    "STANDARD_INPUT",
    "TooLongError",
    "read_bounded",
    "read_table",
    "unpacked",
    "unreadable",
]

STANDARD_INPUT = Path("-")
"""The path that stands for standard input."""

MOST_OF_A_DOCUMENT = 2**20
"""Bytes of a file that a person writes."""
MOST_OF_A_RECORDING = 2**30
"""Bytes of a recording, unpacked."""
MOST_OF_A_TABLE = 2**30
"""Bytes of a file of tasks or offers."""
CHECK_PATH = "check the path and its permissions"
"""What to do about a file that cannot be read."""
SPLIT = "split the table, or see that it is the right one"
"""What to do about a table that is too large."""
_GZIP = b"\x1f\x8b"
_CHUNK = 2**16


class TooLongError(ValueError):
    """A file holds more than it may.

    Attributes:
        most: The bytes that it may have.
        size: Those that it has, as far as that is known.
    """

    def __init__(self, most: int, size: int) -> None:
        """Keep both."""
        super().__init__(f"it is longer than {most:,} bytes")
        self.most, self.size = most, size


def read_bounded(path: str | PathLike[str], most: int = MOST_OF_A_DOCUMENT) -> bytes:
    """Return the bytes of a file.

    Raises:
        OSError: It cannot be read.
        TooLongError: It has more bytes than it may; no more of them are read.
    """
    with Path(path).open("rb") as file:
        content = file.read(most + 1)
        if len(content) > most:
            raise TooLongError(most, max(len(content), Path(path).stat().st_size))
    return content


def read_table(path: Path) -> bytes:
    """Return the bytes of a file of tasks or offers, or of standard input.

    Raises:
        OSError: It cannot be read.
        InputError: ``too-many-rows``: it is longer than a table may be; no more of it is read.
    """
    size = 0 if path == STANDARD_INPUT else path.stat().st_size
    content = b""
    if path == STANDARD_INPUT:
        content = sys.stdin.buffer.read(MOST_OF_A_TABLE + 1)
    elif size <= MOST_OF_A_TABLE:
        with path.open("rb") as file:
            content = file.read(MOST_OF_A_TABLE + 1)
    if max(size, len(content)) > MOST_OF_A_TABLE:
        raise InputError("too-many-rows", f"the table has more than {MOST_OF_A_TABLE:,} bytes", SPLIT, str(path))
    return content


def unpacked(content: bytes, most: int = MOST_OF_A_RECORDING) -> bytes:
    """Return what gzip has packed, one member after the other, or the bytes as they are where they are not packed.

    Unlike ``gzip``, zlib also checks what is in a header.

    Raises:
        ValueError: They are packed wrongly.
        TooLongError: They unfold to more bytes than they may.
    """
    if not content.startswith(_GZIP):
        return content
    found = bytearray()
    packed, at = memoryview(content), 0
    while at < len(packed):
        member = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        while not member.eof:
            # What a step leaves over is few bytes: those of a file with very many members are not copied for each.
            chunk = member.unconsumed_tail or packed[at : at + _CHUNK]
            if not chunk:
                raise ValueError("compressed wrongly: it ends too early")
            at += 0 if member.unconsumed_tail else len(chunk)
            try:
                found += member.decompress(chunk, most - len(found) + 1)
            except zlib.error as error:
                raise ValueError(f"compressed wrongly: {error}") from error
            if len(found) > most:
                raise TooLongError(most, len(found))
        at -= len(member.unused_data)
    return bytes(found)


def unreadable(error: OSError, place: str) -> InputError:
    """Return the error of a file that cannot be read."""
    return InputError("file-unreadable", error.strerror or str(error), CHECK_PATH, place)
