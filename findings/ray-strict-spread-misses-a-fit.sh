#!/usr/bin/env bash
# Packages: ray 2.60.0 (PyPI), the autoscaler's bin packing.
# Guess: two bundles that are to be on two nodes, one of which must take the GPU node, fit on one GPU node and one plain node.
# Seen: the bundle of cpus, placed first as the heavier one, goes to the first node it fits on, which is the GPU node; the GPU bundle is then "unfulfilled". With the plain node listed first both fit.
# Why it matters: the answer depends on the order of the nodes, and the autoscaler starts another GPU node for a group that would fit on what is there.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check ray==2.60.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
from ray.autoscaler._private.resource_demand_scheduler import get_bin_pack_residual

gpu, plain = {"CPU": 2, "GPU": 1}, {"CPU": 2}
group = [{"CPU": 2}, {"GPU": 1}]
seen = [get_bin_pack_residual(nodes, group, strict_spread=True)[0] for nodes in ([gpu, plain], [plain, gpu])]
print("unfulfilled, GPU node first:", seen[0], "| plain node first:", seen[1])
assert seen == [[{"GPU": 1}], []]
PY
