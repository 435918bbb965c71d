#!/usr/bin/env bash
# Packages: parsl 2026.10.26 (PyPI).
# Guess: an executor whose workers need 8 cores each, on nodes that are said to have 4, is refused when it is made; so is one whose workers need more memory than there is.
# Seen: it is made, with 0 workers per node.
# Why it matters: a configuration that was moved to smaller nodes is taken as it stands, and the mistake shows only where tasks do not run.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check parsl==2026.10.26
cd "$work"
"$work/venv/bin/python" - <<'PY'
from parsl import HighThroughputExecutor
from parsl.launchers import SimpleLauncher
from parsl.providers import SlurmProvider


def workers(cores, memory=None):
    provider = SlurmProvider("main", cores_per_node=4, mem_per_node=8, launcher=SimpleLauncher())
    return HighThroughputExecutor(cores_per_worker=cores, mem_per_worker=memory, encrypted=False, provider=provider).workers_per_node


seen = [workers(2), workers(8), workers(1, memory=3), workers(1, memory=16)]
print("workers on a node of 4 cores and 8 GB:", seen)
assert seen == [2, 0, 2, 0]
PY
