#!/usr/bin/env bash
# Packages: wasmtime 50.0.1 (PyPI).
# Guess: a guest's resource is given back when Python forgets its handle; a file or a socket is.
# Seen: the destructor in the guest does not run, neither at del nor at a garbage collection; only drop(store) runs it. Two handles are never equal, also if the guest sees one and the same number behind them.
# Why it matters: a pool that is opened in each cycle and only forgotten stays in the guest's memory until its limit is met, hours later.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wasmtime==50.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import gc

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

engine = Engine()
store = Store(engine)
component = Component(engine, """(component
  (core module $pools
    (global $ended (mut i32) (i32.const 0))
    (func (export "end") (param i32) (global.set $ended (i32.add (global.get $ended) (i32.const 1))))
    (func (export "ended") (result i32) (global.get $ended)))
  (core instance $p (instantiate $pools))
  (type $t (resource (rep i32) (dtor (core func $p "end"))))
  (core func $new (canon resource.new $t))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (func (export "open") (result i32) (call $new (i32.const 7))))
  (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
  (export $pool "pool" (type $t))
  (func (export "open") (result (own $pool)) (canon lift (core func $i "open")))
  (func (export "ended") (result u32) (canon lift (core func $p "ended"))))""")
instance = Linker(engine).instantiate(store, component)
opened = instance.get_func(store, "open")
ended = instance.get_func(store, "ended")

for _ in range(1000):
    forgotten = opened(store)
del forgotten
gc.collect()
after_forgetting = ended(store)
first, second = opened(store), opened(store)
first.drop(store)
print("1000 forgotten, ended:", after_forgetting, "| one dropped, ended:", ended(store), "| equal:", second == opened(store))
assert after_forgetting == 0
assert ended(store) == 1
PY
