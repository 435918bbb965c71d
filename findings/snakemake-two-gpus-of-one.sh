#!/usr/bin/env bash
# Packages: snakemake 9.27.1 (PyPI).
# Guess: with --resources gpu=1, a rule that asks for gpu=2 never runs, or the workflow is refused.
# Seen: it runs, with gpu=1. A demand beyond the limit is cut to the limit, without a warning.
# Why it matters: a task that needs two devices is started with one, where other schedulers leave it waiting and say why.
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

pathlib.Path("Snakefile").write_text('rule all:\n    output: "done"\n    resources: gpu=2\n    shell: "echo {resources.gpu} > {output}"\n')
command = [str(pathlib.Path(sys.executable).parent / "snakemake"), "--cores", "1", "--resources", "gpu=1"]
run = subprocess.run(command, capture_output=True, text=True, check=True)
text = run.stdout + run.stderr
given = pathlib.Path("done").read_text().strip()
print("asked for 2, limit 1, given", given, "| warned:", "warn" in text.lower())
assert given == "1"
assert "warn" not in text.lower()
PY
