#!/usr/bin/env bash
# Packages: job-shop-lib 1.7.2, ortools 9.12.4544 (PyPI).
# Guess: what a dispatching rule can plan has a plan by the constraint solver of the same library, one that is as good or better.
# Seen: two jobs of three units on one machine, one of them released at 4: the rule ends at 7, and the solver raises that no solution could be found. It looks for plans no longer than the sum of all durations, 6, in which waiting for a release has no place. Up to a release at 3 both agree. The other way round, a deadline at 3 is kept by the solver and passed over by the rule, which puts the job at the end and calls nothing invalid, though "a schedule is invalid if the job completes after this time".
# Why it matters: "no solution" of an exact solver is taken as a proof. Jobs that arrive over a day are declared impossible, by the very solver that is to say how far the rules are from the best.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check job-shop-lib==1.7.2 ortools==9.12.4544
venv/bin/python - > seen.txt <<'PY'
from job_shop_lib import JobShopInstance, Operation
from job_shop_lib.constraint_programming import ORToolsSolver
from job_shop_lib.dispatching.rules import DispatchingRuleSolver
from job_shop_lib.exceptions import NoSolutionFoundError


def ends(solver, instance):
    try:
        plan = solver.solve(instance)
    except NoSolutionFoundError:
        return "no solution"
    return {f"job {operation.job_id}": operation.end_time for operation in sorted(plan.schedule[0], key=lambda operation: operation.job_id)}


for release in (0, 3, 4, 10):
    instance = JobShopInstance([[Operation(0, 3, release_date=release)], [Operation(0, 3)]])
    rule, solver = ends(DispatchingRuleSolver("shortest_processing_time"), instance), ends(ORToolsSolver(), instance)
    print("job 0 released at", release, "| rule ends at", max(rule.values()), "| solver:", solver if isinstance(solver, str) else max(solver.values()))
instance = JobShopInstance([[Operation(0, 3)], [Operation(0, 3, deadline=3)]])
print("job 1 due by 3 | rule:", ends(DispatchingRuleSolver("first_come_first_served"), instance), "| solver:", ends(ORToolsSolver(), instance))
PY
cat seen.txt
diff seen.txt - <<'END'
job 0 released at 0 | rule ends at 6 | solver: 6
job 0 released at 3 | rule ends at 6 | solver: 6
job 0 released at 4 | rule ends at 7 | solver: no solution
job 0 released at 10 | rule ends at 13 | solver: no solution
job 1 due by 3 | rule: {'job 0': 3, 'job 1': 6} | solver: {'job 0': 6, 'job 1': 3}
END
