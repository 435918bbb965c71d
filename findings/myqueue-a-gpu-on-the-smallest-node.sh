#!/usr/bin/env bash
# Packages: myqueue 26.8.1 (PyPI).
# Guess: a task for two GPUs goes to nodes that have GPUs, or is refused; what a task asks for is the same for Slurm, PBS and LSF.
# Seen: a kind of node is chosen if its cores divide those of the task. If none does, it is the kind with the fewest cores, whether it has GPUs or not, and also one that is marked special, to be used on request only. So 28 cores and 2 GPUs for Slurm are 7 nodes of the test partition with 2 GPUs on each. PBS and LSF are never told of GPUs. One process on 24 cores is one core for PBS. 48 cores on nodes of 24 must be on one host for LSF, and 90 seconds are one minute there.
# Why it matters: half of a GPU node is the usual request. It waits for a partition that has no GPUs; for PBS it starts without any, and a program of 24 threads shares one core.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check myqueue==26.8.1
mkdir .myqueue
venv/bin/python -W ignore - > seen.txt <<'PY'
import contextlib
import io
import re
from pathlib import Path

from myqueue.config import Configuration
from myqueue.schedulers import get_scheduler
from myqueue.task import create_task

nodes = [
    ("cpu", {"cores": 24, "memory": "96GB"}),
    ("gpu", {"cores": 56, "memory": "512GB", "gpus": 4}),
    ("test", {"cores": 4, "memory": "8GB", "special": True}),
]
shown = r"--(?:time|ntasks|cpus-per-task|nodes|partition|gpus-per-node)=[^ ]+|walltime=[0-9:]+|nodes=\d+:ppn=\d+|-[nW] +[0-9:]+|model == \w+|span[^ ]+"

for resources in ("56:4G:1h", "28:2G:1h", "24:1:1h", "48:90s"):
    for system in ("slurm", "pbs", "lsf"):
        scheduler = get_scheduler(Configuration(system, nodes=nodes, home=Path.cwd()))
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            scheduler.submit(create_task("train.py", resources=resources), dry_run=True, verbose=True)
        command = text.getvalue().split("#!/bin/bash")[0].replace("\\\n", " ")
        print(resources, system, "|", *(" ".join(part.split()) for part in re.findall(shown, command)))
PY
cat seen.txt
diff seen.txt - <<'END'
56:4G:1h slurm | --time=60 --ntasks=56 --cpus-per-task=1 --nodes=1 --partition=gpu --gpus-per-node=4
56:4G:1h pbs | walltime=1:00:00 nodes=1:ppn=56
56:4G:1h lsf | -W 01:00 -n 56 model == gpu span[hosts=1]
28:2G:1h slurm | --time=60 --ntasks=28 --cpus-per-task=1 --nodes=7 --partition=test --gpus-per-node=2
28:2G:1h pbs | walltime=1:00:00 nodes=7:ppn=4
28:2G:1h lsf | -W 01:00 -n 28 model == test span[hosts=1]
24:1:1h slurm | --time=60 --ntasks=1 --cpus-per-task=24 --nodes=1 --partition=cpu
24:1:1h pbs | walltime=1:00:00 nodes=1:ppn=1
24:1:1h lsf | -W 01:00 -n 24 model == cpu span[hosts=1]
48:90s slurm | --time=2 --ntasks=48 --cpus-per-task=1 --nodes=2 --partition=cpu
48:90s pbs | walltime=0:01:30 nodes=2:ppn=24
48:90s lsf | -W 00:01 -n 48 model == cpu span[hosts=1]
END
