#!/usr/bin/env bash
# Packages: luigi 3.8.1 (PyPI).
# Guess: a task that asks for 2 of a resource that no configuration names is refused, or luigi.build returns False for it.
# Seen: there is 1 of every resource that nobody named, so the task is not granted permission to run, now or ever. luigi.build returns True all the same: it says whether the tasks could be listed, not whether they ran. With detailed_summary=True the status is NOT_RUN.
# Why it matters: a misspelt resource, or 2 GPUs where the file of limits was forgotten, is a green run in which nothing happened.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check luigi==3.8.1
cd "$work"
"$work/venv/bin/python" - <<'PY' 2>/dev/null
from pathlib import Path

import luigi


class Train(luigi.Task):
    devices = luigi.IntParameter()

    @property
    def resources(self):
        return {"gpus": self.devices}

    def output(self):
        return luigi.LocalTarget(f"trained-{self.devices}")

    def run(self):
        with self.output().open("w") as file:
            file.write("done")


seen = {}
for devices in (1, 2):
    said = luigi.build([Train(devices)], local_scheduler=True)
    seen[devices] = (said, Path(f"trained-{devices}").exists())
    print(f"{devices} of a resource that nobody named: build returns {said}, it ran: {seen[devices][1]}")
assert seen == {1: (True, True), 2: (True, False)}
status = luigi.build([Train(2)], local_scheduler=True, detailed_summary=True).status
print(status)
assert status.name == "NOT_RUN"
PY
