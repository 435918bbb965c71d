#!/usr/bin/env bash
# Packages: pytimeparse 1.1.10, pytimeparse2 1.7.1 (PyPI).
# Guess: pytimeparse2 reads what pytimeparse reads, and more.
# Seen: "1-02:03:04", Slurm's day and two hours, is 93,784 seconds for pytimeparse and None for pytimeparse2; "90" and "1y" are the other way round. Neither raises, both give None.
# Why it matters: None is "no limit" in most schedulers, so a change from one library to the other takes the limit off the longest jobs only.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pytimeparse==1.1.10 pytimeparse2==1.7.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pytimeparse
import pytimeparse2

seen = {text: (pytimeparse.parse(text), pytimeparse2.parse(text)) for text in ("1-02:03:04", "02:03:04", "90", "1y")}
print(seen)
assert seen == {"1-02:03:04": (93784, None), "02:03:04": (7384, 7384), "90": (None, 90), "1y": (None, 31536000)}
PY
