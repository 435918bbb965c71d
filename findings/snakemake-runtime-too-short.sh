#!/usr/bin/env bash
# Packages: snakemake 9.27.1 (PyPI).
# Guess: a runtime of "90s" becomes two minutes, as memory is rounded up to whole megabytes.
# Seen: text is cut down to whole minutes ("90s" is 1, "119s" is 1), a number is rounded ("runtime=1.5" is 2), and memory is rounded up ("1500KB" is 2 MB). "1:30:00", as Slurm prints it, is refused.
# Why it matters: the limit that reaches the cluster is shorter than the time that the rule asked for, and the job is ended before it can be done.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
from snakemake.resources import Resources


def resource(name, value):
    return dict(Resources.from_mapping({name: value}).unwrapped_items())


seen = [resource("runtime", "90s"), resource("runtime", "119s"), resource("runtime", 1.5), resource("mem", "1500KB")]
print(seen)
assert seen == [{"runtime": 1}, {"runtime": 1}, {"runtime": 2}, {"mem_mb": 2}]
PY
