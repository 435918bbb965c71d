#!/usr/bin/env bash
# Packages: apache-libcloud 3.9.1 (PyPI).
# Guess: the helpers with which the driver for Kubernetes reads and adds up cpu and memory take all quantities of Kubernetes, as its API hands them out, or refuse them.
# Seen: cpu with a point is 0: 0.5 and 1.5 are no cores. 500k, 2Ti and 128974848000m of memory, which Kubernetes writes too, are None, 0.5Gi is 0 and 1.5Gi an error. The sum of 0.5 and 1.5 cores is "0", that of 500m and 1500m is "2000m".
# Why it matters: a container that asks for 1.5 cores, as its author wrote it, is free of charge in the sums, and the node beside it looks idle.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check apache-libcloud==3.9.1
venv/bin/python - > seen.txt <<'PY'
from libcloud.container.drivers.kubernetes import sum_resources, to_n_bytes, to_n_cpus

for text in ("500m", "0.5", "1.5", "2"):
    print("cpu", text, to_n_cpus(text))
for text in ("1Gi", "500M", "500k", "2Ti", "128974848000m", "0.5Gi", "1.5Gi"):
    try:
        print("memory", text, to_n_bytes(text))
    except ValueError as error:
        print("memory", text, error)
for left, right in (("500m", "1500m"), ("0.5", "1.5")):
    print(left, "+", right, sum_resources({"cpu": left}, {"cpu": right})["cpu"])
PY
cat seen.txt
diff seen.txt - <<'END'
cpu 500m 0.5
cpu 0.5 0
cpu 1.5 0
cpu 2 2
memory 1Gi 1073741824
memory 500M 500000000
memory 500k None
memory 2Ti None
memory 128974848000m None
memory 0.5Gi 0
memory 1.5Gi invalid literal for int() with base 10: '1.5'
500m + 1500m 2000m
0.5 + 1.5 0
END
