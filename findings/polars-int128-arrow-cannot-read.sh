#!/usr/bin/env bash
# Packages: polars 2.1.0, pyarrow 26.0.1, duckdb 2.0.1 (PyPI).
# Guess: what polars reads from a CSV by itself can be handed to any reader of the Arrow C stream.
# Seen: a column with a number from 2**63 on becomes Int128, and so does UInt64 minus Int64. The stream then says "_pli128", a format of polars' own: pyarrow and DuckDB raise ArrowInvalid for the whole table.
# Why it matters: one "unlimited" (2**64 - 1) in one row of a dump of nodes makes the table unreadable for every other library, and none of the user's code asked for 128 bits.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1 duckdb==2.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import duckdb
import polars
import pyarrow

frame = polars.read_csv(b"node,memory\na,68719476736\nb,18446744073709551615\n")
difference = polars.Series([5], dtype=polars.UInt64) - polars.Series([3], dtype=polars.Int64)
print(frame.schema, difference.dtype)
assert frame.schema["memory"] == polars.Int128 and difference.dtype == polars.Int128
for reader in (lambda: pyarrow.table(frame), lambda: duckdb.sql("select * from frame").fetchall()):
    try:
        reader()
    except (pyarrow.ArrowInvalid, duckdb.Error) as error:
        print(type(error).__name__, str(error)[-60:])
        assert "_pli128" in str(error)
    else:
        raise SystemExit("it is read now")
PY
