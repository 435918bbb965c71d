#!/usr/bin/env bash
# Packages: pandas 3.1.1, polars 2.1.0 (PyPI).
# Guess: a column of whole numbers in JSON is one of whole numbers; at most a column called date would be another.
# Seen: pandas.read_json makes dates of numbers in columns whose names end in _time or _at, or begin with timestamp, as soon as all of them are above 31,536,000. A wait_time of 40,000,000 ms, eleven hours, is the 8th of April 1971; with a job of five seconds beside it, it stays a number. The unit is guessed from the size: 40,000,000,000 and 40,000,000,000,000 are the same date. polars keeps the numbers; so does pandas with dtype=False.
# Why it matters: traces of clusters have wait_time, run_time and cpu_time in milliseconds or microseconds. A filter for long jobs has a column of another type than the whole table had, and three lengths that differ by a factor of a million are equal.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 polars==2.1.0
cd "$work"
"$work/venv/bin/python" - > seen.txt <<'PY'
import json
from pathlib import Path

import pandas
import polars

tables = [
    ("wait_time", [31_536_000]),
    ("wait_time", [31_536_001]),
    ("wait_time", [40_000_000]),
    ("wait_time", [40_000_000, 5_000]),
    ("wait_time", [40_000_000_000]),
    ("wait_time", [40_000_000_000_000]),
    ("submitted_at", [40_000_000]),
    ("wait", [40_000_000]),
]
for name, numbers in tables:
    Path("rows.json").write_text(json.dumps([{name: number} for number in numbers]))
    print(name, numbers, "->", *pandas.read_json("rows.json")[name])
    assert pandas.read_json("rows.json", dtype=False)[name].tolist() == numbers
    assert polars.read_json("rows.json")[name].to_list() == numbers
PY
cat seen.txt
diff seen.txt - <<'END'
wait_time [31536000] -> 31536000
wait_time [31536001] -> 1971-01-01 00:00:01
wait_time [40000000] -> 1971-04-08 23:06:40
wait_time [40000000, 5000] -> 40000000 5000
wait_time [40000000000] -> 1971-04-08 23:06:40
wait_time [40000000000000] -> 1971-04-08 23:06:40
submitted_at [40000000] -> 1971-04-08 23:06:40
wait [40000000] -> 40000000
END
