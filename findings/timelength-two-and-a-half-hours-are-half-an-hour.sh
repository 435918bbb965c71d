#!/usr/bin/env bash
# Packages: timelength 3.0.4, tempora 5.13.0 (PyPI).
# Guess: two readers of durations as people write them read "two and a half hours" and "an hour and a half", or say that they can not.
# Seen: timelength, which reads "half an hour" and "2 days and 3 hours", says success, and half an hour for the first and an hour for the second. Slurm's 1-02:00:00 is two hours for it, also with success, and for tempora two hours and one second. Both lose the sign of -5 min; 10:30 is ten minutes for one and ten hours for the other; 1h30 is 3600 and 3630 seconds. What was left out is in a list of timelength's result that nobody needs to ask for.
# Why it matters: a limit of time is a fifth of what was written, and the job is ended. The flag called success is the check that a caller makes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check timelength==3.0.4 tempora==5.13.0
venv/bin/python - > seen.txt <<'PY'
from tempora import parse_timedelta
from timelength import TimeLength

for text in ["half an hour", "two and a half hours", "an hour and a half", "2 days and 3 hours", "1-02:00:00", "10:30", "1h30", "-5 min"]:
    result = TimeLength(text).result
    try:
        other = f"{parse_timedelta(text).total_seconds():.0f}"
    except ValueError:
        other = "refuses it"
    print(f"{text}: timelength {result.success} {result.seconds:.0f}, tempora {other}")
PY
cat seen.txt
diff seen.txt - <<'END'
half an hour: timelength True 1800, tempora refuses it
two and a half hours: timelength True 1800, tempora refuses it
an hour and a half: timelength True 3600, tempora refuses it
2 days and 3 hours: timelength True 183600, tempora refuses it
1-02:00:00: timelength True 7200, tempora 7201
10:30: timelength True 630, tempora 37800
1h30: timelength True 3600, tempora 3630
-5 min: timelength True 300, tempora 300
END
