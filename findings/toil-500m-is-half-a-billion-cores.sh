#!/usr/bin/env bash
# Packages: toil 9.6.0 (PyPI).
# Guess: Job(cores="500m") asks for half a core, as in Kubernetes, on which Toil runs, or is refused; accelerators="1.5" is refused.
# Seen: cores are parsed with the units of memory, and m is mega: it asks for 500,000,000 cores. accelerators="1.5" is one GPU of the model "1.5", while "2" is two GPUs.
# Why it matters: such a job fits on no machine, and the reason (more cores than there are) points away from the unit.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check toil==9.6.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import logging

from toil.job import Job, parse_accelerator

logging.disable(logging.CRITICAL)
seen = {text: Job(cores=text).description.requirements["cores"] for text in ("2", "500m", "4G")}
print(seen, parse_accelerator("2"), parse_accelerator("1.5"))
assert seen == {"2": 2, "500m": 500_000_000, "4G": 4_000_000_000}
assert parse_accelerator("2") == {"count": 2, "kind": "gpu"}
assert parse_accelerator("1.5") == {"count": 1, "kind": "gpu", "model": "1.5"}
PY
