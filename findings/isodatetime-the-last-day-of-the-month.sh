#!/usr/bin/env bash
# Packages: metomi-isodatetime 3.2.0, aniso8601 10.0.1, python-dateutil 4.0.0 (PyPI).
# Guess: R5/2026-01-31T00:00:00Z/P1M, five times a month from the end of January on, is read by all as the last days of five months, or the months that have no 31st are left out, as in a calendar; R3/P1M/2026-05-31T00:00:00Z ends on 31 May.
# Seen: isodatetime, which Cylc cycles with, has the 31st, then the 28th of each month, as each time is a month after the last one. With an end, it is a month back from time to time and then forward again, so that three times end on 30 May, and 31 May is not valid. For aniso8601 a month is 30 days: 2 March, 1 April, 1 May, 31 May; a quarter is 90 days, a year is a year of the calendar. A calendar's rule has 31 January, March, May, July, August. From the first of a month on, isodatetime and the calendar agree.
# Why it matters: accounting of usage on the last day of each month leaves out three days from March on, or falls into the month after. A workflow whose final cycle is given never comes to it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "metomi-isodatetime==1!3.2.0" aniso8601==10.0.1 python-dateutil==4.0.0
venv/bin/python - > seen.txt <<'PY'
from datetime import datetime
from itertools import islice

import aniso8601
from dateutil.rrule import MONTHLY, rrule
from metomi.isodatetime.parsers import TimePointParser, TimeRecurrenceParser


def days(times):
    return " ".join(str(time)[5:10] for time in islice(times, 5))


for text in (
    "R5/2026-01-01T00:00:00Z/P1M",
    "R5/2026-01-31T00:00:00Z/P1M",
    "R4/2026-01-31T00:00:00Z/P3M",
    "R3/P1M/2026-05-31T00:00:00Z",
):
    print(f"{text}: isodatetime {days(TimeRecurrenceParser().parse(text))}, aniso8601 {days(aniso8601.parse_repeating_interval(text))}")
print("a calendar:", days(rrule(MONTHLY, dtstart=datetime(2026, 1, 31), count=5)))
ending = TimeRecurrenceParser().parse("R3/P1M/2026-05-31T00:00:00Z")
print("its end is valid:", ending.get_is_valid(TimePointParser().parse("2026-05-31T00:00:00Z")))
PY
cat seen.txt
diff seen.txt - <<'END'
R5/2026-01-01T00:00:00Z/P1M: isodatetime 01-01 02-01 03-01 04-01 05-01, aniso8601 01-01 01-31 03-02 04-01 05-01
R5/2026-01-31T00:00:00Z/P1M: isodatetime 01-31 02-28 03-28 04-28 05-28, aniso8601 01-31 03-02 04-01 05-01 05-31
R4/2026-01-31T00:00:00Z/P3M: isodatetime 01-31 04-28 07-28 10-28, aniso8601 01-31 05-01 07-30 10-28
R3/P1M/2026-05-31T00:00:00Z: isodatetime 03-30 04-30 05-30, aniso8601 05-31 05-01 04-01
a calendar: 01-31 03-31 05-31 07-31 08-31
its end is valid: False
END
