#!/usr/bin/env bash
# Packages: croniter 7.0.0, APScheduler 3.11.3, cronsim 2.8, crontab 1.0.5, tzdata 2025.2 (PyPI).
# Guess: "30 2 * * *" in the time of Berlin is one run a night, also in the nights in which the clocks change, and "0 * * * *" is one an hour.
# Seen: in the night of 25 October 2026, in which 2:30 is twice, croniter and APScheduler start the nightly job twice, an hour apart; cronsim and crontab once. On 29 March, on which 2:30 is left out, two start it at 3:00 and two at 3:30. crontab starts the hourly job twice at one moment in March, and leaves an hour out in October; the other three start it each hour.
# Why it matters: the nightly job clears what is kept for a day, or books the day's usage. It does so twice in a night, and whether it does depends on the library that reads the line.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check croniter==7.0.0 APScheduler==3.11.3 cronsim==2.8 crontab==1.0.5 tzdata==2025.2
venv/bin/python - > seen.txt <<'PY'
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim
from crontab import CronTab

BERLIN, UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


def by_croniter(line, start):
    runs = croniter(line, start)
    while True:
        yield runs.get_next(datetime)


def by_apscheduler(line, start):
    trigger, last, now = CronTrigger.from_crontab(line, timezone=BERLIN), None, start
    while True:
        last = trigger.get_next_fire_time(last, now)
        yield last
        now = (last.astimezone(UTC) + timedelta(seconds=1)).astimezone(BERLIN)


def by_crontab(line, start):
    while True:
        start = CronTab(line).next(now=start, default_utc=False, return_datetime=True)
        yield start


for line, hour, number in (("30 2 * * *", 12, 2), ("0 * * * *", 24, 4)):
    for month, day in ((3, 28), (10, 24)):
        start = datetime(2026, month, day, tzinfo=BERLIN) + timedelta(hours=hour, minutes=30)
        print(line, "after", start.isoformat())
        for name, runs in (("croniter", by_croniter), ("APScheduler", by_apscheduler), ("cronsim", CronSim), ("crontab", by_crontab)):
            print("  ", name, *(f"{run.astimezone(UTC):%d %H:%M}" for run in islice(runs(line, start), number)))
PY
cat seen.txt
diff seen.txt - <<'END'
30 2 * * * after 2026-03-28T12:30:00+01:00
   croniter 29 01:00 30 00:30
   APScheduler 29 01:30 30 00:30
   cronsim 29 01:00 30 00:30
   crontab 29 01:30 30 00:30
30 2 * * * after 2026-10-24T12:30:00+02:00
   croniter 25 00:30 25 01:30
   APScheduler 25 00:30 25 01:30
   cronsim 25 00:30 26 01:30
   crontab 25 00:30 26 01:30
0 * * * * after 2026-03-29T00:30:00+01:00
   croniter 29 00:00 29 01:00 29 02:00 29 03:00
   APScheduler 29 00:00 29 01:00 29 02:00 29 03:00
   cronsim 29 00:00 29 01:00 29 02:00 29 03:00
   crontab 29 00:00 29 01:00 29 01:00 29 02:00
0 * * * * after 2026-10-25T00:30:00+02:00
   croniter 24 23:00 25 00:00 25 01:00 25 02:00
   APScheduler 24 23:00 25 00:00 25 01:00 25 02:00
   cronsim 24 23:00 25 00:00 25 01:00 25 02:00
   crontab 24 23:00 25 00:00 25 02:00 25 03:00
END
