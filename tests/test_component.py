"""What the built component is, read from its bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from wasmtime import Engine
from wasmtime.component import Component

from conftest import COMPONENT, ROOT


def test_it_imports_nothing_and_exports_its_world() -> None:
    engine = Engine()
    component = Component(engine, COMPONENT.read_bytes())
    assert component.type.imports(engine) == {}
    exports = set(component.type.exports(engine))
    assert exports == {"offermatch:matcher/matching@0.1.0", "offermatch:matcher/packed@0.1.0"}


def test_both_hosts_inspect_it_alike(hosts: Any) -> None:
    rust, python = (json.loads(host.run("inspect", COMPONENT, "--json").stdout) for host in hosts)
    for inspection in (rust, python):
        assert inspection["digest"] == "sha256:" + hashlib.sha256(COMPONENT.read_bytes()).hexdigest()
        assert inspection["imports"] == []
    assert rust["description"] == python["description"]


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
