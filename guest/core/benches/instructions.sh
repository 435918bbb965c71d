#!/usr/bin/env bash
# Counts the instructions of one cycle of the native core, 20,000 x 20,000, for every kind of input in both modes: of this version and of
# an earlier one, which is built in a worktree. Counts have no noise. Needs valgrind.
#
#   guest/core/benches/instructions.sh [COMMIT]      377e3c4 unless another is named
set -euo pipefail
cd "$(dirname "$0")/../../.."

before="${1:-377e3c4}"
# The part of the earlier count that a kind may take, in percent; 100 for all others.
declare -A target=([uniform/exclusive]=70 [constrained/exclusive]=70 [constrained/shared]=70 [bound/exclusive]=70 [bound/shared]=70 [zero-weights/exclusive]=70 [zero-weights/shared]=70)
kinds=(uniform realistic ties ties-told zero-weights nothing-fits nothing-fits-narrowly opposed outlier constrained never-meet bound devices)

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
# The same program, with the columns and the names of then.
mkdir -p "$tree/guest/core/examples" "$tree/guest/core/benches/kinds"
adapted='s/requirement_kinds\.push(\*kind)/requirement_excludes.push(*kind == NOT_IN)/; s/requirement_subjects/requirement_attributes/; s/, \.\.Shape::default() },$/ },/; s/use offermatch_core::{BestFit, Mode, Pool};/use offermatch_core::policies::BestFit; use offermatch_core::{Mode, Pool};/'
for file in examples/cycle.rs benches/kinds/mod.rs; do
    if [ -e "$tree/guest/core/src/policies/best_fit.rs" ]; then
        sed "$adapted" "guest/core/$file" > "$tree/guest/core/$file"
    else
        cp "guest/core/$file" "$tree/guest/core/$file"
    fi
done
echo "instructions.sh: building both versions" >&2
cargo build --quiet --release --package offermatch-core --example cycle
cargo build --quiet --release --package offermatch-core --example cycle --manifest-path "$tree/Cargo.toml" --target-dir "$work/target"

# What is between the call of the function `cycle` and its return.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=cycle "$@" 2>&1 > /dev/null |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

missed=0
printf '%-24s %-10s %12s %12s %7s %7s\n' kind mode "$before" now part target
for kind in "${kinds[@]}"; do
    for mode in exclusive shared; do
        answers=("$(target/release/examples/cycle "$kind" "$mode")" "$("$work/target/release/examples/cycle" "$kind" "$mode")")
        if [ "${answers[0]}" != "${answers[1]}" ]; then
            echo "instructions.sh: $kind, $mode: the answers differ: ${answers[*]}" >&2
            exit 1
        fi
        then="$(count "$work/target/release/examples/cycle" "$kind" "$mode")"
        now="$(count target/release/examples/cycle "$kind" "$mode")"
        most="${target[$kind/$mode]:-100}"
        verdict=reached
        if [ $((now * 100)) -gt $((then * most)) ]; then
            verdict=missed
            missed=$((missed + 1))
        fi
        awk -v kind="$kind" -v mode="$mode" -v then="$then" -v now="$now" -v most="$most" -v verdict="$verdict" 'BEGIN {
            printf "%-24s %-10s %10.1f M %10.1f M %5.1f %% %4d %% %s\n", kind, mode, then / 1e6, now / 1e6, 100 * now / then, most, verdict
        }'
    done
done
echo "$missed of $((2 * ${#kinds[@]})) targets missed"
