#!/usr/bin/env bash
# Packages: wasmtime 50.0.1 (PyPI).
# Guess: a component that imports 1.7.0 of an interface is refused by a host that has 1.0.0 of it, which can not know what came later.
# Seen: the host of 1.0.0 will do, as one of 1.9.0 will for 1.7.0: only the part of the number that may break is compared. Of several the newest is taken, unless one is just the version asked for. 0.3.0 is not 0.2.0, and 0.0.2 not 0.0.1. A function that the older host lacks is an error when the component is linked, a function whose meaning changed is none.
# Why it matters: a host that counts on the linker to keep newer guests out has to read the names itself.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wasmtime==50.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker

guest = """(component
  (import "test:pkg/iface@VERSION" (instance $host (export "NAME" (func (result u32)))))
  (core func $name (canon lower (func $host "NAME")))
  (core module $code (import "" "f" (func $f (result i32))) (func (export "run") (result i32) call $f))
  (core instance $instance (instantiate $code (with "" (instance (export "f" (func $name))))))
  (func (export "run") (result u32) (canon lift (core func $instance "run"))))"""


def served(wanted, hosts, name="f"):
    """The version of the host that the guest calls, or None where it is refused."""
    engine = Engine()
    store, linker = Store(engine), Linker(engine)
    for index, version in enumerate(hosts):
        with linker.root() as root, root.add_instance(f"test:pkg/iface@{version}") as instance:
            instance.add_func("f", lambda store, index=index: index)
    try:
        instance = linker.instantiate(store, Component(engine, guest.replace("VERSION", wanted).replace("NAME", name)))
    except WasmtimeError:
        return None
    return hosts[instance.get_func(store, "run")(store)]


cases = [
    ("1.7.0", ["1.0.0"], "1.0.0"),
    ("1.7.0", ["1.9.0"], "1.9.0"),
    ("1.7.0", ["2.0.0"], None),
    ("0.2.9", ["0.2.0"], "0.2.0"),
    ("0.3.0", ["0.2.0"], None),
    ("0.0.2", ["0.0.1"], None),
    ("0.2.1", ["0.2.0", "0.2.3"], "0.2.3"),
    ("0.2.0", ["0.2.0", "0.2.3"], "0.2.0"),
]
for wanted, hosts, expected in cases:
    seen = served(wanted, hosts)
    print(f"asks for {wanted}, the host has {' and '.join(hosts)}:", seen or "refused")
    assert seen == expected
print("asks for a function that the older host lacks:", served("1.7.0", ["1.0.0"], "g") or "refused")
assert served("1.7.0", ["1.0.0"], "g") is None
PY
