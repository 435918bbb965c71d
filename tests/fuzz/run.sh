#!/usr/bin/env bash
# Lets libFuzzer look for bytes that break a target: `tests/fuzz/run.sh TARGET [libFuzzer options]`, for example
# `tests/fuzz/run.sh recordings -max_total_time=600`. New inputs go to target/fuzz/TARGET; one that breaks the target is
# target/fuzz/TARGET-crash-... and belongs into tests/fuzz/corpus/TARGET once it is mended.
#
# Any Rust toolchain and a C++ compiler will do. Only the crates of this workspace are watched by the fuzzer, so
# wasmtime is not built again: rustc runs through this file, which adds what makes coverage visible.
set -euo pipefail

if [ -n "${OFFERMATCH_FUZZ_WRAPS:-}" ]; then
    case " $* " in
    *" --crate-name build_script_build "* | *" --crate-type proc-macro "*) exec "$@" ;;
    *" --crate-name "*) exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Coverflow-checks ;;
    *) exec "$@" ;;
    esac
fi

script="$(realpath "$0")"
cd "$(dirname "$script")/../.."
target="${1:?usage: tests/fuzz/run.sh TARGET [libFuzzer options]}"
shift
OFFERMATCH_FUZZ_WRAPS=1 RUSTC_WORKSPACE_WRAPPER="$script" \
    cargo build --release --package offermatch-fuzz --features libfuzzer --bin fuzz
mkdir -p "target/fuzz/$target"
FUZZ_TARGET="$target" target/release/fuzz "target/fuzz/$target" "tests/fuzz/corpus/$target" -max_len=16384 \
    -artifact_prefix="target/fuzz/$target-" -timeout=20 "$@"
