#!/usr/bin/env bash
# Packages: humanfriendly 10.0 (PyPI).
# Guess: parse_size("4Gi"), the spelling of Kubernetes, is 4 GiB or an error.
# Seen: it is 4,000,000,000 bytes. Only the first letter after the number is looked at, unless the whole unit is a known one: "4GiB" is 4 GiB, "4Gi" is 4 GB, and "500m" is 500 MB.
# Why it matters: workflow systems parse memory with it, so a task copied from a pod asks for 7 % less than it did there, and a cpu request of 500m that ends in the memory column is half a gigabyte.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check humanfriendly==10.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
from humanfriendly import parse_size

seen = {text: parse_size(text) for text in ("4GiB", "4Gi", "4 gigs", "500m")}
print(seen)
assert seen == {"4GiB": 4 * 2**30, "4Gi": 4 * 10**9, "4 gigs": 4 * 10**9, "500m": 500 * 10**6}
PY
