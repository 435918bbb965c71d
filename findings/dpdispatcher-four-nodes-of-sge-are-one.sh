#!/usr/bin/env bash
# Packages: dpdispatcher 1.1.0 (PyPI).
# Guess: 4 nodes of 16 cores and 2 GPUs are 64 cores and 8 GPUs under each batch system that it has, or are refused.
# Seen: they are so for Slurm, PBS and Torque. SGE is asked for 16 slots and no GPU, LSF for 64 slots and no GPU, unless an option of its own says so. No warning in either case.
# Why it matters: the same description of resources, sent to the next machine of the same file, runs on a quarter of the cores, or on nodes without a GPU, and computes as if nothing were missing.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dpdispatcher==1.1.0
mkdir run
venv/bin/python - > seen.txt <<'PY'
from dpdispatcher import Machine, Resources, Submission, Task

for batch in ("Slurm", "PBS", "Torque", "SGE", "LSF"):
    where = {"batch_type": batch, "context_type": "LazyLocalContext", "local_root": ".", "remote_root": "."}
    resources = Resources(number_node=4, cpu_per_node=16, gpu_per_node=2, queue_name="main", group_size=0)
    task = Task(command="true", task_work_path=".")
    submission = Submission("run", machine=Machine.load_from_dict(where), resources=resources, task_list=[task])
    submission.generate_jobs()
    header = submission.machine.gen_script_header(submission.belonging_jobs[0])
    numbers = [line for line in header.splitlines() if line.startswith("#") and any(digit.isdigit() for digit in line)]
    print(batch, *numbers, sep=" | ")
PY
cat seen.txt
diff seen.txt - <<'END'
Slurm | #SBATCH --nodes 4 | #SBATCH --ntasks-per-node 16 | #SBATCH --gres=gpu:2
PBS | #PBS -l select=4:ncpus=16:ngpus=2
Torque | #PBS -l nodes=4:ppn=16:gpus=2
SGE | #$ -pe mpi 16
LSF | #BSUB -n 64 | #BSUB -R 'span[ptile=16]'
END
