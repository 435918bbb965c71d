#!/usr/bin/env bash
# Packages: nvitop 1.7.2, numpy 2.4.6 (PyPI).
# Guess: NA, which its API gives for what a GPU does not report, is like NaN or None: no comparison with a number holds, or it raises.
# Seen: NA is more than any number, infinity too. Free memory of NA is at least 40 GiB, and a temperature of NA is above 90; sorted by what is free, the device that reports nothing is the best. int(NA) and round(NA) are 0, float(NA), the sum and numpy's array are NaN.
# Why it matters: on hardware that shares its memory with the host, or in a slice of a GPU, values are not reported. A filter for enough free memory takes such a device, one that reads int() of the same value never does.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nvitop==1.7.2 numpy==2.4.6
venv/bin/python - > seen.txt <<'PY'
import math

import numpy
from nvitop import NA

GIB = 2**30
free = {"gpu-0": 8 * GIB, "gpu-1": NA, "gpu-2": 48 * GIB}
print("at least 40 GiB are free:", [name for name, amount in free.items() if amount >= 40 * GIB])
print("the same of whole numbers:", [name for name, amount in free.items() if int(amount) >= 40 * GIB])
print("most free first:", sorted(free, key=free.get, reverse=True))
print("NA > 90:", NA > 90, "NA < 90:", NA < 90, "NA > inf:", NA > math.inf)
print("int:", int(NA), "round:", round(NA), "float:", float(NA), "NA + 1:", NA + 1)
print("numpy:", numpy.array([NA, 90], dtype=float) > 80)
PY
cat seen.txt
diff seen.txt - <<'END'
at least 40 GiB are free: ['gpu-1', 'gpu-2']
the same of whole numbers: ['gpu-2']
most free first: ['gpu-1', 'gpu-2', 'gpu-0']
NA > 90: True NA < 90: False NA > inf: True
int: 0 round: 0 float: nan NA + 1: nan
numpy: [False  True]
END
