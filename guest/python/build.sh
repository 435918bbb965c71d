#!/usr/bin/env bash
# Makes target/foreign/python.wasm, and the same once more as python-again.wasm, of matching.py, with componentize-py in a virtual environment of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=target/foreign/python
# The contract that it is written for.
contract=wit/since-0.2.0

if ! cmp --silent guest/python/requirements.txt "$tools/installed"; then
    echo "build.sh: installing componentize-py" >&2
    python-host/venv.sh "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement guest/python/requirements.txt
    cp guest/python/requirements.txt "$tools/installed"
fi
# CPython asks for a WASI when it starts, which is now; --stub-wasi leaves it with none, so that the component imports
# nothing, as the contract says.
#
# Twice: an order that is drawn when a component is built, such as that of a set of texts, differs from build to build, and
# `offermatch conformance --against` finds it.
for name in python python-again; do
    "$tools/bin/componentize-py" --quiet --wit-path "$contract" --world matcher componentize --stub-wasi \
        --python-path guest/python --output "target/foreign/$name.wasm" matching
done
echo "build.sh: target/foreign/python.wasm, $(stat -c %s target/foreign/python.wasm) bytes" >&2
