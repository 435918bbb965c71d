#!/usr/bin/env bash
# Makes target/foreign/c.wasm of matching.c, with the C compiler of Zig in a virtual environment of its own and the
# generator and encoder of guest/c/src.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=target/foreign/c
# The contract that it is written for.
contract=wit/since-0.2.0

if ! cmp --silent guest/c/requirements.txt "$tools/installed"; then
    echo "build.sh: installing Zig's C compiler" >&2
    python-host/venv.sh "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement guest/c/requirements.txt
    cp guest/c/requirements.txt "$tools/installed"
fi
cargo build --locked --release --quiet --package offermatch-c
target/release/offermatch-c bindings "$contract" "$tools/bindings"
# -O2: without it the compiler's checks of undefined behaviour ask for WASI. reactor: a component has no main, and its
# constructors run once. The default stack is small.
"$tools/bin/python" -m ziglang cc -target wasm32-wasi -std=c11 -O2 -s -mexec-model=reactor -Wall -Wextra -Werror \
    -Wl,-z,stack-size=1048576 -I "$tools/bindings" \
    guest/c/matching.c "$tools/bindings/matcher.c" "$tools/bindings/matcher_component_type.o" -o "$tools/matching.wasm"
target/release/offermatch-c encode "$tools/matching.wasm" target/foreign/c.wasm
echo "build.sh: target/foreign/c.wasm, $(stat -c %s target/foreign/c.wasm) bytes" >&2
