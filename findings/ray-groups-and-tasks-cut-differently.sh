#!/usr/bin/env bash
# Packages: ray 2.60.0 (PyPI).
# Guess: 1.13 of a resource is one amount, whether a task or a placement group asks for it, and a group that is removed leaves nothing behind.
# Seen: the task gets 1.1298 and the group 1.13 - 0.0001 = 1.1299 (both go through doubles, by different ways). A task of 0.00001 cpus is refused as too fine; a group of 0.00001 cpus is granted and takes nothing.
# Why it matters: what a group has reserved is not what its tasks take, so a ledger kept beside Ray drifts by crumbs, and the crumbs decide whether the last task fits.
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

ray.init(num_cpus=2, resources={"slot": 2}, include_dashboard=False, logging_level="ERROR", object_store_memory=80 * 2**20)


@ray.remote(num_cpus=0)
def assigned():
    return ray.get_runtime_context().get_assigned_resources()


def taken(bundle, name):
    group = placement_group([bundle])
    assert group.wait(30)
    left = ray.available_resources()[name]
    remove_placement_group(group)
    return round(2 - left, 6)


task = ray.get(assigned.options(resources={"slot": 1.13}).remote())["slot"]
group = taken({"slot": 1.13}, "slot")
crumb = taken({"CPU": 0.00001}, "CPU")
try:
    assigned.options(num_cpus=0.00001).remote()
    refused = ""
except ValueError as error:
    refused = str(error)
ray.shutdown()
print("task:", task, "group:", group, "| group of 0.00001 takes:", crumb, "| task of 0.00001:", refused)
assert (task, group, crumb) == (1.1298, 1.1299, 0.0)
assert "cannot go beyond 0.0001" in refused
PY
