"""Reads files that strangers may have written: never more than is asked for, in time that grows with what is read.

Everything that is not a table of the user's own passes here: components, manifests, limits, trust, signatures, recordings.
"""

from __future__ import annotations

import zlib
from os import PathLike
from pathlib import Path

__all__ = ["MOST_OF_A_DOCUMENT", "MOST_OF_A_RECORDING", "TooLongError", "read_bounded", "unpacked"]

MOST_OF_A_DOCUMENT = 2**20
"""Bytes of a file that a person writes."""
MOST_OF_A_RECORDING = 2**30
"""Bytes of a recording, unpacked."""
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
