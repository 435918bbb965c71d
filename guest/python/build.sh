#!/usr/bin/env bash
# Makes a component of matching.py and of a policy, twice, with componentize-py in a virtual environment of its own.
# `guest/python/build.sh` takes policy.py of this folder and makes target/foreign/python.wasm and python-again.wasm;
# `guest/python/build.sh at DIRECTORY NAME` that of a project made by `offermatch new`, target/NAME.wasm and NAME-again.wasm
# there. A fourth word, `printing`, makes NAME-printing.wasm of a project instead, once and with a WASI: what it prints, such as
# the traceback of an exception, stands in the host's error.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = at ]; then
    policy="$2/policy.py" name="$3" target="$2/target" tools="$2/target/tools"
else
    policy=guest/python/policy.py name=python target=target/foreign tools=target/foreign/python
fi

if ! cmp --silent guest/python/requirements.txt "$tools/installed"; then
    echo "build.sh: installing componentize-py" >&2
    python-host/venv.sh "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement guest/python/requirements.txt
    cp guest/python/requirements.txt "$tools/installed"
fi
# componentize-py walks through all that lies below a folder that it is given: a project's own has the tools in it.
source="$target/$name-source"
mkdir -p "$source"
cp guest/python/{matching,rows,checks,explain}.py "$policy" "$source/"
# CPython asks for a WASI when it starts, which is now; --stub-wasi leaves it with none, so that the component imports
# nothing, as the contract says.
#
# Twice: an order that is drawn when a component is built, such as that of a set of texts, differs from build to build, and
# `offermatch conformance --against` finds it.
components=("$name" "$name-again") wasi=(--stub-wasi)
if [ "${4:-}" = printing ]; then
    components=("$name-printing") wasi=()
fi
for made in "${components[@]}"; do
    "$tools/bin/componentize-py" --quiet --wit-path wit --world matcher componentize "${wasi[@]}" \
        --python-path "$source" --output "$target/$made.wasm" matching
done
echo "build.sh: $target/${components[0]}.wasm, $(stat -c %s "$target/${components[0]}.wasm") bytes" >&2
