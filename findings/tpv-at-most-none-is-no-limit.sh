#!/usr/bin/env bash
# Packages: total-perspective-vortex 3.3.0 with galaxy-app 26.1.2 (PyPI).
# Guess: a user with max_gpus: 0 gets no GPU, as one with max_gpus: 1 gets at most one. An entry for the tool bwa is for that tool.
# Seen: a limit of zero is no limit: the user with max_gpus: 0 gets both GPUs that the tool asks for. The entry bwa is also for bwa_mem2 and every other name that begins so, but not for my_bwa.
# Why it matters: the users who were to have no GPU are those with the most. A tool that is new to the cluster takes the demands of another one, if its name begins alike.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check total-perspective-vortex==3.3.0 galaxy-app==26.1.2
cat > rules.yml <<'END'
global:
  default_inherits: default
tools:
  default:
    abstract: true
    cores: 1
    gpus: 0
  trainer:
    gpus: 2
  bwa:
    cores: 8
users:
  guest@example.org:
    max_gpus: 0
  student@example.org:
    max_gpus: 1
destinations:
  node:
    runner: local
END
cat > ask.py <<'PY'
from tpv.core.entities import Tool
from tpv.core.loader import TPVConfigLoader
from tpv.core.mapper import EntityToDestinationMapper

mapper = EntityToDestinationMapper(TPVConfigLoader.from_url_or_path("rules.yml"))


def asked(name, user=None):
    entity = mapper.inherit_matching_entities({}, Tool, "tools", name)
    if user:
        entity = mapper.config.users[user].combine(entity)
    asked = entity.evaluate_resources({})
    return f"{asked.cores} cores, {asked.gpus} GPUs"


print("trainer:", asked("trainer"))
for user in ("student", "guest"):
    print(f"trainer for {user}:", asked("trainer", f"{user}@example.org"))
for name in ("bwa", "bwa_mem2", "my_bwa"):
    print(f"{name}:", asked(name))
PY
venv/bin/python ask.py > seen.txt 2> log.txt || { cat log.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
trainer: 1 cores, 2 GPUs
trainer for student: 1 cores, 1 GPUs
trainer for guest: 1 cores, 2 GPUs
bwa: 8 cores, 0 GPUs
bwa_mem2: 8 cores, 0 GPUs
my_bwa: 1 cores, 0 GPUs
END
