#!/usr/bin/env bash
# Packages: pandas 3.1.1 (PyPI).
# Guess: Timedelta("1-02:03:04"), a day and two hours as Slurm's squeue and sacct print it, is read as that, or refused.
# Seen: it is minus 102 hours: the digits before and after the dash are joined and the dash makes the whole negative. "02:03:04" is read rightly, and "02:03" (Slurm: two minutes and three seconds) is refused.
# Why it matters: a table of running jobs looks right until the first job runs longer than a day, and then its elapsed time is negative.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pandas

seen = pandas.Timedelta("1-02:03:04")
print(repr(seen), "=", seen.total_seconds() / 3600, "hours; meant: 26.05")
assert seen == -pandas.Timedelta(hours=102, minutes=3, seconds=4)
assert pandas.Timedelta("02:03:04") == pandas.Timedelta(hours=2, minutes=3, seconds=4)
try:
    pandas.Timedelta("02:03")
except ValueError as error:
    print("02:03:", error)
else:
    raise SystemExit("02:03 is read now")
PY
