#!/usr/bin/env bash
# Packages: ray 2.60.0 (PyPI).
# Guess: ray.available_resources()["CPU"] is 0.0 when all cpus are taken.
# Seen: the key is gone. A resource of which nothing is left is left out, as if the node had never had it, and comes back when something is freed.
# Why it matters: a reader that makes offers of it meets a KeyError, or takes the missing dimension for "not limited", on full clusters only.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray

from ray.util.placement_group import placement_group, remove_placement_group

ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", object_store_memory=80 * 2**20)
before = ray.available_resources().get("CPU")
group = placement_group([{"CPU": 2}])
assert group.wait(30)
full = ray.available_resources()
remove_placement_group(group)
ray.shutdown()
print("before:", before, "| full:", full.get("CPU", "no such key"))
assert before == 2.0
assert "CPU" not in full and "memory" in full
PY
