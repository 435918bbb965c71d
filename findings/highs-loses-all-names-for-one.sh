#!/usr/bin/env bash
# Packages: highspy 1.16.0, PySCIPOpt 6.3.0 (PyPI).
# Guess: HiGHS writes a model whose columns have names into an LP file that it reads back, and changes at most the names that the format does not allow.
# Seen: one name with a hyphen, task-1, and all columns are called c0, c1, ... in the file, while the file of the names 2gpu, inf and end has them as they are. HiGHS itself refuses to read these three; SCIP refuses the first two and finds 3 instead of 18 for end, as the file ends there for it. The status of writing is the same warning each time, for names that are all right too.
# Why it matters: columns are called after tasks and nodes. Whether the plan that another solver finds can be given back to them depends on a single name; or the plan is that of half a model.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check highspy==1.16.0 PySCIPOpt==6.3.0 numpy==2.4.6
cat > names.py <<'PY'
import highspy
import pyscipopt


def quiet():
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    return model


def by_highs():
    model = quiet()
    if model.readModel("model.lp") == highspy.HighsStatus.kError:
        return "refused"
    model.run()
    return model.getObjectiveValue()


def by_scip():
    model = pyscipopt.Model()
    model.hideOutput()
    try:
        model.readProblem("model.lp")
    except OSError:
        return "refused"
    model.optimize()
    return model.getObjVal()


for name in ("task_1", "task-1", "2gpu", "inf", "end"):
    model = quiet()
    column = model.addVariable(lb=0, ub=9, name=name)
    other = model.addVariable(lb=0, ub=9, name="other")
    model.addConstr(2 * column + 3 * other <= 12)
    model.maximize(3 * column + other)
    status = model.writeModel("model.lp")
    with open("model.lp") as file:
        objective = file.read().split("obj:")[1].split("\n")[0].split()
    print(name, status.name, model.getObjectiveValue(), "written as", objective[1::2], "highs:", by_highs(), "scip:", by_scip())
PY
venv/bin/python names.py 2> errors.txt | grep --invert-match --regexp HiGHS --regexp THIRD_PARTY > seen.txt
cat seen.txt
diff seen.txt - <<'END'
task_1 kWarning 18.0 written as ['task_1', 'other'] highs: 18.0 scip: 18.0
task-1 kWarning 18.0 written as ['c0', 'c1'] highs: 18.0 scip: 18.0
2gpu kWarning 18.0 written as ['2gpu', 'other'] highs: refused scip: refused
inf kWarning 18.0 written as ['inf', 'other'] highs: refused scip: refused
end kWarning 18.0 written as ['end', 'other'] highs: refused scip: 3.0
END
