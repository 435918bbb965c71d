#!/usr/bin/env bash
# Packages: parsl 2026.10.26 (PyPI).
# Guess: available_accelerators="0,1", the form of CUDA_VISIBLE_DEVICES, is two devices, or is refused.
# Seen: a text is taken letter by letter: "0,1" is the three devices "0", "," and "1", and "10" is the devices 1 and 0. The integer 4 is four devices, the text "4" is one device named 4.
# Why it matters: one worker is pinned to a device named ",", where its tasks find no GPU or all of them, and the executor counts one slot more than there is.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check parsl==2026.10.26
cd "$work"
"$work/venv/bin/python" - <<'PY'
from parsl import HighThroughputExecutor


def devices(given):
    executor = HighThroughputExecutor(available_accelerators=given, encrypted=False)
    return executor.available_accelerators, executor.workers_per_node


seen = {repr(given): devices(given) for given in (4, "4", "0,1", "10", ["0", "1"])}
print(seen)
assert seen == {
    "4": (["0", "1", "2", "3"], 4),
    "'4'": (["4"], 1),
    "'0,1'": (["0", ",", "1"], 3),
    "'10'": (["1", "0"], 2),
    "['0', '1']": (["0", "1"], 2),
}
PY
