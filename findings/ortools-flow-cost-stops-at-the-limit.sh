#!/usr/bin/env bash
# Packages: ortools 9.15.6755 (PyPI).
# Guess: SimpleMinCostFlow reports an overflow when the cost of the flow does not fit in 64 bits; it has statuses for bad costs, and SimpleLinearSumAssignment has POSSIBLE_OVERFLOW.
# Seen: it says OPTIMAL and gives 2**63 - 1 as the cost. 2**40 bytes at a cost of 2**23 for each is enough.
# Why it matters: comparing the cost of two plans, both of which are past the limit, says that they are equally good.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ortools==9.15.6755
cd "$work"
"$work/venv/bin/python" - <<'PY'
from ortools.graph.python import linear_sum_assignment, min_cost_flow


def cost(amount, unit):
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arc_with_capacity_and_unit_cost(0, 1, amount, unit)
    flow.set_node_supply(0, amount)
    flow.set_node_supply(1, -amount)
    return flow.solve().name, flow.optimal_cost()


seen = [cost(2**40, 2**22), cost(2**40, 2**23), cost(2**40, 2**24)]
print(seen)
assert seen == [("OPTIMAL", 2**62), ("OPTIMAL", 2**63 - 1), ("OPTIMAL", 2**63 - 1)]
assignment = linear_sum_assignment.SimpleLinearSumAssignment()
assignment.add_arc_with_cost(0, 0, 2**62)
print("assignment:", assignment.solve().name)
assert assignment.solve() == assignment.POSSIBLE_OVERFLOW
PY
