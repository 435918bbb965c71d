#!/usr/bin/env bash
# Packages: duckdb 2.0.1, pyarrow 26.0.1, pandas 3.1.1 (PyPI).
# Guess: one INTERVAL is the same duration by each way out of DuckDB.
# Seen: INTERVAL '1 month' is a timedelta of 30 days from fetchall() and df(), and a calendar month (MonthDayNano, DateOffset) through Arrow. Added to the first of February, one ends on the 3rd, the other on the 1st of March.
# Why it matters: a reservation or a limit of time that is stored as an interval ends on another day after the reader is changed from rows to Arrow.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1 pandas==3.1.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import duckdb
import pandas
import pyarrow

query = "select interval '1 month' as keep"
row = duckdb.sql(query).fetchall()[0][0]
frame = duckdb.sql(query).df()["keep"][0]
arrow = pyarrow.table(duckdb.sql(query)).to_pandas()["keep"][0]
start = pandas.Timestamp("2026-02-01")
seen = [str((start + step).date()) for step in (row, frame, arrow)]
print(repr(row), repr(frame), repr(arrow), seen)
assert seen == ["2026-03-03", "2026-03-03", "2026-03-01"]
PY
