#!/usr/bin/env bash
# Packages: croniter 7.0.0, APScheduler 3.11.3, huey 3.5.4, celery 5.7.0 (PyPI), croner 4.0.3, cron 0.17.0 (crates.io), with Rust 1.95 from the machine.
# Guess: `0 0 13 * 5` is read by all as cron(5) has it, every 13th and every Friday; a reader with rules of its own has the Fridays that are a 13th.
# Seen: of 2026, croniter and croner give the 61 days of cron(5). huey and celery give the 3 Fridays that are a 13th. APScheduler's from_crontab gives one, a Saturday, as its week begins with Monday as 0, and cron gives one, a Thursday, as its week begins with Sunday as 1. The last four want both fields to hold. `0 0 * * 1` is Monday, Tuesday or Sunday.
# Why it matters: a line that is moved from a crontab or a CronJob to a scheduler in Python or Rust runs on 61 days, 3 or 1, and nothing is refused.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check croniter==7.0.0 APScheduler==3.11.3 huey==3.5.4 celery==5.7.0
venv/bin/python -W ignore - > seen.txt <<'PY'
from datetime import datetime, timedelta, timezone

import celery
import huey
from apscheduler.triggers.cron import CronTrigger
from celery.schedules import crontab
from croniter import croniter

days = [datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(days=day) for day in range(365)]


def by_celery(day_of_month, day_of_week):
    app = celery.Celery(set_as_current=False)
    app.conf.timezone = "UTC"
    before = days[0] - timedelta(seconds=1)
    seen = []
    while True:
        schedule = crontab("0", "0", day_of_week, day_of_month, app=app, nowfun=lambda: before)
        before = before + schedule.remaining_estimate(before)
        if before > days[-1]:
            return seen
        seen.append(before)


for day_of_month, day_of_week in (("13", "5"), ("*", "1")):
    line = f"0 0 {day_of_month} * {day_of_week}"
    trigger = CronTrigger.from_crontab(line, timezone="UTC")
    called = huey.crontab("0", "0", day_of_month, "*", day_of_week)
    readers = {
        "croniter": [day for day in days if croniter.match(line, day)],
        "huey": [day for day in days if called(day.replace(tzinfo=None))],
        "celery": by_celery(day_of_month, day_of_week),
        "APScheduler": [day for day in days if trigger.get_next_fire_time(None, day) == day],
    }
    for name, seen in readers.items():
        print(line, name, len(seen), f"{seen[0]:%a %m-%d}")
PY
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "lines"
edition = "2021"

[dependencies]
chrono = "=0.4.45"
cron = "=0.17.0"
croner = "=4.0.3"
TOML
cat > src/main.rs <<'RUST'
use chrono::{DateTime, Datelike, TimeZone, Utc};
use std::str::FromStr;

fn show(line: &str, name: &str, days: impl Iterator<Item = DateTime<Utc>>) {
    let days: Vec<_> = days.take_while(|day| day.year() == 2026).collect();
    println!("{line} {name} {} {}", days.len(), days[0].format("%a %m-%d"));
}

fn main() {
    let before = Utc.with_ymd_and_hms(2025, 12, 31, 23, 59, 59).unwrap();
    for line in ["0 0 13 * 5", "0 0 * * 1"] {
        let croner = croner::Cron::from_str(line).unwrap();
        show(line, "croner", croner.iter_from(before, croner::Direction::Forward));
        // Its lines begin with the seconds.
        let cron = cron::Schedule::from_str(&format!("0 {line}")).unwrap();
        show(line, "cron", cron.after(&before));
    }
}
RUST
CARGO_BUILD_JOBS=1 cargo run --quiet >> seen.txt
cat seen.txt
diff seen.txt - <<'END'
0 0 13 * 5 croniter 61 Fri 01-02
0 0 13 * 5 huey 3 Fri 02-13
0 0 13 * 5 celery 3 Fri 02-13
0 0 13 * 5 APScheduler 1 Sat 06-13
0 0 * * 1 croniter 52 Mon 01-05
0 0 * * 1 huey 52 Mon 01-05
0 0 * * 1 celery 52 Mon 01-05
0 0 * * 1 APScheduler 52 Tue 01-06
0 0 13 * 5 croner 61 Fri 01-02
0 0 13 * 5 cron 1 Thu 08-13
0 0 * * 1 croner 52 Mon 01-05
0 0 * * 1 cron 52 Sun 01-04
END
