#!/usr/bin/env bash
# Packages: ortools 9.15.6755 (PyPI).
# Guess: an interval of length zero takes no time, so it may lie inside another one under no_overlap, as it may under cumulative; or under neither.
# Seen: under add_no_overlap a zero-length interval at 2 inside [0, 5) makes the model infeasible, at 0 or 5 it is fine. Under add_cumulative it may lie anywhere, even with a demand of 9 on a capacity of 1.
# Why it matters: tasks whose duration is rounded down to zero make a plan infeasible by one constraint and free of charge by the other.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ortools==9.15.6755
cd "$work"
"$work/venv/bin/python" - <<'PY'
from ortools.sat.python import cp_model


def status(start, demand=None):
    model = cp_model.CpModel()
    long = model.new_fixed_size_interval_var(0, 5, "long")
    point = model.new_fixed_size_interval_var(start, 0, "point")
    if demand is None:
        model.add_no_overlap([long, point])
    else:
        model.add_cumulative([long, point], [1, demand], 1)
    solver = cp_model.CpSolver()
    return solver.status_name(solver.solve(model))


seen = {"no overlap": [status(start) for start in (0, 2, 5)], "cumulative": [status(start, 9) for start in (0, 2, 5)]}
print(seen)
assert seen == {"no overlap": ["OPTIMAL", "INFEASIBLE", "OPTIMAL"], "cumulative": ["OPTIMAL"] * 3}
PY
