#!/usr/bin/env bash
# Packages: ortools 9.15.6755, highspy 1.16.0 (PyPI), lp-solve 5.5.2.5-2, libcolamd2 and libsuitesparseconfig5 1:5.12.0+dfsg-2 (Debian 12).
# Guess: import_from_lp_string of OR-tools' models reads what export_to_lp_string has written, or raises.
# Seen: it returns False, and the model is empty: solved, it is OPTIMAL with a value of 0. Export writes the LP format of CPLEX, which HiGHS reads (12), import takes that of lp_solve. And of that another reading: a variable without bounds is 0 or more to lp_solve (12) and has no lower bound in OR-tools, so that the same file is UNBOUNDED.
# Why it matters: a plan of an empty model looks like a plan in which nothing fits. Nothing but a returned False, which a script that never needed one before does not look at, tells the two apart.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ortools==9.15.6755 highspy==1.16.0 numpy==2.4.6
apt-get download -qq lp-solve=5.5.2.5-2 libcolamd2=1:5.12.0+dfsg-2 libsuitesparseconfig5=1:5.12.0+dfsg-2 2> /dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done

cat > there-and-back.py <<'PY'
import highspy
from ortools.linear_solver.python import model_builder


def solve(model):
    solver = model_builder.Solver("scip")
    status = solver.solve(model)
    return f"{model.num_variables} variables, {status.name}, {solver.objective_value}"


model = model_builder.Model()
x, y = model.new_int_var(0, 10, "x"), model.new_num_var(0, 10, "y")
model.add(x + y <= 4)
model.maximize(3 * x + 2 * y)
print("made:", solve(model))
text = model.export_to_lp_string()
with open("exported.lp", "w") as file:
    file.write(text)
again = model_builder.Model()
print("exported and imported:", again.import_from_lp_string(text), "|", solve(again))
highs = highspy.Highs()
highs.setOptionValue("output_flag", False)
highs.readModel("exported.lp")
highs.run()
print("exported, by HiGHS:", highs.getObjectiveValue())

text = "max: 3 x + 2 y;\nroom: x + y <= 4;\n"
with open("lp_solve.lp", "w") as file:
    file.write(text)
other = model_builder.Model()
print("file of lp_solve:", other.import_from_lp_string(text), "|", solve(other))
PY
venv/bin/python there-and-back.py 2> log.txt | grep --invert-match --regexp Running --regexp THIRD_PARTY > seen.txt
libraries=$(echo "$work"/unpacked/usr/lib/*-linux-gnu)
LD_LIBRARY_PATH=$libraries:$work/unpacked/usr/lib/lp_solve unpacked/usr/bin/lp_solve -S3 lp_solve.lp | grep 'objective function' >> seen.txt
cat seen.txt
diff seen.txt - <<'END'
made: 2 variables, OPTIMAL, 12.0
exported and imported: False | 0 variables, OPTIMAL, 0.0
exported, by HiGHS: 12.0
file of lp_solve: True | 2 variables, UNBOUNDED, <NA>
Value of objective function: 12.00000000
END
