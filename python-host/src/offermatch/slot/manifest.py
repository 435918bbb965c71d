"""Manifests, and what makes a component a candidate.

    manifest ──> digest of the file ──> compiled ──> world, contract ──> what it says of itself ──> conformance ──> Matcher

docs/trust.md shows a manifest. Nothing here touches the matcher in use.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from offermatch.conformance.report import claimed
from offermatch.conformance.suite import Suite
from offermatch.errors import MatcherError
from offermatch.limits import Limits
from offermatch.matcher import Matcher
from offermatch.provenance import SCHEME
from offermatch.reading import CHECK_PATH, TooLongError, read_bounded
from offermatch.recording.format import strict_json
from offermatch.recording.recording import Recording, replay
from offermatch.wasm.component import Code
from offermatch.wasm.pace import considerate

__all__ = ["LEVELS", "Manifest", "judge_here", "judged"]

_IN_A_DIRECTORY = "manifest.json"
"""The file that stands for a directory."""

_TEXTS = ("matcher", "version", "policy", "path", "digest")
_CYCLES = {"shadow_cycles": 0, "probation_cycles": 10}
LEVELS = ("claimed", "none", "contract", "reference")
"""What the key ``conformance`` may say."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HINT = "docs/trust.md shows a manifest; write it to another name and rename it"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which matcher is wanted.

    Attributes:
        matcher: The name the matcher gives itself.
        version: Its version.
        policy: Its policy.
        path: The component: a file, or ``oci://...`` in a registry.
        digest: ``sha256:`` and the digest of the component.
        conformance: The level of conformance it has to reach: ``contract``, ``reference``, ``claimed`` for the one that its
            policy claims, ``none`` to leave the cases out.
        shadow_cycles: For how many cycles it is compared with the matcher in use before it is promoted.
        probation_cycles: For how many cycles after that a failure takes it back.
    """

    matcher: str
    version: str
    policy: str
    path: Path | str
    digest: str
    shadow_cycles: int = 0
    probation_cycles: int = 10
    conformance: str = "claimed"

    @classmethod
    def of(
        cls,
        path: Path | str,
        *,
        shadow_cycles: int = 0,
        probation_cycles: int = 10,
        conformance: str = "claimed",
        limits: Limits | None = None,
    ) -> Manifest:
        """Return the manifest that asks for a component, as it is now and as it describes itself.

        Args:
            path: The component: a file, or ``oci://...`` in a registry.
            shadow_cycles: As the attribute.
            probation_cycles: As the attribute.
            conformance: As the attribute.
            limits: What it may use while it describes itself.

        Raises:
            MatcherError: An error of loading.
        """
        matcher = Matcher.load(path, limits=limits)
        said = matcher.description
        texts = (said.name, said.version, said.policy)
        return cls(*texts, path, matcher.digest, shadow_cycles, probation_cycles, conformance)

    def text(self, place: Path) -> str:
        """Return the content of the file at a place, which the path of the component is relative to.

        Raises:
            MatcherError: ``manifest-malformed``, where it would not be read as it is: a component without a name, a path
                that is no text.
        """
        path = self.path if isinstance(self.path, str) else os.path.relpath(self.path, place.parent)
        found = {"matcher": self.matcher, "version": self.version, "policy": self.policy, "path": path}
        cycles = {"shadow_cycles": self.shadow_cycles, "probation_cycles": self.probation_cycles}
        document = {**found, "digest": self.digest, **cycles, "conformance": self.conformance}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        try:
            self.of_bytes(text.encode(), place)
        except UnicodeEncodeError:
            message = f"{path!r} is no text: no file can name it"
            raise MatcherError("manifest-malformed", message, _HINT, str(place)) from None
        return text

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Manifest:
        """Return the manifest in a file, or in the file ``manifest.json`` of a directory.

        Raises:
            MatcherError: ``manifest-malformed``.
        """
        place = cls.file(path)
        try:
            content = read_bounded(place)
        except OSError as error:
            raise MatcherError("manifest-malformed", error.strerror or str(error), CHECK_PATH, str(place)) from error
        except TooLongError as error:
            raise MatcherError("manifest-malformed", str(error), _HINT, str(place)) from error
        return cls.of_bytes(content, place)

    @staticmethod
    def file(path: str | os.PathLike[str]) -> Path:
        """Return the file that a path means: itself, or ``manifest.json`` in it where it is a directory."""
        place = Path(path)
        return place / _IN_A_DIRECTORY if place.is_dir() else place

    @classmethod
    def of_bytes(cls, content: bytes, place: Path) -> Manifest:
        """Return the manifest that a file's content is.

        Args:
            content: The content.
            place: The file, which the path of the component is relative to.

        Raises:
            MatcherError: ``manifest-malformed``.
        """
        try:
            found = strict_json(content.decode())
        except ValueError as error:
            raise MatcherError("manifest-malformed", f"not JSON: {error}", _HINT, str(place)) from error
        return cls._of(found, place)

    @classmethod
    def _of(cls, found: Any, place: Path) -> Manifest:
        def malformed(what: str) -> MatcherError:
            return MatcherError("manifest-malformed", what, _HINT, str(place))

        if not isinstance(found, Mapping):
            raise malformed("not a JSON object")
        for name in found:
            if name not in _TEXTS and name not in _CYCLES and name != "conformance":
                raise malformed(f"there is no key {name!r}")
        for name in _TEXTS:
            if not isinstance(found.get(name), str) or not found[name]:
                raise malformed(f"{name!r} is not there, empty or not text")
        if "\0" in found["path"]:
            raise malformed("path has a zero byte, which no file's name has")
        if not _DIGEST.fullmatch(found["digest"]):
            raise malformed(f"{found['digest']!r} is not sha256: and 64 lower-case hexadecimal digits")
        level = found.get("conformance", "claimed")
        if level not in LEVELS:
            raise malformed(f"conformance is {level!r}, not one of {', '.join(LEVELS)}")
        cycles = {name: found.get(name, default) for name, default in _CYCLES.items()}
        for name, value in cycles.items():
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
                raise malformed(f"{name} is {value!r}, which is not a whole number from 0 to {2**64 - 1}")
        texts = {name: found[name] for name in _TEXTS}
        path = found["path"] if found["path"].startswith(SCHEME) else place.parent / found["path"]
        return cls(**{**texts, "path": path}, **cycles, conformance=level)


def judged(
    manifest: Manifest,
    conformance: Iterable[Recording] = (),
    limits: Limits | None = None,
    stopped: threading.Event | None = None,
) -> Matcher:
    """Return the matcher that a manifest asks for, if it may be used.

    It is compiled and judged in a process of its own, which is ended where that takes too long or too much memory.

    Args:
        manifest: What is asked for.
        conformance: Recordings it has to answer as recorded.
        limits: What it may use.
        stopped: Set when nobody waits for it any more.

    Raises:
        MatcherError: ``digest-mismatch``, ``manifest-malformed`` where it says other things of itself than the manifest,
            ``conformance-failed``, or an error of loading.
        Abandoned: Nobody waits for it any more.
    """
    limits = limits or Limits.in_force()
    judge = partial(judge_here, manifest, list(conformance), limits)
    with considerate():
        return Matcher.load(manifest.path, limits=limits, digest=manifest.digest, judge=judge, stopped=stopped)


def judge_here(manifest: Manifest, conformance: Iterable[Recording], limits: Limits, content: bytes) -> None:
    """Judge a candidate in this process.

    Args:
        manifest: What is asked for.
        conformance: Recordings it has to answer as recorded.
        limits: What it may use.
        content: Its bytes.

    Raises:
        MatcherError: As ``judged``.
    """
    candidate = Matcher(Code(Path(manifest.path), limits, content=content))
    described = candidate.description
    for what, asked, found in (
        ("name", manifest.matcher, described.name),
        ("version", manifest.version, described.version),
        ("policy", manifest.policy, described.policy),
    ):
        if asked != found:
            message = f"its {what} is {found!r}, the manifest asks for {asked!r}"
            hint = "correct the manifest, or give it the component it means"
            raise MatcherError("manifest-malformed", message, hint, str(manifest.path))
    if manifest.conformance != "none":
        asked = claimed(described.policy) if manifest.conformance == "claimed" else manifest.conformance
        Suite.shipped().quick().require(candidate, asked, str(manifest.path))
    _conforms(candidate, conformance, str(manifest.path))


def _conforms(candidate: Matcher, conformance: Iterable[Recording], place: str) -> None:
    """Refuse a matcher that answers a recording otherwise.

    Raises:
        MatcherError: ``conformance-failed``, or the matcher's own failure.
    """
    for recording in conformance:
        differences = replay(recording, candidate)
        if differences:
            hint = f"'offermatch replay' shows all {len(differences)} differences"
            message = f"{recording.name}: {differences[0]}"
            raise MatcherError("conformance-failed", message, hint, place)
