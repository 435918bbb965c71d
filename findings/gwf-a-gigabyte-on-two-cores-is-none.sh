#!/usr/bin/env bash
# Packages: gwf 1.7.2, setuptools 79.0.1 (PyPI).
# Guess: gwf, whose memory is that of a whole target, divides it by the cores for Grid Engine, which counts by slot: 1g on 2 cores is 512m or 0.5g, and 6g on 4 cores is 1.5g.
# Seen: the number is divided and cut, and its unit kept: 1g on 2 cores, with gwf's own default of 1g, is h_vmem=0g, 6g on 4 cores is 1g each, and 16g on 3 cores is 15 GiB in all. The point counts as part of the unit: 1.5g on one core is 15.g. For Slurm all of them are handed on as they are.
# Why it matters: a workflow that runs with Slurm is moved to Grid Engine by one setting. There a target has no memory, two thirds of it, or ten times as much, and all are requests that look right in the workflow.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check gwf==1.7.2 setuptools==79.0.1
venv/bin/python -W ignore - > seen.txt <<'PY'
from types import SimpleNamespace

from gwf.backends.sge import SGEBackend
from gwf.backends.slurm import SlurmBackend
from gwf.workflow import Target


def memory(backend, cores, amount):
    made = object.__new__(backend)  # as it is, but without the state of a workflow in the current folder
    made.log_manager = SimpleNamespace(stdout_path=lambda target: "out", stderr_path=lambda target: "err")
    options = backend.option_defaults | {"cores": cores, "memory": amount}
    options = {name: value for name, value in options.items() if value is not None}
    script = made.compile_script(Target("t", [], [], options, working_dir=".", spec="true"))
    return next(line.split("=")[1] for line in script.splitlines() if "mem=" in line)


print("default for Grid Engine:", SGEBackend.option_defaults["memory"])
for cores, amount in [(1, "1g"), (2, "1g"), (4, "6g"), (3, "16g"), (8, "1000m"), (1, "1.5g")]:
    print(f"{amount} on {cores} cores: Slurm {memory(SlurmBackend, cores, amount)}, Grid Engine {memory(SGEBackend, cores, amount)} for each core")
PY
cat seen.txt
diff seen.txt - <<'END'
default for Grid Engine: 1g
1g on 1 cores: Slurm 1g, Grid Engine 1g for each core
1g on 2 cores: Slurm 1g, Grid Engine 0g for each core
6g on 4 cores: Slurm 6g, Grid Engine 1g for each core
16g on 3 cores: Slurm 16g, Grid Engine 5g for each core
1000m on 8 cores: Slurm 1000m, Grid Engine 125m for each core
1.5g on 1 cores: Slurm 1.5g, Grid Engine 15.g for each core
END
