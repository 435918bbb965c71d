#!/usr/bin/env bash
# Packages: Pyomo 6.10.1, highspy 1.16.0, PySCIPOpt 6.3.0, ortools 9.15.6755, PuLP 3.3.2 with its CBC 2.10.3, swiglpk 5.0.13 (PyPI).
# Guess: a model that is to be maximized is maximized after it was written to an MPS file and read again, at least by the library that wrote it; or the reader refuses.
# Seen: Pyomo, HiGHS, SCIP and OR-tools write a section OBJSENSE, which HiGHS, SCIP and OR-tools follow: 12. CBC passes over it and reports 0, the smallest value, as the optimum; so does PuLP with the file of SCIP, while it refuses the bounds of the other three. GLPK refuses the section. PuLP and GLPK write no section (PuLP a comment), and then all read a model that is to be minimized, PuLP and GLPK their own files too.
# Why it matters: the plan that places most becomes the one that places nothing, and it is called optimal.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check Pyomo==6.10.1 highspy==1.16.0 PySCIPOpt==6.3.0 ortools==9.15.6755 PuLP==3.3.2 swiglpk==5.0.13 numpy==2.4.6

cat > sense.py <<'PY'
import subprocess

import highspy
import pulp
import pyomo.environ as pyomo
import pyscipopt
import swiglpk as glpk
from ortools.linear_solver.python import model_builder

glpk.glp_term_out(glpk.GLP_OFF)


def silent_highs():
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    return model


# Each writes: place at most 4 of two kinds of tasks, worth 3 and 2. The best is 12.


def from_pyomo(path):
    model = pyomo.ConcreteModel()
    model.x = pyomo.Var(within=pyomo.NonNegativeIntegers, bounds=(0, 10))
    model.y = pyomo.Var(within=pyomo.NonNegativeReals)
    model.worth = pyomo.Objective(expr=3 * model.x + 2 * model.y, sense=pyomo.maximize)
    model.room = pyomo.Constraint(expr=model.x + model.y <= 4)
    model.write(path, io_options={"symbolic_solver_labels": True})


def from_highs(path):
    model = silent_highs()
    x, y = model.addIntegral(lb=0, ub=10, obj=3, name="x"), model.addVariable(lb=0, obj=2, name="y")
    model.addConstr(x + y <= 4)
    model.setMaximize()
    model.writeModel(path)


def from_scip(path):
    model = pyscipopt.Model()
    x, y = model.addVar("x", vtype="I", lb=0, ub=10), model.addVar("y", lb=0)
    model.addCons(x + y <= 4)
    model.setObjective(3 * x + 2 * y, "maximize")
    model.writeProblem(path, verbose=False)


def from_ortools(path):
    model = model_builder.Model()
    x, y = model.new_int_var(0, 10, "x"), model.new_num_var(0, float("inf"), "y")
    model.add(x + y <= 4)
    model.maximize(3 * x + 2 * y)
    with open(path, "w") as file:
        file.write(model.export_to_mps_string())


def from_pulp(path):
    model = pulp.LpProblem("placement", pulp.LpMaximize)
    x, y = pulp.LpVariable("x", 0, 10, cat="Integer"), pulp.LpVariable("y", 0)
    model += 3 * x + 2 * y
    model += x + y <= 4
    model.writeMPS(path)


def from_glpk(path):
    model = glpk.glp_create_prob()
    glpk.glp_set_obj_dir(model, glpk.GLP_MAX)
    glpk.glp_add_rows(model, 1)
    glpk.glp_set_row_bnds(model, 1, glpk.GLP_UP, 0, 4)
    glpk.glp_add_cols(model, 2)
    rows, columns, values = glpk.intArray(3), glpk.intArray(3), glpk.doubleArray(3)
    for column, (name, worth) in enumerate((("x", 3), ("y", 2)), 1):
        glpk.glp_set_col_name(model, column, name)
        glpk.glp_set_obj_coef(model, column, worth)
        glpk.glp_set_col_bnds(model, column, glpk.GLP_LO, 0, 0)
        rows[column], columns[column], values[column] = 1, column, 1.0
    glpk.glp_load_matrix(model, 2, rows, columns, values)
    glpk.glp_write_mps(model, glpk.GLP_MPS_FILE, None, path)


def by_highs(path):
    model = silent_highs()
    model.readModel(path)
    model.run()
    return model.getObjectiveValue()


def by_scip(path):
    model = pyscipopt.Model()
    model.hideOutput()
    model.readProblem(path)
    model.optimize()
    return model.getObjVal()


def by_ortools(path):
    model = model_builder.Model()
    assert model.import_from_mps_file(path)
    solver = model_builder.Solver("scip")
    solver.solve(model)
    return solver.objective_value


def by_cbc(path):
    subprocess.run([pulp.PULP_CBC_CMD().path, path, "solve", "solution", "seen.sol"], stdout=subprocess.DEVNULL, check=True)
    with open("seen.sol") as file:
        return float(file.readline().split()[-1])


def by_pulp(path):
    try:
        _, model = pulp.LpProblem.fromMPS(path)
    except pulp.PulpError:
        return "refused"
    model.solve(pulp.PULP_CBC_CMD(msg=False))
    return pulp.value(model.objective)


def by_glpk(path):
    model = glpk.glp_create_prob()
    if glpk.glp_read_mps(model, glpk.GLP_MPS_FILE, None, path):
        return "refused"
    glpk.glp_simplex(model, None)
    return glpk.glp_get_obj_val(model)


for write in (from_pyomo, from_highs, from_scip, from_ortools, from_pulp, from_glpk):
    path = f"{write.__name__}.mps"
    write(path)
    with open(path) as file:
        section = "OBJSENSE" if "OBJSENSE" in file.read() else "nothing"
    print(write.__name__, section, *(f"{read.__name__[3:]}: {read(path)}" for read in (by_highs, by_scip, by_ortools, by_cbc, by_pulp, by_glpk)))
PY
venv/bin/python sense.py | grep ^from_ > seen.txt
cat seen.txt
diff seen.txt - <<'END'
from_pyomo OBJSENSE highs: 12.0 scip: 12.0 ortools: 12.0 cbc: 0.0 pulp: refused glpk: refused
from_highs OBJSENSE highs: 12.0 scip: 12.0 ortools: 12.0 cbc: 0.0 pulp: refused glpk: refused
from_scip OBJSENSE highs: 12.0 scip: 12.0 ortools: 12.0 cbc: 0.0 pulp: 0.0 glpk: refused
from_ortools OBJSENSE highs: 12.0 scip: 12.0 ortools: 12.0 cbc: 0.0 pulp: refused glpk: refused
from_pulp nothing highs: 0.0 scip: 0.0 ortools: 0.0 cbc: 0.0 pulp: 0.0 glpk: 0.0
from_glpk nothing highs: 0.0 scip: 0.0 ortools: 0.0 cbc: 0.0 pulp: 0.0 glpk: 0.0
END
