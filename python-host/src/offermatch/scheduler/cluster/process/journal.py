"""An append-only file of JSON lines that outlives its process: what ``append`` has returned from is on the disk."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from offermatch.errors import ClusterError

__all__ = ["Journal", "reserve", "write_durably"]

_RESERVED = 2**20


class Journal:
    """One process's journal; a second process that opens the same file is refused.

    Attributes:
        entries: What the file held when it was opened, in order.
        lines: How many entries it holds now.
    """

    def __init__(self, path: Path) -> None:
        """Open or begin a journal, and drop a last line that was not written to its end.

        Raises:
            ClusterError: ``journal-busy``, ``journal-unusable`` or ``journal-malformed``.
        """
        self._path = path
        self._file = self._locked()
        self._reserve = path.with_name(path.name + ".reserve")
        try:
            self._make_reserve()
            self.entries, self._end = self._read()
            self.lines = len(self.entries)
            os.ftruncate(self._file, self._end)
            os.fsync(self._file)
            sync_directory(path.parent)
        except OSError as error:
            os.close(self._file)
            raise self._unusable(error) from error
        except ClusterError:
            os.close(self._file)
            raise

    def append(self, entry: Mapping[str, Any], *, vital: bool = False) -> None:
        """Add an entry; when this returns, it survives the loss of power.

        Args:
            entry: What to add.
            vital: Whether it may use the room that is kept for what must be written down on a full disk, too.

        Raises:
            ClusterError: ``journal-unusable``; the file is then as it was.
        """
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            self._write(line)
        except OSError as error:
            if not (vital and error.errno in (errno.ENOSPC, errno.EDQUOT) and self._reserve.exists()):
                raise self._unusable(error) from error
            self._reserve.unlink()
            try:
                self._write(line)
            except OSError as again:
                raise self._unusable(again) from again
        self._end += len(line)
        self.lines += 1

    def _write(self, line: bytes) -> None:
        """Write a line at the end and through to the disk, or leave the file as it was."""
        try:
            written = 0
            while written < len(line):
                written += os.pwrite(self._file, line[written:], self._end + written)
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._end)
            raise

    def _make_reserve(self) -> None:
        """Keep room for ends and cancellations, so that a disk that tasks have filled does not hold them up."""
        reserve(self._reserve, _RESERVED)

    def rewrite(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Hold these entries instead. Whatever happens meanwhile, the file has the old ones or the new ones.

        Raises:
            ClusterError: ``journal-unusable``.
        """
        new = self._path.with_name(self._path.name + ".new")
        text = b"".join(json.dumps(entry, separators=(",", ":")).encode() + b"\n" for entry in entries)
        try:
            file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                # Locked before it has its name, so that nobody else has it in between.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with open(file, "wb", closefd=False) as stream:
                    stream.write(text)
                os.fsync(file)
                new.replace(self._path)
            except OSError:
                os.close(file)
                raise
            os.close(self._file)
            self._file, self._end, self.lines = file, len(text), len(entries)
            sync_directory(self._path.parent)
        except OSError as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _locked(self) -> int:
        while True:
            try:
                file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise self._unusable(error) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it may have put another file in its place.
                if os.path.samestat(os.fstat(file), self._path.stat()):
                    return file
            except FileNotFoundError:
                pass
            except OSError as error:
                os.close(file)
                hint = "end the other one, or give this one a directory of its own"
                raise ClusterError("journal-busy", "another process has it open", hint, str(self._path)) from error
            os.close(file)

    def _read(self) -> tuple[list[dict[str, Any]], int]:
        with open(self._file, "rb", closefd=False) as file:
            text = file.read()
        # A line without its end was being written when the process died; nobody was told that it was there.
        whole = text.rfind(b"\n") + 1
        entries = []
        for number, line in enumerate(text[:whole].splitlines(), start=1):
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            if not isinstance(entry, dict):
                hint = "restore it from a copy; without it, keys may be started twice"
                place = f"{self._path}, line {number}"
                raise ClusterError("journal-malformed", "the line is no JSON object", hint, place)
            entries.append(entry)
        return entries, whole

    def _unusable(self, error: OSError) -> ClusterError:
        hint = "give a directory that can be written to, with room"
        return ClusterError("journal-unusable", error.strerror or str(error), hint, str(self._path))


def reserve(path: Path, size: int) -> None:
    """Make a file whose room on the disk is its own, whatever else fills it.

    Raises:
        OSError: There is no such room.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(file, 0, size)
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(file)


def write_durably(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of JSON so that it is there as a whole or not at all."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive the loss of power."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
