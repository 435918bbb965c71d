"""Tokens and certificate authorities, from files."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from offermatch.errors import InputError

__all__ = ["pinned", "token_of"]

_LONGEST_TOKEN = 4096


def token_of(path: Path) -> str:
    """Return the token in a file.

    Raises:
        InputError: ``setting-malformed``.
    """
    try:
        with path.open("rb") as file:
            others = os.fstat(file.fileno()).st_mode & 0o077
            found = file.read(_LONGEST_TOKEN + 1).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
        hint = "give a file with one line of ASCII"
        raise InputError("setting-malformed", f"the token cannot be read: {reason}", hint, str(path)) from error
    if others:
        hint = f"chmod 600 {path}"
        raise InputError("setting-malformed", "others than its owner can read or write the token", hint, str(path))
    if not found or len(found) > _LONGEST_TOKEN or not found.isprintable() or " " in found:
        hint = "give a file with one line of ASCII without blanks, such as 'openssl rand -hex 32' writes"
        raise InputError("setting-malformed", "there is no token in it", hint, str(path))
    return found


def pinned(authority: Path) -> ssl.SSLContext:
    """Return what believes certificates of one authority and of no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError) as error:
        message = f"the certificate authority cannot be read: {error.strerror or error}"
        raise InputError("setting-malformed", message, "give its certificate, as PEM", str(authority)) from error
    return context
