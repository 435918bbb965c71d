#!/usr/bin/env bash
# Makes a component of matching.c and of a policy, twice, with the C compiler of Zig in a virtual environment of its own and
# the generator and encoder of src/. `guest/c/build.sh` takes policy.c of this folder and makes target/foreign/c.wasm and
# c-again.wasm; `guest/c/build.sh at DIRECTORY NAME` that of a project made by `offermatch new`, target/NAME.wasm and
# NAME-again.wasm there.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = at ]; then
    policy="$2/policy.c" name="$3" target="$2/target" tools="$2/target/tools" crates="$2/target/crates"
else
    policy=guest/c/policy.c name=c target=target/foreign tools=target/foreign/c crates=target
fi

if ! cmp --silent guest/c/requirements.txt "$tools/installed"; then
    echo "build.sh: installing Zig's C compiler" >&2
    python-host/venv.sh "$tools"
    "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --requirement guest/c/requirements.txt
    cp guest/c/requirements.txt "$tools/installed"
fi
cargo build --release --quiet --package offermatch-c --target-dir "$crates"
"$crates/release/offermatch-c" bindings wit "$tools/bindings"
# -O2: without it the compiler's checks of undefined behaviour ask for WASI. reactor: a component has no main, and its
# constructors run once. The default stack is small.
sources=("$policy" guest/c/{matching,tasks,checks,explain}.c)
for made in "$name" "$name-again"; do
    "$tools/bin/python" -m ziglang cc -target wasm32-wasi -std=c11 -O2 -flto -s -mexec-model=reactor -Wall -Wextra -Werror \
        -Wl,-z,stack-size=1048576 -I "$tools/bindings" -I guest/c \
        "${sources[@]}" "$tools/bindings/matcher.c" "$tools/bindings/matcher_component_type.o" -o "$tools/$made.wasm"
    "$crates/release/offermatch-c" encode "$tools/$made.wasm" "$target/$made.wasm"
done
echo "build.sh: $target/$name.wasm, $(stat -c %s "$target/$name.wasm") bytes" >&2
