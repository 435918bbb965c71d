#!/usr/bin/env bash
# Packages: libensemble 1.6.1 (PyPI).
# Guess: inside a job of LSF all hosts of the job are nodes for the workers, whatever they are called.
# Seen: every host with "batch" in its name is left out, from LSB_HOSTS and from LSB_MCPU_HOSTS. Where all are called so, the list is empty, and the machine that runs the program is taken for the only node. The same names from Slurm are all nodes.
# Why it matters: the job pays for two nodes and runs all workers on one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check libensemble==1.6.1
cd "$work"
cat > nodes.py <<'PY'
import os
import socket

from libensemble.resources.env_resources import EnvResources
from libensemble.resources.resources import GlobalResources

for name in list(os.environ):
    if name.startswith(("SLURM_", "LSB_", "PBS_")):
        del os.environ[name]


def nodes(variable, text):
    os.environ[variable] = text
    found = GlobalResources.get_global_nodelist(rundir=os.getcwd(), env_resources=EnvResources())
    del os.environ[variable]
    return ["this machine" if node == socket.gethostname() else node for node in found]


for variable, text in (
    ("LSB_HOSTS", "node01 node01 node02 node02"),
    ("LSB_HOSTS", "node01 node01 gpubatch02 gpubatch02"),
    ("LSB_MCPU_HOSTS", "gpubatch01 4 node02 4"),
    ("LSB_HOSTS", "batch01 batch01 batch02 batch02"),
    ("SLURM_NODELIST", "batch[01-02]"),
):
    print(f"{variable}={text}:", *nodes(variable, text))
PY
venv/bin/python nodes.py | tee seen.txt
diff seen.txt - <<'END'
LSB_HOSTS=node01 node01 node02 node02: node01 node02
LSB_HOSTS=node01 node01 gpubatch02 gpubatch02: node01
LSB_MCPU_HOSTS=gpubatch01 4 node02 4: node02
LSB_HOSTS=batch01 batch01 batch02 batch02: this machine
SLURM_NODELIST=batch[01-02]: batch01 batch02
END
