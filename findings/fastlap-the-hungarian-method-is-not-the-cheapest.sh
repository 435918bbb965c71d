#!/usr/bin/env bash
# Packages: fastlap 0.4.0, scipy 1.17.1, numpy 2.4.6 (PyPI).
# Guess: the algorithms that the library lists as optimal find an assignment of one and the same least cost, as long as the costs and their sums are exact in float64.
# Seen: with costs in bytes from 2^40 on, "hungarian" gives a sum that is too large by one, and with the same costs in units of 1e-10 both "hungarian" and "dantzig" give a plan that costs more, twice as much and a sixth more: differences that small count as none. The default, "lapjv", and six others find the least.
# Why it matters: the name of an exact method does not make it one. Costs that are bytes of large nodes, or prices of milliseconds, are just such numbers, and the plan looks valid.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check fastlap==0.4.0 scipy==1.17.1 numpy==2.4.6
venv/bin/python - > seen.txt <<'PY'
import fastlap
import numpy as np
from scipy.optimize import linear_sum_assignment

terabyte = 2.0**40
cases = {
    "small whole numbers": np.array([[4.0, 5, 9, 8], [5, 9, 1, 3], [6, 2, 4, 9], [1, 9, 8, 7]]),
    "bytes of a terabyte": terabyte + np.array([[0.0, 1], [1, 3]]),
}
cases["the first, in units of 1e-10"] = cases["small whole numbers"] * 1e-10
for name, costs in cases.items():
    rows, columns = linear_sum_assignment(costs)
    least = costs[rows, columns].sum()
    dearer = []
    for algorithm in fastlap.get_supported_algorithms():
        if algorithm != "greedy":  # the only one that is not said to be optimal
            total = fastlap.solve_lap(costs, algorithm=algorithm)[0]
            if total > least * (1 + 1e-15):
                dearer.append(f"{algorithm} {total:.14g}")
    print(f"{name}: least {least:.14g}, dearer: {', '.join(dearer) or 'none'}")
PY
cat seen.txt
diff seen.txt - <<'END'
small whole numbers: least 12, dearer: none
bytes of a terabyte: least 2199023255554, dearer: hungarian 2199023255555
the first, in units of 1e-10: least 1.2e-09, dearer: hungarian 2.4e-09, dantzig 1.4e-09
END
