#!/usr/bin/env bash
# Packages: ortools 9.15.6755 (PyPI).
# Guess: a knapsack solver leaves out an item with a profit of -1, or refuses it: taking it can not be optimal.
# Seen: if everything fits, all items are taken and the answer (2 instead of 3) is called optimal, with every kind of solver tried. If not everything fits, the loss is left out, except by the brute-force solver, which takes only the loss.
# Why it matters: profits made of scores are negative for placements that one would rather avoid. They are chosen exactly when the node has room.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ortools==9.15.6755
cd "$work"
"$work/venv/bin/python" - <<'PY'
from ortools.algorithms.python import knapsack_solver


def chosen(kind, capacity):
    solver = knapsack_solver.KnapsackSolver(getattr(knapsack_solver.SolverType, kind), "node")
    solver.init([-1, 3], [[1, 1]], [capacity])
    profit = solver.solve()
    return profit, [item for item in (0, 1) if solver.best_solution_contains(item)], solver.is_solution_optimal()


kinds = ("KNAPSACK_DYNAMIC_PROGRAMMING_SOLVER", "KNAPSACK_MULTIDIMENSION_BRANCH_AND_BOUND_SOLVER", "KNAPSACK_MULTIDIMENSION_CP_SAT_SOLVER")
for kind in kinds:
    print(kind, "room for both:", chosen(kind, 2), "room for one:", chosen(kind, 1))
    assert chosen(kind, 2) == (2, [0, 1], True)
    assert chosen(kind, 1)[:2] == (3, [1])
brute = chosen("KNAPSACK_BRUTE_FORCE_SOLVER", 1)
print("brute force, room for one:", brute)
assert brute[:2] == (-1, [0])
PY
