#!/usr/bin/env bash
# Builds the matcher component: target/matcher.wasm.
#
# Where the toolchain has the wasm32-unknown-unknown target, plain cargo builds it. Where it has not, Debian's rustc-web
# (whose library sources Debian ships) builds the target's core and alloc on the spot, and `make component` has installed
# it. The linker that turns the module into a component comes with the Rust toolchain; where it does not, it is
# installed from crates.io.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
out=target/matcher.wasm
toolchain_bin="$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin"

linker="$toolchain_bin/wasm-component-ld"
if [ ! -x "$linker" ]; then
    linker="$(command -v wasm-component-ld || true)"
fi
if [ -z "$linker" ]; then
    echo "build.sh: installing wasm-component-ld, the linker of components (about a minute)" >&2
    cargo install --quiet --locked --root target/tools wasm-component-ld
    linker="$PWD/target/tools/bin/wasm-component-ld"
fi

lld="$toolchain_bin/gcc-ld/wasm-ld"
if [ ! -x "$lld" ]; then
    lld="$(command -v wasm-ld || ls /usr/bin/wasm-ld-* 2>/dev/null | sort -V | tail -n 1 || true)"
fi
if [ -z "$lld" ]; then
    echo "build.sh: no wasm-ld found. Install lld (Debian: apt-get install lld) or a Rust toolchain from rustup." >&2
    exit 1
fi

# cargo reads this variable instead of .cargo/config.toml, so that the native builds keep their own flags.
flags="-C link-arg=--wasm-ld-path=$lld -C target-feature=+simd128,+bulk-memory ${COMPONENT_RUSTFLAGS:-}"
arguments=(build --locked --package offermatch-matcher --profile component --target "$target" --target-dir target/component)
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
    builder=(cargo)
elif [ -x /usr/bin/rustc ] && [ -d /usr/lib/rustlib/src/rust/library ]; then
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    builder=(/usr/bin/cargo)
    arguments+=(-Zbuild-std=core,alloc)
else
    echo "build.sh: this Rust toolchain cannot build for $target." >&2
    echo "hint: run 'rustup target add $target', or, on Debian, 'make component', which installs rustc-web and rust-web-src" >&2
    exit 1
fi
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker" CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags" \
    "${builder[@]}" "${arguments[@]}"

# Copied only when it has changed, so that what embeds it is not built again.
built="target/component/$target/component/offermatch_matcher.wasm"
cmp --silent "$built" "$out" || cp "$built" "$out"
echo "build.sh: $out, $(stat -c %s "$out") bytes" >&2
