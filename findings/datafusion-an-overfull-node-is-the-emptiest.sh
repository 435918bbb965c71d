#!/usr/bin/env bash
# Packages: datafusion 55.0.0, duckdb 2.0.1, pyarrow 26.0.1 (PyPI).
# Guess: SQL says if a result is outside its type, as duckdb does.
# Seen: in DataFusion both wrap. 32 - 40 of two UInt64 columns is 18446744073709551608, so that the node on which more is used than it has comes first by what is free. 2**63 - 1 and 1 add up to -9223372036854775808, by + and by sum (duckdb sums in 128 bits). With a number that is written down, capacity - 40, DataFusion calculates in decimals and has -8.
# Why it matters: available and used stand in unsigned columns in recordings and in exports of metrics. A node that is overcommitted is the best one there is, and only if both sides are columns.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check datafusion==55.0.0 duckdb==2.0.1 pyarrow==26.0.1
venv/bin/python - > seen.txt <<'PY'
import datafusion
import duckdb
import pyarrow as pa

nodes = pa.table(
    {
        "name": ["a", "b"],
        "capacity": pa.array([64, 32], pa.uint64()),
        "used": pa.array([60, 40], pa.uint64()),
        "large": pa.array([2**63 - 1, 1], pa.int64()),
    }
)
context = datafusion.SessionContext()
context.from_arrow(nodes, "nodes")


def ask(query):
    try:
        duck = [list(row) for row in duckdb.sql(query).fetchall()]
    except duckdb.OutOfRangeException:
        duck = "out of range"
    fused = [list(row.values()) for row in context.sql(query).to_arrow_table().to_pylist()]
    print(query, "->", "datafusion:", fused, "duckdb:", duck)


ask("SELECT name, capacity - used AS free FROM nodes ORDER BY free DESC")
ask("SELECT CAST(capacity - 40 AS BIGINT) AS free FROM nodes")
ask("SELECT min(large + 1) AS more FROM nodes")
ask("SELECT CAST(sum(large) AS VARCHAR) AS total FROM nodes")
PY
cat seen.txt
diff seen.txt - <<'END'
SELECT name, capacity - used AS free FROM nodes ORDER BY free DESC -> datafusion: [['b', 18446744073709551608], ['a', 4]] duckdb: out of range
SELECT CAST(capacity - 40 AS BIGINT) AS free FROM nodes -> datafusion: [[24], [-8]] duckdb: out of range
SELECT min(large + 1) AS more FROM nodes -> datafusion: [[-9223372036854775808]] duckdb: out of range
SELECT CAST(sum(large) AS VARCHAR) AS total FROM nodes -> datafusion: [['-9223372036854775808']] duckdb: [['9223372036854775808']]
END
