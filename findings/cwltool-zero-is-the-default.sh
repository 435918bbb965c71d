#!/usr/bin/env bash
# Packages: cwltool 3.3.20260925135507 (PyPI).
# Guess: a step that asks for coresMin: 0 and ramMin: 0 gets 0 of both, or is refused.
# Seen: zero counts as "not said": it gets the defaults, 1 core and 256 MiB; 2 cores are kept, and 0.5 MiB is rounded up to 1. With the same text under cwlVersion v1.0 the default is 1,024 MiB.
# Why it matters: steps that only wait or talk are written with zero so that they do not take a core. They do, and the number of them that runs at once is that of the cores.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check cwltool==3.3.20260925135507
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
import pathlib
import subprocess
import sys


def given(version, cores, ram):
    pathlib.Path("step.cwl").write_text(
        json.dumps(
            {
                "cwlVersion": version,
                "class": "CommandLineTool",
                "baseCommand": "echo",
                "requirements": {"ResourceRequirement": {"coresMin": cores, "ramMin": ram}},
                "arguments": ["$(runtime.cores)", "$(runtime.ram)"],
                "inputs": [],
                "outputs": {"out": "stdout"},
            }
        )
    )
    command = [str(pathlib.Path(sys.executable).parent / "cwltool"), "--quiet", "step.cwl"]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return pathlib.Path(answer["out"]["path"]).read_text().split()


seen = [given("v1.2", 0, 0), given("v1.0", 0, 0), given("v1.2", 2, 0.5)]
print("(cores, MiB):", seen)
assert seen == [["1", "256"], ["1", "1024"], ["2", "1"]]
PY
