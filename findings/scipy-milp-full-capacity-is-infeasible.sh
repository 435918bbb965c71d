#!/usr/bin/env bash
# Packages: scipy 1.17.1 with the HiGHS that it brings, highspy 1.16.0, numpy 2.4.6 (PyPI).
# Guess: choosing tasks for one server is always feasible, as to choose none is; milp finds the best choice whatever the unit of the amounts.
# Seen: with memory in bytes, of which four tasks ask a half, a half and 1, a quarter, and a quarter and 1, milp says that the problem is infeasible (status 2). Without presolve it says optimal, and its choice is 2 bytes too large, with one of the variables at 0.99999999. On a server of 2^20 instead of 2^28 the choice is right, and so it is by highspy 1.16.0 on both.
# Why it matters: memory counted in bytes is what the formats of clusters give. A tool that packs by scipy has to count in MiB, and to add up by whole numbers what it was given.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6 highspy==1.16.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import highspy
import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp


def tasks(capacity):
    return [capacity // 2, capacity // 2 + 1, capacity // 4, capacity // 4 + 1]


def chosen(capacity, **options):
    room = LinearConstraint(np.array([tasks(capacity)], float), -np.inf, capacity)
    found = milp(-np.ones(4), constraints=room, integrality=np.ones(4), bounds=Bounds(0, 1), options=options)
    print(capacity, options, found.status, found.message, found.x)
    return found


def used(capacity, choice):
    return sum(task for task, taken in zip(tasks(capacity), choice, strict=True) if round(taken))


small, large = 2**20, 2**28
assert used(small, chosen(small).x) <= small
assert chosen(large).status == 2
unsimplified = chosen(large, presolve=False)
assert unsimplified.status == 0
assert used(large, unsimplified.x) == large + 2

newer = highspy.Highs()
newer.setOptionValue("output_flag", False)
variables = [newer.addBinary(obj=-1) for _ in range(4)]
newer.addConstr(sum(task * taken for task, taken in zip(tasks(large), variables, strict=True)) <= large)
newer.run()
choice = newer.getSolution().col_value
print("highspy", newer.getModelStatus(), choice)
assert newer.getModelStatus() == highspy.HighsModelStatus.kOptimal
assert used(large, choice) <= large
PY
