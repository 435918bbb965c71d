#!/usr/bin/env bash
# Packages: ReFrame-HPC 4.10.4 (PyPI).
# Guess: 10 tasks, 4 on a node, are 3 nodes.
# Seen: they are 2 nodes, in which 8 tasks have room: the number of nodes is rounded down, for PBS, Torque, LSF and OAR alike. Slurm is asked for 10 tasks, and counts the nodes itself. 2 tasks, 4 on a node, are 0 nodes. A time limit of 90m45s is 90 minutes for LSF, and one of 30s is 0; the others have the seconds.
# Why it matters: a test that runs with 10 tasks under Slurm has room for 8 on the next system, or asks it for no node at all, and what is measured there is compared with what 10 tasks did.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ReFrame-HPC==4.10.4
venv/bin/python - > seen.txt <<'PY'
import reframe.core.config
import reframe.core.runtime

config = reframe.core.config.load_config("<builtin>")
config.select_subconfig("generic:default")
reframe.core.runtime.init_runtime(config)

from reframe.core.backends import getlauncher, getscheduler
from reframe.core.schedulers import Job

words = ("--ntasks=", "--time", "-l ", "-nnodes", "-W ")
for tasks, limit in ((10, "90m45s"), (2, "30s")):
    for name in ("slurm", "pbs", "torque", "lsf", "oar"):
        scheduler = getscheduler(name)(part_name="default")
        job = Job.create(scheduler, getlauncher("local")(), name="probe")
        job.num_tasks, job.num_tasks_per_node, job.time_limit = tasks, 4, limit
        asked = [line.split(" ", 1)[1] for line in scheduler.emit_preamble(job) if any(word in line for word in words)]
        print(tasks, "tasks, 4 on a node,", limit, "for", name, asked)
PY
cat seen.txt
diff seen.txt - <<'END'
10 tasks, 4 on a node, 90m45s for slurm ['--ntasks=10', '--time=1:30:45']
10 tasks, 4 on a node, 90m45s for pbs ['-l walltime=1:30:45', '-l select=2:mpiprocs=4:ncpus=4']
10 tasks, 4 on a node, 90m45s for torque ['-l walltime=1:30:45', '-l nodes=2:ppn=4']
10 tasks, 4 on a node, 90m45s for lsf ['-nnodes 2', '-W 90']
10 tasks, 4 on a node, 90m45s for oar ['-l /host=2/core=4,walltime=1:30:45']
2 tasks, 4 on a node, 30s for slurm ['--ntasks=2', '--time=0:0:30']
2 tasks, 4 on a node, 30s for pbs ['-l walltime=0:0:30', '-l select=0:mpiprocs=4:ncpus=4']
2 tasks, 4 on a node, 30s for torque ['-l walltime=0:0:30', '-l nodes=0:ppn=4']
2 tasks, 4 on a node, 30s for lsf ['-nnodes 0', '-W 0']
2 tasks, 4 on a node, 30s for oar ['-l /host=0/core=4,walltime=0:0:30']
END
