#!/usr/bin/env bash
# Packages: podman-compose 1.6.0 (PyPI), beside a stand-in for podman that writes down what it is asked for.
# Guess: services that each reserve one GPU by count get different ones, or an "any" that leaves the choice to the engine.
# Seen: a count of n is always the GPUs 0 to n-1. Services with "count: 1" all get nvidia.com/gpu=0, and the others of the machine stay idle.
# Why it matters: a count reads like a demand that is met from what is free. Here it is a name, and the first device is given to everybody.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check podman-compose==1.6.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import pathlib
import subprocess
import sys

tools = pathlib.Path("bin")
tools.mkdir()
(tools / "podman").write_text("""#!/bin/sh
case "$*" in
    --version*) echo "podman version 4.3.1" ;;
    *inspect*|ps*) echo "[]" ;;
    create*) echo "$@" >> "$LOG" ;;
esac
""")
(tools / "podman").chmod(0o755)
os.environ["PATH"] = f"{tools.resolve()}:{os.environ['PATH']}"
os.environ["LOG"] = str(pathlib.Path("created").resolve())


def created(text):
    pathlib.Path("compose.yaml").write_text(text)
    pathlib.Path("created").unlink(missing_ok=True)
    command = [str(pathlib.Path(sys.executable).parent / "podman-compose"), "up", "--detach"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "warn" not in run.stderr.lower()
    return pathlib.Path("created").read_text().splitlines()


lines = created("""services:
  a: &one
    image: x
    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 1, capabilities: [gpu]}]}}}
  b: *one
  c:
    image: x
    deploy: {resources: {reservations: {devices: [{driver: nvidia, count: 2, capabilities: [gpu]}]}}}
""")
seen = [[word for word in line.split() if word.startswith("nvidia.com")] for line in lines]
print(seen)
assert seen == [["nvidia.com/gpu=0"], ["nvidia.com/gpu=0"], ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]]
PY
