#!/usr/bin/env bash
# Packages: psij-python 0.9.11 (PyPI).
# Guess: one portable ResourceSpecV1 asks for the same cores, devices and time of every batch system, or is refused where a system has no word for a part of it.
# Seen: for 2 processes of 8 cores and one GPU each, the script for Slurm asks for 16 cores and 2 GPUs. That for PBS Pro asks for 2 cores and no GPU, those for LSF and for PBS classic for 2 slots and the GPUs. Half a minute is 0:0:30 for Slurm and PBS Pro, and 0:0 for LSF; for Cobalt every time limit is the empty text.
# Why it matters: the job runs on an eighth of the cores that it asked for, or waits for a GPU that it was not given; only the script in the work directory shows it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check psij-python==0.9.11
cd "$work"
HOME="$work" "$work/venv/bin/python" - <<'PY'
import io
from datetime import timedelta

from psij import Job, JobAttributes, JobExecutor, JobSpec, ResourceSpecV1


def script(system):
    executor = JobExecutor.get_instance(system)
    resources = ResourceSpecV1(process_count=2, cpu_cores_per_process=8, gpu_cores_per_process=1)
    attributes = JobAttributes(duration=timedelta(seconds=30))
    job = Job(JobSpec("/bin/true", attributes=attributes, resources=resources, launcher="single"))
    job.executor = executor
    text = io.StringIO()
    executor.generate_submit_script(job, executor._create_script_context(job), text)
    return {line for line in text.getvalue().splitlines() if line.startswith("#")}


for system, there, absent in [
    ("slurm", {"#SBATCH --ntasks=2", "#SBATCH --cpus-per-task=8", "#SBATCH --gpus-per-task=1", "#SBATCH --time=0:0:30"}, "?"),
    ("pbs", {"#PBS -l select=1:ncpus=2:mpiprocs=2", "#PBS -l walltime=0:0:30"}, "gpu"),
    ("pbs_classic", {"#PBS -l nodes=1:ppn=2:gpus=1"}, "8"),
    ("lsf", {"#BSUB -n 2", "#BSUB -gpu num=1/task", "#BSUB -W 0:0"}, "8"),
    ("cobalt", {"#COBALT --time=''"}, "gpu"),
]:
    found = script(system)
    print(system, *sorted(there), sep="\n  ")
    assert there <= found, sorted(found)
    assert not any(absent in line for line in found if "!" not in line), sorted(found)
PY
