#!/usr/bin/env bash
# Packages: pydantic 2.14.4, Django 5.2.8 (PyPI).
# Guess: a field of type timedelta reads `10:30` the same in both versions of pydantic that the package holds; Slurm, which writes it for ten minutes and a half, is where the form comes from.
# Seen: pydantic.v1 reads minutes and seconds, as Slurm and Django do: 0:10:30. pydantic 2 reads hours and minutes: 10:30:00, sixty times as much. `30:00` is 1 day and 6 hours instead of half an hour. Three parts are read alike, and `1:30` is refused by version 2, `01:30` not.
# Why it matters: job files and the settings of schedulers in Python are pydantic models. After the move to version 2 a limit of half an hour holds nothing back, and no error says so.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydantic==2.14.4 Django==5.2.8
cd "$work"
"$work/venv/bin/python" -W ignore - > seen.txt <<'PY'
from datetime import timedelta

import pydantic
import pydantic.v1
from django.utils.dateparse import parse_duration


class Job(pydantic.BaseModel):
    walltime: timedelta


class OldJob(pydantic.v1.BaseModel):
    walltime: timedelta


def outcome(model, text):
    try:
        return str(model(walltime=text).walltime)
    except ValueError:
        return "refused"


for text in ("10:30", "30:00", "01:30", "1:30", "10:30:00", "26:00:00"):
    print(text, outcome(Job, text), outcome(OldJob, text), parse_duration(text), sep="\t")
PY
cat seen.txt
diff seen.txt - <<'END'
10:30	10:30:00	0:10:30	0:10:30
30:00	1 day, 6:00:00	0:30:00	0:30:00
01:30	1:30:00	0:01:30	0:01:30
1:30	refused	0:01:30	0:01:30
10:30:00	10:30:00	10:30:00	10:30:00
26:00:00	1 day, 2:00:00	1 day, 2:00:00	1 day, 2:00:00
END
