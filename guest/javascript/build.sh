#!/usr/bin/env bash
# Makes a component of matching.js and of a policy, twice, with componentize-js on a Node.js of its own.
# `guest/javascript/build.sh` takes policy.js of this folder and makes target/foreign/javascript.wasm and
# javascript-again.wasm; `guest/javascript/build.sh at DIRECTORY NAME` that of a project made by `offermatch new`,
# target/NAME.wasm and NAME-again.wasm there. A fourth word, `printing`, makes NAME-printing.wasm of a project instead, once and
# with standard output: what it prints, such as an exception, stands in the host's error.
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
source="$target/$name-source"
mkdir -p "$source"
cp guest/javascript/{matching,rows,checks,explain}.js "$policy" "$source/"
# Beside the packages that it imports.
cp guest/javascript/componentize.mjs "$tools/"
# Twice: what is drawn when a component is built differs from build to build, and `offermatch conformance --against` finds it.
components=("$name" "$name-again")
if [ "${4:-}" = printing ]; then
    components=("$name-printing")
fi
for made in "${components[@]}"; do
    "$tools/bin/node" "$tools/componentize.mjs" "$source/matching.js" wit "$target/$made.wasm" "${4:-}"
done
echo "build.sh: $target/${components[0]}.wasm, $(stat -c %s "$target/${components[0]}.wasm") bytes" >&2
