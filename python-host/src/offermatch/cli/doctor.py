"""The command ``doctor``: what is installed, what works, and what to do about the rest."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from offermatch import policies
from offermatch.cli.output import Differs
from offermatch.errors import OffermatchError
from offermatch.extras import require
from offermatch.limits import Limits
from offermatch.matcher import Matcher
from offermatch.model import Offer, Task
from offermatch.provenance.trust import VARIABLE, Trust
from offermatch.visible import visible
from offermatch.wasm.cache import Untrusted, check_owner, directory

__all__ = ["add_doctor"]

_ABOUT = """\
Says what is installed and what works here: the matcher, the cache of compiled components, limits, the trust file, the other
programs, the compiler, what each extra needs, container engines, and a store. The exit code is 1 where something that
is there does not work; what is merely not installed is no failure.

  offermatch doctor
  offermatch doctor --store postgresql://user@host/database
"""

WORKS, ABSENT, BROKEN = "works", "absent", "broken"
_MARKS = {WORKS: "✓", ABSENT: "·", BROKEN: "✗"}
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing.

    Attributes:
        what: The thing.
        state: ``works``, ``absent`` or ``broken``.
        found: What it is, or why it does not work.
        remedy: What to do about it; empty where there is nothing to do.
    """

    what: str
    state: str
    found: str
    remedy: str = ""


def add_doctor(commands: Any) -> None:
    """Add the command."""
    plain = argparse.RawDescriptionHelpFormatter
    doctor = commands.add_parser("doctor", help="say what works here", description=_ABOUT, formatter_class=plain)
    doctor.set_defaults(command=_doctor, usage=doctor)
    doctor.add_argument("--store", metavar="URL", help="a database to open, too; an empty one of PostgreSQL gets its tables")
    doctor.add_argument("--json", action="store_true", help="print one JSON array")


def _doctor(options: argparse.Namespace) -> str:
    checks: list[Callable[[], Iterator[Finding]]] = [_python, _matcher, _cache, _settings, _programs, _compiler, _engines]
    if options.store is not None:
        checks.append(lambda: _store(options.store))
    findings = [finding for check in [*checks, _extras] for finding in check()]
    if options.json:
        text = json.dumps([asdict(finding) for finding in findings], indent=2) + "\n"
    else:
        width = max(len(finding.what) for finding in findings)
        lines = []
        for finding in findings:
            lines.append(f"{_MARKS[finding.state]} {finding.what:{width}}  {visible(finding.found, 300)}")
            if finding.remedy:
                lines.append(f"  {'':{width}}  hint: {visible(finding.remedy, 300)}")
        text = "\n".join(lines) + "\n"
    if any(finding.state == BROKEN for finding in findings):
        raise Differs(text)
    return text


def _python() -> Iterator[Finding]:
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    yield Finding("offermatch", WORKS, f"{version('offermatch')}, wasmtime {version('wasmtime')}, {system}")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        yield _threads(locked=sys._is_gil_enabled())  # type: ignore[attr-defined]


def _threads(*, locked: bool) -> Finding:
    """Return what a Python that was built without a global lock has of it."""
    if not locked:
        return Finding("threads", WORKS, "no global lock: calls of several threads run beside each other")
    remedy = "`PYTHON_GIL=0` keeps it off, where the modules that turn it on are known to do without"
    return Finding("threads", ABSENT, "a global lock, which PYTHON_GIL or an extension module has turned on", remedy)


def _matcher() -> Iterator[Finding]:
    begin = perf_counter()
    try:
        matcher = Matcher.load()
        answer = matcher.match([Task("a", {"cpu": 1})], [Offer("b", {"cpu": 2})])
    except OffermatchError as error:
        yield Finding("matcher", BROKEN, error.line, error.hint)
        return
    spent = (perf_counter() - begin) * 1000
    described = matcher.description
    right = [(row.task, row.offer) for row in answer.assignments] == [("a", "b")]
    found = f"{described.name} {described.version}, contract {described.contract}, loaded and asked in {spent:,.0f} ms"
    yield Finding("matcher", WORKS if right else BROKEN, found)
    yield Finding("policies", WORKS, ", ".join(policies.names()))


def _cache() -> Iterator[Finding]:
    folder = directory()
    if folder is None:
        yield Finding("cache", ABSENT, "it is off: each start compiles anew", "leave OFFERMATCH_CACHE out, or name a folder")
        return
    remedy = f"make {folder} a folder that you own and nobody else can write to, or name another by OFFERMATCH_CACHE"
    try:
        found = folder.stat()
        check_owner(found, str(folder))
        if not os.access(folder, os.W_OK):
            yield Finding("cache", BROKEN, f"{folder}: it cannot be written to", remedy)
            return
        sizes = [path.stat().st_size for path in folder.glob("*.cwasm")]
    except Untrusted as error:
        yield Finding("cache", BROKEN, f"{error}, so it is not used", remedy)
        return
    except OSError as error:
        yield Finding("cache", BROKEN, f"{folder}: {error.strerror or error}", remedy)
        return
    yield Finding("cache", WORKS, f"{folder}, {len(sizes)} compiled components, {sum(sizes) / 2**20:,.1f} MiB")


def _settings() -> Iterator[Finding]:
    try:
        limits = Limits.in_force().as_dict()
        changed = [f"{name} = {value}" for name, value in limits.items() if value != getattr(Limits(), name)]
        yield Finding("limits", WORKS, ", ".join(changed) or "the defaults")
    except OffermatchError as error:
        yield Finding("limits", BROKEN, error.line, error.hint)
    try:
        trust = Trust.in_force()
    except OffermatchError as error:
        yield Finding("trust", BROKEN, error.line, error.hint)
        return
    if trust is None:
        yield Finding("trust", ABSENT, "components of anybody are loaded", f"name a trust file by {VARIABLE}")
    else:
        owners = ", ".join(key.owner for key in trust.keys if not key.revoked) or "nobody"
        yield Finding("trust", WORKS, f"{trust.place}: components signed by {owners}")


def _programs() -> Iterator[Finding]:
    own = os.environ.get("OFFERMATCH_STAGE_PROGRAM", "offermatch-stage")
    for name, program, remedy in (
        ("offermatch-host", "offermatch-host", "`cargo build --release --package offermatch-host`, and put it on the path"),
        (
            "offermatch-stage",
            own,
            "`cargo build --release --package offermatch-stage`, or name it by OFFERMATCH_STAGE_PROGRAM",
        ),
    ):
        yield _program(name, program, ["--version"], remedy)


def _compiler() -> Iterator[Finding]:
    yield _program("cargo", "cargo", ["--version"], "for matchers of your own in Rust: https://rustup.rs")


def _program(name: str, program: str, arguments: list[str], remedy: str) -> Finding:
    path = shutil.which(program)
    if path is None:
        return Finding(name, ABSENT, "not on the path", remedy)
    try:
        done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, BROKEN, f"{path}: {error}", remedy)
    said = (done.stdout or done.stderr).strip()
    return Finding(
        name, WORKS if done.returncode == 0 else BROKEN, f"{said}, {path}", "" if done.returncode == 0 else remedy
    )


def _engines() -> Iterator[Finding]:
    given = os.environ.get("DOCKER_HOST", "")
    places = [urlsplit(given).path] if given.startswith("unix:") else ["/run/docker.sock", "/run/podman/podman.sock"]
    there = [place for place in places if Path(place).exists()]
    if not there:
        yield Finding("engines", ABSENT, "no socket of Docker or Podman", "docs/containers.md says how to start one")
    for place in there:
        usable = os.access(place, os.R_OK | os.W_OK)
        remedy = "" if usable else "join the group that owns it"
        yield Finding("engines", WORKS if usable else BROKEN, f"{place}{'' if usable else ': not yours to use'}", remedy)


def _store(url: str) -> Iterator[Finding]:
    try:
        require("scheduler", "sqlalchemy", "alembic")
        from offermatch.scheduler.store import Store  # noqa: PLC0415 - an extra

        with Store(url, make=False) as store:
            yield Finding("store", WORKS, store.url)
    except OffermatchError as error:
        yield Finding("store", BROKEN, error.line, error.hint)


def _extras() -> Iterator[Finding]:
    wanted: dict[str, list[str]] = {}
    for line in requires("offermatch") or ():
        name, extra = re.match(r"[A-Za-z0-9._-]+", line), re.search(r"extra == ['\"]([a-z]+)['\"]", line)
        if name and extra and extra[1] not in {"all", "dev", "docs", "test"}:
            wanted.setdefault(extra[1], []).append(name[0])
    for extra_name, packages in wanted.items():
        there, missing = [], []
        for package in packages:
            try:
                there.append(f"{package} {version(package)}")
            except PackageNotFoundError:
                missing.append(package)
        if missing:
            yield Finding(
                f"[{extra_name}]", ABSENT, "without " + ", ".join(missing), f"pip install 'offermatch[{extra_name}]'"
            )
        else:
            yield Finding(f"[{extra_name}]", WORKS, ", ".join(there))
