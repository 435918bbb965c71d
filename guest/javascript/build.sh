#!/usr/bin/env bash
# Makes target/foreign/javascript.wasm, and the same once more as javascript-again.wasm, of matching.js, with jco and componentize-js on a Node.js of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=target/foreign/javascript
# The contract that it is written for.
contract=wit/since-0.2.0

if ! cat guest/javascript/{requirements.txt,package-lock.json} | cmp --silent - "$tools/installed"; then
    echo "build.sh: installing Node.js, jco and componentize-js" >&2
    python-host/venv.sh "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement guest/javascript/requirements.txt
    cp guest/javascript/package{,-lock}.json "$tools/"
    (cd "$tools" && PATH="$PWD/bin:$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund)
    cat guest/javascript/{requirements.txt,package-lock.json} > "$tools/installed"
fi
# Without clocks, randomness and streams the component imports nothing but the contract.
#
# Twice: what is drawn when a component is built differs from build to build, and `offermatch conformance --against` finds it.
for name in javascript javascript-again; do
    "$tools/bin/node" "$tools/node_modules/.bin/jco" componentize guest/javascript/matching.js --wit "$contract" \
        --world-name matcher --disable all --out "target/foreign/$name.wasm" > /dev/null
done
echo "build.sh: target/foreign/javascript.wasm, $(stat -c %s target/foreign/javascript.wasm) bytes" >&2
