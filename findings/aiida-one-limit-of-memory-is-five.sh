#!/usr/bin/env bash
# Packages: aiida-core 2.9.4 (PyPI).
# Guess: max_memory_kb is one amount for one job, "the maximum amount of memory the job is allowed to allocate", and each of the schedulers that AiiDA comes with is asked for it, or refuses it.
# Seen: for 4 GiB on two nodes of four tasks, Torque is asked for 4 GiB for the job, PBS Pro for 4 GiB on each node, 8 in all, as Slurm is, LSF for a limit of each process, and Grid Engine for no memory at all, without a word. Less than a mebibyte is --mem=0 for Slurm, which is all memory of a node. On the way back, UNLIMITED of Slurm is a limit of 68 years.
# Why it matters: the computer is a setting in AiiDA, that calculations do not see. Moved to another one, the same calculation is ended for its memory, or shares a node with no limit.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiida-core==2.9.4
export AIIDA_PATH=$work
venv/bin/python -W ignore - 2> log.txt > seen.txt <<'PY'
import re

from aiida.schedulers.datastructures import JobTemplate
from aiida.schedulers.plugins.lsf import LsfScheduler
from aiida.schedulers.plugins.pbspro import PbsproScheduler
from aiida.schedulers.plugins.sge import SgeScheduler
from aiida.schedulers.plugins.slurm import SlurmScheduler
from aiida.schedulers.plugins.torque import TorqueScheduler

nodes = {"num_machines": 2, "num_mpiprocs_per_machine": 4}
slots = {"parallel_env": "smp", "tot_num_mpiprocs": 8}
for plugin, shape in [(TorqueScheduler, nodes), (PbsproScheduler, nodes), (SlurmScheduler, nodes), (LsfScheduler, slots), (SgeScheduler, slots)]:
    for kilobytes in (4 * 1024**2, 1000):
        job = JobTemplate()
        job.job_resource = plugin.create_job_resource(**shape)
        job.max_memory_kb = kilobytes
        lines = plugin()._get_submit_script_header(job).splitlines()
        print(plugin.__name__, kilobytes, [line for line in lines if re.search(r"mem|-M \d|h_vmem|h_data|h_rss", line)])
print("UNLIMITED:", round(SlurmScheduler()._convert_time("UNLIMITED") / 86400 / 365.25, 1), "years")
PY
cat seen.txt
diff seen.txt - <<'END'
TorqueScheduler 4194304 ['#PBS -l nodes=2:ppn=4,mem=4194304kb']
TorqueScheduler 1000 ['#PBS -l nodes=2:ppn=4,mem=1000kb']
PbsproScheduler 4194304 ['#PBS -l select=2:mpiprocs=4:mem=4194304kb']
PbsproScheduler 1000 ['#PBS -l select=2:mpiprocs=4:mem=1000kb']
SlurmScheduler 4194304 ['#SBATCH --mem=4096']
SlurmScheduler 1000 ['#SBATCH --mem=0']
LsfScheduler 4194304 ['#BSUB -M 4194304']
LsfScheduler 1000 ['#BSUB -M 1000']
SgeScheduler 4194304 []
SgeScheduler 1000 []
UNLIMITED: 68.0 years
END
