#!/usr/bin/env bash
# Packages: htcondor 25.14.1 with its module classad2 (PyPI).
# Guess: member("a100", {"A100"}) is false; a list holds values, and values of text differ in case.
# Seen: member() and == compare text without regard to case, and =?= and regexp() with it. So "is in the list" and "is the same" give different answers for the same two texts.
# Why it matters: requirements carried over to a matcher that compares text exactly lose the machines that were matched by accident of spelling, and the other way round.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check htcondor==25.14.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import classad2

expressions = {'member("a100", {"A100"})': True, '"a100" == "A100"': True, '"a100" =?= "A100"': False, 'regexp("a100", "A100")': False}
seen = {text: classad2.ExprTree(text).eval() for text in expressions}
print(seen)
assert seen == expressions
PY
