#!/usr/bin/env bash
# Packages: mknapsack 1.1.12 with numpy 1.26.4 (PyPI).
# Guess: fractions are refused where a method is of integers, as solve_single_knapsack refuses them by name.
# Seen: solve_bin_packing and solve_multiple_knapsack cut them without a word. 2.5 and 2.6 share a bin of 5, and of profits 1.5 and 1.4 the smaller is chosen.
# Why it matters: a plan of memory in GiB puts more on a node than the node has.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mknapsack==1.1.12 numpy==1.26.4
cd "$work"
"$work/venv/bin/python" - <<'PY'
import warnings

from mknapsack import solve_bin_packing, solve_multiple_knapsack, solve_single_knapsack

warnings.simplefilter("error")
bins = solve_bin_packing([2.5, 2.6], 5).tolist()
larger = solve_bin_packing([2.9, 2.9, 2.9], 6).tolist()
choice = solve_multiple_knapsack([1.5, 1.4], [1, 1], [1]).tolist()
print("bins of 2.5 and 2.6 in bins of 5:", bins)
print("bins of three times 2.9 in bins of 6:", larger)
print("the choice of profits 1.5 and 1.4:", choice)
try:
    solve_single_knapsack([1.5, 1.4], [2.5, 2.6], 5)
    single = "no error"
except ValueError as error:
    single = str(error)
print("one knapsack:", single)
assert bins == [1, 1]
assert larger == [1, 1, 1]
assert choice == [0, 1]
assert single == 'Floats detected in the inputs, but using method="mt2" meant for integers'
PY
