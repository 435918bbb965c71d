#!/usr/bin/env bash
# Packages: evalys 4.0.7 with pandas 2.3.3 (PyPI).
# Guess: Workload.from_csv of a trace in the Standard Workload Format has as many jobs as the file has lines.
# Seen: the first job is always missing: its line is taken for a heading, which the format does not have. Jobs that were cancelled (status 5) are missing too.
# Why it matters: replays and statistics of a trace begin one job late, and the time of the first submission, from which the others are counted, is the second's.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check evalys==4.0.7 'pandas==2.3.3' 'matplotlib==3.11.2'
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pathlib
import warnings

warnings.filterwarnings("ignore")
import matplotlib

matplotlib.use("Agg")
from evalys.workload import Workload

rows = [(1, 0, 1), (2, 5, 1), (3, 6, 5), (4, 7, 0)]
lines = [f"{job} {submit} 0 10 4 -1 -1 4 20 -1 {status} 1 1 1 1 1 -1 -1" for job, submit, status in rows]
pathlib.Path("trace.swf").write_text("; Version: 2.2\n; MaxProcs: 8\n" + "\n".join(lines) + "\n")
seen = list(Workload.from_csv("trace.swf").df["jobID"])
print("jobs in the file: 1 2 3 4; read:", seen)
assert seen == [2, 4]
PY
