#!/usr/bin/env bash
# Packages: linopy 0.10.1, highspy 1.16.0, pandas 3.1.1, xarray 2026.9.0 (PyPI).
# Guess: the sum of two variables over the same nodes is by node, as it is with constants, in whatever order the tables came.
# Seen: two variables of one size are added by position: of nodes a, b and b, a, the sum for a is x[a] + y[b], and nodes c, d join a, b. A constant is taken by node, in any order. A node that a limit does not name has no limit. Each is only a warning, in which the next version is said to refuse it.
# Why it matters: a table that another query sorted puts the load of one node on another. Here node b, which is full, is given ten more, and the solver says optimal.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check linopy==0.10.1 highspy==1.16.0 pandas==3.1.1 xarray==2026.9.0
cd "$work"
cat > plan.py <<'PY'
import warnings

import linopy
import pandas

said = []
warnings.showwarning = lambda message, *_: said.append(str(message))
warnings.simplefilter("always")


def table(amounts):
    return pandas.Series(amounts, index=pandas.Index(list(amounts), name="node"), dtype=float)


def plan(running, capacity, constant):
    """What is placed anew on nodes a and b, as much as fits."""
    model = linopy.Model()
    new = model.add_variables(lower=0, upper=100, coords=[pandas.Index(["a", "b"], name="node")], name="new")
    there = table(running)
    if not constant:
        there = model.add_variables(lower=there, upper=there, coords=[there.index], name="there")
    model.add_constraints(new + there <= table(capacity), name="capacity")
    model.add_objective(new.sum(), sense="max")
    status, condition = model.solve("highs", io_api="direct", output_flag=False)
    return condition, {node: int(amount) for node, amount in new.solution.to_pandas().items()}


capacity = {"a": 10, "b": 10}
print("b is full, in order:", plan({"a": 0, "b": 10}, capacity, False))
print("b is full, other order:", plan({"b": 10, "a": 0}, capacity, False))
print("c is full, not b:", plan({"d": 0, "c": 10}, capacity, False))
print("other order, constant:", plan({"b": 10, "a": 0}, capacity, True))
print("b has no limit:", plan({"a": 0, "b": 10}, {"a": 10}, False))
print("warnings of a mismatch:", any("mismatch" in text for text in said))
PY
venv/bin/python plan.py 2> log.txt | grep -E "^(b|c|other|warnings)" > seen.txt || { cat log.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
b is full, in order: ('optimal', {'a': 10, 'b': 0})
b is full, other order: ('optimal', {'a': 0, 'b': 10})
c is full, not b: ('optimal', {'a': 10, 'b': 0})
other order, constant: ('optimal', {'a': 10, 'b': 0})
b has no limit: ('optimal', {'a': 10, 'b': 100})
warnings of a mismatch: True
END
