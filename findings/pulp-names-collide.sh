#!/usr/bin/env bash
# Packages: PuLP 3.3.2 (PyPI).
# Guess: variables named "task-1" and "task_1" are two variables.
# Seen: "-", "+", " ", "[", "]", ">" and "/" in names become "_", so both are called "task_1", and solving raises PulpSolverError "Error while executing .../cbc", which names neither the variables nor the reason.
# Why it matters: names of tasks and nodes come from users. A model of placements that is keyed by them fails on the first pair of names that differ in punctuation, far from its cause.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check PuLP==3.3.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pulp

model = pulp.LpProblem("place", pulp.LpMaximize)
pair = [pulp.LpVariable(name, 0, 1) for name in ("task-1", "task_1")]
print("names:", [variable.name for variable in pair])
assert [variable.name for variable in pair] == ["task_1", "task_1"]
model += pulp.lpSum(pair)
model += pulp.lpSum(pair) <= 1.5
try:
    model.solve(pulp.PULP_CBC_CMD(msg=False))
except pulp.PulpSolverError as error:
    print("error:", str(error).rsplit("/", 1)[-1])
    assert "Error while executing" in str(error) and "task_1" not in str(error)
else:
    raise SystemExit("solved now")
PY
