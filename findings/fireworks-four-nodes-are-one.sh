#!/usr/bin/env bash
# Packages: FireWorks 2.1.4 (PyPI).
# Guess: the queue adapter writes a line for each field that it knows, and warns of those that it does not.
# Seen: a line of the template is left out as soon as one of its fields is missing. nnodes: 4 without ppnode writes no request of nodes for PBS, and nodes: 4 without ppn none for MOAB, though the fields are known and nothing is said. gpu-bind of Slurm is known too, but a name with a dash is never filled in, so its line never comes; gpu_bind is warned of.
# Why it matters: a job that asks for four nodes and leaves the processors to the queue runs on the queue's default, one node.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check FireWorks==2.1.4
venv/bin/python - > seen.txt <<'PY'
import warnings

from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter


def show(queue, fields):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        script = CommonAdapter(queue, rocket_launch="rlaunch singleshot", **fields).get_script_str(".")
    asked = [line for line in script.splitlines() if line.startswith(f"#{queue}") or line.startswith("#SBATCH")]
    asked = [line for line in asked if "FW_job" not in line]
    print(queue, fields, asked, "warned" if warned else "not warned", sep=" | ")


show("PBS", {"nnodes": 4, "walltime": "1:00:00"})
show("PBS", {"nnodes": 4, "ppnode": 1, "walltime": "1:00:00"})
show("MOAB", {"nodes": 4, "walltime": "1:00:00"})
show("SLURM", {"nodes": 4, "walltime": "1:00:00"})
show("SLURM", {"gpus": 4, "gpu-bind": "closest"})
show("SLURM", {"gpus": 4, "gpu_bind": "closest"})
PY
cat seen.txt
diff seen.txt - <<'END'
PBS | {'nnodes': 4, 'walltime': '1:00:00'} | ['#PBS -l walltime=1:00:00'] | not warned
PBS | {'nnodes': 4, 'ppnode': 1, 'walltime': '1:00:00'} | ['#PBS -l nodes=4:ppn=1', '#PBS -l walltime=1:00:00'] | not warned
MOAB | {'nodes': 4, 'walltime': '1:00:00'} | ['#MOAB -l walltime=1:00:00'] | not warned
SLURM | {'nodes': 4, 'walltime': '1:00:00'} | ['#SBATCH --nodes=4', '#SBATCH --time=1:00:00'] | not warned
SLURM | {'gpus': 4, 'gpu-bind': 'closest'} | ['#SBATCH --gpus=4'] | not warned
SLURM | {'gpus': 4, 'gpu_bind': 'closest'} | ['#SBATCH --gpus=4'] | warned
END
