#!/usr/bin/env bash
# Packages: htcondor 25.14.1 with its module classad2 (PyPI).
# Guess: a number that is printed into a ClassAd and read again is the same number.
# Seen: doubles are printed with 16 significant digits, and 17 are needed: 0.1 + 0.2 comes back as 0.3. An ad in memory and its own text then disagree about ==.
# Why it matters: a rank or a score that decides a tie differs between the program that computed it and one that reads it back from text.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check htcondor==25.14.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import classad2

value = 0.1 + 0.2
ad = classad2.ClassAd({"Rank": value})
again = classad2.ClassAd(str(ad))
print(str(ad).split(), repr(ad["Rank"]), repr(again["Rank"]))
assert ad["Rank"] == value
assert again["Rank"] == 0.3 != value
PY
