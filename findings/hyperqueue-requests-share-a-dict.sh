#!/usr/bin/env bash
# Packages: hyperqueue 0.27.0 (PyPI).
# Guess: ResourceRequest(cpus=1, resources=shared) leaves the dict "shared" as it is.
# Seen: it keeps the caller's dict and writes "cpus" into it. Two requests made from one dict of extra resources both have the cpus of the one that was made last.
# Why it matters: tasks of 1 and of 16 cpus that share {"gpus": 1} all ask for 16, and wait for nodes that they do not need.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hyperqueue==0.27.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
from hyperqueue.ffi.protocol import ResourceRequest

shared = {"gpus": 1}
small = ResourceRequest(cpus=1, resources=shared)
large = ResourceRequest(cpus=16, resources=shared)
print("small:", small, "| large:", large, "| the dict:", shared)
assert small.resources == {"gpus": 1, "cpus": 16}
assert shared == {"gpus": 1, "cpus": 16}
PY
