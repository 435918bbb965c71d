#!/usr/bin/env bash
# Packages: parsl 2026.10.26 (PyPI).
# Guess: SlurmProvider(walltime="00:00:30") asks for half a minute, or for one whole minute, or refuses.
# Seen: seconds are cut off, so it asks for --time=0, and for Slurm a time limit of zero means no limit at all. "00:59:59" asks for 59 minutes, one less than the job may need. A value with days ("1-00:00:00", Slurm's own form) is a ValueError about an integer.
# Why it matters: the shortest block becomes one that is never ended, and a scheduler that plans by time limits can not plan around it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check parsl==2026.10.26
cd "$work"
"$work/venv/bin/python" - <<'PY'
from parsl.launchers import SimpleLauncher
from parsl.providers import SlurmProvider
from parsl.utils import wtime_to_minutes
from string import Template
from parsl.providers.slurm.template import template_string

seen = {text: wtime_to_minutes(text) for text in ("00:00:30", "00:59:59", "01:30:00")}
print(seen)
assert seen == {"00:00:30": 0, "00:59:59": 59, "01:30:00": 90}
provider = SlurmProvider("main", walltime="00:00:30", launcher=SimpleLauncher())
header = Template(template_string).safe_substitute(walltime=wtime_to_minutes(provider.walltime))
line = next(line for line in header.splitlines() if "--time" in line)
print(line)
assert line == "#SBATCH --time=0"
try:
    wtime_to_minutes("1-00:00:00")
except ValueError as error:
    print("days:", error)
else:
    raise SystemExit("days are read now")
PY
