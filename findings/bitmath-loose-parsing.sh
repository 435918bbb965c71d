#!/usr/bin/env bash
# Packages: bitmath 2.1.1 (PyPI).
# Guess: strict=False only takes more spellings; a text that strict parsing takes means the same amount either way.
# Seen: "4GB" is 4,000,000,000 bytes when parsed strictly and 4,294,967,296 bytes with strict=False: the loose parser reads GB as GiB.
# Why it matters: a reader of node memory that turns strict=False on, to accept "4 G" too, counts 7 % more memory on every node that was already readable.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check bitmath==2.1.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import bitmath

strict = bitmath.parse_string("4GB")
loose = bitmath.parse_string("4GB", strict=False)
print("strict:", strict, int(strict.bytes), "bytes; loose:", loose, int(loose.bytes), "bytes")
assert int(strict.bytes) == 4 * 10**9
assert int(loose.bytes) == 4 * 2**30
PY
