#!/usr/bin/env bash
# Packages: lap 0.5.13, numpy 2.4.6 (PyPI).
# Guess: cost_limit of lapjv is an upper limit: of two pairs that cost exactly that much, both are made or neither is.
# Seen: one is made and the other is not, though no row or column is missing for it; below the limit by one bit both are made, and above it none. A pair that is forbidden by an infinite cost is made where nothing else is left, at a total of inf, where scipy's linear_sum_assignment refuses.
# Why it matters: matchers of trackers and schedulers use cost_limit as a threshold and infinity as "may not". Costs that are whole numbers meet the threshold often, and whether a task is placed then depends on its row.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check lap==0.5.13 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import math

import lap
import numpy as np
from scipy.optimize import linear_sum_assignment

costs = np.array([[1.0, 9.0], [9.0, 1.0]])
seen = {}
for limit in (math.nextafter(1.0, 2.0), 1.0, math.nextafter(1.0, 0.0)):
    total, of_row, of_column = lap.lapjv(costs, cost_limit=limit)
    print(repr(limit), total, of_row, of_column)
    seen[limit] = int((of_row >= 0).sum())
assert list(seen.values()) == [2, 1, 0]

forbidden = np.array([[math.inf, 1.0], [math.inf, 2.0]])
total, of_row, _ = lap.lapjv(forbidden)
print("forbidden:", total, of_row)
assert total == math.inf
assert sorted(of_row) == [0, 1]
try:
    linear_sum_assignment(forbidden)
except ValueError as error:
    print("scipy:", error)
else:
    raise AssertionError("scipy makes a forbidden pair, too")
PY
