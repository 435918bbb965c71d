"""Whose matchers may be loaded: a file of public keys, and the check of a signature before a byte is compiled.

    trust file ──> keys, revoked or not ─┐
    component, its .minisig ─────────────┴──> loaded, or refused with who signed and who was asked

Signatures are those of minisign (ed25519 over BLAKE2b-512, https://jedisct1.github.io/minisign/), by the library
py-minisign. docs/provenance.md describes the file.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from offermatch.errors import MatcherError
from offermatch.extras import require
from offermatch.reading import TooLongError, read_bounded
from offermatch.recording.format import strict_json

if TYPE_CHECKING:
    from minisign import PublicKey

__all__ = ["SIGNATURE_ENDING", "Trust", "TrustedKey"]

SIGNATURE_ENDING = ".minisig"
"""What the file of a signature adds to the name of its component, as minisign has it."""

VARIABLE = "OFFERMATCH_TRUST"
"""The environment variable that names the trust file in force."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HINT = "docs/provenance.md describes the file"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key whose signatures count.

    Attributes:
        owner: Whose it is, for messages.
        key: The public key, as the second line of a minisign.pub.
        revoked: Whether nothing it signed is loaded any more.
    """

    owner: str
    key: str
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose matchers may be loaded.

    Attributes:
        keys: The keys, those in use and those that were revoked.
        revoked_components: Digests of components that are refused though their signature holds.
        place: The file, for messages.
    """

    keys: tuple[TrustedKey, ...]
    revoked_components: frozenset[str] = frozenset()
    place: str = ""

    @classmethod
    def in_force(cls, file: str | os.PathLike[str] | None = None) -> Trust | None:
        """Return the trust of a file, or of the one that ``OFFERMATCH_TRUST`` names; None where there is neither.

        Raises:
            MatcherError: ``trust-malformed``, or ``extra-missing`` without the library that checks signatures.
        """
        named = file or os.environ.get(VARIABLE)
        return cls.read(named) if named else None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Trust:
        """Return the trust of a file.

        Raises:
            MatcherError: ``trust-malformed``, or ``extra-missing`` without the library that checks signatures.
        """
        require("signatures", "minisign", kind=MatcherError)
        place = str(path)
        try:
            content = read_bounded(path)
        except OSError as error:
            raise _malformed(error.strerror or str(error), place) from error
        except TooLongError as error:
            raise _malformed(str(error), place) from error
        try:
            found = strict_json(content.decode())
        except ValueError as error:
            raise _malformed(f"not JSON: {error}", place) from error
        return cls._of(found, place)

    @classmethod
    def _of(cls, found: Any, place: str) -> Trust:
        if not isinstance(found, Mapping) or not isinstance(found.get("keys"), list):
            raise _malformed("not a JSON object with a list of keys", place)
        for name in found:
            if name not in {"keys", "revoked_components"}:
                raise _malformed(f"there is no key {name!r}", place)
        keys = tuple(_trusted(one, place) for one in found["keys"])
        components = found.get("revoked_components", [])
        if not isinstance(components, list) or not all(
            isinstance(one, str) and _DIGEST.fullmatch(one) for one in components
        ):
            raise _malformed("revoked_components is not a list of sha256: and 64 lower-case hexadecimal digits", place)
        return cls(keys, frozenset(components), place)

    def require(self, content: bytes, digest: str, component: Path) -> str:
        """Return the owner of the key that signed a component, in the file beside it that ends in ``.minisig``.

        Args:
            content: The bytes of the component.
            digest: ``sha256:`` and their digest.
            component: Its path.

        Raises:
            MatcherError: ``signature-missing``, ``signature-malformed``, ``signer-untrusted``, ``signer-revoked``,
                ``signature-mismatch`` or ``component-revoked``.
        """
        from minisign import Error, Signature  # noqa: PLC0415 - an extra

        place = str(component)
        beside = Path(place + SIGNATURE_ENDING)
        try:
            signature = Signature.from_bytes(read_bounded(beside))
        except OSError as error:
            hint = "`offermatch sign` writes it, for whoever holds a key that the trust file names"
            raise MatcherError("signature-missing", f"{beside.name}: {error.strerror or error}", hint, place) from error
        except (Error, ValueError) as error:
            hint = "fetch it again, or sign the component anew"
            raise MatcherError(
                "signature-malformed", f"{beside.name} is no minisign signature: {error}", hint, place
            ) from error
        key = self._signer(_key_number(bytes(signature).split(b"\n")[1]), place)
        try:
            _public(key.key).verify(content, signature)
        except Error as error:
            message = f"{beside.name}, with the key of {key.owner}, is over other bytes than those of digest {digest}"
            hint = "one of the two files was changed or cut short: fetch both again"
            raise MatcherError("signature-mismatch", message, hint, place) from error
        if digest in self.revoked_components:
            message = f"{self.place} revokes the component of digest {digest}, which {key.owner} signed"
            raise MatcherError("component-revoked", message, "fetch a later version", place)
        return key.owner

    def _signer(self, number: bytes, place: str) -> TrustedKey:
        for key in self.keys:
            if _key_number(key.key) == number:
                if key.revoked:
                    message = f"it is signed with the key of {key.owner}, which {self.place} revokes"
                    raise MatcherError("signer-revoked", message, "sign it with a key that is in use", place)
                return key
        asked = ", ".join(key.owner for key in self.keys if not key.revoked) or "nobody"
        message = f"it is signed with the key {number[::-1].hex().upper()}, which is of none of those asked: {asked}"
        hint = "have one of them sign it, or add the key to the trust file"
        raise MatcherError("signer-untrusted", message, hint, place)


def _trusted(found: Any, place: str) -> TrustedKey:
    if not isinstance(found, Mapping) or not {"owner", "key"} <= set(found) <= {"owner", "key", "revoked"}:
        raise _malformed("a key is an object with owner, key and, where it no longer counts, revoked", place)
    owner, key, revoked = found["owner"], found["key"], found.get("revoked", False)
    if not isinstance(owner, str) or not owner or not isinstance(key, str) or not isinstance(revoked, bool):
        raise _malformed("owner and key are texts, revoked is true or false", place)
    try:
        _public(key)
    except ValueError as error:
        message = f"the key of {owner!r} is not the second line of a minisign public key: {error}"
        raise _malformed(message, place) from error
    return TrustedKey(owner, key, revoked)


def _public(key: str) -> PublicKey:
    from minisign import PublicKey  # noqa: PLC0415 - an extra

    return PublicKey.from_base64(key)


def _key_number(encoded: str | bytes) -> bytes:
    # Two bytes name the algorithm, the next eight the key, in a public key and in a signature alike.
    return b64decode(encoded)[2:10]


def _malformed(what: str, place: str) -> MatcherError:
    return MatcherError("trust-malformed", what, _HINT, place)
