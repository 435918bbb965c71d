#!/usr/bin/env bash
# Packages: lightkube 1.0.1, kubernetes 37.0.2 (PyPI).
# Guess: both clients' parse_quantity read every quantity that a Kubernetes API server prints.
# Seen: lightkube knows the suffix m but neither u nor n, nor an exponent with a capital E; it raises ValueError. The metrics API prints the cpu usage of a node in nanocores ("156340271n"). What it does read it rounds up to a thousandth: "0.0001" becomes 0.001, also for memory and counts.
# Why it matters: offers made of what a node uses can not be read with the same function as offers made of what it has.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check lightkube==1.0.1 kubernetes==37.0.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
from decimal import Decimal

from kubernetes.utils.quantity import parse_quantity as official
from lightkube.utils.quantity import parse_quantity as light


def outcome(parse, text):
    try:
        return parse(text)
    except ValueError as error:
        return str(error)


for text in ("250m", "156340271n", "12u", "1E3", "0.0001"):
    print(f"{text:12} official {outcome(official, text)!s:14} lightkube {outcome(light, text)}")
assert official("156340271n") == Decimal("0.156340271")
assert outcome(light, "156340271n") == "Invalid unit suffix: n"
assert outcome(light, "12u") == "Invalid unit suffix: u"
assert outcome(light, "1E3") == "Invalid unit suffix: E3" and official("1E3") == 1000
assert light("0.0001") == Decimal("0.001")
PY
