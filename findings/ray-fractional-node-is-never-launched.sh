#!/usr/bin/env bash
# Packages: ray 2.60.0 (PyPI), the autoscaler's functions.
# Guess: a node type of {"slot": 0.5} is launched for a demand of {"slot": 0.5}; the demand fits.
# Seen: "could not find a node type to satisfy the request". The score leaves out resources of which a node has less than one, and a node with no others has no score. Beside one whole cpu the same half slot is enough.
# Why it matters: tasks wait for ever for a node that would take them, and the message says that no type has the resources.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import logging
from functools import partial

from ray.autoscaler._private.node_provider_availability_tracker import NodeAvailabilitySummary
from ray.autoscaler._private.resource_demand_scheduler import _default_utilization_scorer, get_bin_pack_residual, get_nodes_for

logging.disable(logging.WARNING)
scorer = partial(_default_utilization_scorer, node_availability_summary=NodeAvailabilitySummary({}))


def launched(resources):
    nodes, _ = get_nodes_for({"half": {"resources": resources, "max_workers": 9}}, {}, "head", 9, [{"slot": 0.5}], scorer)
    return dict(nodes)


fits = get_bin_pack_residual([{"slot": 0.5}], [{"slot": 0.5}])[0] == []
print("fits:", fits, "launched:", launched({"slot": 0.5}), "with a cpu:", launched({"slot": 0.5, "CPU": 1}))
assert fits and launched({"slot": 0.5}) == {} and launched({"slot": 0.5, "CPU": 1}) == {"half": 1}
PY
