#!/usr/bin/env bash
# Packages: pandas 3.1.1 (PyPI).
# Guess: read_csv reads a column of whole numbers as numbers.
# Seen: a column that holds both -1 (unknown, as in workload traces) and 18446744073709551615 (unlimited, as in Slurm and cgroups) becomes a column of text, without a warning: 9 then sorts after 10, and sum() joins the digits. With only one of the two it is int64 or uint64.
# Why it matters: the type of the column depends on one row among thousands, and sorting by it still works.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import io

import pandas


def column(*values):
    return pandas.read_csv(io.StringIO("memory\n" + "\n".join(map(str, values)) + "\n"))["memory"]


both = column(9, 10, -1, 2**64 - 1)
print(both.dtype, sorted(both), both.sum())
assert all(isinstance(value, str) for value in both)
assert both.sum() == "910-118446744073709551615"
assert sorted(both)[-1] == "9"
assert str(column(9, 10, -1).dtype) == "int64" and str(column(9, 10, 2**64 - 1).dtype) == "uint64"
PY
