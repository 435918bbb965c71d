#!/usr/bin/env bash
# Packages: simpy 4.1.2 (PyPI).
# Guess: get(11) on a Container with capacity 10 raises, since it can never be served, as get(0) and get(-1) do.
# Seen: it is queued, and since the queue is served in order, everything that asks after it waits for ever as well. run() ends at time 0.
# Why it matters: one task that fits no node stops a simulated scheduler, and the run looks finished.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check simpy==4.1.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import simpy

environment = simpy.Environment()
node = simpy.Container(environment, capacity=10, init=10)
served = []


def task(name, amount):
    yield node.get(amount)
    served.append(name)


environment.process(task("too large", 11))
environment.process(task("small", 1))
environment.run()
print("served:", served, "level:", node.level, "queue:", len(node.get_queue))
assert served == [] and node.level == 10 and len(node.get_queue) == 2
PY
