#!/usr/bin/env bash
# Packages: duckdb 2.0.1 (PyPI).
# Guess: casting 2.5 to an integer gives one answer, however the number is written.
# Seen: 2.5 is a DECIMAL and becomes 3; 2.5e0, a DOUBLE, becomes 2. Decimals round half away from zero, doubles half to even.
# Why it matters: rounding a demand to whole devices or megabytes depends on whether the column was read from text with a decimal point, from Parquet as double, or computed with one multiplication that turned it into a double.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import duckdb

seen = duckdb.sql("select 2.5::INTEGER, 2.5e0::INTEGER, 0.5::INTEGER, 0.5e0::INTEGER, 3.5::INTEGER, 3.5e0::INTEGER").fetchall()[0]
print("2.5, 2.5e0, 0.5, 0.5e0, 3.5, 3.5e0:", seen)
assert seen == (3, 2, 1, 0, 4, 4)
PY
