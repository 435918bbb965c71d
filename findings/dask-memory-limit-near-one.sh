#!/usr/bin/env bash
# Packages: distributed 2026.8.0 (PyPI).
# Guess: a memory limit without a unit is either always a fraction of the machine or always bytes, and an integer is bytes.
# Seen: 0.5 is half of the machine and 1 is all of it, though it is an integer; from there on a number is bytes: 1.5 is one byte, 2 is two bytes. "1" and "1.5", as a command line gives them, do the same.
# Why it matters: a limit that is computed (a share of a node, an overcommitment of 1.5) turns from the whole machine into one byte as it passes 1.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0 dask==2026.8.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import logging

from distributed.system import MEMORY_LIMIT
from distributed.worker_memory import parse_memory_limit

quiet = logging.getLogger("quiet")
seen = {}
for limit in (0.5, 1, 1.0, "1", 1.5, "1.5", 2):
    seen[repr(limit)] = parse_memory_limit(limit, 1, 1, logger=quiet)
print("machine:", MEMORY_LIMIT, seen)
assert seen["0.5"] == MEMORY_LIMIT // 2
assert seen["1"] == seen["1.0"] == seen["'1'"] == MEMORY_LIMIT
assert seen["1.5"] == seen["'1.5'"] == 1
assert seen["2"] == 2
PY
