#!/usr/bin/env bash
# Packages: htcondor 25.14.1 with its module classad2 (PyPI).
# Guess: 0x10 in an expression is 16, or an error, and int("0x10") does the same.
# Seen: int("0x10") is 16. The literal 0x10 is 0, without an error. 010 is 10, not octal, and 08 does not parse.
# Why it matters: device ids and affinity masks are written in hex; one that is pasted into an ad as a literal is a mask of nothing.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check htcondor==25.14.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import classad2


def value(text):
    return classad2.ExprTree(text).eval()


seen = [value('int("0x10")'), value("0x10"), value("010")]
print(seen)
assert seen == [16, 0, 10]
try:
    value("08")
except classad2.ClassAdException as error:
    print("08:", error)
else:
    raise SystemExit("08 parses now")
PY
