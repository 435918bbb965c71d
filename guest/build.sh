#!/usr/bin/env bash
# Builds components. `guest/build.sh` makes the matcher, target/matcher.wasm; `guest/build.sh policies` those of the other
# policies (guest/policies/src), target/policies/NAME.wasm; `guest/build.sh hostile` the misbehaving ones of guest/hostile,
# target/hostile/NAME.wasm, and target/matcher-0.2.0.wasm, the matcher for the contract before this one, with which the hosts'
# adapters are tested; `guest/build.sh at DIRECTORY` that of a project made by `offermatch-host new`, target/NAME.wasm there.
#
# A Rust toolchain with the wasm32-unknown-unknown target is all it takes (and wasm32-wasip2 for those that use the
# standard library), and where rustup can fetch that target, it is
# fetched. Where it cannot, Debian's rustc-web, which comes with the library sources, builds the target's core and alloc
# on the spot. The linker that turns the module into a component comes with rustup's toolchains; where it does not, it is
# installed from crates.io.
set -euo pipefail
guest="$(cd "$(dirname "$0")" && pwd)"
if [ "${1:-}" = at ]; then
    cd "$2"
else
    cd "$guest/.."
fi

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

has_target() { [ -d "$(rustc --print sysroot)/lib/rustlib/$1" ]; }
has_debian() { [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; }
# Debian has what std needs of C in a package of its own.
has_libc() { [ "$1" != wasm32-wasip2 ] || [ -f /usr/lib/wasm32-wasi/libc.a ]; }

# Builds for a target: `build TARGET LIBRARIES FLAGS CARGO-ARGUMENTS...`.
build() {
    local target="$1" libraries="$2" flags="-C link-arg=--wasm-ld-path=$lld $3"
    shift 3
    local arguments=("${cargo:-build}" --target "$target" --target-dir target/component "$@")
    if ! has_target "$target" && ! { has_debian && has_libc "$target"; }; then
        echo "build.sh: installing what builds for $target: with rustup, or else from Debian" >&2
        { rustup target add "$target" || [ "${OFFERMATCH_SYSTEM_PACKAGES:-}" = no ] || "$guest/debian.sh" rustc-web cargo-web rust-web-src wasi-libc; } >&2 || true
    fi
    prefix="CARGO_TARGET_$(echo "$target" | tr 'a-z-' 'A-Z_')"
    if has_target "$target"; then
        env "${prefix}_LINKER=$linker" "${prefix}_RUSTFLAGS=$flags" cargo "${arguments[@]}"
    elif has_debian && has_libc "$target"; then
        if [ "$target" = wasm32-wasip2 ]; then
            flags+=" -L /usr/lib/wasm32-wasi"
        fi
        env "${prefix}_LINKER=$linker" "${prefix}_RUSTFLAGS=$flags" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
            /usr/bin/cargo "${arguments[@]}" "-Zbuild-std=$libraries"
    else
        echo "build.sh: nothing here builds for $target" >&2
        echo "hint: run 'rustup target add $target', or install Debian's rustc-web, cargo-web, rust-web-src and wasi-libc" >&2
        exit 1
    fi
}

# Copies what has changed, so that what embeds it is not built again.
copy() { cmp --silent "$1" "$2" || cp "$1" "$2"; }

# What every engine that runs components has.
flags="-C target-feature=+simd128,+bulk-memory ${COMPONENT_RUSTFLAGS:-}"
# The same bytes wherever they are built: panics name their place in the sources.
flags+=" --remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"

case "${1:-matcher}" in
at)
    name="$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)"
    build wasm32-unknown-unknown core,alloc "$flags" --profile component
    copy "target/component/wasm32-unknown-unknown/component/${name//-/_}.wasm" "target/$name.wasm"
    echo "build.sh: target/$name.wasm, $(stat -c %s "target/$name.wasm") bytes" >&2
    ;;
matcher)
    build wasm32-unknown-unknown core,alloc "$flags" --locked --package offermatch-matcher --profile component
    copy target/component/wasm32-unknown-unknown/component/offermatch_matcher.wasm target/matcher.wasm
    echo "build.sh: target/matcher.wasm, $(stat -c %s target/matcher.wasm) bytes, sha256:$(sha256sum target/matcher.wasm | cut -d " " -f 1)" >&2
    ;;
policies)
    mkdir -p target/policies
    for source in guest/policies/src/*.rs; do
        name="$(basename "$source" .rs | tr _ -)"
        case "$name" in lib | best-fit) continue ;; esac
        # cargo rustc, since a cdylib on any other target would be one too many.
        cargo=rustc OFFERMATCH_POLICY="$name" build wasm32-unknown-unknown core,alloc "$flags" --locked --quiet --package offermatch-policies --lib --profile component --crate-type cdylib
        copy target/component/wasm32-unknown-unknown/component/offermatch_policies.wasm "target/policies/$name.wasm"
    done
    copy target/matcher.wasm target/policies/best-fit.wasm
    # Together, because they differ little: one archive is as large as one and a half of them.
    (cd target/policies && tar --create --xz --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=644 -- *.wasm) > target/policies.tar.xz
    echo "build.sh: target/policies, $(find target/policies -name '*.wasm' | wc -l) components" >&2
    ;;
hostile)
    build wasm32-unknown-unknown core,alloc "$flags" --locked --quiet \
        --package offermatch-matcher --profile component --features contract-0-2-0
    copy target/component/wasm32-unknown-unknown/component/offermatch_matcher.wasm target/matcher-0.2.0.wasm
    # One of them is written in assembler, which rustc holds back.
    export RUSTC_BOOTSTRAP=1
    plain=() wasi=()
    for source in guest/hostile/examples/*.rs; do
        name="$(basename "$source" .rs)"
        case "$name" in
        wasi-*) wasi+=(--example "$name") ;;
        *) plain+=(--example "$name") ;;
        esac
    done
    arguments=(--locked --quiet --package offermatch-hostile --profile hostile)
    build wasm32-unknown-unknown core,alloc "-C target-feature=+reference-types" "${arguments[@]}" "${plain[@]}"
    # libc of wasip2 brings a part of `wasi:clocks` that the contract's copy leaves out.
    build wasm32-wasip2 std,panic_abort "" "${arguments[@]}" --features offermatch-kit/untraced "${wasi[@]}"
    mkdir -p target/hostile
    for source in guest/hostile/examples/*.rs; do
        name="$(basename "$source" .rs)"
        case "$name" in
        wasi-*) target=wasm32-wasip2 ;;
        *) target=wasm32-unknown-unknown ;;
        esac
        copy "target/component/$target/hostile/examples/${name//-/_}.wasm" "target/hostile/$name.wasm"
    done
    echo "build.sh: target/hostile, $(find target/hostile -name '*.wasm' | wc -l) components" >&2
    ;;
*)
    echo "usage: guest/build.sh [matcher|policies|hostile|at DIRECTORY]" >&2
    exit 2
    ;;
esac
