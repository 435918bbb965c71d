#!/usr/bin/env bash
# Packages: fastparquet 2026.9.0, pandas 3.1.1, pyarrow 26.0.1, polars 2.1.0, duckdb 2.0.1 (PyPI).
# Guess: a timedelta of 36 hours in a Parquet file is a duration, or a whole number of some unit, for every reader.
# Seen: fastparquet writes it as Parquet's TIME, the time of a day, which ends at 24 hours. pyarrow reads 12:00, half a day after midnight, without a word. polars reads null. DuckDB refuses the whole file. Only fastparquet gets 36 hours back. Written by pyarrow, whose hint is not part of Parquet, the column is a duration for pyarrow and polars and a number without a unit for DuckDB and fastparquet: 129600 if it was in seconds, a million times that from pandas.
# Why it matters: walltimes and runtimes of jobs are durations above a day. A table of traces loses its long jobs, or makes them short, in the reader that did not write it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check fastparquet==2026.9.0 pandas==3.1.1 pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1
cd "$work"
"$work/venv/bin/python" -W ignore - > seen.txt <<'PY'
from datetime import timedelta

import duckdb
import fastparquet
import pandas
import polars
import pyarrow
import pyarrow.parquet

limit = timedelta(hours=36)
frame = pandas.DataFrame({"walltime": pandas.to_timedelta([limit])})
fastparquet.write("fastparquet", frame)
frame.to_parquet("pandas", engine="pyarrow")
seconds = pyarrow.table({"walltime": pyarrow.array([limit], pyarrow.duration("s"))})
pyarrow.parquet.write_table(seconds, "pyarrow")


def by_duckdb(path):
    try:
        return duckdb.sql(f"select walltime from read_parquet('{path}')").fetchall()[0][0]
    except duckdb.InvalidInputException:
        return "refused"


for path in ("fastparquet", "pandas", "pyarrow"):
    print(path, "by fastparquet:", fastparquet.ParquetFile(path).to_pandas()["walltime"][0])
    print(path, "by pyarrow:", pyarrow.parquet.ParquetFile(path).read()["walltime"][0].as_py())
    print(path, "by polars:", polars.read_parquet(path, glob=False).item())
    print(path, "by DuckDB:", by_duckdb(path))
PY
cat seen.txt
diff seen.txt - <<'END'
fastparquet by fastparquet: 1 days 12:00:00
fastparquet by pyarrow: 12:00:00
fastparquet by polars: None
fastparquet by DuckDB: refused
pandas by fastparquet: 129600000000
pandas by pyarrow: 1 day, 12:00:00
pandas by polars: 1 day, 12:00:00
pandas by DuckDB: 129600000000
pyarrow by fastparquet: 129600
pyarrow by pyarrow: 1 day, 12:00:00
pyarrow by polars: 1 day, 12:00:00
pyarrow by DuckDB: 129600
END
