#!/usr/bin/env bash
# Packages: radical.pilot 1.103.2 (PyPI).
# Guess: NodeList.find_slots gives a core when five are free, whatever was asked before, and eight ranks with half a GPU each on four GPUs.
# Seen: it remembers the last request that failed, and refuses every request that is no larger than that one, until something is released. After two whole nodes were refused, one core is refused with five free. Eight halves of a GPU are "invalid rank requirements" when they are asked for together, and are placed when they are asked for one by one: the check counts whole devices.
# Why it matters: one wide task that can not start leaves the rest of a pilot idle. A caller that places tasks in order from large to small has nothing placed after the first failure.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check radical.pilot==1.103.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
from radical.pilot.resource_config import Node, NodeList, RankRequirements


def two_nodes():
    nodes = [Node({"index": index, "name": f"n{index}", "cores": [0] * 4, "gpus": [0] * 2, "lfs": 0, "mem": 0}) for index in range(2)]
    return NodeList(nodes=nodes)


def places(slots):
    return slots and [f"{slot.node_name}: {len(slot.cores)}" for slot in slots]


core = RankRequirements(n_cores=1)
nodes = two_nodes()
first = nodes.find_slots(RankRequirements(n_cores=3))
wide = nodes.find_slots(RankRequirements(n_cores=4), 2)
after = nodes.find_slots(core)
nodes.release_slots(first)
released = nodes.find_slots(core)
print("three cores of eight:", places(first), "| two whole nodes:", places(wide), "| then one core:", places(after), "| after a release:", places(released))
assert first and wide is None and after is None and released

other = two_nodes()
other.find_slots(RankRequirements(n_cores=3))
print("one core without the failure before it:", places(other.find_slots(core)))
assert other.find_slots(core)

half = RankRequirements(n_cores=1, n_gpus=1, gpu_occupation=0.5)
try:
    together = places(two_nodes().find_slots(half, 8))
except ValueError as error:
    together = str(error)
nodes = two_nodes()
one_by_one = [bool(nodes.find_slots(half)) for _ in range(8)]
print("eight halves together:", together, "| one by one:", one_by_one)
assert together.startswith("invalid rank requirements") and one_by_one == [True] * 8
PY
