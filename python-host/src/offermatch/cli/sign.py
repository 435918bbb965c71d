"""The command ``sign``."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offermatch.cli.output import write_file
from offermatch.errors import MatcherError
from offermatch.extras import require
from offermatch.limits import Limits
from offermatch.provenance.trust import SIGNATURE_ENDING
from offermatch.reading import read_bounded
from offermatch.visible import visible
from offermatch.wasm.compile import read_component
from offermatch.writing import unwritable

if TYPE_CHECKING:
    from minisign import SecretKey

__all__ = ["add_sign"]

PASSWORD = "OFFERMATCH_KEY_PASSWORD"  # noqa: S105 - the name of a variable
"""The environment variable with the password of a secret key; without it the terminal is asked."""

_ABOUT = f"""\
Signs components with an ed25519 key, as minisign does: NAME.wasm.minisig is written beside NAME.wasm, and the program
minisign checks it, too. A trust file names the public keys whose matchers may be loaded (docs/provenance.md).

  offermatch sign --new-key release.key            writes release.key and release.key.pub; asks for a password
  offermatch sign --key release.key matcher.wasm
  OFFERMATCH_TRUST=trust.json offermatch match --matcher matcher.wasm ...

The password is that of {PASSWORD}, or is asked for; an empty one leaves the key as it is.
"""


def add_sign(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    sign = commands.add_parser("sign", help="sign components", description=_ABOUT, formatter_class=plain)
    sign.set_defaults(command=_sign, usage=sign)
    how = sign.add_mutually_exclusive_group(required=True)
    how.add_argument("--key", type=Path, metavar="FILE", help="the secret key to sign with")
    how.add_argument("--new-key", type=Path, metavar="FILE", help="make a key, and sign with it what is named")
    sign.add_argument("components", type=Path, nargs="*", metavar="COMPONENT", help="the components to sign")


def _sign(options: argparse.Namespace) -> str:
    require("signatures", "minisign", kind=MatcherError)
    lines = []
    if options.new_key is not None:
        key, public = _new(options.new_key)
        lines.append(public)
    else:
        if not options.components:
            options.usage.error("name the components to sign")
        key = _opened(options.key)
    limits = Limits.in_force()
    for component in options.components:
        signature = key.sign(read_component(component, limits), trusted_comment=f"file:{component.name}")
        beside = Path(f"{component}{SIGNATURE_ENDING}")
        write_file(beside, bytes(signature) + b"\n")
        lines.append(f"{beside}")
    return "\n".join(lines) + "\n"


def _new(path: Path) -> tuple[SecretKey, str]:
    from minisign import KeyPair  # noqa: PLC0415 - an extra

    if path.exists():
        raise MatcherError(
            "key-unusable", "it is there already", "name another file: a key is never written over", str(path)
        )
    pair = KeyPair.generate()
    password = _password("a password for the new key (none leaves it unencrypted): ")
    if password:
        pair.secret_key.encrypt(password)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(pair.secret_key) + b"\n")
    except OSError as error:
        raise unwritable(error, path) from error
    write_file(Path(f"{path}.pub"), bytes(pair.public_key) + b"\n")
    if password:
        pair.secret_key.decrypt(password)
    return pair.secret_key, pair.public_key.to_base64().decode()


def _opened(path: Path) -> SecretKey:
    from minisign import Error, SecretKey  # noqa: PLC0415 - an extra

    try:
        key = SecretKey.from_bytes(read_bounded(path))
        if key.is_encrypted():
            key.decrypt(_password(f"the password of {visible(path)}: "))
    except OSError as error:
        hint = "check the path, or make one with --new-key"
        raise MatcherError("key-unusable", error.strerror or str(error), hint, str(path)) from error
    except (Error, ValueError) as error:
        hint = "give the file that --new-key, or minisign -G, wrote, and its password"
        raise MatcherError("key-unusable", f"no secret key, or another password: {error}", hint, str(path)) from error
    return key


def _password(asked: str) -> str:
    given = os.environ.get(PASSWORD)
    if given is not None:
        return given
    return getpass.getpass(asked, sys.stderr) if sys.stdin.isatty() else ""
