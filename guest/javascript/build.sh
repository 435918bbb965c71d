#!/usr/bin/env bash
# Makes a component of matching.js and of a policy, twice, with componentize-js on a Node.js of its own.
# `guest/javascript/build.sh` takes policy.js of this folder and makes target/foreign/javascript.wasm and
# javascript-again.wasm; `guest/javascript/build.sh at DIRECTORY NAME` that of a project made by `offermatch new`,
# target/NAME.wasm and NAME-again.wasm there.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = at ]; then
    policy="$2/policy.js" name="$3" target="$2/target" tools="$2/target/tools"
else
    policy=guest/javascript/policy.js name=javascript target=target/foreign tools=target/foreign/javascript
fi

if ! cat guest/javascript/{requirements.txt,package-lock.json} | cmp --silent - "$tools/installed"; then
    echo "build.sh: installing Node.js and componentize-js" >&2
    python-host/venv.sh "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement guest/javascript/requirements.txt
    cp guest/javascript/package{,-lock}.json "$tools/"
    (cd "$tools" && PATH="$PWD/bin:$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund)
    cat guest/javascript/{requirements.txt,package-lock.json} > "$tools/installed"
fi
mkdir -p "$tools/source"
cp guest/javascript/{componentize.mjs,matching.js,rows.js,checks.js,explain.js} "$policy" "$tools/source/"
# Twice: what is drawn when a component is built differs from build to build, and `offermatch conformance --against` finds it.
for made in "$name" "$name-again"; do
    "$tools/bin/node" "$tools/source/componentize.mjs" "$tools/source/matching.js" wit "$target/$made.wasm"
done
echo "build.sh: $target/$name.wasm, $(stat -c %s "$target/$name.wasm") bytes" >&2
