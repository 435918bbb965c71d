#!/usr/bin/env bash
# Packages: simple-slurm 0.3.6 (PyPI).
# Guess: a timedelta becomes Slurm's days-hours:minutes:seconds, rounded up to a second at most, and one that Slurm can not have is refused.
# Seen: whole years are taken off and written nowhere. 365 days are 0-00:00:00 and 400 days are 35. Parts of a second are cut off, so half a second is 0-00:00:00, too. A day less than nothing is 364 days.
# Why it matters: a time of zero is no limit for Slurm, or that of the partition. A service that asks for a year is asked for without end; one that asks for 400 days is ended after 35; a deadline that has passed, less the present, is a year.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check simple-slurm==0.3.6
venv/bin/python - > seen.txt <<'PY'
from datetime import timedelta

from simple_slurm import Slurm

for time in (timedelta(days=364), timedelta(days=365), timedelta(days=400), timedelta(seconds=0.5), timedelta(days=-1)):
    option = next(line for line in str(Slurm(time=time)).splitlines() if "--time" in line)
    print(time, "|", option.split()[-1])
PY
cat seen.txt
diff seen.txt - <<'END'
364 days, 0:00:00 | 364-00:00:00
365 days, 0:00:00 | 0-00:00:00
400 days, 0:00:00 | 35-00:00:00
0:00:00.500000 | 0-00:00:00
-1 day, 0:00:00 | 364-00:00:00
END
