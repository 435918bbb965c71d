#!/usr/bin/env bash
# Packages: clusterjob 1.1.3 (PyPI).
# Guess: one job of 90 minutes and 1024 MB is the same job for each of its backends, as the library has one name for each option and its own time_to_seconds reads "90" as 5400.
# Seen: time and mem are handed on as they are. 90 is minutes for Slurm and seconds for PBS and Grid Engine; mem is megabytes for Slurm, 1024m for PBS, and for Grid Engine, where a number without a unit is bytes, a kilobyte. 2 nodes with 4 threads are left out there, without a word.
# Why it matters: changing the name of the backend, which is all that should be needed, gives a job of a minute and a half that is ended for its memory before it starts.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check clusterjob==1.1.3
venv/bin/python -W ignore - > seen.txt <<'PY'
from clusterjob.backends import pbs, sge, slurm
from clusterjob.utils import time_to_seconds

job = {"time": "90", "nodes": 2, "threads": 4, "mem": 1024}
print("seconds by its own reader:", time_to_seconds(job["time"]))
for module in (slurm, pbs, sge):
    print(module.backend["name"], sorted(module.backend["translate_options"](job)))
PY
cat seen.txt
diff seen.txt - <<'END'
seconds by its own reader: 5400
slurm ['--cpus-per-task=4', '--mem=1024', '--nodes=2', '--time=90']
pbs ['-l mem=1024m', '-l nodes=2:ppn=4', '-l walltime=90']
sge ['-l h_rt=90', '-l h_vmem=1024']
END
