#!/usr/bin/env bash
# Packages: pysqa 1.1.1 (PyPI), beside stand-ins for sbatch, bsub and qsub that take a script and name a job.
# Guess: memory_max and run_time_max of QueueAdapter.submit_job have one unit, whatever the queue; 3,600 and 8 are an hour and 8 GB everywhere.
# Seen: Slurm is asked for 60 minutes and 8G, Torque for 3,600 seconds and 8GB, but LSF for `-W 3600`, which bsub(1) reads as minutes, 60 hours, and for `-M 8`, which are kilobytes unless the cluster says otherwise. For Slurm seconds are cut to whole minutes: who asks for 119 gets 60.
# Why it matters: the package is there so that one call serves every queue. The same call waits days in LSF's queue and dies of 8 kB when it starts, and a job that needs 100 of its 119 seconds is ended by Slurm.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pysqa==1.1.1
mkdir "$work/bin"
cd "$work"
printf '#!/bin/sh\necho 7\n' | tee bin/sbatch > bin/qsub
printf '#!/bin/sh\necho "Job <7> is submitted to queue <normal>."\n' > bin/bsub
chmod +x bin/*
PATH="$work/bin:$PATH" "$work/venv/bin/python" - <<'PY'
from pathlib import Path

from pysqa import QueueAdapter


def asked(queue, seconds):
    folder = Path(f"{queue}-{seconds}")
    folder.mkdir()
    adapter = QueueAdapter(queue_type=queue)
    adapter.submit_job(
        job_name="render", working_directory=str(folder), cores=4, memory_max=8, run_time_max=seconds, command="true"
    )
    words = (folder / "run_queue.sh").read_text().splitlines()
    found = [line.split(" ", 1)[1] for line in words if any(word in line for word in ("time=", "-W ", "mem", "-M "))]
    print(queue, seconds, found)
    return found


assert asked("SLURM", 3600) == ["--time=60", "--mem=8G"]
assert sorted(asked("TORQUE", 3600)) == ["-l mem=8GB", "-l walltime=3600"]
assert asked("LSF", 3600) == ["-W 3600", "-M 8"]
assert asked("SLURM", 119) == ["--time=1", "--mem=8G"]
PY
