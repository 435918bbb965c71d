#!/usr/bin/env bash
# Packages: snakemake 9.27.1 (PyPI).
# Guess: a rule that asks for gpu=0.5 takes half a device, or is refused, or takes a whole one.
# Seen: it takes none, so that any number of such jobs run beside each other under --resources gpu=1. Numbers are rounded half to even: 0.5 is 0, 1.5 is 2, 2.5 is 2.
# Why it matters: shares of devices are common elsewhere (Ray, HyperQueue). Here three jobs that were to share one device two by two run all three at once.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check snakemake==9.27.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
import pathlib
import subprocess
import sys

from snakemake.resources import Resources

seen = {value: dict(Resources.from_mapping({"gpu": value}).unwrapped_items())["gpu"] for value in (0.5, 1.5, 2.5)}
print("rounded:", seen)
assert seen == {0.5: 0, 1.5: 2, 2.5: 2}

pathlib.Path("Snakefile").write_text(
    'rule all:\n    input: "a.done", "b.done", "c.done"\n'
    'rule work:\n    output: "{x}.done"\n    resources: gpu=0.5\n'
    '    shell: "mkdir -p busy; touch busy/{wildcards.x}; sleep 3; ls busy | wc -l > {output}"\n'
)
command = [str(pathlib.Path(sys.executable).parent / "snakemake"), "--cores", "3", "--resources", "gpu=1"]
subprocess.run(command, capture_output=True, check=True)
together = int(pathlib.Path("a.done").read_text())
print("jobs of half a device on one device at once:", together)
assert together == 3
PY
