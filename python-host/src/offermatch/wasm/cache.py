"""Compiled components on disk, so that a second start costs milliseconds.

    component ──> key (its digest, wasmtime's version, the engine's configuration, the platform) ──> entry ──> Component
                                                                        no entry: compile, then write one

An entry is machine code, and wasmtime does not check machine code: whoever can write an entry can run code in this process.
So only entries that the current user wrote, in a directory that only the current user can write to, are used, and only if
they carry their key and the digest of what follows. The digest tells damage, not malice; ownership is what tells malice.
Anything else is compiled anew and written over. An entry never decides an answer, only how soon there is one, so whatever
goes wrong with the cache is a line in the debug log.

``OFFERMATCH_CACHE`` names another directory, or is ``off``.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import stat
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from wasmtime import Engine, Module, WasmtimeError
from wasmtime.component import Component

__all__ = ["Untrusted", "adopt", "check_owner", "compiled", "directory", "entry_key", "keep", "kept", "put_in_place"]

_LOG = logging.getLogger("offermatch")
_MAGIC = b"offermatch cwasm 1\n"
_HEAD = len(_MAGIC) + 32 + 32
"""Bytes before the machine code: magic, key, digest of the machine code."""
_MOST_BYTES = 2**30
"""Bytes of the entries that stay in the directory; the oldest go first."""
_ABANDONED = 3600.0
"""Seconds after which a temporary file is taken for one whose writer died."""


class Untrusted(Exception):  # noqa: N818 - not an error of the caller's
    """An entry, or the directory, that is not used; says why."""


_Code = TypeVar("_Code", Component, Module)


def compiled(engine: Engine, content: bytes, configuration: str, kind: type[_Code]) -> tuple[_Code, bool]:
    """Return what is compiled from the bytes, from the cache where it has it, and whether it had it.

    Args:
        engine: The engine it is to run in.
        content: The bytes, or the text, of a component or of a module.
        configuration: The settings of the engine that change the machine code.
        kind: Which of the two it is.

    Raises:
        WasmtimeError: It is none.
    """
    folder = directory()
    if (found := kept(engine, content, configuration, kind, folder)) is not None:
        return found, True
    code = kind(engine, content)
    keep(code, content, configuration, folder)
    return code, False


def kept(engine: Engine, content: bytes, configuration: str, kind: type[_Code], folder: Path | None) -> _Code | None:
    """Return what a folder has for the bytes; None where it has nothing that may be used."""
    if folder is None:
        return None
    key = entry_key(content, configuration)
    path = _entry(folder, key)
    try:
        return kind.deserialize(engine, _read(path, key))
    except FileNotFoundError:
        return None
    except (Untrusted, OSError, WasmtimeError) as error:
        _LOG.debug("the compiled code in %s is not used: %s", path, error)
        return None


def keep(code: Component | Module, content: bytes, configuration: str, folder: Path | None) -> None:
    """Put what was compiled from the bytes into a folder, if that can be done."""
    if folder is None:
        return
    key = entry_key(content, configuration)
    try:
        _write(_entry(folder, key), key, bytes(code.serialize()))
    except (Untrusted, OSError, WasmtimeError) as error:
        _LOG.debug("the compiled code is not kept in %s: %s", folder, error)


def adopt(left: Path, folder: Path | None, content: bytes, configuration: str) -> None:
    """Move the entry that another process has left into a folder, if that can be done."""
    if folder is None:
        return
    key = entry_key(content, configuration)
    try:
        _make(folder)
        with _entry(left, key).open("rb") as entry:
            put_in_place(_entry(folder, key), *iter(lambda: entry.read(2**20), b""))
        _prune(folder)
    except (Untrusted, OSError) as error:
        _LOG.debug("the compiled code is not kept in %s: %s", folder, error)


def _entry(folder: Path, key: bytes) -> Path:
    return folder / f"{key.hex()}.cwasm"


def directory() -> Path | None:
    """Return where entries lie; None where the cache is off."""
    named = os.environ.get("OFFERMATCH_CACHE", "")
    if named.lower() == "off":
        return None
    if named:
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "offermatch" / "cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "offermatch"
    given = Path(os.environ.get("XDG_CACHE_HOME") or "")
    # The XDG specification has relative paths ignored.
    return (given if given.is_absolute() else home / ".cache") / "offermatch"


def entry_key(content: bytes, configuration: str) -> bytes:
    """Return the digest of all that machine code depends on."""
    parts = (
        hashlib.sha256(content).hexdigest(),
        _wasmtime_version(),
        configuration,
        sys.platform,
        platform.machine(),
        sys.byteorder,
    )
    return hashlib.sha256("\0".join(parts).encode()).digest()


@cache
def _wasmtime_version() -> str:
    return version("wasmtime")


def _read(path: Path, key: bytes) -> bytes:
    """Return the machine code of an entry that may be trusted."""
    check_owner(path.parent.stat(), "the directory")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:  # noqa: PTH123 - what was opened is what is checked
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Untrusted("it is not a file")
        check_owner(found, "it")
        content = file.read()
    if len(content) <= _HEAD or not content.startswith(_MAGIC):
        raise Untrusted("it is not an entry, or cut short")
    stated, digest, code = content[len(_MAGIC) : _HEAD - 32], content[_HEAD - 32 : _HEAD], content[_HEAD:]
    if stated != key:
        raise Untrusted("it was made from another component, version or configuration")
    if hashlib.sha256(code).digest() != digest:
        raise Untrusted("it is damaged")
    return code


def check_owner(found: os.stat_result, what: str) -> None:
    """Refuse what somebody else owns or can write to. Windows has no such bits; the user's own folder guards there."""
    if os.name != "posix":
        return
    if found.st_uid != os.geteuid():
        raise Untrusted(f"{what} belongs to user {found.st_uid}, not to {os.geteuid()}")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise Untrusted(f"{what} can be written to by others (mode {stat.S_IMODE(found.st_mode):04o})")


def _write(path: Path, key: bytes, code: bytes) -> None:
    """Put an entry in place, in a directory that only its owner can write to."""
    _make(path.parent)
    put_in_place(path, _MAGIC + key + hashlib.sha256(code).digest(), code)
    _prune(path.parent)


def _make(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    check_owner(folder.stat(), "the directory")


def put_in_place(path: Path, *parts: bytes) -> None:
    """Write a file at once, so that a reader sees all of it or none, whoever else writes.

    Raises:
        OSError: It cannot be written.
    """
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - it is open already
            file.writelines(parts)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _prune(folder: Path) -> None:
    """Remove the oldest entries, and what writers that died have left. The newest entry stays, however large it is."""
    entries = []
    for path in folder.iterdir():
        # Another process may remove the same file.
        with suppress(OSError):
            found = path.stat()
            if path.suffix == ".cwasm":
                entries.append((found.st_mtime, found.st_size, path))
            elif path.suffix == ".tmp" and found.st_mtime < time.time() - _ABANDONED:
                path.unlink()
    reached = 0
    for place, (_, size, path) in enumerate(sorted(entries, reverse=True)):
        reached += size
        if place and reached > _MOST_BYTES:
            with suppress(OSError):
                path.unlink()
