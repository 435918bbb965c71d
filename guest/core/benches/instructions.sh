#!/usr/bin/env bash
# Counts the instructions of one cycle of the native core, 20,000 x 20,000, for every kind of input in both modes: of this version and of
# an earlier one, which is built in a worktree. Counts have no noise. Needs valgrind.
#
#   guest/core/benches/instructions.sh [--json FILE] [COMMIT]      the commit of targets.toml unless another is named
set -euo pipefail
cd "$(dirname "$0")/../../.."

json=/dev/null
if [ "${1:-}" = --json ]; then
    json="$2"
    shift 2
fi
before="${1:-$(sed -n 's/^commit = "\(.*\)"$/\1/p' python-host/benches/targets.toml)}"
kinds=(uniform realistic ties ties-apart zero-weights nothing-fits nothing-fits-narrowly opposed outlier constrained never-meet bound devices)

if ! command -v valgrind > /dev/null; then
    echo "instructions.sh: no valgrind found. Install it (Debian: apt-get install valgrind)." >&2
    exit 1
fi

work="target/instructions"
tree="$work/$before"
mkdir -p "$work"
if [ ! -d "$tree" ]; then
    git worktree prune
    git worktree add --quiet --detach "$tree" "$before"
fi
# A package of the program for each version, so that nothing but the core is built.
package() {
    mkdir -p "$work/$1/examples" "$work/$1/benches/kinds"
    cat > "$work/$1/Cargo.toml" << END
[package]
name = "cycle"
version = "0.0.0"
edition = "2024"
autobenches = false
autoexamples = false

[[bin]]
name = "cycle"
path = "examples/cycle.rs"

[dependencies]
offermatch-core = { path = "$2" }

[workspace]
END
    for file in examples/cycle.rs benches/kinds/mod.rs; do
        sed "$3" "guest/core/$file" > "$work/$1/$file"
    done
    cargo build --quiet --release --manifest-path "$work/$1/Cargo.toml" --target-dir "$work/$1/target"
}
echo "instructions.sh: building both versions" >&2
package now "$PWD/guest/core" ""
# The same program, with the columns and the names of then.
adapted=""
if [ -e "$tree/guest/core/src/policies/best_fit.rs" ]; then
    adapted='s/requirement_kinds\.push(\*kind)/requirement_excludes.push(*kind == NOT_IN)/; s/requirement_subjects/requirement_attributes/; s/, \.\.Shape::default() },$/ },/; s/use offermatch_core::{BestFit, Mode, Pool};/use offermatch_core::policies::BestFit; use offermatch_core::{Mode, Pool};/'
fi
package then "$PWD/$tree/guest/core" "$adapted"
now="$work/now/target/release/cycle"
then="$work/then/target/release/cycle"

# What is between the call of the function `cycle` and its return.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=cycle "$@" 2>&1 > /dev/null |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

rows=()
printf '%-24s %-10s %12s %12s %7s\n' kind mode "$before" now part
for kind in "${kinds[@]}"; do
    for mode in exclusive shared; do
        answers=("$("$now" "$kind" "$mode")" "$("$then" "$kind" "$mode")")
        if [ "${answers[0]}" != "${answers[1]}" ]; then
            echo "instructions.sh: $kind, $mode: the answers differ: ${answers[*]}" >&2
            exit 1
        fi
        were="$(count "$then" "$kind" "$mode")"
        are="$(count "$now" "$kind" "$mode")"
        rows+=("{\"kind\": \"$kind\", \"mode\": \"$mode\", \"before\": $were, \"now\": $are}")
        awk -v kind="$kind" -v mode="$mode" -v then="$were" -v now="$are" 'BEGIN {
            printf "%-24s %-10s %10.1f M %10.1f M %5.1f %%\n", kind, mode, then / 1e6, now / 1e6, 100 * now / then
        }'
    done
done
printf '{"commit": "%s", "rows": [%s]}\n' "$before" "$(IFS=,; echo "${rows[*]}")" > "$json"
