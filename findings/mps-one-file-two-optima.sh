#!/usr/bin/env bash
# Packages: highspy 1.16.0, PySCIPOpt 6.3.0, swiglpk 5.0.13, ortools 9.15.6755, PuLP 3.3.2 with its CBC 2.10.3 (PyPI).
# Guess: an MPS file is one model. An integer column without bounds is any whole number from 0 on, as the same column is in LP format; the constant of an objective and an upper bound below 0 mean one thing to all readers.
# Seen: an integer column without bounds is 0 or 1 to all five, and 10 where the file is in LP format. A constant of 100 in the objective's right-hand side is subtracted by four and added by GLPK: -90 or 110. With an upper bound of -5 and no lower one, CBC lets the lower bound go and finds no end; to the others it stays 0 and the model is infeasible, or refused by GLPK.
# Why it matters: it is how models of placement are handed from one solver to another, and how benchmark instances are kept. A count of servers becomes a switch for one, and an optimum that is compared with a published one is off by twice the constant.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check highspy==1.16.0 PySCIPOpt==6.3.0 swiglpk==5.0.13 ortools==9.15.6755 PuLP==3.3.2 numpy==2.4.6

cat > integer.mps <<'END'
NAME          INTEGER
ROWS
 N  COST
 L  CPU
COLUMNS
    MARKER                 'MARKER'                 'INTORG'
    SERVERS   COST              -1   CPU                1
    MARKER                 'MARKER'                 'INTEND'
RHS
    RHS       CPU               10
ENDATA
END
cat > integer.lp <<'END'
Minimize
 cost: - servers
Subject To
 cpu: servers <= 10
General
 servers
End
END
cat > constant.mps <<'END'
NAME          CONSTANT
ROWS
 N  COST
 G  CPU
COLUMNS
    SERVERS   COST               1   CPU                1
RHS
    RHS       COST             100   CPU               10
ENDATA
END
cat > upper.mps <<'END'
NAME          UPPER
ROWS
 N  COST
 L  CPU
COLUMNS
    SERVERS   COST               1   CPU                1
RHS
    RHS       CPU               10
BOUNDS
 UP BND       SERVERS           -5
ENDATA
END

cat > readers.py <<'PY'
import subprocess

import highspy
import pulp
import pyscipopt
import swiglpk as glpk
from ortools.linear_solver.python import model_builder


def highs(path):
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.readModel(path)
    model.run()
    status = model.getModelStatus()
    return model.getObjectiveValue() if status == highspy.HighsModelStatus.kOptimal else model.modelStatusToString(status).lower()


def scip(path):
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(path)
    model.optimize()
    return model.getObjVal() if model.getStatus() == "optimal" else model.getStatus()


def ortools(path):
    model = model_builder.Model()
    assert model.import_from_lp_file(path) if path.endswith(".lp") else model.import_from_mps_file(path)
    solver = model_builder.Solver("scip")
    status = solver.solve(model)
    return solver.objective_value if status == model_builder.SolveStatus.OPTIMAL else status.name.lower()


def by_glpk(path):
    glpk.glp_term_out(glpk.GLP_OFF)
    model = glpk.glp_create_prob()
    assert not (glpk.glp_read_lp(model, None, path) if path.endswith(".lp") else glpk.glp_read_mps(model, glpk.GLP_MPS_FILE, None, path))
    options = glpk.glp_iocp()
    glpk.glp_init_iocp(options)
    options.presolve = glpk.GLP_ON
    refused = glpk.glp_intopt(model, options)
    return "refused" if refused else glpk.glp_mip_obj_val(model)


def cbc(path):
    subprocess.run([pulp.PULP_CBC_CMD().path, path, "solve", "solution", "seen.sol"], stdout=subprocess.DEVNULL, check=True)
    with open("seen.sol") as solution:
        line = solution.readline().lower()
    return float(line.split()[-1]) if line.startswith("optimal") else line.split(" ")[0].strip()


for path in ("integer.mps", "integer.lp", "constant.mps", "upper.mps"):
    readers = (("highs", highs), ("scip", scip), ("ortools", ortools), ("glpk", by_glpk), ("cbc", cbc))
    if path.endswith(".lp"):
        readers = [reader for reader in readers if reader[0] != "ortools"]  # its LP format is another one
    print(path, *(f"{name}: {solve(path)}" for name, solve in readers))
PY
venv/bin/python readers.py | grep --invert-match --regexp HiGHS --regexp THIRD_PARTY > seen.txt
cat seen.txt
diff seen.txt - <<'END'
integer.mps highs: -1.0 scip: -1.0 ortools: -1.0 glpk: -1.0 cbc: -1.0
integer.lp highs: -10.0 scip: -10.0 glpk: -10.0 cbc: -10.0
constant.mps highs: -90.0 scip: -90.0 ortools: -90.0 glpk: 110.0 cbc: -90.0
upper.mps highs: infeasible scip: infeasible ortools: infeasible glpk: refused cbc: unbounded
END
