#!/usr/bin/env bash
# Packages: kubernetes 37.0.2 (PyPI).
# Guess: format_quantity(amount, "Gi", quantize=Decimal(1)), which its documentation shows for raising a limit, never prints less than the amount.
# Seen: it rounds half to even: 1.5 GiB and 2.5 GiB both become "2Gi", and 1.4 GiB becomes "1Gi".
# Why it matters: a limit that was raised by the documented recipe can come out lower than what the container had, and two different demands become one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check kubernetes==37.0.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
from decimal import Decimal

from kubernetes.utils.quantity import format_quantity, parse_quantity

seen = {text: format_quantity(parse_quantity(text), "Gi", quantize=Decimal(1)) for text in ("1.4Gi", "1.5Gi", "2.5Gi", "3.5Gi")}
print(seen)
assert seen == {"1.4Gi": "1Gi", "1.5Gi": "2Gi", "2.5Gi": "2Gi", "3.5Gi": "4Gi"}
PY
