#!/usr/bin/env bash
# Packages: docker 7.2.0 (PyPI).
# Guess: the client reads cpu and memory alike for a container (HostConfig) and for a service (Resources): "1g" is a GiB in both, and 1.5 cpus is refused in both.
# Seen: HostConfig turns "1g" into 1,073,741,824 and refuses 1.5 nano_cpus with a TypeError. Resources sends the text "1g" to the engine as it is, and cpu_limit=1.5 as 1.5 billionths of a cpu.
# Why it matters: a demand that works for containers, moved to a service, is answered by the engine with an error about its JSON, or asks for nothing.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check docker==7.2.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
from docker.types import HostConfig, Resources

container = HostConfig("1.44", mem_limit="1g")
service = Resources(mem_limit="1g", cpu_limit=1.5)
print("container:", container["Memory"], "| service:", service["Limits"])
assert container["Memory"] == 2**30
assert service["Limits"] == {"MemoryBytes": "1g", "NanoCPUs": 1.5}
try:
    HostConfig("1.44", nano_cpus=1.5)
except TypeError as error:
    print(error)
else:
    raise SystemExit("a fraction is taken now")
PY
