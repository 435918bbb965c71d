#!/usr/bin/env bash
# Packages: skypilot 0.14.1 (PyPI).
# Guess: Resources.less_demanding_than, with which SkyPilot checks that a task fits on a cluster that runs, compares all that a task asks for.
# Seen: the number of CPUs, memory and the size of the disk are not compared: a task of 64 CPUs and 512 GB fits on a cluster of 2 CPUs and 4 GB. Accelerators are compared. A task that names a smaller type of instance does not fit on the larger one.
# Why it matters: a task that was written for a large cluster is started on a small one, and may end there for want of memory.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check skypilot==0.14.1
export HOME=$work SKYPILOT_DISABLE_USAGE_COLLECTION=1
venv/bin/python - <<'PY'
from sky import Resources, clouds

cloud = clouds.Kubernetes()
cluster = Resources(cloud=cloud, instance_type="2CPU--4GB")
with_gpus = Resources(cloud=cloud, instance_type="2CPU--4GB--A100:2")
seen = {
    "64 CPUs and 512 GB on 2 CPUs and 4 GB": Resources(cpus="64+", memory="512+").less_demanding_than(cluster),
    "a disk of 5,000 GB on one of the default size": Resources(disk_size=5000).less_demanding_than(cluster),
    "3 GPUs on 2": Resources(accelerators="A100:3").less_demanding_than(with_gpus),
    "1 GPU and 64 CPUs on 2 GPUs and 2 CPUs": Resources(accelerators="A100:1", cpus="64+").less_demanding_than(with_gpus),
    "the type with 1 CPU on the type with 2": Resources(cloud=cloud, instance_type="1CPU--2GB").less_demanding_than(cluster),
}
for case, fits in seen.items():
    print(case, "fits" if fits else "does not fit")
assert list(seen.values()) == [True, True, False, True, False]
PY
