#!/usr/bin/env bash
# Packages: polars 2.1.0, pyarrow 26.0.1 (PyPI).
# Guess: sum() of a column of UInt32 is a UInt64, as it is in Arrow, or at least raises; polars does widen 8- and 16-bit columns.
# Seen: it stays in 32 bits and wraps: 3,000,000,000 twice is 1,705,032,704, also in group_by and cum_sum. The same table in pyarrow sums to 6,000,000,000. Subtraction of unsigned columns wraps as well: 1 - 2 is 18,446,744,073,709,551,615.
# Why it matters: memory in KiB or MiB fits in UInt32 for each node and not for a rack. Free = capacity - used turns an overcommitted node into the one with the most room.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pyarrow==26.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import polars
import pyarrow.compute

memory = polars.Series("memory", [3_000_000_000] * 2, dtype=polars.UInt32)
frame = polars.DataFrame([polars.Series("rack", ["r", "r"]), memory])
grouped = frame.group_by("rack").agg(polars.col("memory").sum()).item(0, "memory")
arrow = pyarrow.compute.sum(pyarrow.table(frame)["memory"]).as_py()
free = (polars.Series([1], dtype=polars.UInt64) - polars.Series([2], dtype=polars.UInt64))[0]
print("polars:", memory.sum(), "grouped:", grouped, "arrow:", arrow, "1 - 2:", free)
assert memory.sum() == grouped == 1_705_032_704
assert arrow == 6_000_000_000
assert polars.Series([200, 200], dtype=polars.UInt8).sum() == 400
assert free == 2**64 - 1
PY
