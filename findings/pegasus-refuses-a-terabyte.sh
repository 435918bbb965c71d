#!/usr/bin/env bash
# Packages: pegasus-wms.api 5.1.3 (PyPI).
# Guess: the memory and disk space of a job are given as a number with MB, GB, TB and up, and become MB.
# Seen: `1 TB` is refused, with a message that names TB among the units that may be used; `1 GB` is 1024 and `1 PB` is 1073741824. A terabyte has to be written as `1024 GB`.
# Why it matters: servers have terabytes of memory and disk; a workflow that scales its request by unit fails at this one step, and nowhere above or below it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pegasus-wms.api==5.1.3
cd "$work"
"$work/venv/bin/python" - <<'PY'
from Pegasus.api import Job

seen = {}
for amount in ("1 MB", "1 GB", "1 TB", "1024 GB", "1 PB"):
    job = Job("sort")
    try:
        job.add_pegasus_profile(memory=amount)
    except ValueError as error:
        seen[amount] = str(error)
    else:
        seen[amount] = job.profiles["pegasus"]["memory"]
    print(f"{amount}: {seen[amount]}")
refusal = seen.pop("1 TB")
assert "MB | GB | TB | PB" in refusal
assert seen == {"1 MB": 1, "1 GB": 2**10, "1024 GB": 2**20, "1 PB": 2**30}
PY
