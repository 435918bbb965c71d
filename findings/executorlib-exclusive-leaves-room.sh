#!/usr/bin/env bash
# Packages: executorlib 1.11.0 (PyPI), slurm-client 22.05.8-4+deb12u3 (Debian 12), for srun's manual.
# Guess: exclusive=True, documented as to "exclusively reserve the compute nodes", keeps other tasks off the nodes of the task; run_time_max=3600, in seconds, is srun's --time=60.
# Seen: exclusive=True is --exact. By its manual, a step of srun takes all resources of its nodes, and --exact is what makes it take no more than it asked for. run_time_max is its whole minutes and one more: 3600 is 61 minutes, 60 is two.
# Why it matters: the option that is to keep a benchmark alone on its node is the one that lets others in. An hour of work does not fit into a queue whose limit is an hour, or into what is left of an allocation.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check executorlib==1.11.0
apt-get download -qq slurm-client=22.05.8-4+deb12u3 2> /dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done
venv/bin/python - > seen.txt <<'PY'
import inspect

from executorlib.standalone.command import generate_slurm_command

for line in inspect.getdoc(generate_slurm_command).splitlines():
    if "exclusive (" in line or "run_time_max (" in line:
        print(line.strip())
for options in ({}, {"exclusive": True}, {"run_time_max": 3600}, {"run_time_max": 60}, {"run_time_max": 59}):
    print(options, *generate_slurm_command(cores=4, cwd=None, **options))
PY
zcat unpacked/usr/share/man/man1/srun.1.gz | grep -A 3 '^.fB.-.-exact.fR$' | tr -d '\\' >> seen.txt
cat seen.txt
diff seen.txt - <<'END'
exclusive (bool): Whether to exclusively reserve the compute nodes, or allow sharing compute notes. Defaults to False.
run_time_max (int): The maximum runtime in seconds for each task. Default: None
{} srun -n 4 --cpus-per-task=1
{'exclusive': True} srun -n 4 --cpus-per-task=1 --exact
{'run_time_max': 3600} srun -n 4 --cpus-per-task=1 --time=61
{'run_time_max': 60} srun -n 4 --cpus-per-task=1 --time=2
{'run_time_max': 59} srun -n 4 --cpus-per-task=1 --time=1
fB--exactfR
Allow a step access to only the resources requested for the step.
By default, all non-GRES resources on each node in the step allocation will be
used. This option only applies to step allocations.
END
