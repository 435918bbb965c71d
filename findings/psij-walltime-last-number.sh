#!/usr/bin/env bash
# Packages: psij-python 0.9.11 (PyPI).
# Guess: JobAttributes.parse_walltime reads "1h30m" and "1d12h", as its documented units (y, M, d, h, m, s) suggest, and refuses "1.5h", a whole number being asked for.
# Seen: it searches the text for one whole number with h, m or s behind it, and takes the first such pair wherever it stands. "1h30m" is one hour, "1d12h" is twelve hours, "1.5h" is five hours. A day alone, "2d", is refused.
# Why it matters: a job of 36 hours is ended after 12, and a job of an hour and a half is planned as one of five, without a word.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check psij-python==0.9.11
cd "$work"
"$work/venv/bin/python" - <<'PY'
from psij import JobAttributes

asked = ("90", "1:30", "2 h", "36h", "1h30m", "1d12h", "1.5h")
seen = {text: JobAttributes.parse_walltime(text).total_seconds() / 3600 for text in asked}
print(seen)
assert seen == {"90": 1.5, "1:30": 1.5, "2 h": 2, "36h": 36, "1h30m": 1, "1d12h": 12, "1.5h": 5}
try:
    JobAttributes.parse_walltime("2d")
except ValueError as error:
    print("2d:", error)
else:
    raise SystemExit("days are read now")
PY
