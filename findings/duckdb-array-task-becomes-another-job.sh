#!/usr/bin/env bash
# Packages: duckdb 2.0.1, pandas 3.1.1, polars 2.1.0, pyarrow 26.0.1 (PyPI).
# Guess: the id of a task of a job array, 1234_5, is no number, so that it equals no number, a cast of Slurm's job ids to BIGINT is refused, and TRY_CAST gives null.
# Seen: DuckDB reads the ids as text, and passes the underscore over wherever they meet a number: `where JobID = 12345` also finds 1234_5, and a column that is declared BIGINT, a cast and TRY_CAST all give 12345, the id of another job. pandas' astype does the same by way of Python's int, and PyYAML. polars and pyarrow refuse the text. SQLite's cast gives 1234.
# Why it matters: job ids are numbers until the first array comes. Looked up or joined by number, the usage of an array's tasks goes to jobs that came 10,000 ids later, with no row lost and no error.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1 PyYAML==6.0.3
cd "$work"
printf 'JobID|State\n1234_5|FAILED\n1234_10|COMPLETED\n12345|COMPLETED\n' > jobs.csv
"$work/venv/bin/python" - > seen.txt <<'PY'
import sqlite3

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.csv
import yaml


def outcome(read):
    try:
        return read()
    except (pyarrow.ArrowInvalid, polars.exceptions.PolarsError):
        return "refused"


def rows(query):
    return [row[0] for row in duckdb.sql(query).fetchall()]


frame = pandas.read_csv("jobs.csv", sep="|")
print("DuckDB, by itself:", rows("select JobID from read_csv('jobs.csv')"))
print("DuckDB, declared:", rows("select JobID from read_csv('jobs.csv', types = {'JobID': 'BIGINT'})"))
print("DuckDB, TRY_CAST:", rows("select try_cast(JobID as BIGINT) from read_csv('jobs.csv')"))
print("DuckDB, a filter:", rows("select State from read_csv('jobs.csv') where JobID = 12345"))
print("pandas:", frame["JobID"].astype("int64").tolist())
print("polars:", outcome(lambda: polars.read_csv("jobs.csv", separator="|")["JobID"].cast(polars.Int64).to_list()))
print("pyarrow:", outcome(lambda: pyarrow.array(["1234_5"]).cast(pyarrow.int64())))
print("PyYAML:", yaml.safe_load("1234_5"))
print("SQLite:", sqlite3.connect(":memory:").execute("select cast('1234_5' as integer)").fetchone()[0])
PY
cat seen.txt
diff seen.txt - <<'END'
DuckDB, by itself: ['1234_5', '1234_10', '12345']
DuckDB, declared: [12345, 123410, 12345]
DuckDB, TRY_CAST: [12345, 123410, 12345]
DuckDB, a filter: ['FAILED', 'COMPLETED']
pandas: [12345, 123410, 12345]
polars: refused
pyarrow: refused
PyYAML: 12345
SQLite: 1234
END
