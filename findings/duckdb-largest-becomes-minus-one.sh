#!/usr/bin/env bash
# Packages: duckdb 2.0.1, pyarrow 26.0.1 (PyPI).
# Guess: a 128-bit integer that Arrow's decimal128(38) can not hold is refused on its way out, or comes as text or a wider decimal.
# Seen: the largest UHUGEINT arrives in Arrow as -1. The largest HUGEINT arrives as a decimal128(38, 0) of 39 digits, which Arrow's own full validation refuses.
# Why it matters: sum() of a BIGINT column is a HUGEINT, so every total leaves DuckDB by this road; and ids or sentinels of 128 bits become a negative number that passes as an amount.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pyarrow==26.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import duckdb
import pyarrow

table = pyarrow.table(duckdb.sql("select 340282366920938463463374607431768211455::UHUGEINT as most"))
print(table.schema.field("most").type, table["most"][0])
assert table["most"][0].as_py() == -1
total = pyarrow.table(duckdb.sql("select 170141183460469231731687303715884105727::HUGEINT as most"))
print(total.schema.field("most").type, total["most"][0])
assert str(total.schema.field("most").type) == "decimal128(38, 0)"
try:
    total.validate(full=True)
except pyarrow.ArrowInvalid as error:
    print(error)
else:
    raise SystemExit("it is valid now")
PY
