#!/usr/bin/env bash
# Packages: composenomadconvertor 0.0.4, ComposeParser 0.0.4 (PyPI).
# Guess: the converter from a Compose file to a job of Nomad writes a limit of 2G as 2048 MB of memory, Nomad's unit, and three replicas as count = 3. At worst it leaves one of them out.
# Seen: its parser has made bytes of the limit already, and the converter takes the last digit off as if it were the unit: 2147483648 is 214748364, which Nomad reads as MB, so 2G are 205 TB. 512M are 51 TB. The replicas are left out, so is a reservation; 2.5 cpus are 2500 MHz.
# Why it matters: the job is valid, and no node has room for it. The message of Nomad speaks of memory, which every node has enough of for the service.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check composenomadconvertor==0.0.4 ComposeParser==0.0.4
cat > docker-compose.yml <<'YAML'
version: "3.7"
services:
  train:
    image: train
    networks: [net]
    deploy:
      replicas: 3
      resources:
        limits: {cpus: '2.5', memory: 2G}
        reservations: {cpus: '1', memory: 1G}
  small:
    image: small
    networks: [net]
    deploy:
      resources:
        limits: {cpus: '0.25', memory: 512M}
networks: {net: {}}
volumes: {data: {}}
YAML
venv/bin/python -m composenomadconvertor docker-compose.yml job.json
venv/bin/python - > seen.txt <<'PY'
import json

with open("job.json") as file:
    group = json.load(file)["job"]["net"]["group"]["net"]
for name in ("train", "small"):
    resources = group["task"][name]["resources"]
    print(name, resources, f"{resources['memory'] / 1024**2:.0f} TB")
print("count" in group, "count" in group["task"]["train"], "memory_max" in group["task"]["train"]["resources"])
PY
cat seen.txt
diff seen.txt - <<'END'
train {'cpu': 2500, 'memory': 214748364} 205 TB
small {'cpu': 250, 'memory': 53687091} 51 TB
False False False
END
