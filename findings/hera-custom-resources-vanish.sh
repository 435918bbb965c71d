#!/usr/bin/env bash
# Packages: hera 7.1.0 (PyPI).
# Guess: Resources(custom_resources={"nvidia.com/mig-1g.5gb": 1}) asks for a MIG slice, as gpus=1 asks for a GPU. A demand may be computed by an earlier step, as the class documents: cpu_request="{{inputs.parameters.cpu}}".
# Seen: the slice is nowhere in the workflow, without an error: the field wants {"limits": {...}} and passes over any other key. A computed number of GPUs is written, a computed cpu or memory is refused for its unit.
# Why it matters: the step may start on a node without the device, and fails there, or runs without it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hera==7.1.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
from hera.workflows import Container, Resources, Workflow


def asked(**options):
    try:
        resources = Resources(**options)
    except ValueError as error:
        return str(error)
    with Workflow(name="train", entrypoint="step") as workflow:
        Container(name="step", image="train", resources=resources)
    return workflow.to_dict()["spec"]["templates"][0]["container"]["resources"]


computed = "{{inputs.parameters.amount}}"
seen = [
    asked(gpus=1),
    asked(custom_resources={"nvidia.com/mig-1g.5gb": 1}),
    asked(custom_resources={"limits": {"nvidia.com/mig-1g.5gb": "1"}}),
    asked(gpus=computed),
    asked(cpu_request=computed),
    asked(memory_request=computed),
]
print(*seen, sep="\n")
assert seen[:3] == [{"limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}}, {}, {"limits": {"nvidia.com/mig-1g.5gb": "1"}}]
assert seen[3] == {"limits": {"nvidia.com/gpu": computed}, "requests": {"nvidia.com/gpu": computed}}
assert seen[4].startswith("Invalid decimal unit") and seen[5].startswith("Invalid binary unit")
PY
