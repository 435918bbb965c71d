#!/usr/bin/env bash
# Packages: binpacking 2.0.1 (PyPI).
# Guess: to_constant_volume raises for an item that is larger than a bin, or leaves it out; and no items need no bins.
# Seen: the item gets a bin of its own that holds more than its volume, without a word. No items need one bin, which is empty.
# Why it matters: a plan of nodes that was made with it has one on which the task does not fit, and counts one node for an empty queue.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check binpacking==2.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import binpacking

seen = [binpacking.to_constant_volume([10, 4, 1], 5), binpacking.to_constant_volume([], 5)]
print("bins of 5 for [10, 4, 1]:", seen[0], "| for nothing:", seen[1])
assert seen == [[[10], [4, 1]], [[]]]
PY
