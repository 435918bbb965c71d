#!/usr/bin/env bash
# Packages: ray 2.60.0 with its extras train and tune (PyPI).
# Guess: {"cpu": 4} is four CPUs in Ray Train as it is in Ray Tune, or is refused. A worker that is given a GPU has a CPU, as one without has. {"GPU": 0} is none.
# Seen: for Tune "cpu" is CPU. For Train it is a resource of that name, which no node has, and the worker has no CPU. use_gpu=True leaves the CPU out: each worker has a GPU and no CPU, unless it is asked for. {"GPU": 0} beside use_gpu=True is one GPU.
# Why it matters: a job whose demand was moved from Tune to Train waits for ever for "cpu". Workers with GPUs take no CPU from the node, which runs as many others beside them as it has.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'ray[train,tune]==2.60.0'
cd "$work"
cat > ask.py <<'PY'
from ray.train import ScalingConfig
from ray.tune import with_resources


def train(**options):
    return ScalingConfig(num_workers=1, **options).as_placement_group_factory().bundles


def tune(resources):
    return with_resources(lambda config: None, resources)._resources.bundles


print("tune, cpu 4:", tune({"cpu": 4}))
print("train, cpu 4:", train(resources_per_worker={"cpu": 4}))
print("train, CPU 4:", train(resources_per_worker={"CPU": 4}))
print("train:", train())
print("train, use_gpu:", train(use_gpu=True))
print("train, use_gpu, GPU 0:", train(use_gpu=True, resources_per_worker={"GPU": 0}))
print("train, use_gpu, CPU 1:", train(use_gpu=True, resources_per_worker={"CPU": 1}))
PY
venv/bin/python ask.py > seen.txt 2> log.txt || { cat log.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
tune, cpu 4: [{'CPU': 4.0}]
train, cpu 4: [{'cpu': 4.0}]
train, CPU 4: [{'CPU': 4.0}]
train: [{'CPU': 1.0}]
train, use_gpu: [{'GPU': 1.0}]
train, use_gpu, GPU 0: [{'GPU': 1.0}]
train, use_gpu, CPU 1: [{'CPU': 1.0, 'GPU': 1.0}]
END
