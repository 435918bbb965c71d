#!/usr/bin/env bash
# Packages: durationpy 0.11 (PyPI; the Kubernetes client depends on it).
# Guess: from_str(to_str(duration)) is the duration, as with Go's own printer and parser.
# Seen: above a second, seconds are printed with six significant digits: 59.123456 s becomes "59.1235s", and 1 h 1.000001 s becomes "1h1s". A minute and five microseconds becomes "1m5e-06s", which is no Go duration and which from_str() refuses.
# Why it matters: waits and deadlines that are measured, not typed, come back as others, and now and then, by their last digits, they can not be read at all.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check durationpy==0.11
cd "$work"
"$work/venv/bin/python" - <<'PY'
from datetime import timedelta

import durationpy

seen = [
    durationpy.to_str(timedelta(seconds=59, microseconds=123456)),
    durationpy.to_str(timedelta(hours=1, seconds=1, microseconds=1)),
    durationpy.to_str(timedelta(minutes=1, microseconds=5)),
]
print(seen)
assert seen == ["59.1235s", "1h1s", "1m5e-06s"]
try:
    durationpy.from_str(seen[2])
except durationpy.DurationError as error:
    print(error)
else:
    raise SystemExit("it is read now")
PY
