#!/usr/bin/env bash
# Packages: ray 2.60.0 (PyPI).
# Guess: the autoscaler for Kubernetes knows a device of each plugin, or refuses what it does not know.
# Seen: the first resource whose name ends in "gpu" is the number of GPUs. A MIG slice, a GPU that is shared under its own name and a GPU of Intel are none, and reading the group gives no warning; cloud.example/vgpu is one. A group of workers with a slice is never started for a task with a GPU.
# Why it matters: a task waits for ever beside a group of workers that could be started for it, until the group's own field "resources" says GPU. The log asks for a node type, which there is.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
cd "$work"
cat > group.py <<'PY'
import logging
from functools import partial

from ray.autoscaler._private.kuberay.autoscaling_config import _node_type_from_group_spec
from ray.autoscaler._private.node_provider_availability_tracker import NodeAvailabilitySummary
from ray.autoscaler._private.resource_demand_scheduler import _default_utilization_scorer, get_nodes_for

scorer = partial(_default_utilization_scorer, node_availability_summary=NodeAvailabilitySummary({}))


def node_type(device, **top):
    container = {"name": "ray", "resources": {"limits": {"cpu": "4", device: "1"}}}
    spec = {"groupName": "workers", "minReplicas": 0, "maxReplicas": 2, "rayStartParams": {}, "template": {"spec": {"containers": [container]}}}
    return _node_type_from_group_spec(spec | top, is_head=False)


def started(node_type):
    logging.disable(logging.WARNING)
    nodes, _ = get_nodes_for({"workers": node_type}, {}, "head", 2, [{"GPU": 1}], scorer)
    logging.disable(logging.NOTSET)
    return dict(nodes)


for device in ("nvidia.com/gpu", "nvidia.com/gpu.shared", "nvidia.com/mig-1g.5gb", "gpu.intel.com/xe", "cloud.example/vgpu"):
    group = node_type(device)
    print(device, group["resources"], "started:", started(group))
group = node_type("nvidia.com/mig-1g.5gb", resources={"CPU": "4", "GPU": "1"})
print("with resources", group["resources"], "started:", started(group))
PY
venv/bin/python group.py > seen.txt 2> log.txt || { cat log.txt; exit 1; }
cat seen.txt log.txt
diff seen.txt - <<'END'
nvidia.com/gpu {'CPU': 4, 'GPU': 1} started: {'workers': 1}
nvidia.com/gpu.shared {'CPU': 4} started: {}
nvidia.com/mig-1g.5gb {'CPU': 4} started: {}
gpu.intel.com/xe {'CPU': 4} started: {}
cloud.example/vgpu {'CPU': 4, 'GPU': 1} started: {'workers': 1}
with resources {'CPU': 4, 'GPU': 1} started: {'workers': 1}
END
[ ! -s log.txt ]
