#!/usr/bin/env bash
# Builds the matcher component: target/matcher.wasm.
#
# A Rust toolchain with the wasm32-unknown-unknown target is all it takes, and where rustup can fetch that target, it is
# fetched. Where it cannot, Debian's rustc-web, which comes with the library sources, builds the target's core and alloc
# on the spot. The linker that turns the module into a component comes with rustup's toolchains; where it does not, it is
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
has_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; }
has_debian() { [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; }
if ! has_target && ! has_debian; then
    echo "build.sh: installing what builds for $target: with rustup, or else from Debian" >&2
    rustup target add "$target" || {
        as_root="$([ "$(id -u)" = 0 ] || echo sudo)"
        $as_root apt-get update -qq
        $as_root apt-get install -qq -y --no-install-recommends rustc-web cargo-web rust-web-src
    } >&2 || true
fi
if has_target; then
    builder=(cargo)
elif has_debian; then
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    builder=(/usr/bin/cargo)
    arguments+=(-Zbuild-std=core,alloc)
else
    echo "build.sh: nothing here builds for $target" >&2
    echo "hint: run 'rustup target add $target', or install Debian's rustc-web, cargo-web and rust-web-src" >&2
    exit 1
fi
CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$linker" CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags" \
    "${builder[@]}" "${arguments[@]}"

# Copied only when it has changed, so that what embeds it is not built again.
built="target/component/$target/component/offermatch_matcher.wasm"
cmp --silent "$built" "$out" || cp "$built" "$out"
echo "build.sh: $out, $(stat -c %s "$out") bytes" >&2
