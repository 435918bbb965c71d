#!/usr/bin/env bash
# Packages: polars 2.1.0, duckdb 2.0.1, pyarrow 26.0.1 (PyPI).
# Guess: a product or a quotient of two decimals keeps the digits behind the point that it needs, as in SQL and Arrow.
# Seen: for polars it has as many as its operands: with two, 0.05 * 0.05 is 0.00 and 0.05 / 2 is 0.02. DuckDB and pyarrow give 0.0025 and 0.025. The mean is rounded by pyarrow alone: that of 0.05 and 0.10 is 0.08, and 0.075 for the others.
# Why it matters: prices of core hours and shares of a core are decimals so that nothing is lost. A small share of a cheap machine costs nothing then, for every task, and the sum of a bill is nothing.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1
cat > decimals.py <<'PY'
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

prices = pa.table({"price": pa.array([Decimal("0.05"), Decimal("0.10")], pa.decimal128(5, 2))})
price = pl.col("price")
polars = pl.from_arrow(prices)
print("polars:", *[polars.select(value)["price"][0] for value in (price * price, price / 2, price.mean())])
print("duckdb:", *duckdb.sql("select first(price * price), first(price / 2), avg(price) from prices").fetchall()[0])
price = prices["price"]
half = pc.divide(price, pa.scalar(Decimal("2"), pa.decimal128(5, 0)))[0].as_py()
print("pyarrow:", pc.multiply(price, price)[0], half.normalize(), pc.mean(price))
PY
venv/bin/python decimals.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
polars: 0.00 0.02 0.075
duckdb: 0.0025 0.025 0.075
pyarrow: 0.0025 0.025 0.08
END
