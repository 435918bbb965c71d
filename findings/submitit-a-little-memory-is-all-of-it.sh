#!/usr/bin/env bash
# Packages: submitit 1.5.4 (PyPI).
# Guess: mem_gb is rounded up, or to the nearest megabyte, and never to nothing.
# Seen: mem_gb is cut to whole MB. 1.3 is 1331MB, though 1.3 x 1024 is 1331.2, and 0.0009, about 940 kB, is `--mem=0MB`, which asks for all the memory of the node: sbatch(1) says so of zero.
# Why it matters: a request that was worked out from a small input becomes a whole server, and nobody is warned; in a file of jobs that was written by submitit, 0MB means the opposite of little.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check submitit==1.5.4
cd "$work"
mkdir bin
# A stand-in for sbatch that keeps the script that it is given.
printf '#!/bin/sh\ncp "$1" "%s/seen.sh"\necho Submitted batch job 7\n' "$work" > bin/sbatch
printf '#!/bin/sh\nexit 0\n' > bin/srun
chmod +x bin/sbatch bin/srun
PATH="$work/bin:$PATH" "$work/venv/bin/python" - <<'PY'
from pathlib import Path

import submitit

seen = {}
for gigabytes in (2, 1.3, 0.5, 0.0009):
    automatic = submitit.AutoExecutor(folder="logs", cluster="slurm")
    automatic.update_parameters(mem_gb=gigabytes)
    automatic.submit(print)
    (line,) = [line for line in Path("seen.sh").read_text().splitlines() if line.startswith("#SBATCH --mem=")]
    seen[gigabytes] = line.removeprefix("#SBATCH --mem=")
print(seen)
assert seen == {2: "2GB", 1.3: "1331MB", 0.5: "512MB", 0.0009: "0MB"}
PY
