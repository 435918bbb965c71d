#!/usr/bin/env bash
# Packages: simpy 4.1.2 (PyPI).
# Guess: a process that takes 0.3, 0.3, 0.3 and 0.1 from a Container of 1 and puts the same amounts back ends with a full container.
# Seen: 0.3 + 0.3 + 0.3 + 0.1 is more than 1 in doubles, so the last get waits for ever; and of three times 0.1 taken and put back, the last put waits for ever, since the level would pass the capacity by one bit. run() returns as if all were done.
# Why it matters: simulations of clusters use shares of cores. One that runs into this reports an idle cluster with work left, and no error.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check simpy==4.1.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import simpy


def story(amounts):
    environment = simpy.Environment()
    node = simpy.Container(environment, capacity=1, init=1)
    ended = []

    def task():
        for amount in amounts:
            yield node.get(amount)
        for amount in amounts:
            yield node.put(amount)
        ended.append(True)

    environment.process(task())
    environment.run()
    return bool(ended), node.level


seen = [story([0.3, 0.3, 0.3, 0.1]), story([0.1, 0.1, 0.1]), story([0.5, 0.25])]
print("(ended, level):", seen)
assert [ended for ended, _ in seen] == [False, False, True]
assert seen[1][1] == 0.9
PY
