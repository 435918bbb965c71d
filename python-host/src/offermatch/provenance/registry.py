"""Components in OCI registries: ``oci://registry/name:tag`` and ``oci://registry/name@sha256:...``.

    reference ──> manifest (by its digest) ──> one layer application/wasm ──> cache by digest ──> path of a component

The layout is that of Wasm artifacts (https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/), which ``wkg``
writes and reads; credentials are read as Docker keeps them, by the library oras. The registry is not believed:
sizes are bounded before anything is read, and every digest is computed here. docs/provenance.md has the whole of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from offermatch.errors import MatcherError
from offermatch.extras import require
from offermatch.limits import Limits, exceeded
from offermatch.provenance import SCHEME
from offermatch.provenance.credentials import kept_by_docker
from offermatch.provenance.trust import SIGNATURE_ENDING
from offermatch.visible import visible
from offermatch.wasm.cache import Untrusted, check_owner, directory, put_in_place

if TYPE_CHECKING:
    from requests import Response

__all__ = ["Reference", "pull", "push"]

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.wasm.config.v0+json"
LAYER_TYPE = "application/wasm"
SIGNATURE_NOTE = "dev.offermatch.minisig"
"""The annotation that carries a minisign signature of the layer."""

_MOST_MANIFEST = 1 << 20
_LOG_IN = "log in with 'docker login', whose configuration is read, or ask for access"
_SECONDS = 30.0
"""For a connection, and between two parts of an answer."""
_NAME = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?")
_LOOPBACK = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a text that begins with ``oci://`` names.

    Attributes:
        registry: Host, and port if it has one.
        name: The repository.
        tag: The tag; empty where a digest is given.
        digest: ``sha256:`` and the digest of the manifest; empty where a tag is given.
    """

    registry: str
    name: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Return the reference in a text.

        Raises:
            MatcherError: ``reference-malformed``.
        """
        registry, slash, rest = text.removeprefix(SCHEME).partition("/")
        rest, at, digest = rest.partition("@")
        name, colon, tag = rest.partition(":")
        good = _HOST.fullmatch(registry) and slash and _NAME.fullmatch(name)
        good = good and (_DIGEST.fullmatch(digest) if at else _TAG.fullmatch(tag) if colon else None)
        if not text.startswith(SCHEME) or not good:
            hint = f"{SCHEME}REGISTRY/NAME:TAG or {SCHEME}REGISTRY/NAME@sha256:DIGEST, names in lower case"
            raise MatcherError("reference-malformed", f"{text!r} names nothing in a registry", hint)
        # Where both are given the digest decides, as everywhere.
        return cls(registry, name, "" if at else tag, digest)

    def __str__(self) -> str:
        """Return the text."""
        return f"{SCHEME}{self.registry}/{self.name}" + (f"@{self.digest}" if self.digest else f":{self.tag}")

    @property
    def pinned(self) -> str:
        """The tag or the digest, as a registry is asked for it."""
        return self.digest or self.tag


def pull(reference: Reference, limits: Limits) -> tuple[Path, str]:
    """Return the path of the component, in the cache, and the digest of its manifest.

    What was fetched by digest is not asked for again. The signature that the manifest carries lies beside the component.

    Args:
        reference: What to fetch.
        limits: ``component_bytes`` bounds what is read.

    Raises:
        MatcherError: ``registry-unreachable``, ``registry-refused``, ``registry-lied``, ``component-unreadable`` where the
            cache cannot be written, or ``extra-missing``.
    """
    folder = _folder()
    if reference.digest:
        with suppress(OSError, ValueError, KeyError, Untrusted):
            check_owner(folder.stat(), str(folder))
            kept = (folder / _file_name(reference.digest, ".json")).read_bytes()
            _same(kept, reference.digest)
            manifest = json.loads(kept)
            path = folder / _file_name(_layer(manifest, reference)["digest"], ".wasm")
            _same(path.read_bytes(), "sha256:" + path.stem.removeprefix("sha256-"))
            note = _note(manifest)
            if note is None or _beside(path).read_bytes() == note:
                return path, reference.digest
    with _Registry(reference) as registry:
        manifest, digest = _manifest(registry, reference)
        layer = _layer(_parsed(manifest, reference), reference)
        content = _blob(registry, reference, layer, limits)
    path = folder / _file_name(layer["digest"], ".wasm")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_owner(folder.stat(), str(folder))
        put_in_place(path, content)
        note = _note(_parsed(manifest, reference))
        if note is not None:
            put_in_place(_beside(path), note)
        put_in_place(folder / _file_name(digest, ".json"), manifest)
    except (OSError, Untrusted) as error:
        hint = "make room, or name another folder with OFFERMATCH_CACHE"
        why = getattr(error, "strerror", None) or error
        raise MatcherError("component-unreadable", f"it cannot be kept: {why}", hint, str(folder)) from error
    return path, digest


def push(reference: Reference, component: Path, limits: Limits, exports: tuple[str, ...], imports: tuple[str, ...]) -> str:
    """Store a component, and the signature beside it if there is one; return the digest of the manifest.

    Args:
        reference: Where to; a tag, not a digest.
        component: The file.
        limits: ``component_bytes`` bounds it.
        exports: The names it exports, for the configuration of the artifact.
        imports: The names it imports.

    Raises:
        MatcherError: ``reference-malformed`` for a digest, ``component-unreadable``, ``registry-unreachable``,
            ``registry-refused`` or ``extra-missing``.
    """
    from offermatch.wasm.compile import read_component  # noqa: PLC0415 - imports wasmtime, which a pull does not need

    if not reference.tag:
        hint = "push to a tag; the digest is the answer"
        raise MatcherError("reference-malformed", f"{reference} is a digest, which no push can choose", hint)
    content = read_component(component, limits)
    layer = _described(content, LAYER_TYPE)
    config = {
        "created": datetime.fromtimestamp(0, timezone.utc).isoformat().replace("+00:00", "Z"),
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [layer["digest"]],
        "component": {"exports": list(exports), "imports": list(imports), "target": None},
    }
    config_bytes = json.dumps(config, separators=(",", ":")).encode()
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _described(config_bytes, CONFIG_TYPE),
        "layers": [layer],
    }
    with suppress(FileNotFoundError):
        manifest["annotations"] = {SIGNATURE_NOTE: Path(str(component) + SIGNATURE_ENDING).read_text()}
    text = json.dumps(manifest, separators=(",", ":")).encode()
    with _Registry(reference) as registry:
        for blob, described in ((content, layer), (config_bytes, manifest["config"])):
            _upload(registry, blob, described)
        registry.ask("PUT", f"/manifests/{reference.tag}", {"Content-Type": MANIFEST_TYPE}, text).close()
    return str(_described(text, MANIFEST_TYPE)["digest"])


class _Registry:
    """Requests to one registry, with credentials as Docker keeps them.

    Attributes:
        base: The address of the repository.
    """

    def __init__(self, reference: Reference) -> None:
        """Open it; nothing is asked yet."""
        require("oci", "oras", "requests", kind=MatcherError)
        import requests  # noqa: PLC0415 - an extra

        # As Docker does: only a registry on this machine may go without TLS.
        self._insecure = bool(_LOOPBACK.fullmatch(reference.registry))
        self._reference = reference
        self._session = requests.Session()
        self._session.max_redirects = 3
        if not self._insecure:
            # A redirection may not leave TLS.
            del self._session.adapters["http://"]
        self._authorization: dict[str, str] = {}
        self.base = f"{'http' if self._insecure else 'https'}://{reference.registry}/v2/{reference.name}"

    def __enter__(self) -> _Registry:
        """Return it."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close its connections."""
        self._session.close()

    def ask(self, method: str, path: str, headers: dict[str, str], data: bytes | None = None) -> Response:
        """Return the answer, whose content is not read yet; ``path`` is below the repository, or an address.

        Raises:
            MatcherError: ``registry-unreachable`` or ``registry-refused``.
        """
        from requests import RequestException  # noqa: PLC0415 - an extra

        url = path if "://" in path else self.base + path

        def request() -> Response:
            sent = {**headers, **self._authorization}
            return self._session.request(method, url, headers=sent, data=data, stream=True, timeout=_SECONDS)

        try:
            answer = request()
            if answer.status_code == HTTPStatus.UNAUTHORIZED:
                answer.close()
                self._authorization = self._answered(answer)
                answer = request()
        except RequestException as error:
            raise _unreachable(self._reference, error) from error
        if not answer.ok:
            text = visible(_bounded(answer, 1 << 16, self._reference, "its answer").decode(errors="replace"), 200)
            message = f"status {answer.status_code} to {method}: {text}"
            hint = "correct the name or the tag" if answer.status_code == HTTPStatus.NOT_FOUND else _LOG_IN
            raise MatcherError("registry-refused", message, hint, str(self._reference))
        return answer

    def _answered(self, challenge: Response) -> dict[str, str]:
        """Return what answers a challenge: a token, which the registry says where to get, or name and password."""
        from oras.auth import AuthenticationException, get_auth_backend  # noqa: PLC0415 - an extra

        # The library has a backend for each kind of challenge, and none that looks which one it is.
        kind = "basic" if challenge.headers.get("Www-Authenticate", "").lower().startswith("basic") else "token"
        backend = get_auth_backend(kind, self._session, insecure=self._insecure)
        try:
            credentials = kept_by_docker(f"{self._reference.registry}/{self._reference.name}")
            if credentials is not None:
                backend.set_basic_auth(*credentials)
        except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise self._no_credentials(f"the configuration of Docker cannot be read: {error}") from error
        try:
            headers, answered = backend.authenticate_request(challenge, {})
        except (AuthenticationException, AttributeError, KeyError, ValueError) as error:
            raise self._no_credentials(str(error)) from error
        if not answered or not headers.get("Authorization"):
            raise self._no_credentials("")
        return {"Authorization": headers["Authorization"]}

    def _no_credentials(self, why: str) -> MatcherError:
        message = "it wants credentials, and there are none for it" + (f" ({visible(why, 200)})" if why else "")
        return MatcherError("registry-refused", message, _LOG_IN, str(self._reference))


def _manifest(registry: _Registry, reference: Reference) -> tuple[bytes, str]:
    answer = registry.ask("GET", f"/manifests/{reference.pinned}", {"Accept": MANIFEST_TYPE})
    content = _bounded(answer, _MOST_MANIFEST, reference, "the manifest")
    found = "sha256:" + hashlib.sha256(content).hexdigest()
    if reference.digest and found != reference.digest:
        raise _lied(reference, f"it sent a manifest of digest {found}")
    return content, found


def _parsed(content: bytes, reference: Reference) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _lied(reference, f"its manifest is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise _lied(reference, "its manifest is not a JSON object")
    return found


def _layer(manifest: dict[str, Any], reference: Reference) -> dict[str, Any]:
    layers = manifest.get("layers")
    if not isinstance(layers, list) or len(layers) != 1 or not isinstance(layers[0], dict):
        raise _lied(reference, "its manifest has not one layer, as a component has")
    layer: dict[str, Any] = layers[0]
    kind, digest, size = layer.get("mediaType"), layer.get("digest"), layer.get("size")
    if kind != LAYER_TYPE:
        raise _lied(reference, f"its layer is {kind!r}, not {LAYER_TYPE!r}")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not isinstance(size, int) or size < 0:
        raise _lied(reference, "its layer has no size or no digest by SHA-256")
    return layer


def _note(manifest: dict[str, Any]) -> bytes | None:
    """Return the signature that a manifest carries."""
    notes = manifest.get("annotations")
    note = notes.get(SIGNATURE_NOTE) if isinstance(notes, dict) else None
    return note.encode() if isinstance(note, str) else None


def _beside(component: Path) -> Path:
    return Path(str(component) + SIGNATURE_ENDING)


def _blob(registry: _Registry, reference: Reference, layer: dict[str, Any], limits: Limits) -> bytes:
    if layer["size"] > limits.component_bytes:
        asked = f"its layer has {layer['size']:,} bytes"
        raise exceeded("limit-component", "component_bytes", limits.component_bytes, asked, str(reference))
    content = _bounded(registry.ask("GET", f"/blobs/{layer['digest']}", {}), layer["size"], reference, "the layer")
    found = "sha256:" + hashlib.sha256(content).hexdigest()
    if len(content) != layer["size"] or found != layer["digest"]:
        raise _lied(reference, f"it sent {len(content):,} bytes of digest {found} for a layer of {layer['size']:,} bytes")
    return content


def _bounded(answer: Response, most: int, reference: Reference, what: str) -> bytes:
    from requests import RequestException  # noqa: PLC0415 - an extra

    parts, size = [], 0
    try:
        for part in answer.iter_content(1 << 16):
            parts.append(part)
            size += len(part)
            if size > most:
                raise _lied(reference, f"{what} is longer than the {most:,} bytes that it may have")
    except RequestException as error:
        raise _unreachable(reference, error) from error
    finally:
        answer.close()
    return b"".join(parts)


def _upload(registry: _Registry, content: bytes, described: dict[str, Any]) -> None:
    begun = registry.ask("POST", "/blobs/uploads/", {"Content-Length": "0"})
    begun.close()
    location = urljoin(registry.base, begun.headers.get("Location", ""))
    mark = "&" if "?" in location else "?"
    headers = {"Content-Type": "application/octet-stream"}
    registry.ask("PUT", f"{location}{mark}digest={described['digest']}", headers, content).close()


def _described(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": "sha256:" + hashlib.sha256(content).hexdigest(), "size": len(content)}


def _folder() -> Path:
    kept = directory()
    return (kept if kept is not None else Path(tempfile.gettempdir(), f"offermatch-{os.getuid()}")) / "oci"


def _file_name(digest: str, ending: str) -> str:
    return digest.replace(":", "-") + ending


def _same(content: bytes, digest: str) -> None:
    if "sha256:" + hashlib.sha256(content).hexdigest() != digest:
        raise ValueError("it was changed since it was fetched")


def _lied(reference: Reference, what: str) -> MatcherError:
    return MatcherError("registry-lied", what, "ask who runs the registry; nothing of it was used", str(reference))


def _unreachable(reference: Reference, error: Exception) -> MatcherError:
    hint = "try again later, or load a digest that was fetched before, which needs no registry"
    return MatcherError("registry-unreachable", visible(str(error), 200), hint, str(reference))
