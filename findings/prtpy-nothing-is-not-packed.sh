#!/usr/bin/env bash
# Packages: prtpy 0.8.3 (PyPI).
# Guess: every algorithm of prtpy.packing puts every item into a bin, whatever its size.
# Seen: bin_completion, the exact one, leaves items of size 0 out of all bins, without an error; first_fit and first_fit_decreasing place them. Items of size 0 alone give no bin at all.
# Why it matters: a task that asks nothing of a dimension (a service that only waits) is lost by the exact packer and placed by the heuristic, so who compares the two by their bins compares different tasks.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check prtpy==0.8.3
cd "$work"
"$work/venv/bin/python" - <<'PY'
import prtpy

packing = prtpy.packing

tasks = {"idle": 0, "large": 10, "small": 4, "waiting": 0}
seen = {}
for algorithm in (packing.first_fit, packing.first_fit_decreasing, packing.bin_completion):
    bins = prtpy.pack(algorithm=algorithm, binsize=10, items=tasks)
    seen[algorithm] = sorted(task for found in bins for task in found)
    print(algorithm.__name__, bins)
assert seen[packing.first_fit] == seen[packing.first_fit_decreasing] == sorted(tasks)
assert seen[packing.bin_completion] == ["large", "small"]
alone = prtpy.pack(algorithm=packing.bin_completion, binsize=10, items={"idle": 0, "waiting": 0})
print("two of size 0:", alone)
assert len(alone) == 0
PY
