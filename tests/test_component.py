"""What the built component is, read from its bytes."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from wasmtime import Engine
from wasmtime.component import Component, FuncType

from conftest import COMPONENT, ROOT

POLICIES = [
    path.stem.replace("_", "-") for path in sorted((ROOT / "guest" / "policies" / "src").glob("*.rs")) if path.stem != "lib"
]
SHIPPED = [COMPONENT, *(ROOT / "target" / "policies" / f"{policy}.wasm" for policy in POLICIES)]


def test_every_policy_is_shipped() -> None:
    assert {path for path in SHIPPED if path != COMPONENT} == set((ROOT / "target" / "policies").glob("*.wasm"))


def test_the_table_of_the_documents_has_every_policy() -> None:
    text = (ROOT / "docs" / "policies.md").read_text()
    table = text.split("| policy | score |", 1)[1].split("\n\n", 1)[0]
    assert sorted(re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE)) == sorted(POLICIES)


def functions(engine: Engine, interfaces: Any) -> dict[str, list[str]]:
    """Return the functions of each interface."""
    found = {name: kind.ty.exports(engine) for name, kind in interfaces.items()}
    # Of the clock only a type is used, and linkers write it under the patch version that they know.
    found = {re.sub(r"(wall-clock@0\.2)\.\d+", r"\1", name): items for name, items in found.items()}
    return {name: [key for key, item in items.items() if isinstance(item.ty, FuncType)] for name, items in found.items()}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_imports_tracing_and_exports_its_world(path: Path) -> None:
    engine = Engine()
    component = Component(engine, path.read_bytes())
    assert functions(engine, component.type.imports(engine)) == {
        "wasi:clocks/wall-clock@0.2": [],
        "wasi:otel/types@0.2.0-rc.2": [],
        "wasi:otel/tracing@0.2.0-rc.2": ["on-start", "on-end", "outer-span-context"],
    }
    exports = set(component.type.exports(engine))
    assert exports == {
        f"offermatch:matcher/{name}@0.3.0" for name in ("matching", "packed", "preemption", "packed-preemption")
    }


def test_the_one_before_exports_the_world_of_its_contract() -> None:
    engine = Engine()
    component = Component(engine, (COMPONENT.parent / "matcher-0.2.0.wasm").read_bytes())
    exports = set(component.type.exports(engine))
    assert exports == {"offermatch:matcher/matching@0.2.0", "offermatch:matcher/packed@0.2.0"}


def test_both_hosts_inspect_it_alike(hosts: Any) -> None:
    rust, python = (json.loads(host.run("inspect", COMPONENT, "--json").stdout) for host in hosts)
    for inspection in (rust, python):
        assert inspection["digest"] == "sha256:" + hashlib.sha256(COMPONENT.read_bytes()).hexdigest()
        assert "wasi:otel/tracing@0.2.0-rc.2" in inspection["imports"]
    assert rust["description"] == python["description"]


@pytest.mark.parametrize("policy", POLICIES)
def test_both_hosts_answer_alike_by_every_policy(same_answer: Any, policy: str) -> None:
    component = ROOT / "target" / "policies" / f"{policy}.wasm"
    for sample, mode in [
        ("constrained:300x200:5", "exclusive"),
        ("devices:200x300:6", "shared"),
        ("ties:200x100:7", "shared"),
    ]:
        answer = same_answer("--matcher", component, "--sample", sample, "--mode", mode)
        assert answer["matcher"]["policy"] == policy
        assert answer["placed"] > 0


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_conforms(hosts: Any, policy: str) -> None:
    done = hosts[0].run("conformance", ROOT / "target" / "policies" / f"{policy}.wasm")
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_hosts_carry_it(hosts: Any) -> None:
    sample = ("match", "--sample", "uniform:10x10")
    digests = {host.answer(*sample)["matcher"]["digest"] for host in hosts}
    assert digests == {"sha256:" + hashlib.sha256(COMPONENT.read_bytes()).hexdigest()}


def test_the_wheel_is_told_the_same_version() -> None:
    cargo = (ROOT / "Cargo.toml").read_text()
    python = (ROOT / "python-host" / "pyproject.toml").read_text()
    version = cargo.split('version = "', 1)[1].split('"', 1)[0]
    assert f'version = "{version}"' in python
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
