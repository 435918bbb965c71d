#!/usr/bin/env bash
# Packages: Pint 0.25.3 (PyPI).
# Guess: a library of units refuses to add a number of cores to an amount of memory.
# Seen: bytes, counts, percents and angles are all "dimensionless" in Pint, so they add and convert into each other: 1 count is 0.125 byte, 10 percent of nothing in particular is 0.0125 byte, and 16 GiB plus 8 counts is an amount of memory.
# Why it matters: who takes Pint to keep the columns of a demand apart (with cores defined as a count) gets no error when two columns are swapped.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Pint==0.25.3
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pint

units = pint.UnitRegistry()
units.define("core = count")
print(units("1 core").to("byte"), "|", units("10 percent").to("byte"), "|", (units("16 GiB") + units("8 core")).to("byte"))
assert units("1 core").to("byte").magnitude == 0.125
assert units("10 percent").to("byte").magnitude == 0.0125
assert (units("16 GiB") + units("8 core")).to("byte").magnitude == 16 * 2**30 + 1
PY
