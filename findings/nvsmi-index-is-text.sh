#!/usr/bin/env bash
# Packages: nvsmi 0.4.2 (PyPI), beside a stand-in for nvidia-smi that prints lines of its CSV format.
# Guess: get_available_gpus(include_ids=[0]) gives GPU 0 when it is free; a GPU with a utilization of [N/A], which nvidia-smi prints where it can not tell (MIG), is available or an error.
# Seen: the index stays text, so include_ids=[0] finds nothing and ["0"] does. [N/A] becomes NaN, and a device whose load is NaN is never available, since no comparison with NaN is true.
# Why it matters: a share-of-a-device scheduler sees no free device, without an error, exactly on the machines that are split by MIG.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check nvsmi==0.4.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import pathlib

import nvsmi

lines = [
    "0, GPU-a, 0, 40960, 0, 40960, 535.1, NVIDIA A100, 1, Disabled, Disabled, 30",
    "1, GPU-b, [N/A], 40960, 0, 40960, 535.1, NVIDIA A100, 2, Disabled, Disabled, 30",
]
program = pathlib.Path("bin/nvidia-smi")
program.parent.mkdir()
program.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
program.chmod(0o755)
os.environ["PATH"] = f"{program.parent.resolve()}:{os.environ['PATH']}"


def free(**options):
    return [gpu.id for gpu in nvsmi.get_available_gpus(**options)]


print("all:", [(gpu.id, gpu.gpu_util) for gpu in nvsmi.get_gpus()], "free:", free(), "[0]:", free(include_ids=[0]), "['0']:", free(include_ids=["0"]))
assert free() == ["0"]
assert free(include_ids=[0]) == [] and free(include_ids=["0"]) == ["0"]
PY
