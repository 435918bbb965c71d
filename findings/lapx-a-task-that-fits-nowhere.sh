#!/usr/bin/env bash
# Packages: lapx 0.11.1, scipy 1.17.1, numpy 2.4.6 (PyPI).
# Guess: infinity is a pair that may not be. For a task that may run nowhere all functions of lapx raise, as scipy does, or all leave it out.
# Seen: lapjv, lapjvx and lapjvxa put it on a node all the same, and the others on other nodes than the best: their sum is 11 instead of 3, as every plan costs infinity. lapjvc leaves it out, with a total of 3 and one pair less, and no word. lapjvs, lapjvsa, lapjvh and lapjvr raise. With a cost_limit above all costs the functions that have one leave it out.
# Why it matters: the functions are offered as one solver in several speeds. With one task too large for every node, changing to another speed changes an error into a plan with a forbidden pair, or into one whose rows no longer are the tasks' numbers.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check lapx==0.11.1 scipy==1.17.1 numpy==2.4.6
venv/bin/python - > seen.txt <<'PY'
import lap
import numpy as np
from scipy.optimize import linear_sum_assignment

no = np.inf
costs = np.array([[no, no, no], [1.0, 2.0, 3.0], [1.0, 9.0, 9.0]])


def solve(function, **options):
    try:
        return [np.asarray(part).tolist() for part in function(costs, **options)]
    except ValueError as error:
        return f"ValueError: {error}"


print("scipy", solve(linear_sum_assignment))
for name in ("lapjv", "lapjvx", "lapjvxa", "lapjvc", "lapjvs", "lapjvsa", "lapjvh", "lapjvr"):
    print(name, solve(getattr(lap, name)))
for name in ("lapjv", "lapjvx", "lapjvxa", "lapjvh", "lapjvr"):
    print(name, "with a limit:", solve(getattr(lap, name), cost_limit=100.0))
PY
cat seen.txt
diff seen.txt - <<'END'
scipy ValueError: cost matrix is infeasible
lapjv [inf, [0, 1, 2], [0, 1, 2]]
lapjvx [inf, [0, 1, 2], [0, 1, 2]]
lapjvxa [inf, [[0, 0], [1, 1], [2, 2]]]
lapjvc [3.0, [1, 2], [1, 0]]
lapjvs ValueError: Cost matrix is infeasible
lapjvsa ValueError: Cost matrix is infeasible
lapjvh ValueError: Cost matrix is infeasible or its reduced costs overflow
lapjvr ValueError: Cost matrix is infeasible or its reduced costs overflow
lapjv with a limit: [3.0, [-1, 1, 0], [2, 1, -1]]
lapjvx with a limit: [3.0, [1, 2], [1, 0]]
lapjvxa with a limit: [3.0, [[1, 1], [2, 0]]]
lapjvh with a limit: [3.0, [1, 2], [1, 0]]
lapjvr with a limit: [3.0, [1, 2], [1, 0]]
END
