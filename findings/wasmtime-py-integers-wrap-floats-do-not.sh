#!/usr/bin/env bash
# Packages: wasmtime 50.0.1 (PyPI).
# Guess: an argument that its WIT type can not hold is refused, whatever the type is; an integer does for a float.
# Seen: integers wrap without a word (256 for a u8 arrives as 0, -1 as 255, 2**64 for a u64 as 0, True as 1), while 1 and 2**24 are refused for f32 and f64 ("expected float"), 1 is refused for bool, and 1e39 for f32 arrives as infinity.
# Why it matters: the strictness about floats suggests that ranges are checked. Amounts of memory in the wrong unit are cut to their low bits instead.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wasmtime==50.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

engine = Engine()


def echo(kind, core, value):
    store = Store(engine)
    component = Component(engine, f"""(component
      (core module $m (func (export "f") (param {core}) (result {core}) local.get 0))
      (core instance $i (instantiate $m))
      (func (export "f") (param "x" {kind}) (result {kind}) (canon lift (core func $i "f"))))""")
    entry = Linker(engine).instantiate(store, component).get_func(store, "f")
    try:
        return entry(store, value)
    except TypeError as error:
        return str(error)


integers = [echo("u8", "i32", 256), echo("u8", "i32", -1), echo("u8", "i32", True), echo("u64", "i64", 2**64), echo("s64", "i64", 2**63)]
others = [echo("f32", "f32", 1), echo("f64", "f64", 2**24), echo("bool", "i32", 1), echo("f32", "f32", 1e39)]
print(integers, others)
assert integers == [0, 255, 1, 0, -(2**63)]
assert others == ["expected float for F32 type", "expected float for F64 type", "expected bool for Bool type", float("inf")]
PY
