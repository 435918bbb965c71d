#!/usr/bin/env bash
# Packages: wasmtime 50.0.1 (PyPI).
# Guess: an argument that is refused before the guest's code runs leaves the instance as it was.
# Seen: that is so for a wrong Python type (TypeError). An unknown case of an enum, an unknown flag, and a handle of another instance are refused as well, with a message that names them, but after that every call on the instance fails with "cannot enter component instance".
# Why it matters: one misspelt mode in one call loses the pools of a matcher, though the matcher never saw it. Check names before the call.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wasmtime==50.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker

engine = Engine()
component = Component(engine, """(component
  (core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (type $e (enum "shared" "exclusive")) (export $mode "mode" (type $e))
  (type $f (flags "gpu" "ssd")) (export $needs "needs" (type $f))
  (func (export "mode-of") (param "x" $mode) (result $mode) (canon lift (core func $i "f")))
  (func (export "needs-of") (param "x" $needs) (result $needs) (canon lift (core func $i "f"))))""")


def after(name, wrong, right):
    store = Store(engine)
    entry = Linker(engine).instantiate(store, component).get_func(store, name)
    try:
        entry(store, wrong)
        raise SystemExit(f"{wrong!r} is taken now")
    except (TypeError, WasmtimeError) as error:
        refused = str(error).splitlines()[0]
    try:
        return refused, entry(store, right)
    except WasmtimeError as error:
        return refused, "dead" if "cannot enter component instance" in str(error) else str(error)


seen = [after("mode-of", 1, "shared"), after("mode-of", "Shared", "shared"), after("needs-of", {"nvme"}, {"ssd"})]
print(*seen, sep="\n")
assert [state for _, state in seen] == ["shared", "dead", "dead"]
PY
