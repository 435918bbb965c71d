#!/usr/bin/env bash
# Packages: podman-compose 1.6.0 (PyPI), beside a stand-in for podman that writes down what it is asked for.
# Guess: a limit in a compose file reaches podman, or there is a warning that it does not.
# Seen: memswap_limit, mem_swappiness, "gpus: all" and deploy.resources.reservations.cpus are left out without a word, while the limit of memory, the reservation of memory and the limit of cpus beside them arrive.
# Why it matters: a container that was to have no swap has swap, and a service that reserves two cores is placed as if it reserved none.
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


(line,) = created("""services:
  a:
    image: x
    gpus: all
    memswap_limit: 512m
    mem_swappiness: 0
    deploy:
      resources:
        limits: {cpus: "4", memory: 512M}
        reservations: {cpus: "2", memory: 256M}
""")
line = " ".join(word for word in line.split(" --")[2:] if not word.startswith(("label", "pod=", "network=")))
print(line)
assert "cpus 4.0 " in line and "-m 512m " in line and "memory-reservation 256m" in line
assert not any(word in line for word in ("swap", "gpu", "nvidia", "cpus 2", "cpu-shares"))
PY
